"""When cycles come: a fixed grid with a phase from the camera's id, and when to leave it alone."""

from __future__ import annotations

import asyncio
import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from cctv.model import Cycle, NotStored, Outcome, Published, Unavailable
from cctv.reasons import Reason

if TYPE_CHECKING:
    from cctv.seams import Clock

_START_LIMIT = 60.0
# first pictures begin within this part of the limit, so that they also arrive within it
_START_SPREAD = 0.75
_AUTH_LIMIT = 2
# a slot that is missed by so much (seconds, part of the interval) is left out
_LATE, _LATE_PART = 1.0, 0.1
# slots are sums of floats: less than this apart (seconds) is the same moment
_TIMER = 1e-3


@dataclass(frozen=True, slots=True)
class Timing:
    """How often cameras are asked; seconds and cycles.

    `failure_limit` failed cycles in a row, or a password refused twice, and a camera is asked
    only every `retry_after` seconds; 0 means: not until the program or its record changes.
    """

    interval: float = 300.0
    failure_limit: int = 5
    retry_after: float = 1800.0


def phase(camera_id: str) -> float:
    """A camera's place on the grid, 0 up to 1: the same after every restart, evenly spread."""
    digest = hashlib.blake2b(camera_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Patience:
    """Whether a camera may be asked now, judged by what came of asking before.

    Wrong passwords count for themselves because cameras lock accounts: the second refusal in a
    row brings the long pause at once. A store that fails counts for nothing.
    """

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._failures = 0
        self._refusals = 0
        self._rests_until = -math.inf

    def may_ask(self, slot: float) -> bool:
        """Whether the camera is asked in the cycle of this `slot` (seconds)."""
        return slot > self._rests_until - _TIMER

    def heed(self, slot: float, outcome: Outcome) -> None:
        """Learn from what the cycle of this `slot` came to."""
        match outcome:
            case Published() | NotStored():
                self._failures = self._refusals = 0
            case Unavailable(error=error) if error.asked:
                self._failures += 1
                self._refusals += error.reason is Reason.AUTH
                self._rests_until = slot + self._pause()

    def _pause(self) -> float:
        if self._failures < self._timing.failure_limit and self._refusals < _AUTH_LIMIT:
            return 0.0
        return self._timing.retry_after or math.inf


class Schedule:
    """The cycles of one camera, for ever: `async for cycle in schedule`.

    The first comes soon after the start (within 45 s or three quarters of the interval), the
    others on the grid `interval * (k + phase)` of the wall clock as it stood at the start; a
    clock that jumps later moves nothing. There is no drift. Slots that a long cycle or a stopped
    machine has missed are skipped: a fleet that wakes up does not ask all its cameras at once.
    `heed` is the only wish that travels backward.
    """

    def __init__(self, camera_id: str, timing: Timing, now: Clock) -> None:
        self._now = now
        self._interval = timing.interval
        self._phase = phase(camera_id)
        self._patience = Patience(timing)
        self._origin = now().timestamp() - _monotonic()
        soon = min(timing.interval, _START_LIMIT) * _START_SPREAD
        self._slot = self._grid_time() + soon * self._phase
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Cycle:
        """Sleep until the next slot; its cycle."""
        if self._begun:
            self._slot = self._after(max(self._grid_time(), self._slot))
        self._begun = True
        await self._sleep()
        while self._grid_time() - self._slot > max(_LATE, _LATE_PART * self._interval):
            self._slot = self._after(self._grid_time())
            await self._sleep()
        wait = self._after(self._slot) - self._grid_time()
        due = self._now()
        return Cycle(due, due + timedelta(seconds=wait), self._patience.may_ask(self._slot))

    def heed(self, outcome: Outcome) -> None:
        """Learn from the outcome of the cycle handed out last."""
        self._patience.heed(self._slot, outcome)

    async def _sleep(self) -> None:
        await asyncio.sleep(self._slot - self._grid_time())

    def _grid_time(self) -> float:
        return self._origin + _monotonic()

    def _after(self, moment: float) -> float:
        """The first slot of the grid that is later than `moment`."""
        offset = self._phase * self._interval
        # slots nearer than a hundredth of the interval are this one: a timer may fire early
        turns = math.floor((moment - offset) / self._interval + 0.01)
        return (turns + 1) * self._interval + offset


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
