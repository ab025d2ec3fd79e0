"""The fleet: one task for each address, the bulkhead around it, and who looks after them all."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cctv.berth import Berth, Live, Order, Withdrawn
from cctv.errors import StoreError
from cctv.publish import Publisher
from cctv.reasons import Reason
from cctv.roster import Roster
from cctv.schedule import Schedule, Timing
from cctv.state import State, state_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from cctv.gallery import Gallery
    from cctv.model import Camera
    from cctv.seams import Driver, Observer
    from cctv.state import Standing

log = logging.getLogger(__name__)

# the pause after a bug, and after one that comes again and again
_AFTER_BUG, _AFTER_BUGS = 1.0, 30.0
_LOOK_EVERY = 30.0
_ENDS_WITHIN = 10.0
_ABANDONED_LIMIT = 5
# a cycle ends within one and a half intervals of the one before, whatever happens in it
_SILENT_INTERVALS, _SILENT = 2.5, 60.0


class AdriftError(RuntimeError):
    """Too many tasks neither work nor end: a mistake of ours, and only a new process helps."""


def _nothing(_: str) -> None:
    return None


def _everything(_: Camera) -> Reason | None:
    return None


@dataclass(slots=True)
class Fleet:
    """Works on every address of a roster until told otherwise.

    `tell` gets every outcome; `confirmed` is called with an id once its fallback image is
    confirmed in the place of a withdrawn camera. `hidden` tells what is hidden of a camera, by
    id: where that changes, the picture that is public shows what must not be seen, and goes;
    at the start those of the cameras that are `newly_hidden`.
    `barred` tells why a camera of the roster must not be published now; None: it may be. With
    `erase` the object of a camera that is not to be published is removed after its replacement.
    """

    gallery: Gallery
    timing: Timing
    driver: Driver
    tell: Observer
    confirmed: Callable[[str], None]
    hidden: Callable[[str], object] = _nothing
    newly_hidden: frozenset[str] = frozenset()
    barred: Callable[[Camera], Reason | None] = _everything
    erase: Callable[[str], Awaitable[None]] | None = None
    _berths: dict[str, Berth] = field(default_factory=dict)
    _roster: Roster = field(default_factory=Roster)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _abandoned: set[asyncio.Task[None]] = field(default_factory=set)

    def cameras(self) -> list[Camera]:
        """The cameras that are published now."""
        orders = (berth.order for berth in self._berths.values())
        return [order.camera for order in orders if isinstance(order, Live)]

    def ordered(self) -> list[Camera]:
        """The cameras of the inventory that may be published, also those that are held now."""
        return list(self._roster.cameras.values())

    @property
    def roster(self) -> Roster:
        """What is worked by."""
        return self._roster

    def standings(self) -> dict[str, Standing]:
        """How each address stands."""
        return {name: berth.standing for name, berth in self._berths.items()}

    def standing(self, name: str) -> Standing | None:
        """How one address stands; None for one that is not worked on."""
        berth = self._berths.get(name)
        return berth.standing if berth else None

    def is_off_air(self, name: str) -> bool:
        """Whether an address is withdrawn, and its fallback image confirmed."""
        standing = self.standing(name)
        if standing is None:
            return False
        return standing.confirmed and standing.is_withdrawn

    async def apply(self, roster: Roster) -> None:
        """Work by this roster from now on; what it does not change is not touched.

        What has changed ends before its successor begins. Returns when all the new work is under
        way, not when it is done.
        """
        async with self._turn:
            self._roster = roster
            await self._work_by(self._orders(roster))

    async def renew(self) -> None:
        """Work by what `barred` and `hidden` say now."""
        async with self._turn:
            await self._work_by(self._orders(self._roster))

    async def drive(self, driver: Driver) -> None:
        """Work with this driver from now on; only cameras it asks otherwise are restarted."""
        self.driver = driver
        await self.renew()

    def look_again(self) -> None:
        """The clock may have jumped: what is public may be older than the timers know."""
        for berth in self._berths.values():
            berth.image.look_again()

    async def watch(self) -> None:
        """Look after the tasks until cancelled: what is lost begins again, what hangs is replaced.

        Raises:
            AdriftError: more tasks than a few can neither be used nor ended.
        """
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(_LOOK_EVERY)
            stopped = loop.time() - began > 2 * _LOOK_EVERY
            async with self._turn:
                await self._look_after_all(stopped=stopped)

    async def stop(self, patience: float) -> None:
        """End all work; uploads in flight get `patience` seconds to finish."""
        await _all(self._end(berth) for berth in self._berths.values())
        images = [berth.image for berth in self._berths.values()]
        for image in images:
            image.close()
        try:
            async with asyncio.timeout(patience):
                await _all(image.settled() for image in images)
        except TimeoutError:
            for image in images:
                image.break_off()
            await _all(image.settled() for image in images)

    async def _work_by(self, orders: Mapping[str, Order]) -> None:
        berths = self._berths
        changed = [name for name in berths if berths[name].order != orders.get(name)]
        covered = {name for name in changed if _uncovers(berths[name].order, orders.get(name))}
        # a mask that is new to this process hides what a process before has shown
        covered |= self.newly_hidden - berths.keys()
        await _all(self._end(berths[name]) for name in changed)
        for name in changed:
            if name not in orders:
                berths.pop(name).image.close()
        for name, order in orders.items():
            if name not in berths:
                berths[name] = Berth(self.gallery, name, self.tell)
            if berths[name].order != order:
                self._begin(berths[name], order, cover=name in covered)

    def _orders(self, roster: Roster) -> Mapping[str, Order]:
        orders: dict[str, Order] = {
            name: Withdrawn(reason) for name, reason in roster.withdrawn.items()
        }
        for name, camera in roster.cameras.items():
            reason = self.barred(camera)
            live = Live(camera, self.driver(camera), self.hidden(name))
            orders[name] = Withdrawn(reason) if reason else live
        return orders

    def _begin(self, berth: Berth, order: Order, *, cover: bool = False) -> None:
        match order:
            case Live():
                publisher = Publisher(order.camera, order.source, berth.image)
                schedule = Schedule(berth.name, self.timing, self.gallery.now)
                work = partial(publisher.run, schedule, berth.told)
                work = partial(self._covered, berth, work) if cover else work
                task = self._guarded(berth, work, Reason.INTERNAL)
                reason = None
                berth.image.expect(self.timing.interval)
            case Withdrawn(reason):
                work = partial(self._withdraw, berth, reason)
                task = self._guarded(berth, work, reason)
        berth.order = order
        berth.standing = berth.standing.ordered(reason, self.gallery.now())
        berth.sign()
        berth.task = asyncio.create_task(task, name=f"camera {berth.name}")

    async def _end(self, berth: Berth) -> None:
        hung = await berth.end(_ENDS_WITHIN)
        if hung is not None:
            self._abandoned.add(hung)
            hung.add_done_callback(self._abandoned.discard)
            text = "camera's task does not end, left behind camera=%s left_behind=%d"
            log.error(text, berth.name, len(self._abandoned))

    async def _look_after_all(self, *, stopped: bool) -> None:
        now = asyncio.get_running_loop().time()
        limit = self.timing.interval * _SILENT_INTERVALS + _SILENT
        for berth in list(self._berths.values()):
            if stopped:
                # the whole process stood still: nobody could give a sign
                berth.sign()
            if berth.task is None or berth.order is None:
                continue
            lost, silent = berth.task.done(), now - berth.heard
            if lost or (silent > limit and not stopped):
                words = "was lost" if lost else f"gave no sign for {silent:.0f} s"
                log.error("camera's task %s, begun anew camera=%s", words, berth.name)
                order = berth.order
                await self._end(berth)
                self._begin(berth, order)
        if len(self._abandoned) > _ABANDONED_LIMIT:
            raise AdriftError(f"{len(self._abandoned)} tasks do not end")

    async def _guarded(
        self, berth: Berth, work: Callable[[], Awaitable[None]], reason: Reason
    ) -> None:
        """The bulkhead around one camera: our own mistake must not reach another."""
        pause, last = 0.0, ""
        while True:
            try:
                if last:
                    berth.fell(reason, shown=await self._show_fallback(berth, reason))
                return await work()
            except Exception as error:
                level = logging.DEBUG if repr(error) == last else logging.ERROR
                text = "camera failed inside the program camera=%s"
                log.log(level, text, berth.name, exc_info=True)
                last = repr(error)
                berth.failed()
                pause = min(2 * pause or _AFTER_BUG, self.timing.interval, _AFTER_BUGS)
                await asyncio.sleep(pause)

    async def _covered(self, berth: Berth, work: Callable[[], Awaitable[None]]) -> None:
        """What is public shows what must not be seen any more: first it goes."""
        await self._show_fallback(berth, Reason.UNMASKED)
        await work()

    async def _withdraw(self, berth: Berth, reason: Reason) -> None:
        """Show the fallback image, and see to it that it stays."""
        shown = await self._show_fallback(berth, reason)
        while not shown:
            berth.sign()
            shown = await berth.image.stood(self.timing.interval)
        berth.covered()
        # a hold of all cameras is summed up by who testifies for it
        level = logging.DEBUG if state_for(reason) is State.HELD else logging.INFO
        text = "camera withdrawn camera=%s reason=%s fallback=confirmed"
        log.log(level, text, berth.name, reason)
        gone = self.erase is not None and state_for(reason) is State.UNPUBLISHED
        if self.erase and gone:
            berth.image.rest()
            await self.erase(berth.name)
        self.confirmed(berth.name)
        while True:
            berth.sign()
            await asyncio.sleep(self.timing.interval)
            if not gone:
                await self._show_fallback(berth, reason)

    async def _show_fallback(self, berth: Berth, reason: Reason) -> bool:
        try:
            await berth.image.show_fallback(reason, since=self.gallery.now())
        except StoreError:
            return False
        return True


def _uncovers(old: Order | None, new: Order | None) -> bool:
    """Whether what is public under the old order must not be seen under the new one."""
    return isinstance(old, Live) and isinstance(new, Live) and old.hidden != new.hidden


async def _all(works: Iterable[Awaitable[bool | None]]) -> None:
    await asyncio.gather(*works)
