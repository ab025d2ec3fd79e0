"""The daemon for half an hour, in real time: whether it grows, and what its log says.

300 cameras every ten seconds, of which 15 % misbehave on the wire, a third of those by turns; the
inventory is read again every minute, and every three minutes a person holds some cameras and
releases them. Memory, files and threads are sampled every ten seconds; the tasks of the daemon
cannot be counted from outside (`dev/bench/cycles.py` does). Run it: `python dev/bench/soak.py`.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dev.bench.fleet import Sample  # noqa: E402 - after the path
from dev.bench.slopes import settled, slope  # noqa: E402
from tests.fakes.s3 import moto_s3  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MODES = [
    "trunc_cl",
    "trunc_nocl",
    "noise_mid",
    "grey_bottom",
    "rst_mid",
    "close_now",
    "cl_long",
    "cl_short_hang",
    "chunk_trunc",
    "chunk_bad",
    "html_200",
    "empty_200",
    "status_404",
    "status_500",
    "status_503_busy",
    "mjpeg",
    "mjpeg_wrong_boundary",
    "endless_zeros",
    "endless_header",
    "huge",
    "many_headers",
    "bomb_px",
    "hang_accept",
    "hang_hdr",
    "hang_mid",
    "drip_hdr",
    "drip_body",
    "blackhole",
    "refused",
    "garbage",
    "redir_loop",
    "wrong_password",
    "flap_401",
    "frozen",
    "green",
    "two_pictures",
]
_EVERY, _TURN = 10.0, 30.0
_HOLD_EVERY, _HOLD = 180.0, 60.0
_READY = 60.0
_HEADS = re.compile(r"^\S+ (\w+) (\S+): (.*)$")
_PUBLISHED = re.compile(r"cycles_published=(\d+)")
_LAG = re.compile(r"held up for ([0-9.]+) s")
_VARIABLE = re.compile(r'"[^"]*"|\S*\d\S*')


@dataclass
class Orders:
    """A person who holds three cameras for a minute, every three minutes; and says what failed."""

    env: Mapping[str, str]
    folder: Path
    held: bool = False
    given: int = 0
    failed: list[str] = field(default_factory=list)

    def see_to_it(self, second: float) -> None:
        """Give the order that is due."""
        due = second % _HOLD_EVERY >= _HOLD_EVERY - _HOLD
        if due and not self.held:
            self._order("hold", "--camera", "1,2,3", "--reason", "a soak", "--by", "soak")
        elif self.held and not due:
            self._order("release", "--all", "--by", "soak")
        self.held = due

    def _order(self, *words: str) -> None:
        command = [sys.executable, "-m", "cctv", *words]
        done = subprocess.run(  # noqa: S603 - our own program
            command,
            cwd=self.folder,
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        self.given += 1
        if done.returncode:
            self.failed.append(f"{words[0]}: {done.stderr.strip()[-200:]}")


@dataclass
class Street:
    """The cameras, and who lets some of them misbehave by turns."""

    process: subprocess.Popen[str]
    control: str
    by_turns: list[tuple[str, str]]
    ill: bool = True

    def turn(self) -> None:
        """Those that misbehave by turns get well, or ill again."""
        self.ill = not self.ill
        for camera, mode in self.by_turns:
            line = http.client.HTTPConnection(self.control, timeout=10)
            line.request("PUT", f"/cameras/{camera}", mode if self.ill else "ok")
            line.getresponse().read()
            line.close()


def main(words: Sequence[str] | None = None) -> None:
    """Soak, and print."""
    options = arguments(words)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = {"CCTV_STORE": "store"}
        if options.store == "s3":
            # its log has a line for each request
            logging.getLogger("werkzeug").setLevel(logging.ERROR)
            s3 = stack.enter_context(moto_s3())
            store = {"BUCKET": s3.bucket, **s3.environment}
        env = environment(options, store)
        street = stack.enter_context(open_street(options, folder))
        daemon = stack.enter_context(open_daemon(env, folder))
        orders = Orders(env, folder)
        await_work(folder / "log" / "cctv.log")
        samples = list(watch(daemon, street, orders, options.seconds))
        began = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        status = daemon.wait(30)
        for line in report(samples, orders, folder / "log"):
            print(line)
        print(f"left {time.monotonic() - began:.1f} s after SIGTERM, status {status}")
    if options.csv:
        write(options.csv, samples)


def await_work(log: Path) -> None:
    """Wait until the daemon works by a list."""
    end = time.monotonic() + _READY
    while not (log.exists() and " cctv.keeper: inventory: records=" in log.read_text()):
        if time.monotonic() > end:
            sys.exit(f"the daemon did not begin within {_READY:g} s")
        time.sleep(0.1)


@contextmanager
def open_street(options: argparse.Namespace, folder: Path) -> Iterator[Street]:
    """The street, once it is ready."""
    count = round(options.cameras * options.faulty / 100)
    ill = list(zip((str(5 + 6 * n) for n in range(count)), cycle(MODES), strict=False))
    modes = [word for camera, mode in ill for word in ("--mode", f"{camera}={mode}")]
    words = ["--cameras", str(options.cameras), "--csv", "street.csv", "--control", "0", *modes]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(ROOT / "dev/street.py"), *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        found = re.search(r"control: http://([0-9.:]+)/", process.stdout.readline())
        if found is None:
            sys.exit("the street did not open")
        yield Street(process, found[1], ill[::3])
    finally:
        process.terminate()
        process.wait()


@contextmanager
def open_daemon(env: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon; dead in the end, whatever happens."""
    command = [sys.executable, "-m", "cctv", "run"]
    daemon = subprocess.Popen(command, cwd=folder, env=dict(env), stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield daemon
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()


def environment(options: argparse.Namespace, store: Mapping[str, str]) -> dict[str, str]:
    """The daemon's and the person's settings."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "MALLOC_ARENA_MAX": "2",
        "CAMERA_USERNAME": "user",
        "CAMERA_PASSWORD": "pass word:%",
        "CCTV_INVENTORY": "street.csv",
        "CCTV_INVENTORY_REFRESH": "60",
        "CCTV_HTTP": "127.0.0.1:0",
        "CCTV_LOG_DIR": "log",
        "CCTV_INTERVAL": f"{options.interval:g}",
        "CCTV_RETRY_AFTER": "60",
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
        **store,
    }


def watch(
    daemon: subprocess.Popen[bytes], street: Street, orders: Orders, seconds: float
) -> Iterator[tuple[float, Sample]]:
    """Samples with their second, the first when the daemon has been at work for a moment."""
    began = time.monotonic()
    turned = 0.0
    while (second := time.monotonic() - began) < seconds:
        if daemon.poll() is not None:
            print(f"the daemon ended by itself after {second:.0f} s, status {daemon.returncode}")
            return
        yield second, Sample.of(daemon.pid)
        orders.see_to_it(second)
        if second - turned >= _TURN:
            turned = second
            street.turn()
        # on the grid, however long an order took
        time.sleep(max(0.0, _EVERY - (time.monotonic() - began) % _EVERY))
    if daemon.poll() is None:
        yield seconds, Sample.of(daemon.pid)


def report(samples: Sequence[tuple[float, Sample]], orders: Orders, log: Path) -> Iterator[str]:
    """The figures, line by line."""
    if not samples:
        yield "no sample"
        return
    warm = settled(samples)
    (_, first), (_, begun), (end, last) = samples[0], warm[0], samples[-1]
    yield f"{end:.0f} s; CPU {100 * (last.cpu - first.cpu) / max(end, 1):.1f} % of one core"
    yield f"{'':10}{'first':>12}{'warm':>12}{'last':>12}{'most':>12}   growth in an hour"
    hours = [second / 3600 for second, _ in warm]
    for name in ("resident", "files", "threads"):
        values = [getattr(sample, name) for _, sample in warm]
        ends = [getattr(each, name) for each in (first, begun, last)]
        most = max(getattr(sample, name) for _, sample in samples)
        numbers = "".join(f"{each:12,}" for each in (*ends, most))
        yield f"{name:10}{numbers}   {slope(hours, values)}"
    yield f"orders given {orders.given}, failed {len(orders.failed)} {orders.failed[:3] or ''}"
    yield from told(log)


def told(log: Path) -> Iterator[str]:
    """What the log says, oldest file first: pictures, lags, warnings and errors by kind."""
    files = sorted(log.glob("cctv.log*"), key=lambda file: file.stat().st_mtime)
    lines = [line for file in files for line in file.read_text(errors="replace").splitlines()]
    published = sum(int(found[1]) for line in lines if (found := _PUBLISHED.search(line)))
    yield f"pictures published, up to the last summary in the log: {published}"
    lags = [float(found[1]) for line in lines if (found := _LAG.search(line))]
    yield f"times the loop was told to be held up: {len(lags)}, longest {max(lags, default=0):g} s"
    kinds: Counter[str] = Counter()
    for line in lines:
        if (head := _HEADS.match(line)) and head[1] in {"WARNING", "ERROR", "CRITICAL"}:
            kinds[f"{head[1]} {head[2]}: {kind(head[3])}"] += 1
    yield "log lines:"
    for words, count in kinds.most_common(40):
        yield f"{count:6} {words}"


def kind(line: str) -> str:
    """A log line's words without what differs from one to the next."""
    plain = line.partition(" found=")[0] if " found=" in line else line
    return _VARIABLE.sub("…", plain)[:100]


def write(file: Path, samples: Sequence[tuple[float, Sample]]) -> None:
    """The samples as a table."""
    with file.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["second", "cpu", "resident", "files", "threads"])
        for second, each in samples:
            table.writerow([f"{second:.1f}", each.cpu, each.resident, each.files, each.threads])


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--cameras", type=int, default=300)
    parser.add_argument("--interval", type=float, default=10.0)
    parser.add_argument("--faulty", type=float, default=15.0, help="percent, at most 16")
    parser.add_argument("--store", choices=["folder", "s3"], default="folder")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="the samples")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
