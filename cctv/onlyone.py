"""One daemon for one state folder: two would undo each other's work."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import socket
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.errors import CctvError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cctv.aside import Wanted

log = logging.getLogger(__name__)

FILE = "daemon.lock"

_DISK = 5.0
_LOOK = 0.2
_NOTE = 1000


class AlreadyRunningError(CctvError):
    """Another daemon keeps its state in this folder, and does not leave."""


@asynccontextmanager
async def only_daemon(folder: Path, patience: float = 15.0) -> AsyncIterator[None]:
    """Be the only daemon of this machine with its state in `folder` until the end of the block.

    One that is about to leave is waited for, `patience` seconds at most. The lock dies with its
    process, however that ends. Where none can be had (a folder that cannot be written, a file
    system without locks) a warning says so, and the block runs all the same.

    Raises:
        AlreadyRunningError: another one runs there, and stayed.
    """
    hand, file = Hand(_DISK), folder / FILE
    opened: int | None = None
    try:
        try:
            opened = await hand.do(partial(_open, file))
            await _alone(opened, file, patience, hand)
        except OSError as error:
            found = error.strerror or "the disk hangs"
            log.warning("a second daemon would not be noticed: %s: %s", file, found)
        yield
    finally:
        # the file stays: with a new one, two could each hold a lock
        if opened is not None:
            with suppress(OSError):
                await hand.do(lambda _: os.close(opened))


async def _alone(opened: int, file: Path, patience: float, hand: Hand) -> None:
    """Return once the lock is ours."""
    end, told = time.monotonic() + patience, False
    while not await hand.do(lambda _: _locked(opened)):
        holder = await hand.do(lambda _: _note(opened))
        if time.monotonic() >= end:
            raise AlreadyRunningError(
                f"another daemon runs with its state in {file.parent.absolute()}: {holder}; "
                "stop it, or give this one a CCTV_STATE_DIR of its own"
            )
        if not told:
            log.info("waiting for another daemon to leave: %s", holder)
            told = True
        await asyncio.sleep(_LOOK)
    await hand.do(lambda _: _sign(opened))


def _open(file: Path, wanted: Wanted) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if not wanted():
        os.close(opened)
    return opened


def _locked(opened: int) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(opened: int) -> None:
    """Leave word of who holds the lock; a full disk takes none, and the lock holds all the same."""
    started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    note = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
    with suppress(OSError):
        os.ftruncate(opened, 0)
        os.pwrite(opened, json.dumps(note).encode(), 0)


def _note(opened: int) -> str:
    """Who holds the lock, in words; its note may be missing, or just being written."""
    try:
        note = json.loads(os.pread(opened, _NOTE, 0))
        return f"pid {note['pid']} on {note['host']} since {note['started']}"
    except (ValueError, KeyError, TypeError):
        return "it left no word of who it is"
