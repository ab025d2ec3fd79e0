"""What is going on at a moment of a run, and so what may be expected of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Phase(StrEnum):
    """What the promise says of a moment; it holds in the first two."""

    ALIVE = "a daemon alive"
    SWEPT = "only the sweep alive"
    RECOVERING = "just after the store refused or nothing was alive"
    REFUSED = "the store refused"
    DEAD = "nothing was alive"


PROMISED = (Phase.ALIVE, Phase.SWEPT)


@dataclass(slots=True)
class World:
    """Kept by those who let things happen, read by those who watch; `now` is seconds of the run.

    A daemon counts as alive from the start of its process. For `recover` seconds after a moment
    without the promise it is given time to work.
    """

    now: Callable[[], float]
    recover: float
    running: set[int] = field(default_factory=set)
    sweeping: bool = False
    refusing: bool = False
    sick: dict[int, str] = field(default_factory=dict)
    log: list[tuple[float, str]] = field(default_factory=list)
    _back: float = float("-inf")

    def begins(self, now: Callable[[], float]) -> None:
        """Viewers watch from now on, by this clock; what was before does not count."""
        self.now = now
        self._back = float("-inf")
        self.happens("viewers watch")

    def happens(self, event: str) -> None:
        """Note an event, and say it."""
        self.log.append((self.now(), event))
        print(f"{self.now():7.1f} s  {event}", flush=True)

    @property
    def event(self) -> str:
        """What happened last."""
        return self.log[-1][1] if self.log else ""

    def daemon(self, number: int, *, runs: bool) -> None:
        """A daemon's process began, or ended."""
        self._turn()
        if runs:
            self.running.add(number)
        else:
            self.running.discard(number)

    def sweep(self, *, goes_on: bool) -> None:
        """Somebody sweeps from now on, or no longer."""
        self._turn()
        self.sweeping = goes_on

    def store(self, *, refuses: bool) -> None:
        """The store refuses writes from now on, or no longer."""
        self._turn()
        self.refusing = refuses

    def phase(self) -> Phase:
        """What the promise says of this moment."""
        if self.refusing:
            return Phase.REFUSED
        if not self.running and not self.sweeping:
            return Phase.DEAD
        if self.now() - self._back < self.recover:
            return Phase.RECOVERING
        return Phase.ALIVE if self.running else Phase.SWEPT

    def _turn(self) -> None:
        if self.phase() in (Phase.REFUSED, Phase.DEAD):
            self._back = self.now()
