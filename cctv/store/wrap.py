"""Policies around a store: try again, and not too many at once; a store itself has neither."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from cctv.errors import StoreError

if TYPE_CHECKING:
    from cctv.model import StoredObject
    from cctv.seams import Store

ATTEMPTS = 3
LONGEST_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Retrying:
    """A store that puts up to three times while the failure is a passing one.

    All attempts and the waits between them end within `deadline` seconds; the last failure is
    the one that is raised.
    """

    store: Store
    deadline: float

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        try:
            async with asyncio.timeout(self.deadline) as timer:
                await self._attempts()(self.store.put, key, thing)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise StoreError(f"not confirmed within {self.deadline:g} s") from error

    def _attempts(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(_is_passing),
            # the second stop keeps the words of the last failure: no wait is begun in vain
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self.deadline),
            wait=wait_random_exponential(multiplier=LONGEST_WAIT / 4, max=LONGEST_WAIT),
            reraise=True,
        )


class Limited:
    """A store with at most `places` puts in flight; the others wait, in their order.

    The wait for a place is not limited here: whatever runs inside ends within its own deadline.
    """

    def __init__(self, store: Store, places: int) -> None:
        self._store = store
        self._places = asyncio.Semaphore(places)

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        async with self._places:
            await self._store.put(key, thing)


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, StoreError) and error.passing
