"""A store in memory, for tests and trials; it can be told to refuse."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.model import Listed, Shelved, StoredObject
from cctv.store.envelope import etag_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cctv.seams import Clock


class Mood(Enum):
    """What the store does with the next objects; LATE: it fails, and takes them all the same."""

    TAKE = auto()
    REFUSE = auto()
    TAKE_THEN_FAIL = auto()
    LATE = auto()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class MemoryStore:
    """An `Archive`: what was put, by key; `puts` counts every put and replace, also the refused.

    Each failure raises `fault`, which a test may set. What comes `late` lands that many seconds
    after its failure, by the loop's clock. `moods` goes before `mood`, key by key; only what
    writes has moods.
    """

    now: Clock = _utc_now
    mood: Mood = Mood.TAKE
    fault: StoreError = field(default_factory=lambda: StoreError("the memory store refuses"))
    objects: dict[str, Shelved] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)
    moods: dict[str, Mood] = field(default_factory=dict)
    late: float = 30.0
    _landing: set[asyncio.Task[None]] = field(default_factory=set)

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        await self._write(key, thing, None)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """See `Replacer.replace`."""
        return await self._write(seen.key, thing, seen)

    async def erase(self, key: str) -> None:
        """See `Eraser.erase`; a store that is LATE fails and erases nothing."""
        await asyncio.sleep(0)
        mood = self._mood(key)
        if mood in {Mood.TAKE, Mood.TAKE_THEN_FAIL}:
            self.objects.pop(key, None)
        await asyncio.sleep(0)
        if mood is not Mood.TAKE:
            raise self.fault.with_traceback(None)

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        return self.objects.get(key)

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`."""
        found = self.objects.get(key)
        return found.thing.metadata if found else None

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        return [self._line(key) for key in keys]

    async def landed(self) -> None:
        """Wait until nothing is under way any more."""
        while self._landing:
            await asyncio.wait(self._landing)

    async def aclose(self) -> None:
        """End as a program does: what is under way never lands."""
        for task in self._landing:
            task.cancel()
        await self.landed()

    async def _write(self, key: str, thing: StoredObject, seen: Listed | None) -> bool:
        self.puts[key] += 1
        # a real store lets others run before it has the object, and again before it confirms
        await asyncio.sleep(0)
        mood = self._mood(key)
        if mood is Mood.LATE:
            self._begin_landing(key, thing, seen)
        taken = mood in {Mood.TAKE, Mood.TAKE_THEN_FAIL} and self._take(key, thing, seen)
        await asyncio.sleep(0)
        if mood is not Mood.TAKE:
            raise self.fault.with_traceback(None)
        return taken

    def _mood(self, key: str) -> Mood:
        return self.moods.get(key, self.mood)

    def _begin_landing(self, key: str, thing: StoredObject, seen: Listed | None) -> None:
        task = asyncio.create_task(self._land(key, thing, seen), name=f"late put {key}")
        self._landing.add(task)
        task.add_done_callback(self._landing.discard)

    async def _land(self, key: str, thing: StoredObject, seen: Listed | None) -> None:
        await asyncio.sleep(self.late)
        self._take(key, thing, seen)

    def _take(self, key: str, thing: StoredObject, seen: Listed | None) -> bool:
        if seen and (key not in self.objects or self._line(key).etag != seen.etag):
            return False
        whole = replace(thing, expires=thing.expires.replace(microsecond=0), not_after=None)
        moment = self.now().replace(microsecond=0)
        self.objects[key] = Shelved(whole, etag_of(thing.body), moment)
        return True

    def _line(self, key: str) -> Listed:
        found = self.objects[key]
        return Listed(key, found.etag.strip('"'), found.last_modified)
