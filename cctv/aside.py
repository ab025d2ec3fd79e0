"""Blocking work beside the event loop, in threads that can be left behind when they hang."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def aside(work: Callable[[], T], deadline: float) -> T:
    """What `work()` returns or raises, run in a daemon thread of its own.

    A thread that hangs (a dead disk) is left behind, and stops neither the loop nor the exit.

    Raises:
        TimeoutError: it took longer than `deadline` seconds.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type] # no error: `work` has returned a T

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as caught:  # noqa: BLE001 - carried over to the caller, whatever it is
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="aside").start()
    async with asyncio.timeout(deadline):
        return await done
