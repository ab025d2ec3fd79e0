"""The audit log: who ordered what and when, a line of JSON for each order, only ever added to."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
from datetime import datetime
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.gallery import rfc3339

if TYPE_CHECKING:
    from pathlib import Path

    from cctv.seams import Clock

log = logging.getLogger(__name__)

_DISK = 5.0
_HANGS = "the disk hangs"


class Audit:
    """A file that several processes may add to at once; readable by its owner only.

    Its folder is made when it is missing. It stands on a local disk: whether lines of two
    processes stay whole is not sure on a network's.
    """

    def __init__(self, file: Path, now: Clock) -> None:
        self._file = file
        self._now = now
        self._hand = Hand(_DISK)

    async def note(self, what: str, **facts: object) -> None:
        """Add one line, on the disk within five seconds; what cannot be written is logged instead.

        Facts are str, int, float, bool, None, lists or tuples of str, and aware datetimes; none
        is a secret, none is named `at`.

        Raises:
            TypeError, ValueError: a fact of another kind, a slip of the program.
        """
        line = _line(self._now(), what, facts)
        try:
            await self._hand.do(lambda _: _append(self._file, line))
        except OSError as error:
            log.error("audit log not written: %s: %s", str(error) or _HANGS, line)  # noqa: TRY400 - the disk's fault needs no traceback
        except asyncio.CancelledError:
            log.warning("audit log perhaps not written: broken off: %s", line)
            raise


def entries(file: Path) -> list[dict[str, object]]:
    """What stands in an audit log, the oldest first; torn and blank lines are left out. Blocks.

    Nothing where there is no file; OSError where it cannot be read.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [entry for entry in map(_entry, lines) if entry is not None]


def _line(at: datetime, what: str, facts: dict[str, object]) -> str:
    if "at" in facts:
        raise TypeError("no fact is named at: that is when it was noted")
    plain = {name: _plain(fact) for name, fact in facts.items()}
    # ASCII only: whatever a text holds, a line stays one line
    return json.dumps(
        {"at": rfc3339(at), "what": what, **plain}, ensure_ascii=True, allow_nan=False
    )


def _plain(fact: object) -> object:
    match fact:
        case datetime() if fact.utcoffset() is not None:
            return rfc3339(fact)
        case str() | int() | float() | None:
            return fact
        case list() | tuple() if all(isinstance(part, str) for part in fact):
            return list(fact)
        case _:
            raise TypeError(f"no fact for the audit log: {fact!r}")


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    out = os.open(file, flags, 0o600)
    try:
        text = f"{_torn(out)}{line}\n".encode("ascii")
        # one write, as lines of two processes must not mix; both may end what looks torn meanwhile
        if os.write(out, text) < len(text):
            raise OSError(errno.ENOSPC, "only a part of the line found room")
        os.fsync(out)
    finally:
        os.close(out)


def _torn(out: int) -> str:
    """What ends a last line that a power cut or a full disk has torn."""
    size = os.fstat(out).st_size
    return "\n" if size and os.pread(out, 1, size - 1) != b"\n" else ""


def _entry(line: bytes) -> dict[str, object] | None:
    try:
        entry = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
