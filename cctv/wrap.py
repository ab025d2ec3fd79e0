"""Policy around a source: one quick retry, and a bound for the whole of a cycle's asking."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from cctv.frame import Frame
    from cctv.seams import Source

# asking again with a wrong password brings a lock-out nearer; the others come out the same
_FINAL = frozenset(
    {Reason.AUTH, Reason.NOT_FOUND, Reason.REFUSED_ADDRESS, Reason.TLS, Reason.UNMASKED}
)
_PAUSE = 1.0
# a device that says it is busy (Hikvision, Dahua) wants longer, and not everybody at once
_BUSY_PAUSE = 2.0, 4.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How the seconds of one cycle are divided; all of it ends within half the interval, or less.

    `fetch` is for one fetch, `capture` for all the asking with its retry, `put` for one upload
    with what its store tries again.
    """

    fetch: float
    capture: float
    put: float

    @classmethod
    def of(cls, interval: float, fetch_timeout: float, freshness: float = math.inf) -> Budget:
        """The budget for pictures every `interval` seconds with `fetch_timeout` for each fetch.

        They are fresh for `freshness` seconds: by then the next one, or the fallback image, is up.
        """
        room = min(interval / 2, freshness - interval)
        put = min(20.0, room / 4)
        capture = room - put
        return cls(min(fetch_timeout, capture * 0.8), capture, put)


@dataclass(frozen=True, slots=True)
class Patient:
    """A source that asks once more after a failure, within `deadline` seconds in all."""

    source: Source
    deadline: float

    async def frame(self) -> Frame:
        """The next whole picture; see `seams.Source`."""
        failed: CaptureError | None = None
        try:
            async with asyncio.timeout(self.deadline):
                try:
                    return await self.source.frame()
                except CaptureError as error:
                    if error.reason in _FINAL or not error.again:
                        raise
                    failed = error.bare()
                await asyncio.sleep(self._pause(failed.reason))
                return await self.source.frame()
        except TimeoutError:
            raise _overdue(failed, self.deadline) from None

    def _pause(self, reason: Reason) -> float:
        """Seconds until the camera is asked again."""
        busy = reason is Reason.BUSY
        seconds = random.uniform(*_BUSY_PAUSE) if busy else _PAUSE  # noqa: S311 - no secret
        return min(seconds, self.deadline / 10)


def _overdue(failed: CaptureError | None, deadline: float) -> CaptureError:
    """The first failure tells more than that the second attempt was cut short."""
    return (failed or CaptureError(Reason.TIMEOUT, f"nothing within {deadline:g} s")).bare()
