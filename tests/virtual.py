"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

EPOCH = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Days pass in milliseconds; nothing real may be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._passed = 0.0

    def time(self) -> float:
        """Seconds since the loop was made, as far as timers have brought it."""
        return self._passed

    def skip(self, seconds: float) -> None:
        """Let time pass without a turn for anybody, as when the process is stopped."""
        self._passed += seconds

    def _run_once(self) -> None:
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined] # the library's heap
        while timers and timers[0].cancelled():
            heapq.heappop(timers)._scheduled = False  # noqa: SLF001 - as the library drops them
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined] # the library's count
        if timers and not self._ready:  # type: ignore[attr-defined] # the library's queue
            self._passed = max(self._passed, timers[0].when())
        super()._run_once()  # type: ignore[misc] # the library's step


def now() -> datetime:
    """The wall clock that goes with the virtual one."""
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work()` returns, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())
