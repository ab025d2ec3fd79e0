"""A loop that stands still ends its process, with a stack; one that was only stopped goes on."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cctv.watchdog import Lag, watched_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PROGRAM = """
import asyncio, ctypes, logging, os, re, sys, time
from pathlib import Path
from zoneinfo import ZoneInfo
from cctv.logs import Redactor, logging_to
from cctv.watchdog import watched_loop

async def blocks():
    time.sleep(60)

async def calculates():
    while True:
        pass

async def matches():
    re.match("(a+)+$", "a" * 60 + "b")

async def holds_the_lock():
    ctypes.PyDLL(None).sleep(60)

async def complains_too_much():
    os.set_blocking(2, False)
    try:
        while True:
            os.write(2, b"x" * 1000)
    except BlockingIOError:
        os.set_blocking(2, True)
    time.sleep(60)

async def runs():
    for _ in range(300):
        await asyncio.sleep(0.01)

async def ends():
    pass

async def main():
    async with watched_loop({words}):
        # the first beat is under way
        await asyncio.sleep(0.01)
        print("begun", flush=True)
        await {work}()
    time.sleep({after})

with logging_to(Path("log"), logging.INFO, ZoneInfo("UTC"), Redactor([])):
    asyncio.run(main())
"""
STANDS = "CRITICAL cctv.watchdog: the event loop stood still for 1 s: the process ends"


@contextmanager
def running(
    work: str, folder: Path, words: str = "limit=1", after: float = 0
) -> Iterator[subprocess.Popen[str]]:
    """A process whose loop is watched and has begun this work; `after` it, it sleeps."""
    text = PROGRAM.replace("{words}", words).replace("{work}", work)
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", text.replace("{after}", str(after))],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert "begun\n" in iter(process.stdout.readline, "")
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, float, str, str]:
    """Its exit status, the seconds it took from now, and what it printed on either way."""
    began = time.monotonic()
    said, complained = process.communicate(timeout=30)
    return process.returncode, time.monotonic() - began, said, complained


@pytest.mark.parametrize("work", ["blocks", "calculates"])
def test_a_stalled_loop_ends_with_70_and_a_stack(work: str, tmp_path: Path) -> None:
    """Within two seconds of the limit, and the stack names who holds the loop up."""
    with running(work, tmp_path) as process:
        status, seconds, said, complained = ended(process)
    assert status == 70
    assert 0.8 < seconds < 3
    assert f"in {work}\n" in complained
    assert said.count(STANDS) == 1
    assert STANDS in (tmp_path / "log" / "cctv.log").read_text("utf-8")


def test_the_stack_also_goes_to_a_file(tmp_path: Path) -> None:
    """Under a line with the date and the pid, behind those that were there before."""
    file = tmp_path / "kept" / "stacks"
    file.parent.mkdir()
    file.write_text("an earlier one\n")
    with running("blocks", tmp_path, "limit=1, stacks=Path('kept/stacks')") as process:
        assert ended(process)[0] == 70
    earlier, blank, head, *stacks = file.read_text().splitlines()
    assert (earlier, blank) == ("an earlier one", "")
    assert head.startswith("20")
    assert f" pid={process.pid} the event loop stood still" in head
    assert any(line.endswith("in blocks") for line in stacks)


def test_a_file_that_cannot_be_opened_costs_nothing_else(tmp_path: Path) -> None:
    """A warning at the start; the loop is watched all the same."""
    (tmp_path / "kept").write_text("no folder")
    with running("blocks", tmp_path, "limit=1, stacks=Path('kept/stacks')") as process:
        status, _, said, complained = ended(process)
    assert status == 70
    assert "in blocks\n" in complained
    log = (tmp_path / "log" / "cctv.log").read_text("utf-8")
    assert "WARNING cctv.watchdog: the stacks of a stalled loop would go to stderr only: " in log
    assert STANDS in said


def test_a_terminal_that_takes_nothing_does_not_keep_it_alive(tmp_path: Path) -> None:
    """A full pipe on stderr holds up the last words, not the end."""
    with running("complains_too_much", tmp_path) as process:
        assert process.wait(10) == 70


@pytest.mark.parametrize("work", ["matches", "holds_the_lock"])
def test_c_code_that_holds_the_lock_ends_with_1_and_a_stack(work: str, tmp_path: Path) -> None:
    """No thread of ours can run then; the timer behind them needs no lock."""
    with running(work, tmp_path, "limit=1, backstop=2") as process:
        status, seconds, _, complained = ended(process)
    assert status == 1
    assert seconds < 5
    assert "Timeout (0:00:02)!" in complained
    assert f"in {work}\n" in complained


def test_a_stopped_process_goes_on(tmp_path: Path) -> None:
    """SIGSTOP for three times the limit, SIGCONT, and it does its work to the end."""
    with running("runs", tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        process.send_signal(signal.SIGCONT)
        status, _, said, complained = ended(process)
    assert (status, complained) == (0, "")
    assert "WARNING cctv.watchdog: the loop was held up for" in said
    assert "cpu=0." in said


def test_a_healthy_loop_is_left_alone(tmp_path: Path) -> None:
    """Through three times the limit, and the process ends with 0 and without a word."""
    with running("runs", tmp_path, "limit=1, warn=60, backstop=2") as process:
        status, _, said, complained = ended(process)
    assert (status, said, complained) == (0, "", "")


def test_nothing_fires_after_its_end(tmp_path: Path) -> None:
    """What comes after the block may block: neither watcher is left."""
    with running("ends", tmp_path, "limit=0.5, backstop=1", after=2) as process:
        status, _, said, complained = ended(process)
    assert (status, said, complained) == (0, "", "")


def handles() -> tuple[int, int]:
    """How many threads and open files this process has."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


async def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    """No thread, no open file, no task; and it is gone at once."""
    before, tasks = handles(), asyncio.all_tasks()
    async with watched_loop(stacks=tmp_path / "stacks"):
        assert handles() > before
        began = time.monotonic()
    assert time.monotonic() - began < 0.5
    assert asyncio.all_tasks() == tasks
    assert handles() == before


async def test_the_longest_lag_can_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A loop that is held up says for how long, with its own work in that time."""
    caplog.set_level(logging.INFO, "cctv.watchdog")
    async with watched_loop(limit=10) as lag:
        await asyncio.sleep(0)
        time.sleep(1.6)  # noqa: ASYNC251 - this is what is watched for
        await asyncio.sleep(0.1)
    assert 1 <= lag.longest < 10
    (line,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert line.getMessage() == f"the loop was held up for {lag.longest:.1f} s cpu=0.0s"


def test_lag_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Short ones as INFO, long ones as WARNING; one kind does not silence the other."""
    caplog.set_level(logging.INFO, "cctv.watchdog")
    lag = Lag(warn=0.25)
    for late in (0.2, 0.3, 0.4, 2.0, 0.5, 3.0):
        lag.heed(late, 0.1)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "the loop was held up for 0.3 s cpu=0.1s"),
        ("WARNING", "the loop was held up for 2.0 s cpu=0.1s"),
    ]
    assert lag.longest == 3.0
