"""The store's clock: what it says is the time, for whatever a viewer compares with its headers."""

from __future__ import annotations

import logging
import statistics
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cctv.seams import Clock

log = logging.getLogger(__name__)

# seconds
_SLOWEST = 5.0
_NOTHING = 2.0
_ANOTHER = 60.0
_ANSWERS, _IN_A_ROW = 15, 3
_AGAIN = timedelta(hours=1)
# a Date header leaves the part of its second out
_HALF_SECOND = timedelta(seconds=0.5)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class StoreClock:
    """The machine's clock, corrected by the dates of the store's answers; aware, UTC.

    The offset is the median of the last answers and stays when no more come. One of less than 2 s
    counts as none: whole seconds and slow answers are no finding.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._answers: deque[float] = deque(maxlen=_ANSWERS)
        self._strays: deque[float] = deque(maxlen=_IN_A_ROW)
        self._median = 0.0
        self._told = 0.0
        self._told_at = _LONG_AGO
        self._wrong = False

    def now(self) -> datetime:
        """The time by the store's clock, as far as it is known."""
        return self._machine() + timedelta(seconds=self._offset)

    def learn(self, date: datetime, sent: datetime, received: datetime) -> None:
        """Take an answer's `date` in; `sent` and `received` are the machine's times around it."""
        took = received - sent
        # it would say little; and a clock that jumped meanwhile says nothing
        if timedelta(0) <= took <= timedelta(seconds=_SLOWEST):
            middle = sent + took / 2
            self._take((date + _HALF_SECOND - middle).total_seconds())
            self._tell(date)

    @property
    def _offset(self) -> float:
        return self._median if abs(self._median) >= _NOTHING else 0.0

    def _take(self, offset: float) -> None:
        if abs(offset - self._median) > _NOTHING:
            self._strays.append(offset)
        else:
            self._strays.clear()
        self._answers.append(offset)
        if self._has_jumped():
            self._answers = deque(self._strays, _ANSWERS)
            self._strays.clear()
        # one that was measured: the mean of two around a jump is true of neither
        self._median = statistics.median_low(self._answers)

    def _has_jumped(self) -> bool:
        strays = self._strays
        return len(strays) == _IN_A_ROW and max(strays) - min(strays) <= _NOTHING

    def _tell(self, date: datetime) -> None:
        offset = self._offset
        another = abs(offset - self._told) > _ANOTHER
        if offset and (another or abs(date - self._told_at) >= _AGAIN):
            log.warning("%s (times are corrected meanwhile)", wrong_by(offset))
            self._told, self._told_at, self._wrong = offset, date, True
        elif self._wrong and not offset:
            log.info("this machine's clock is right again")
            self._told, self._wrong = 0.0, False


def wrong_by(offset: float) -> str:
    """What to do about a machine's clock that the store's is `offset` seconds ahead of."""
    where = "behind" if offset > 0 else "ahead of"
    return (
        f"this machine's clock is {abs(offset):.0f} s {where} the store's: "
        "set it, and keep it set with NTP"
    )
