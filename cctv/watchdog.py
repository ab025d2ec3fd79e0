"""A loop that stands still ends the process: what exits is started again, what hangs is not.

Two watchers, one behind the other. A thread looks for the loop's beat and ends the process with
status 70. Where it cannot run because C code holds the interpreter's lock, a timer of
`faulthandler` ends it with status 1. That one comes late: it counts the time in which the whole
process was stopped (SIGSTOP, `docker pause`) as well, and may fire when it goes on.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import math
import os
import sys
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, NoReturn

from cctv.aside import Hand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from cctv.aside import Wanted

log = logging.getLogger(__name__)

STALLED = 70

_DISK = 5.0
_BEATS = 10
_BEAT_LIMIT = 0.5
_TELL = 1.0
_LONG, _AGAIN = 1.0, 60.0


class Lag:
    """How late the loop was; `longest` is the worst so far, in seconds."""

    def __init__(self, warn: float) -> None:
        self.longest = 0.0
        self._warn = warn
        self._told: dict[int, float] = {}

    def heed(self, late: float, cpu: float) -> None:
        """Note that the loop came `late` after `cpu` seconds of its own work; a line a minute."""
        self.longest = max(self.longest, late)
        level = logging.WARNING if late > _LONG else logging.INFO
        now = time.monotonic()
        if late > self._warn and now >= self._told.get(level, -math.inf) + _AGAIN:
            self._told[level] = now
            # without work of its own it waited in a call, or the whole process was stopped
            log.log(level, "the loop was held up for %.1f s cpu=%.1fs", late, cpu)


@asynccontextmanager
async def watched_loop(
    limit: float = 30.0,
    warn: float = 0.25,
    stacks: Path | None = None,
    backstop: float = 300.0,
) -> AsyncIterator[Lag]:
    """Watch the running loop; one that stands still for `limit` seconds ends the process.

    It ends with status 70 after a line in the log and the stacks of all threads (no values, so no
    secrets) on stderr and at the end of the file `stacks`. Time in which the whole process was
    stopped does not count, up to `backstop` seconds: after so long without a beat it may end with
    status 1 and the stacks on stderr, whatever the reason. A beat that is `warn` seconds late is
    told, once a minute at most.
    """
    beat, lag = min(_BEAT_LIMIT, limit / _BEATS), Lag(warn)
    opened = await _opened(stacks)
    with _stderr() as stderr:
        watcher = Watcher(limit, beat, stderr, opened)
        watcher.begin()
        _rearm(stderr, backstop)
        beating = asyncio.create_task(_beat(watcher, beat, lag, backstop), name="beat")
        try:
            yield lag
        finally:
            beating.cancel()
            await asyncio.wait([beating])
            faulthandler.cancel_dump_traceback_later()
            watcher.end()


class Watcher:
    """The thread that looks whether the loop still beats."""

    def __init__(self, limit: float, look: float, stderr: int, stacks: int | None) -> None:
        self.beats = 0
        self.stderr = stderr
        self._limit = limit
        self._look = look
        self._stacks = stacks
        # a dump holds the interpreter's lock: it goes to where nothing can hold it up
        self._memory = os.fdopen(os.memfd_create("stacks"), "w+b", buffering=0)
        self._over = Event()
        self._thread = Thread(target=self._watch, name="watchdog", daemon=True)

    def begin(self) -> None:
        """Look from now on."""
        self._thread.start()

    def end(self) -> None:
        """Look no longer; the thread is gone when this returns."""
        self._over.set()
        self._thread.join()
        self._memory.close()
        if self._stacks is not None:
            os.close(self._stacks)

    def _watch(self) -> None:
        seen, silent = self.beats, 0.0
        # counted in looks, not by a clock: a process that is stopped does not look either
        while not self._over.wait(self._look):
            silent = silent + self._look if self.beats == seen else 0.0
            seen = self.beats
            if silent >= self._limit:
                self._finish()

    def _finish(self) -> NoReturn:
        # a log or a terminal that takes nothing must not keep the process alive
        with suppress(RuntimeError):
            teller = Thread(target=self._tell, name="last words", daemon=True)
            teller.start()
            teller.join(_TELL)
        os._exit(STALLED)

    def _tell(self) -> None:
        text = f"the event loop stood still for {self._limit:g} s: the process ends"
        log.critical("%s; where it stood is told on stderr", text)
        faulthandler.dump_traceback(self._memory.fileno())
        self._memory.seek(0)
        stacks = self._memory.read()
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        if self._stacks is not None:
            with suppress(OSError):
                head = f"\n{moment} pid={os.getpid()} {text}\n".encode()
                os.write(self._stacks, head + stacks)
        with suppress(OSError):
            os.write(self.stderr, stacks)
        logging.shutdown()


async def _beat(watcher: Watcher, every: float, lag: Lag, backstop: float) -> None:
    while True:
        watcher.beats += 1
        _rearm(watcher.stderr, backstop)
        began, worked = time.monotonic(), time.thread_time()
        await asyncio.sleep(every)
        lag.heed(time.monotonic() - began - every, time.thread_time() - worked)


def _rearm(stderr: int, backstop: float) -> None:
    # RuntimeError: no thread can be started for it; the next beat tries again
    with suppress(RuntimeError):
        faulthandler.dump_traceback_later(backstop, exit=True, file=stderr)


async def _opened(stacks: Path | None) -> int | None:
    """The file for the stacks, opened while there is time for it; None where that cannot be."""
    if stacks is None:
        return None
    try:
        return await Hand(_DISK).do(partial(_open, stacks))
    except OSError as error:
        text = "the stacks of a stalled loop would go to stderr only: %s"
        log.warning(text, str(error) or "the disk hangs")
        return None


def _open(stacks: Path, wanted: Wanted) -> int:
    stacks.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(stacks, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if not wanted():
        os.close(opened)
    return opened


@contextmanager
def _stderr() -> Iterator[int]:
    """The process's own stderr, whatever stands before it now; nowhere, when it began without."""
    if sys.__stderr__ is not None:
        yield sys.__stderr__.fileno()
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        yield nowhere.fileno()
