"""The file of refused logins: its form, and what stands in it after two programs wrote."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SALT, NAME = 16, 32
"""The bytes of a salt, and the letters of a name."""

_FORMAT = 1
# far beyond any count, and any moment in seconds
_ENDLESS = 10**11


@dataclass(frozen=True, slots=True)
class Row:
    """Refusals in a row, and from when their pause counts; seconds of the wall clock."""

    refusals: int
    since: float


@dataclass(frozen=True, slots=True)
class Table:
    """What the file holds: the salt of its names, and the refused logins by name."""

    salt: bytes
    rows: Mapping[str, Row]

    def text(self) -> str:
        """The file's text."""
        rows = {name: [row.refusals, row.since] for name, row in self.rows.items()}
        return json.dumps({"format": _FORMAT, "salt": self.salt.hex(), "refused": rows})


def agreed(mine: Row | None, theirs: Row | None, seen: Row | None) -> Row | None:
    """What stands after two programs may have changed what both had `seen`."""
    if theirs in (mine, seen):
        return mine
    if mine == seen:
        return theirs
    if mine is None or theirs is None:
        return mine or theirs
    both = mine.refusals + theirs.refusals - (seen.refusals if seen else 0)
    return Row(max(mine.refusals, theirs.refusals, both), max(mine.since, theirs.since))


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Whoever else wants to replace `file` waits; blocks, OSError where that cannot be had."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def read(file: Path) -> Table | None:
    """What the file holds; None where there is none, or it is not ours."""
    try:
        saved = json.loads(file.read_text("utf-8"))
        salt = bytes.fromhex(saved["salt"])
        rows = {name: Row(*row) for name, row in saved["refused"].items() if _is_row(name, row)}
        return Table(salt, rows) if saved["format"] == _FORMAT and len(salt) == SALT else None
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def _is_row(name: str, row: object) -> bool:
    if len(name) != NAME or not isinstance(row, list):
        return False
    match row:
        case [int(refusals), int(since) | float(since)] if not isinstance(refusals, bool):
            return 0 < refusals < _ENDLESS and -_ENDLESS < since < _ENDLESS
    return False
