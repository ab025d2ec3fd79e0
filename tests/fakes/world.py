"""Days of the whole program in virtual time, with faults of every kind, as a plan says."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cctv.errors import InventoryError, StoreError
from cctv.holdbook import private
from cctv.holds import Hold, Scope
from cctv.model import Record
from cctv.store.memory import MemoryStore, Mood
from cctv.sweep import Sweeper
from tests import virtual
from tests.fakes.world_audit import HOLD, LIST, Auditor, painted
from tests.fakes.world_camera import Source, frame_of
from tests.fakes.world_machine import BUDGET, Disk, Machine, gallery_of, owned_task
from tests.fakes.world_plan import Event, Plan, Result
from tests.fakes.world_store import Shelf, WorldStore, sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cctv.seams import Clock

NAMES = ("1", "2", "3", "4", "5")
NEVER = frozenset({"5"})
STRANGER = "77"
_LOOK_EVERY = 2.0
# a rest, two cycles and what a cycle takes
_CALM = 1800.0 + 2 * 300.0 + 200.0


class World:
    """Cameras, a list of them, a store, clocks, people who give orders, and daemons."""

    def __init__(self, plan: Plan) -> None:
        self.corrected = plan.corrected
        self.offset = 0.0
        self.never = NEVER
        self.modes = dict.fromkeys((*NAMES, STRANGER), "ok")
        self.rows = {name: Record(name, "Axis", f"10.0.0.{name}") for name in NAMES}
        self.readable = True
        self.machines: list[Machine] = []
        self.sweeping = False
        self.sweep_every = 120.0
        self.touched = 0.0
        self.cycles = self.published = 0
        self.inventory = self
        self._slept = 0.0
        self._listed_since = 0.0
        self._off_since: dict[str, float] = {}
        self._holds: dict[str, Hold] = {}
        self._disks = [Disk(), Disk()]
        self._places: dict[Machine, int] = {}
        self.auditor = Auditor(self)
        shelf = Shelf(self.auditor.changed)
        clock = self.true if plan.corrected else self.wall
        self.store = WorldStore(MemoryStore(clock, objects=shelf), BUDGET.put * 0.95)
        self._hand = sound(shelf, clock)

    def seconds(self) -> float:
        """The true time in seconds; it goes on while the machine sleeps."""
        return asyncio.get_running_loop().time() + self._slept

    def true(self) -> datetime:
        """The true time."""
        return virtual.EPOCH + timedelta(seconds=self.seconds())

    def wall(self) -> datetime:
        """What the machines' clocks say."""
        return self.true() + timedelta(seconds=self.offset)

    @property
    def guarded(self) -> bool:
        """Whether anybody looks after the addresses."""
        return bool(self.machines) or self.sweeping

    def listed(self, name: str) -> bool:
        """Whether every daemon has a list with this camera on it."""
        rosters = [machine.fleet.roster for machine in self.machines]
        return all(name in {**roster.cameras, **roster.withdrawn} for roster in rosters)

    def source(self, name: str, now: Clock) -> Source:
        """The camera of this name."""
        return Source(self, name, now)

    async def records(self) -> Sequence[Record]:
        """See `Inventory.records`."""
        await asyncio.sleep(0.1)
        if not self.readable:
            raise InventoryError("as planned")
        return list(self.rows.values())

    def forbidden(self, name: str) -> float | None:
        """Within how many seconds of the order this address shows no picture; None: it may."""
        if self._held(name):
            return HOLD
        if name in self.never or name not in NAMES:
            return LIST
        row = self.rows.get(name)
        off = row is None or row.publish == "no"
        return LIST if off and self.readable and self._settled() else None

    def _held(self, name: str) -> bool:
        clocks = [machine.now() for machine in self.machines]
        holds = [hold for hold in self._holds.values() if name in hold.scope.names]
        return any(all(hold.in_force(now) for now in clocks) for hold in holds)

    def _settled(self) -> bool:
        """A list is judged once it has stood still: each change may be doubted anew."""
        return asyncio.get_running_loop().time() - self._listed_since > LIST

    async def live(self, plan: Plan) -> None:
        """Live through the plan, then let all be well, and look whether all is well."""
        self._leave_old_pictures()
        watching = asyncio.create_task(self.auditor.run(_LOOK_EVERY), name="auditor")
        sweeping = asyncio.create_task(self._sweep(), name="sweep")
        self._start(0)
        try:
            for event in plan.events:
                await asyncio.sleep(event.after)
                await self._do(event)
            await self._calm_down()
        finally:
            for task in (watching, sweeping):
                task.cancel()
            for machine in list(self.machines):
                await machine.crash()
            await self.store.memory.aclose()
        if watching.done() and not watching.cancelled():
            watching.result()

    def _leave_old_pictures(self) -> None:
        for name in ("1", "5", STRANGER):
            self._leave(name, name, 400.0)

    def _leave(self, name: str, owner: str, age: float) -> None:
        """Somebody else puts a picture there: of whom, and how old."""
        gallery = gallery_of(self._hand, self.wall)
        body = painted(owner, self.seconds() - age, self.offset)
        frame = frame_of(body, body, self.wall() - timedelta(seconds=age))
        thing = gallery.live(name, frame, self.wall())
        self._hand._take(gallery.key(name), thing, None)  # noqa: SLF001 - at once, and in any mood

    async def _do(self, event: Event) -> None:
        self.touched = asyncio.get_running_loop().time()
        name = NAMES[event.who % len(NAMES)]
        kind, _, word = event.what.partition(": ")
        match kind:
            case "camera":
                self.modes[name] = word
            case "store":
                self._set_store(word, event.much)
            case "list denied" | "list allowed":
                self.store.deny = kind == "list denied"
            case "inventory":
                self._change_list(name, word)
            case "hold":
                await self._hold(name, event)
            case "release":
                await self._release(event.who)
            case "forge":
                self._leave(name, "2" if word == "foreign" else name, 2000.0 * (word == "old"))
            case _:
                await self._happen(kind, word, event)

    async def _happen(self, kind: str, word: str, event: Event) -> None:
        """To the machines and their clocks."""
        match kind:
            case "clock":
                self.offset += event.much
            case "freeze":
                self._slept += event.much
                self.auditor.froze()
            case "start":
                self._start(event.who % 2)
            case "crash" | "stop":
                await self._end(kind, event.who)
            case "sweep":
                self.sweeping = word == "on"
            case _:
                raise ValueError(f"no event: {event}")

    def _set_store(self, word: str, much: float) -> None:
        moods = {"refuse": Mood.REFUSE, "take then fail": Mood.TAKE_THEN_FAIL, "late": Mood.LATE}
        self.store.memory.mood = moods.get(word, Mood.TAKE)
        self.store.memory.late = max(much, 0.0)
        self.store.stutters = word == "stutter"
        self.store.memory.moods.clear()
        self.store.slow = max(much, 0.01) if word == "slow" else 0.0

    def _change_list(self, name: str, word: str) -> None:
        if word in {"readable", "unreadable"}:
            self.readable = word == "readable"
        elif word == "remove":
            self.rows.pop(name, None)
        else:
            fresh = Record(name, "Axis", f"10.0.0.{name}", publish="no" if word == "off" else "")
            other = replace(fresh, address=f"10.0.1.{name}")
            self.rows[name] = other if word == "change" else fresh
        self._listed_since = asyncio.get_running_loop().time()

    async def _hold(self, name: str, event: Event) -> None:
        """Hold a camera: from `much` seconds on for as long again, without an end where it is 0."""
        now = self.machines[0].now() if self.machines else self.true()
        start = now + timedelta(seconds=event.much)
        until = start + timedelta(seconds=event.much) if event.much else None
        number = f"h{len(self._holds)}"
        scope = Scope(names=frozenset({name}))
        await self._order(Hold(number, scope, start, until, "somebody", "as planned", now))

    async def _release(self, who: int) -> None:
        open_ones = [hold for hold in self._holds.values() if hold.released is None]
        if open_ones:
            await self._order(open_ones[who % len(open_ones)].release(self.true(), "somebody"))

    async def _order(self, hold: Hold) -> None:
        thing = private(hold.written(), self.true)
        await self._hand.put(f"private/holds/{hold.id}.json", thing)
        self._holds[hold.id] = hold

    def _start(self, place: int) -> None:
        if place not in self._places.values():
            machine = Machine(self, self._disks[place])
            self._places[machine] = place
            self.machines.append(machine)

    async def _end(self, kind: str, who: int) -> None:
        if self.machines:
            machine = self.machines.pop(who % len(self.machines))
            await (machine.crash() if kind == "crash" else machine.stop())
            del self._places[machine]

    async def _sweep(self) -> None:
        gallery = gallery_of(self.store, self.true if self.corrected else self.wall)
        while True:
            await asyncio.sleep(self.sweep_every)
            if self.sweeping:
                with suppress(StoreError):
                    await Sweeper(gallery, self.store, lambda _: None).sweep()

    async def _calm_down(self) -> None:
        self.modes = dict.fromkeys(self.modes, "ok")
        self._set_store("take", 0.0)
        self.store.deny, self.readable = False, True
        while any(hold.released is None for hold in self._holds.values()):
            await self._release(0)
        self._start(0)
        await asyncio.sleep(_CALM)
        self.auditor.look()
        for name in NAMES:
            seen = self.auditor.shown.get(name)
            if self.forbidden(name) is None and seen is None:
                self.auditor.violations.append(f"in the end: {name} shows no picture, all is well")


def lived(plan: Plan) -> Result:
    """What comes of this plan."""

    async def work() -> Result:
        asyncio.get_running_loop().set_task_factory(owned_task)
        world = World(plan)
        await world.live(plan)
        audit = world.auditor
        return Result(
            tuple(audit.violations),
            world.seconds(),
            world.cycles,
            world.published,
            audit.looks,
            audit.worst,
        )

    with _quiet():
        return virtual.run(work)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a log, and the same each time."""
    before, chance = logging.root.manager.disable, random.getstate()
    logging.disable(logging.CRITICAL)
    random.seed(1)
    try:
        yield
    finally:
        random.setstate(chance)
        logging.disable(before)
