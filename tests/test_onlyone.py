"""Two daemons do not share a state folder; one that is killed leaves it free."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cctv.errors import CctvError
from cctv.onlyone import FILE, AlreadyRunningError, only_daemon
from tests.fakes.daemon import await_

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
HOLDER = """
import asyncio, subprocess, sys
from pathlib import Path
from cctv.onlyone import only_daemon

async def main():
    async with only_daemon(Path(sys.argv[1])):
        child = subprocess.Popen(["sleep", "60"])
        print(child.pid, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    print("left", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def files() -> int:
    """How many open files this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock, and has a child; a line on stdin lets it leave."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HOLDER, str(folder)],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            os.kill(child, signal.SIGKILL)


async def test_a_second_daemon_is_told_who_runs(tmp_path: Path) -> None:
    """The sentence names the process, its machine and its start, and what to do."""
    with holder(tmp_path) as process:
        note = json.loads((tmp_path / FILE).read_text())
        assert (note["pid"], note["host"]) == (process.pid, socket.gethostname())
        with pytest.raises(AlreadyRunningError) as caught:
            async with only_daemon(tmp_path, patience=0.3):
                pytest.fail("two at once")
    assert isinstance(caught.value, CctvError)
    assert str(caught.value) == (
        f"another daemon runs with its state in {tmp_path}: pid {process.pid} on "
        f"{socket.gethostname()} since {note['started']}; "
        "stop it, or give this one a CCTV_STATE_DIR of its own"
    )


async def test_one_that_leaves_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A restart by cron: the old one is still leaving when the new one begins."""
    caplog.set_level("INFO")
    with holder(tmp_path) as process:

        def let_go() -> None:
            words = "waiting for another daemon to leave: pid "
            await_(lambda: words in caplog.text, "it waits")
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

        leaving = asyncio.create_task(asyncio.to_thread(let_go), name="let go")
        async with only_daemon(tmp_path, patience=20):
            assert json.loads((tmp_path / FILE).read_text())["pid"] == os.getpid()
        await leaving
    assert caplog.text.count("waiting for another") == 1


async def test_kill_9_frees_it(tmp_path: Path) -> None:
    """The lock dies with its process, whatever children that leaves behind."""
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        began = time.monotonic()
        async with only_daemon(tmp_path):
            assert time.monotonic() - began < 5


async def test_the_next_one_finds_it_free(tmp_path: Path) -> None:
    """Within one process too, and nothing stays open; the folder is made when it is missing."""
    folder = tmp_path / "log" / "state"
    before = files()
    for _ in range(3):
        async with only_daemon(folder, patience=0):
            with pytest.raises(AlreadyRunningError):
                async with only_daemon(folder, patience=0):
                    pytest.fail("two at once")
    assert files() == before


async def test_a_holder_without_a_note(tmp_path: Path) -> None:
    """A disk that was full when it began: who it is cannot be told, that it runs can."""
    with (tmp_path / FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(AlreadyRunningError, match="it left no word of who it is; stop it"):
            async with only_daemon(tmp_path, patience=0):
                pytest.fail("two at once")


async def test_a_folder_that_cannot_be_written_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Better two daemons than none."""
    (tmp_path / "state").write_text("no folder")
    begun = False
    async with only_daemon(tmp_path / "state"):
        begun = True
    assert begun
    assert f"a second daemon would not be noticed: {tmp_path / 'state' / FILE}: " in caplog.text


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
async def test_a_file_system_without_locks_is_warned_of(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As some network disks are; the system's call is what is played here."""

    def refuses(_file: int, _order: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuses)
    before, begun = files(), False
    async with only_daemon(tmp_path):
        begun = True
    assert begun
    assert f"{FILE}: {os.strerror(number)}" in caplog.text
    assert files() == before
