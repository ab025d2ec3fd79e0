"""Blocking work beside the event loop, in threads that can be left behind when they hang."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

Wanted = Callable[[], bool]
"""Whether anybody still waits for the work."""


class Hand:
    """Does disk work, one piece after the other, each in a daemon thread and within `deadline`.

    A hung disk then stops neither the loop nor the process's exit. What hangs keeps its turn, so
    that nothing overtakes it; once nobody waits for it, it is told that it is not `wanted`.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._turn = asyncio.Lock()
        self.begun = False
        """Whether a thread was ever started."""

    async def do(self, work: Callable[[Wanted], T]) -> T:
        """What `work` returns or raises; TimeoutError at the deadline."""
        async with asyncio.timeout(self._deadline):
            await self._turn.acquire()
            return await self._begin(work)

    def _begin(self, work: Callable[[Wanted], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        done: Future[T] = Future()

        def run(done: Future[T]) -> None:
            _fulfil(done, work)
            del done
            # RuntimeError: the loop is closed, nobody waits for the turn
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._turn.release)

        try:
            Thread(target=run, args=(done,), name="aside", daemon=True).start()
            self.begun = True
        except RuntimeError:
            self._turn.release()
            raise OSError(errno.EAGAIN, "no thread can be started") from None
        return asyncio.wrap_future(done)


def _fulfil(done: Future[T], work: Callable[[Wanted], T]) -> None:
    asked = [done]
    # InvalidStateError: the caller has gone
    with suppress(InvalidStateError):
        try:
            done.set_result(work(lambda: not any(each.cancelled() for each in asked)))
        except Exception as error:  # noqa: BLE001 -- handed to the caller, whatever it is
            done.set_exception(error)
    # an error keeps this stack, which must not keep the error: see `CaptureError.bare`
    asked.clear()
    del done, work
