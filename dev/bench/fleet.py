"""What a fleet costs: the daemon's CPU and memory while it publishes from a street.

Both sides run on this machine, so the figure to quote is CPU per picture of the daemon's own
process, and its ratio to a bare aiohttp client that only fetches the same pictures and drops
them, in the same run. Run it: `python dev/bench/fleet.py --cameras 1500 --interval 60`.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: CPU seconds so far, resident bytes, open files, threads."""

    cpu: float
    resident: int
    files: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Sample:
        """Look at `pid` now."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return cls(
            cpu=(int(fields[11]) + int(fields[12])) / TICK,
            resident=int(fields[21]) * PAGE,
            files=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
            threads=int(fields[17]),
        )


def main() -> None:
    """Measure, print, and stop everything that was started."""
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        street = start_street(options, folder)
        try:
            daemon = start_daemon(options, folder)
            try:
                samples = list(watch(daemon.pid, options.seconds, folder))
            finally:
                began = time.monotonic()
                daemon.send_signal(signal.SIGTERM)
                daemon.wait()
            report(options, samples, folder, time.monotonic() - began)
            asyncio.run(bare(folder / "street.csv"))
        finally:
            street.terminate()
            street.wait()


def start_street(options: argparse.Namespace, folder: Path) -> subprocess.Popen[str]:
    """The street, once it is ready."""
    words = ["--cameras", str(options.cameras), "--port", "0", "--slow", str(options.slow)]
    command = [sys.executable, str(ROOT / "dev/dummy_api.py"), *words, "--inventory", "street.csv"]
    street = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    assert street.stdout is not None  # noqa: S101 - it was asked for
    print(street.stdout.readline().strip())
    return street


def start_daemon(options: argparse.Namespace, folder: Path) -> subprocess.Popen[bytes]:
    """The daemon, on a folder store."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "MALLOC_ARENA_MAX": "2",
        "CAMERA_USERNAME": "viewer",
        "CAMERA_PASSWORD": "street-pass",
        "CCTV_INVENTORY": "street.csv",
        "CCTV_INVENTORY_REFRESH": "60",
        "CCTV_STORE": "store",
        "CCTV_HTTP": "127.0.0.1:0",
        "CCTV_LOG_DIR": "log",
        "CCTV_INTERVAL": str(options.interval),
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
    }
    command = [sys.executable, "-m", "cctv", "run"]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program


def watch(pid: int, seconds: float, folder: Path) -> Iterator[Sample]:
    """A sample every ten seconds, beginning with the first picture."""
    while not any((folder / "store").rglob("[0-9]*.http")):
        time.sleep(0.1)
    for _ in range(int(seconds / 10)):
        yield Sample.of(pid)
        time.sleep(10)
    yield Sample.of(pid)


def report(
    options: argparse.Namespace, samples: list[Sample], folder: Path, leaving: float
) -> None:
    """Print the figures."""
    first, last = samples[0], samples[-1]
    cpu = last.cpu - first.cpu
    seconds = 10 * (len(samples) - 1)
    pictures = options.cameras * seconds / options.interval
    live = sum(b"x-amz-meta-state: live" in head for head in heads(folder / "store"))
    middle = samples[len(samples) // 2]
    print(f"{options.cameras} cameras, {options.interval:g} s, watched for {seconds} s")
    print(f"addresses that show a live picture at the end: {live}")
    print(f"CPU: {cpu:.1f} s, {100 * cpu / seconds:.1f} % of one core")
    print(f"CPU per picture: {1000 * cpu / pictures:.2f} ms")
    print(
        "resident: "
        + ", ".join(f"{s.resident / 1e6:.0f} MB" for s in (first, middle, last))
        + f" (first, middle, last; most {max(s.resident for s in samples) / 1e6:.0f} MB)"
    )
    print(f"open files at most {max(s.files for s in samples)}, threads {last.threads}")
    print(f"left {leaving:.2f} s after SIGTERM")


def heads(store: Path) -> Iterator[bytes]:
    """The headers of every object of a camera."""
    for file in store.rglob("[0-9]*.http"):
        yield file.read_bytes().partition(b"\n\n")[0]


async def bare(inventory: Path) -> None:
    """Print the CPU per picture of a client that only fetches, for the ratio."""
    with inventory.open(encoding="utf-8") as rows:
        addresses = [row["address"] for row in csv.DictReader(rows) if row["model"] == "Sarix"]
    wanted = addresses * (1 + 600 // len(addresses))
    places = asyncio.Semaphore(30)
    async with aiohttp.ClientSession() as session:

        async def fetch(address: str) -> None:
            async with places, session.get(f"http://{address}/jpeg?id=2") as answer:
                await answer.read()

        before = time.process_time()
        await asyncio.gather(*map(fetch, wanted))
        cpu = time.process_time() - before
    print(f"a bare client, fetching only, no login: {1000 * cpu / len(wanted):.2f} ms per picture")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=1500)
    parser.add_argument("--interval", type=float, default=60)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--slow", type=float, default=1.5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
