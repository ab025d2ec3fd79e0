"""What happens to cameras, in words for the log: a line for each change, one for each storm."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cctv.model import NotStored, Outcome, Published, Rested, Unavailable
from cctv.reasons import WORDS, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.model import Camera
    from cctv.seams import Clock

log = logging.getLogger(__name__)

_STORM = 20
_WINDOW = timedelta(minutes=1)
_SUMMARY = timedelta(minutes=5)


def pairs(**values: object) -> str:
    """`key=value` for a log line; blanks and control characters stay within quotes."""
    return " ".join(f"{key}={_word(value)}" for key, value in values.items() if value != "")


def _word(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and not set(text) & set(' "=\\')
    return text if plain else json.dumps(text)


@dataclass(slots=True)
class Journal:
    """An observer that writes what a technician must know, and no more.

    A camera that goes down or comes back is a line; after twenty lines within a minute the rest
    of that minute is one line with counts. A summary of the fleet comes every five minutes.
    """

    now: Clock
    _down: dict[str, tuple[Reason, datetime]] = field(default_factory=dict)
    _live: set[str] = field(default_factory=set)
    _flagged: dict[str, tuple[Reason, ...]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _window: datetime | None = None
    _lines: int = 0
    _held_back: Counter[Reason] = field(default_factory=Counter)
    _back: int = 0
    _summary_due: datetime | None = None

    def __call__(self, outcome: Outcome) -> None:
        """Write what this outcome changes."""
        now = self.now()
        self._turn_window(now)
        match outcome:
            case Published(frame=frame):
                self._counts["published"] += 1
                self._up(outcome.camera, now)
                self._flag(outcome.camera, frame.warnings)
            case Unavailable(error=error):
                self._counts["unavailable"] += 1
                self._gone(outcome.camera, error.reason, str(error), now)
            case Rested():
                self._counts["resting"] += 1
            case NotStored():
                self._counts["not_stored"] += 1
                self._live.discard(outcome.camera.id)
        log.debug("%s %s", *_debug(outcome))
        self._summarise(now)

    def forget(self, kept: set[str]) -> None:
        """Drop what is known of cameras that are not in `kept`."""
        self._down = {name: spell for name, spell in self._down.items() if name in kept}
        self._live &= kept
        self._flagged = {name: words for name, words in self._flagged.items() if name in kept}

    def _up(self, camera: Camera, now: datetime) -> None:
        self._live.add(camera.id)
        spell = self._down.pop(camera.id, None)
        if spell is not None:
            reason, since = spell
            text = pairs(camera=camera.id, after=f"{(now - since).total_seconds():.0f}s")
            self._change(logging.INFO, f"camera live again {text} was={reason}", None)

    def _flag(self, camera: Camera, warnings: tuple[Reason, ...]) -> None:
        """A picture that is public and odd is a line when that begins, and when it ends."""
        before = self._flagged.pop(camera.id, ())
        if warnings:
            self._flagged[camera.id] = warnings
        if warnings == before:
            return
        words = pairs(camera=camera.id, warning=" ".join(warnings), was=" ".join(before))
        advice = pairs(advice=WORDS[warnings[0]].advice) if warnings else ""
        level = logging.WARNING if warnings else logging.INFO
        text = "camera flagged" if warnings else "camera no longer flagged"
        self._change(level, f"{text} {words} {advice}".rstrip(), next(iter(warnings), None))

    def _gone(self, camera: Camera, reason: Reason, found: str, now: datetime) -> None:
        self._live.discard(camera.id)
        known, since = self._down.get(camera.id, (None, now))
        self._down[camera.id] = (reason, since)
        if known is reason:
            return
        text = pairs(
            camera=camera.id,
            reason=reason,
            found=found,
            model=camera.model,
            name=camera.name,
            advice=WORDS[reason].advice,
        )
        self._change(logging.WARNING, f"camera unavailable {text}", reason)

    def _change(self, level: int, line: str, reason: Reason | None) -> None:
        self._lines += 1
        if self._lines <= _STORM:
            log.log(level, "%s", line)
        elif reason is not None:
            self._held_back[reason] += 1
        else:
            self._back += 1

    def _turn_window(self, now: datetime) -> None:
        # a clock that was set back must not make a window of hours
        if self._window is not None and abs(now - self._window) < _WINDOW:
            return
        if self._held_back:
            counts = {reason.value: count for reason, count in self._held_back.most_common()}
            total = self._held_back.total()
            log.warning("more cameras unavailable or flagged %s", pairs(cameras=total, **counts))
        if self._back:
            log.info("more cameras live again or not flagged %s", pairs(cameras=self._back))
        self._window, self._lines, self._back = now, 0, 0
        self._held_back.clear()

    def _summarise(self, now: datetime) -> None:
        if self._summary_due is None:
            self._summary_due = now + _WINDOW
        if timedelta(0) < self._summary_due - now <= _SUMMARY:
            return
        self._summary_due = now + _SUMMARY
        flagged = len(self._flagged.keys() & self._live) or ""
        sums = pairs(live=len(self._live), unavailable=len(self._down), flagged=flagged)
        log.info("fleet %s %s", sums, pairs(**self._counts_since()))

    def _counts_since(self) -> dict[str, int]:
        counts = {f"cycles_{word}": count for word, count in sorted(self._counts.items())}
        self._counts.clear()
        return counts


def _debug(outcome: Outcome) -> tuple[str, str]:
    camera = outcome.camera.id
    match outcome:
        case Published(frame=frame):
            size = f"{frame.width}x{frame.height}"
            return "published", pairs(camera=camera, bytes=len(frame.body), size=size)
        case Unavailable(error=error, not_stored=trouble):
            found = str(error)
            fallback = trouble or "stands"
            return "unavailable", pairs(
                camera=camera, reason=error.reason, found=found, fallback=fallback
            )
        case NotStored(error=error):
            return "not stored", pairs(camera=camera, found=error)
        case _:
            return "resting", pairs(camera=camera)
