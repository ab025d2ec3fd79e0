"""An S3 on loopback that can refuse writes: moto's server, and a small proxy before it.

The first line on stdout is JSON: `direct`, where viewers' caches read, and `proxy`, where the
daemon writes. A line `refuse` on stdin lets every write end with 503 SlowDown from now on, `accept`
ends that; the end of stdin ends the program.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web
from botocore.session import get_session
from moto.server import ThreadedMotoServer
from yarl import URL

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.promise_lines import lines

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST, BUCKET, REGION = "127.0.0.1", "public-images", "us-east-2"
KEY = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy"}

_DEADLINE = ClientTimeout(total=30)
_WRITES = {"PUT", "POST", "DELETE"}
_SLOW_DOWN = (
    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
# each connection's own affair, or counted anew on the way
_HOPS = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "date", "server"}


@dataclass(slots=True)
class Proxy:
    """Passes requests on to `target`; writes only while it does not refuse them."""

    target: URL
    session: ClientSession
    refuses: bool = False

    async def handle(self, request: web.Request) -> web.Response:
        """One request of the daemon's."""
        body = await request.read()
        if self.refuses and request.method in _WRITES:
            return web.Response(status=503, text=_SLOW_DOWN, content_type="application/xml")
        url = self.target.join(URL(request.raw_path, encoded=True))
        passing = self.session.request(
            request.method, url, data=body, headers=_kept(request.headers), allow_redirects=False
        )
        async with passing as reply:
            headers, data = _kept(reply.headers), await reply.read()
        if request.method != "HEAD":
            headers.pop("Content-Length", None)
        return web.Response(status=reply.status, body=data, headers=headers)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOPS}


def make_bucket(endpoint: str) -> None:
    """Make the bucket, which everybody may read."""
    s3 = get_session().create_client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=KEY["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEY["AWS_SECRET_ACCESS_KEY"],
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    everyone_reads = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [everyone_reads]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


async def serve(direct: str) -> None:
    """Play the proxy until stdin ends."""
    session = ClientSession(timeout=_DEADLINE, cookie_jar=DummyCookieJar(), auto_decompress=False)
    async with session:
        proxy = Proxy(URL(direct), session)
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        print(json.dumps({"direct": direct, "proxy": f"http://{host}:{port}"}), flush=True)
        async for line in lines():
            proxy.refuses = line == "refuse"
        await runner.cleanup()


def main() -> None:
    """Play the store."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    direct = f"http://{host}:{port}"
    make_bucket(direct)
    asyncio.run(serve(direct))
    server.stop()


if __name__ == "__main__":
    main()
