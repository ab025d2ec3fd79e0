"""Policies around a store: try again, not too many at once, not too late."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from cctv.errors import StoreError, TooLateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cctv.model import StoredObject
    from cctv.seams import Clock, Store

ATTEMPTS = 3
LONGEST_WAIT = 1.0
_MANY, _MEMORY = 1000, 120.0


class GivenUp:
    """When an attempt at a key was last given up and followed by another, in the loop's time.

    It may still land, over what was put after it. What is older than `_MEMORY` is forgotten.
    """

    def __init__(self) -> None:
        self._moments: dict[str, float] = {}

    def note(self, key: str) -> None:
        """An attempt has failed just now."""
        now = asyncio.get_running_loop().time()
        if len(self._moments) >= _MANY:
            recent = self._moments.items()
            self._moments = {name: at for name, at in recent if now - at < _MEMORY}
        self._moments[key] = now

    def last(self, key: str) -> float:
        """The moment of the last one; long ago when there was none."""
        return self._moments.get(key, -math.inf)


@dataclass(frozen=True, slots=True)
class Retrying:
    """A store that puts up to three times while the failure is a passing one.

    All attempts and the waits between them end within `deadline` seconds; the last failure is
    the one that is raised. What is too late is not tried again. `note` hears of each attempt that
    another one follows.
    """

    store: Store
    deadline: float
    note: Callable[[str], None] = lambda _: None

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        try:
            async with asyncio.timeout(self.deadline) as timer:
                await self._attempts(key)(self.store.put, key, thing)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise StoreError(f"not confirmed within {self.deadline:g} s") from error

    def _attempts(self, key: str) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(_is_passing),
            # the second stop keeps the words of the last failure: no wait is begun in vain
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self.deadline),
            wait=wait_random_exponential(multiplier=LONGEST_WAIT / 4, max=LONGEST_WAIT),
            before_sleep=lambda _: self.note(key),
            reraise=True,
        )


class Limited:
    """A store with at most `places` puts in flight; the others wait, in their order.

    Nobody waits longer than `patience` seconds for a place; that does not count against the
    deadline of what runs inside, so that a burst is not refused for its length.
    """

    def __init__(self, store: Store, places: int, patience: float | None = None) -> None:
        self._store = store
        self._places = asyncio.Semaphore(places)
        self._patience = patience

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            words = f"no place among those in flight within {self._patience:g} s: it is slow"
            raise StoreError(words, passing=False) from None
        try:
            await self._store.put(key, thing)
        finally:
            self._places.release()


@dataclass(frozen=True, slots=True)
class Timely:
    """A store that neither begins nor goes on with a put after the object's `not_after`.

    It stands innermost, so that every attempt and every wait for a place is judged; `now` is the
    clock that `not_after` was made by.
    """

    store: Store
    now: Clock

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        if thing.not_after is None:
            await self.store.put(key, thing)
            return
        left = (thing.not_after - self.now()).total_seconds()
        if left <= 0:
            raise _too_late(thing.not_after)
        try:
            async with asyncio.timeout(left) as timer:
                await self.store.put(key, thing)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise _too_late(thing.not_after) from error


def _too_late(limit: datetime) -> TooLateError:
    words = f"{limit.astimezone(UTC):%H:%M:%S} UTC"
    return TooLateError(f"not public in time: it was to be by {words}")


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, StoreError) and error.passing
