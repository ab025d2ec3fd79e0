"""The world's store: a store in memory that is slow, refuses, lands late, or tells nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.store.memory import MemoryStore, Mood

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cctv.model import Listed, Shelved, StoredObject
    from cctv.seams import Clock

LATE = "late put"
# the longest echo of a public image, and a second
_ECHO = 61.0


class Shelf(dict[str, "Shelved"]):
    """The objects; `changed` hears of each one that comes to stand there."""

    def __init__(self, changed: Callable[[str, Shelved], None]) -> None:
        super().__init__()
        self._changed = changed

    def __setitem__(self, key: str, shelved: Shelved) -> None:
        super().__setitem__(key, shelved)
        self._changed(key, shelved)


@dataclass
class WorldStore:
    """An `Archive` with trouble: `memory.mood`, `slow` seconds for a PUT, `deny` of the list.

    While it `stutters`, each first attempt under a key is late and each second one is taken.
    What is slow lands even when its caller has gone. `troubled` is when a PUT last met trouble,
    `late_until` until when one that was given up may have landed and not been written over yet;
    both by the loop's clock. One attempt ends within `attempt` seconds.
    """

    memory: MemoryStore
    attempt: float
    slow: float = 0.0
    deny: bool = False
    stutters: bool = False
    troubled: float = float("-inf")
    late_until: float = float("-inf")
    _in_trouble: int = 0
    _landing: set[asyncio.Task[object]] = field(default_factory=set)

    @property
    def well(self) -> bool:
        """Whether it takes what comes, at once, and nothing is on its way from worse times."""
        return self._takes and not self._in_trouble

    @property
    def _takes(self) -> bool:
        return self.memory.mood is Mood.TAKE and not self.slow and not self.stutters

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        await self._bounded(lambda: self.memory.put(key, thing), key)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """See `Replacer.replace`."""
        return bool(await self._bounded(lambda: self.memory.replace(seen, thing), seen.key))

    async def erase(self, key: str) -> None:
        """See `Eraser.erase`."""
        await self.memory.erase(key)

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        return await self.memory.get(key)

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`."""
        return await self.memory.labels(key)

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        await asyncio.sleep(0)
        if self.deny:
            raise StoreError("the list is denied", passing=False)
        return await self.memory.listed(prefix)

    async def _bounded(self, write: Callable[[], Awaitable[object]], key: str) -> object:
        trouble, given_up = not self._takes, True
        self._in_trouble += trouble
        try:
            async with asyncio.timeout(self.attempt) as timer:
                done = await self._landed(write, key)
            given_up = False
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise StoreError("no answer in time") from error
        else:
            return done
        finally:
            self._in_trouble -= trouble
            if trouble:
                self.troubled = _monotonic()
            if given_up:
                self.late_until = max(self.late_until, _monotonic() + _ECHO)

    async def _landed(self, write: Callable[[], Awaitable[object]], key: str) -> object:
        if self.stutters:
            failing = self.memory.moods.get(key) is not Mood.LATE
            self.memory.moods[key] = Mood.LATE if failing else Mood.TAKE
        if not self.slow:
            return await write()
        landing: asyncio.Task[object] = asyncio.create_task(
            _after(self.slow, write), name=f"{LATE} {key}"
        )
        self._landing.add(landing)
        landing.add_done_callback(self._forget)
        return await asyncio.shield(landing)

    def _forget(self, landing: asyncio.Task[object]) -> None:
        self._landing.discard(landing)
        if not landing.cancelled():
            landing.exception()


def sound(shelf: Shelf, now: Clock) -> MemoryStore:
    """The same objects for who has no trouble: an order of a person is given until it is taken."""
    return MemoryStore(now, objects=shelf)


async def _after(seconds: float, write: Callable[[], Awaitable[object]]) -> object:
    await asyncio.sleep(seconds)
    return await write()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
