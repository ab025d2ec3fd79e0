"""When a login may be tried that a device has refused; without I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

TRIES = 2
"""So many refusals in a row close the gate."""

EARLY = 0.05
"""A pause ends this part early: a camera on a fixed grid of time is else late by a whole cycle."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Refusals in a row, from when their pause counts, and when the next try is due.

    Both moments are monotonic seconds; before the second refusal the next try is always due.
    """

    refusals: int = 0
    since: float = -math.inf
    due: float = -math.inf

    @classmethod
    def of(cls, refusals: int, since: float, pause: float) -> Mark:
        """The mark of a login that rests for `pause` seconds once it was refused twice."""
        return cls(refusals, since, since + pause if refusals >= TRIES else -math.inf)


class Page(Protocol):
    """Where the refusals of one login at one device are written down."""

    def read(self) -> Mark:
        """What stands there, by us or by another program; a blank mark where nothing does."""

    def write(self, mark: Mark) -> None:
        """Keep this mark from now on; a blank one forgives."""


class LoosePage:
    """A page that is lost with the process."""

    def __init__(self) -> None:
        self._mark = Mark()

    def read(self) -> Mark:
        """See `Page`."""
        return self._mark

    def write(self, mark: Mark) -> None:
        """See `Page`."""
        self._mark = mark


class Gate:
    """Closed from the second refusal in a row until the pause is over; all in seconds."""

    def __init__(self, pause: float, page: Page) -> None:
        self._pause = pause
        self._page = page

    @property
    def refusals(self) -> int:
        """How many there were in a row."""
        return self._page.read().refusals

    def open(self) -> None:
        """Forget all refusals: a login was let in."""
        if self.refusals:
            self._page.write(Mark())

    def count(self, sent: float) -> None:
        """One more refusal, of a login that was sent at this moment.

        Pauses go from one due moment to the next, so that tries that are early do not add up.
        """
        mark = self._page.read()
        since = sent if mark.due == math.inf else max(mark.due, sent)
        self._page.write(Mark.of(mark.refusals + 1, since, self._pause or math.inf))

    def wait(self, now: float) -> float:
        """How long no login may be sent from `now` on; 0 or less when one may be."""
        return self._page.read().due - self._pause * EARLY - now
