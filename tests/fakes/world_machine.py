"""A daemon of the world: the real parts, put together as the program does it, without a disk."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zoneinfo import ZoneInfo

from cctv.clock import StoreClock
from cctv.errors import StoreError
from cctv.fleet import Fleet
from cctv.gallery import Gallery
from cctv.holdbook import HoldBook
from cctv.keeper import Keeper
from cctv.lastgood import Known
from cctv.model import Published
from cctv.reconcile import Reconciler
from cctv.schedule import Timing
from cctv.store.breaker import Breaker
from cctv.store.wrap import GivenUp, Limited, Retrying, Timely
from cctv.sweep import Sweeper
from cctv.warden import Warden
from cctv.watch import Rules, Watched
from cctv.wrap import Budget, Patient
from tests.fakes.world_store import LATE

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Mapping, Sequence
    from datetime import datetime

    from cctv.audit import Audit
    from cctv.holds import Hold
    from cctv.lastgood import LastGood
    from cctv.model import Camera, Listed, Outcome, Shelved, StoredObject
    from cctv.roster import Roster
    from cctv.seams import Archive, Clock
    from tests.fakes.world import World

PREFIX = "image/"
CARD = b"the fallback image"
TIMING = Timing(interval=300.0)
FRESHNESS = 450.0
BUDGET = Budget.of(TIMING.interval, 15.0, FRESHNESS)
REFRESH = 60.0
_UPLOADS_FINISH, _HOLDS_PATIENCE = 5.0, 20.0
_CLOCK_EVERY, _JUMP = 1.0, 2.0

T = TypeVar("T")

OWNER: contextvars.ContextVar[Machine | None] = contextvars.ContextVar("OWNER", default=None)


def owned_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T] | Generator[Any, None, T],
    **more: Any,  # noqa: ANN401 - the library's: a context, or none
) -> asyncio.Task[T]:
    """A loop's way of making tasks: each is known to the machine that it works for."""
    task: asyncio.Task[T] = asyncio.Task(work, loop=loop, **more)
    if (owner := OWNER.get()) is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
    return task


@dataclass
class Disk:
    """What outlives a machine: the last good list, as `LastGood` keeps it."""

    known: Known = field(default_factory=Known)

    async def load(self) -> Known:
        """See `LastGood.load`."""
        return self.known

    async def save(self, known: Known) -> None:
        """See `LastGood.save`."""
        await asyncio.sleep(0)
        self.known = known

    async def accepts(self, _: frozenset[str]) -> bool:
        """See `LastGood.accepts`."""
        return False

    async def forget_accepted(self) -> None:
        """See `LastGood.forget_accepted`."""


class _Paper:
    async def note(self, what: str, **facts: object) -> None:
        """An audit log that nobody reads."""


class Wire:
    """The world's store as one machine sees it: a dead machine waits for ever."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._store = machine.world.store

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        async with _Answer(self._machine):
            await self._store.put(key, thing)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """See `Replacer.replace`."""
        async with _Answer(self._machine):
            return await self._store.replace(seen, thing)

    async def erase(self, key: str) -> None:
        """See `Eraser.erase`."""
        async with _Answer(self._machine):
            await self._store.erase(key)

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        async with _Answer(self._machine):
            return await self._store.get(key)

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`."""
        async with _Answer(self._machine):
            return await self._store.labels(key)

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        async with _Answer(self._machine):
            return await self._store.listed(prefix)


class _Answer:
    """One request: its answer tells the store's time, where the machine learns from it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def __aenter__(self) -> None:
        if self._machine.dead:
            await asyncio.Event().wait()
        self._sent = self._machine.world.wall()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        world = self._machine.world
        answered = kind is None or issubclass(kind, StoreError)
        if world.corrected and answered:
            date = world.true().replace(microsecond=0)
            self._machine.clock.learn(date, self._sent, world.wall())


class Machine:
    """One daemon, from its start to its stop or its crash; `failed` is what ended a part of it."""

    def __init__(self, world: World, disk: Disk) -> None:
        self.world = world
        self.dead = False
        self.tasks: set[asyncio.Task[Any]] = set()
        self.failed: list[BaseException] = []
        self.since = asyncio.get_running_loop().time()
        self.clock = StoreClock(world.wall)
        self._looked = asyncio.Event()
        self._archive = cast("Archive", Wire(self))
        self.gallery = gallery_of(self._archive, self.now)
        audit = cast("Audit", _Paper())
        book = HoldBook(self._archive, self.now)
        self._warden = Warden(book, self.now, ZoneInfo("UTC"), audit)
        last_good = cast("LastGood", disk)
        self._keeper = Keeper(world.inventory, last_good, self._apply, REFRESH)
        self.fleet = Fleet(
            gallery=self.gallery,
            timing=TIMING,
            driver=self._drive,
            tell=self._heard,
            confirmed=self._keeper.confirmed,
            barred=self._warden.barred,
        )
        sweeper = Sweeper(self.gallery, self._archive, lambda _: None)
        self._reconciler = Reconciler(self.gallery, self._archive, sweeper, self.fleet)
        self._sources: dict[Camera, Watched] = {}
        self._parts: list[asyncio.Task[None]] = []
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        for name, part in self._work().items():
            task = asyncio.get_running_loop().create_task(part, name=name, context=context)
            # the factory saw the context of who makes it
            self.tasks.add(task)
            task.add_done_callback(self._ended)
            self._parts.append(task)

    def now(self) -> datetime:
        """The time as this machine knows it."""
        return self.clock.now()

    async def stop(self) -> None:
        """As SIGTERM does."""
        for part in self._parts:
            part.cancel()
        context = contextvars.copy_context()
        context.run(OWNER.set, self)
        stopping = asyncio.get_running_loop().create_task(
            self.fleet.stop(_UPLOADS_FINISH), name="stop", context=context
        )
        await stopping
        await asyncio.wait(self._parts)
        self.dead = True

    async def crash(self) -> None:
        """As kill -9 does: nothing is finished, nothing is known any more."""
        self.dead = True
        while mine := [task for task in self.tasks if not task.get_name().startswith(LATE)]:
            for task in mine:
                task.cancel()
            await asyncio.sleep(0)
        # its timers die with it
        for berth in self.fleet._berths.values():  # noqa: SLF001 - no program has a verb for it
            berth.image.close()

    def _work(self) -> dict[str, Coroutine[None, None, None]]:
        return {
            "keeper": self._keep(),
            "warden": self._guard(),
            "reconciler": self._reconciler.run(),
            "supervisor": self.fleet.watch(),
            "clock": self._watch_clock(),
            "saver": self._keeper.save_when_changed(),
        }

    async def _keep(self) -> None:
        await self._warden.first_look(_HOLDS_PATIENCE)
        self._looked.set()
        await self._keeper.run()

    async def _guard(self) -> None:
        await self._looked.wait()
        await self._warden.run(self._obey)

    async def _obey(self, _: list[Hold]) -> None:
        await self.fleet.renew()

    async def _apply(self, roster: Roster) -> None:
        await self.fleet.apply(roster.without(self.world.never))
        self._reconciler.ask()

    async def _watch_clock(self) -> None:
        loop = asyncio.get_running_loop()
        offset = self.now().timestamp() - loop.time()
        while True:
            await asyncio.sleep(_CLOCK_EVERY)
            offset, before = self.now().timestamp() - loop.time(), offset
            if abs(offset - before) > _JUMP:
                self.fleet.look_again()
                self._reconciler.ask()

    def _drive(self, camera: Camera) -> Watched:
        source = Patient(self.world.source(camera.id, self.now), BUDGET.capture)
        return self._sources.setdefault(camera, Watched(source, Rules()))

    def _heard(self, outcome: Outcome) -> None:
        self.world.cycles += 1
        self.world.published += isinstance(outcome, Published)

    def _ended(self, part: asyncio.Task[None]) -> None:
        self.tasks.discard(part)
        with suppress(asyncio.CancelledError):
            if (error := part.exception()) is not None:
                self.failed.append(error)


def gallery_of(archive: Archive, now: Clock) -> Gallery:
    """The public place over this store, with the program's policies."""
    given_up = GivenUp()
    limited = Limited(Timely(archive, now), 64)
    store = Breaker(Retrying(limited, BUDGET.put, given_up.note), BUDGET.put)
    gallery = Gallery(store, PREFIX, TIMING.interval, CARD, now, FRESHNESS, BUDGET.put)
    return replace(gallery, given_up=given_up.last)
