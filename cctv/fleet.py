"""The fleet: one task for each address, and the bulkhead around each of them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.public_image import Gallery, PublicImage
from cctv.publish import Publisher
from cctv.reasons import Reason
from cctv.roster import Roster
from cctv.schedule import Schedule, Timing
from cctv.state import Event, State, after, event_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from cctv.model import Camera, Outcome
    from cctv.seams import Driver, Observer, Source

log = logging.getLogger(__name__)

# the pause after a bug, and after one that comes again and again
_AFTER_BUG, _AFTER_BUGS = 1.0, 30.0
_WITHDRAW_AGAIN = 30.0


@dataclass(frozen=True, slots=True)
class Live:
    """The order to publish a camera; a changed record, driver or mask is another order."""

    camera: Camera
    source: Source
    hidden: object = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order to show the fallback image instead of a camera."""

    reason: Reason


Order = Live | Withdrawn


@dataclass(slots=True)
class Berth:
    """Where one address is worked on; the image outlives a change of orders."""

    image: PublicImage
    state: State = State.STARTING
    order: Order | None = None
    task: asyncio.Task[None] | None = None


def _nothing(_: str) -> None:
    return None


@dataclass(slots=True)
class Fleet:
    """Works on every address of a roster until told otherwise.

    `tell` gets every outcome; `confirmed` is called with an id once its fallback image is
    confirmed in the place of a withdrawn camera. `hidden` tells what is hidden of a camera, by
    id: where that changes, the picture that is public shows what must not be seen, and goes.
    """

    gallery: Gallery
    timing: Timing
    driver: Driver
    tell: Observer
    confirmed: Callable[[str], None]
    hidden: Callable[[str], object] = _nothing
    _berths: dict[str, Berth] = field(default_factory=dict)
    _roster: Roster = field(default_factory=Roster)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def cameras(self) -> list[Camera]:
        """The cameras that are published now."""
        orders = (berth.order for berth in self._berths.values())
        return [order.camera for order in orders if isinstance(order, Live)]

    def states(self) -> dict[str, State]:
        """What each address is doing."""
        return {name: berth.state for name, berth in self._berths.items()}

    async def apply(self, roster: Roster) -> None:
        """Work by this roster from now on; what it does not change is not touched.

        What has changed ends before its successor begins, and a PUT in flight is followed, not
        overtaken. Returns when all the new work is under way, not when it is done.
        """
        async with self._turn:
            self._roster = roster
            await self._work_by(self._orders(roster))

    async def drive(self, driver: Driver) -> None:
        """Work with this driver from now on; only cameras it asks otherwise are restarted."""
        self.driver = driver
        async with self._turn:
            await self._work_by(self._orders(self._roster))

    async def stop(self, patience: float) -> None:
        """End all work; uploads in flight get `patience` seconds to finish."""
        await _all(self._end(berth) for berth in self._berths.values())
        images = [berth.image for berth in self._berths.values()]
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
        covered = [name for name in changed if _uncovers(berths[name].order, orders.get(name))]
        await _all(self._end(berths[name]) for name in changed)
        await _all(self._cover(berths[name]) for name in covered)
        for name in changed:
            if name not in orders:
                del berths[name]
        for name, order in orders.items():
            berth = berths.setdefault(name, Berth(PublicImage(self.gallery, name)))
            if berth.order != order:
                self._begin(name, berth, order)

    def _orders(self, roster: Roster) -> Mapping[str, Order]:
        live = {
            camera.id: Live(camera, self.driver(camera), self.hidden(camera.id))
            for camera in roster.cameras.values()
        }
        return live | {name: Withdrawn(reason) for name, reason in roster.withdrawn.items()}

    def _begin(self, name: str, berth: Berth, order: Order) -> None:
        match order:
            case Live():
                publisher = Publisher(order.camera, order.source, berth.image)
                schedule = Schedule(name, self.timing, self.gallery.now)
                work = partial(publisher.run, schedule, partial(self._told, berth))
                task = self._guarded(name, work, berth, Reason.INTERNAL)
                event = Event.ORDERED_ON
            case Withdrawn(reason):
                work = partial(self._withdraw, name, berth, reason)
                task = self._guarded(name, work, berth, reason)
                event = Event.ORDERED_OFF
        berth.order = order
        berth.state = after(berth.state, event)
        berth.task = asyncio.create_task(task, name=f"camera {name}")

    def _failed(self, berth: Berth, *, shown: bool) -> None:
        """After a mistake of ours the address shows the fallback image, or what is not known."""
        if berth.state is not State.SUSPENDED:
            berth.state = after(berth.state, Event.NO_PICTURE if shown else Event.NOT_STORED)

    def _told(self, berth: Berth, outcome: Outcome) -> None:
        berth.state = after(berth.state, event_of(outcome))
        self.tell(outcome)

    async def _end(self, berth: Berth) -> None:
        berth.order = None
        if berth.task is not None:
            berth.task.cancel()
            await asyncio.wait([berth.task])

    async def _guarded(
        self, name: str, work: Callable[[], Awaitable[None]], berth: Berth, reason: Reason
    ) -> None:
        """The bulkhead around one camera: our own mistake must not reach another."""
        pause, last = 0.0, ""
        while True:
            try:
                if last:
                    shown = await self._show_fallback(berth, reason)
                    self._failed(berth, shown=shown)
                return await work()
            except Exception as error:
                level = logging.DEBUG if repr(error) == last else logging.ERROR
                text = "camera failed inside the program camera=%s"
                log.log(level, text, name, exc_info=True)
                last = repr(error)
                self._failed(berth, shown=False)
                pause = min(2 * pause or _AFTER_BUG, self.timing.interval, _AFTER_BUGS)
                await asyncio.sleep(pause)

    async def _cover(self, berth: Berth) -> None:
        await self._show_fallback(berth, Reason.UNMASKED)

    async def _withdraw(self, name: str, berth: Berth, reason: Reason) -> None:
        while True:
            if await self._show_fallback(berth, reason):
                log.info("camera withdrawn camera=%s reason=%s fallback=confirmed", name, reason)
                return self.confirmed(name)
            await asyncio.sleep(min(self.timing.interval, _WITHDRAW_AGAIN))

    async def _show_fallback(self, berth: Berth, reason: Reason) -> bool:
        try:
            await berth.image.show_fallback(reason, since=self.gallery.now())
        except StoreError:
            return False
        return True


def _uncovers(old: Order | None, new: Order | None) -> bool:
    """Whether what is public under the old order must not be seen under the new one."""
    return isinstance(old, Live) and isinstance(new, Live) and old.hidden != new.hidden


async def _all(works: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*works)
