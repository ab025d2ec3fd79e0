"""A fleet whose holds come out of a store in memory, in virtual time; the store may be shy."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cctv.audit import Audit
from cctv.errors import StoreError
from cctv.fleet import Fleet
from cctv.gallery import Gallery
from cctv.holdbook import HoldBook
from cctv.holds import Hold, Scope
from cctv.model import Camera, Listed, Shelved
from cctv.roster import Roster
from cctv.schedule import Timing
from cctv.store.memory import MemoryStore
from cctv.warden import Warden
from tests import virtual
from tests.fakes.frames import ScriptedSource, jpeg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from cctv.reasons import Reason

CARD = jpeg(1, (32, 24))
CHICAGO = ZoneInfo("America/Chicago")
EVERY = Scope(every=True)
INTERVAL = 60.0
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def a_hold(name: str = "bcdfg", scope: Scope = EVERY, **said: object) -> Hold:
    """A hold that is in force from long ago until its release, but for what is said."""
    usual = Hold(name, scope, LONG_AGO, None, "maria", "a visit", LONG_AGO)
    return replace(usual, **said)  # type: ignore[arg-type]  # fields by name


def cam(name: str, area: str = "", place: tuple[float, float] | None = None) -> Camera:
    """A camera."""
    latitude, longitude = place or (None, None)
    return Camera(name, "Axis", f"10.0.0.{name}", area=area, latitude=latitude, longitude=longitude)


@dataclass(slots=True)
class ShyStore(MemoryStore):
    """A store in memory whose reading may fail or take `lag` seconds; it counts what is read."""

    blind: bool = False
    lag: float = 0.0
    unreadable: set[str] = field(default_factory=set)
    lists: int = 0
    gets: Counter[str] = field(default_factory=Counter)

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        self.lists += 1
        await asyncio.sleep(self.lag)
        if self.blind:
            raise StoreError("the store does not list")
        return await MemoryStore.listed(self, prefix)

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        self.gets[key] += 1
        await asyncio.sleep(self.lag)
        if key in self.unreadable:
            raise StoreError(f"{key} cannot be fetched")
        return await MemoryStore.get(self, key)


class Ledger(Audit):
    """An audit log in memory: a real one's disk does not go with virtual time."""

    def __init__(self) -> None:
        super().__init__(Path(), virtual.now)
        self.entries: list[tuple[str, str]] = []

    async def note(self, what: str, **facts: object) -> None:
        """Remember it."""
        self.entries.append((what, str(facts["hold"])))


class HeldTown:
    """Cameras, a fleet and its warden over one store; `ahead` is by how much the clock is wrong."""

    def __init__(self, store: ShyStore, *cameras: Camera, patience: float = 20.0) -> None:
        self.store = store
        self.cameras = {camera.id: camera for camera in cameras}
        self.never: frozenset[str] = frozenset()
        self.withdrawn: dict[str, Reason] = {}
        self.ahead = timedelta(0)
        self.begun: list[list[str]] = []
        self.obeyed_at: list[float] = []
        self.sources: dict[Camera, ScriptedSource] = {}
        self.ledger = Ledger()
        self.book = HoldBook(store, self.now)
        self.warden = Warden(self.book, self.now, CHICAGO, self.ledger)
        gallery = Gallery(store, "image/", INTERVAL, CARD, self.now, upload=5.0)
        self.fleet = Fleet(
            gallery,
            Timing(interval=INTERVAL),
            self._drive,
            lambda _: None,
            lambda _: None,
            barred=self.warden.barred,
        )
        self._patience = patience

    def now(self) -> datetime:
        """The town's clock."""
        return virtual.now() + self.ahead

    async def list_again(self) -> None:
        """Have the fleet work by the inventory as it is now."""
        roster = Roster(dict(self.cameras), dict(self.withdrawn))
        await self.fleet.apply(roster.without(self.never))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Publish, in the daemon's order, until the end of the block."""
        await self.warden.first_look(self._patience)
        await self.list_again()
        guard = asyncio.create_task(self.warden.run(self._obey), name="guard")
        try:
            yield
        finally:
            guard.cancel()
            await asyncio.wait([guard])
            await self.fleet.stop(1)

    def shows(self, name: str) -> str:
        """What the public sees: `live`, or the reason for the fallback image; blank for nothing."""
        found = self.store.objects.get(f"image/{name}.jpg")
        labels = found.thing.metadata if found else {}
        return labels.get("reason") or labels.get("state", "")

    def all_show(self, words: str) -> bool:
        """Whether every camera's address shows this."""
        return {self.shows(name) for name in self.cameras} == {words}

    def asked(self) -> int:
        """How often cameras were asked."""
        return sum(len(source.asked) for source in self.sources.values())

    async def _obey(self, begun: list[Hold]) -> None:
        self.begun.append([hold.id for hold in begun])
        self.obeyed_at.append(asyncio.get_running_loop().time())
        await self.fleet.renew()

    def _drive(self, camera: Camera) -> ScriptedSource:
        return self.sources.setdefault(camera, ScriptedSource([jpeg()], self.now))
