"""Sparing a dead store: what it would refuse waits here, but for one trial a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cctv.errors import StoreError

if TYPE_CHECKING:
    from cctv.model import StoredObject
    from cctv.seams import Store

FAILURES = 20
TRIAL_EVERY = 1.0
SPARED = "the store does not take objects; it is tried again every second"


class Breaker:
    """A store that after 20 failures in a row passes one put a second on, until one succeeds.

    The others wait up to `patience` seconds, and all go on at the first success. It stands outside
    the policies that try again and that wait for a place. A TooLateError counts neither as a
    failure nor as a success. Times are the loop's.
    """

    def __init__(self, store: Store, patience: float = 0.0) -> None:
        self._store = store
        self._patience = patience
        self._failures = 0
        self._next_trial = 0.0
        self._trying = False
        self._waits_for_trial = False
        self._mended = asyncio.Event()

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        end = _now() + self._patience
        while self._failures >= FAILURES:
            if not self._trying and _now() >= self._next_trial:
                try:
                    return await self._trial(key, thing)
                except StoreError:
                    if _now() >= end:
                        raise
            elif _now() >= end:
                raise StoreError(SPARED, passing=False)
            else:
                await self._wait(end)
        return await self._counted(key, thing)

    async def _wait(self, end: float) -> None:
        """Wait for the first success; one of all who wait makes the next trial."""
        next_is_mine = not self._waits_for_trial
        self._waits_for_trial = True
        trial = _now() + TRIAL_EVERY if self._trying else self._next_trial
        try:
            async with asyncio.timeout_at(min(end, trial) if next_is_mine else end):
                await self._mended.wait()
        except TimeoutError:
            pass
        finally:
            if next_is_mine:
                self._waits_for_trial = False

    async def _trial(self, key: str, thing: StoredObject) -> None:
        self._trying, self._next_trial = True, _now() + TRIAL_EVERY
        try:
            await self._counted(key, thing)
        finally:
            self._trying = False

    async def _counted(self, key: str, thing: StoredObject) -> None:
        try:
            await self._store.put(key, thing)
        except StoreError:
            self._failures += 1
            if self._failures >= FAILURES:
                self._mended.clear()
            raise
        self._failures = 0
        self._mended.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
