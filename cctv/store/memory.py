"""A store in memory, for tests and trials; it can be told to refuse."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.model import Shelved
from cctv.store.folder import etag_of

if TYPE_CHECKING:
    from cctv.model import StoredObject
    from cctv.seams import Clock


class Mood(Enum):
    """What the store does with the next objects."""

    TAKE = auto()
    REFUSE = auto()
    TAKE_THEN_FAIL = auto()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class MemoryStore:
    """What was put, by key; `puts` counts every call, also the refused ones.

    Each failure raises `fault`, which a test may set.
    """

    now: Clock = _utc_now
    mood: Mood = Mood.TAKE
    fault: StoreError = field(default_factory=lambda: StoreError("the memory store refuses"))
    objects: dict[str, Shelved] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        self.puts[key] += 1
        # a real store lets others run before it has the object, and again before it confirms
        await asyncio.sleep(0)
        if self.mood is not Mood.REFUSE:
            self.objects[key] = self._shelved(thing)
        await asyncio.sleep(0)
        if self.mood is not Mood.TAKE:
            raise self.fault

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        return self.objects.get(key)

    def _shelved(self, thing: StoredObject) -> Shelved:
        whole = replace(thing, expires=thing.expires.replace(microsecond=0))
        return Shelved(whole, etag_of(thing.body), self.now().replace(microsecond=0))
