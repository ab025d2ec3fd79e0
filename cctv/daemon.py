"""The parts of the daemon that run side by side, and the signals that steer them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.aside import Hand
from cctv.errors import ConfigError, StoreError
from cctv.fleet import Fleet
from cctv.health import Heart
from cctv.journal import Journal, pairs
from cctv.keeper import Keeper
from cctv.lastgood import LastGood
from cctv.observers import tell_all

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from cctv.maskbook import MaskBook
    from cctv.model import Camera
    from cctv.public_image import Gallery
    from cctv.roster import Roster
    from cctv.seams import Driver, Inventory, Observer
    from cctv.settings import Settings

log = logging.getLogger(__name__)

_UPLOADS_FINISH = 5.0
_LEAVE_WITHIN = 9.0
_DISK = 5.0
_CARD_AGAIN, _CARD_EVERY = 30.0, 3600.0


@dataclass(frozen=True, slots=True)
class Wheel:
    """A driver for all models, what is odd about a camera's model (else nothing), what it hides."""

    driver: Driver
    remark: Callable[[Camera], str]
    masks: MaskBook


class Signals:
    """SIGTERM and SIGINT ask to stop, SIGHUP to read again; what they ask is kept until heeded."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()

    def listen(self) -> None:
        """Heed them from now on; they come while the loop is free."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number.name)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)

    def _leave(self, name: str) -> None:
        if self.stop.is_set():
            os._exit(1)
        log.info("stopping signal=%s", name)
        self.stop.set()
        leave_within(_LEAVE_WITHIN, 0)


def leave_within(seconds: float, status: int) -> None:
    """End the process by then, whatever hangs on the way out: docker would do it less politely."""
    guard = threading.Timer(seconds, os._exit, [status])
    guard.daemon = True
    guard.start()


class Daemon:
    """Publishes until a signal ends it.

    `turn` gives the driver, read anew each time (ConfigError: it cannot be); `watcher` is one
    more observer.
    """

    def __init__(
        self,
        settings: Settings,
        gallery: Gallery,
        inventory: Inventory,
        turn: Callable[[], Wheel],
        watcher: Observer,
    ) -> None:
        self._settings = settings
        self._gallery = gallery
        self._turn = turn
        self._wheel = turn()
        self._masks = self._wheel.masks
        self._hand = Hand(_DISK)
        self._told_oddities: set[str] = set()
        self._told_masks = ""
        self._masked = 0
        self._journal = Journal(gallery.now)
        self._keeper = Keeper(
            inventory=inventory,
            last_good=LastGood(settings.state_dir),
            apply=self._apply,
            refresh=settings.refresh,
        )
        interval = settings.timing.interval
        self._heart = Heart(
            settings.state_dir, interval, lambda: len(self.fleet.cameras()), gallery.now
        )
        self.fleet = Fleet(
            gallery=gallery,
            timing=settings.timing,
            driver=self._wheel.driver,
            tell=tell_all([self._journal, watcher, self._heart]),
            confirmed=self._keeper.confirmed,
            hidden=self._masks.of,
        )

    async def run(self, signals: Signals) -> None:
        """Run every part until a signal, or until one of them fails; uploads may finish."""
        log.info("started %s", pairs(version=PUBLISHER, **_told(self._settings)))
        tasks = [
            asyncio.create_task(part, name=name) for name, part in self._parts(signals).items()
        ]
        try:
            stopped = asyncio.create_task(signals.stop.wait(), name="stop")
            await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            # a part that has ended has failed: its error is the program's
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await self.fleet.stop(_UPLOADS_FINISH)
            await asyncio.wait(tasks)
        log.info("stopped")

    def _parts(self, signals: Signals) -> dict[str, Coroutine[None, None, None]]:
        return {
            "keeper": self._keeper.run(),
            "saver": self._keeper.save_when_changed(),
            "heart": self._heart.run(),
            "reload": self._reload_when_asked(signals.reload),
            "card": _keep_card(self._gallery),
        }

    async def _apply(self, roster: Roster) -> None:
        await self._read_masks()
        self._tell_oddities(roster)
        await self.fleet.apply(roster)
        self._journal.forget(set(roster.cameras))
        await self._save_masks()

    async def _read_masks(self) -> None:
        """Each list is worked by with the masks of that moment: a camera may come with one."""
        try:
            await self._hand.do(lambda _: self._masks.read())
        except (ConfigError, OSError) as error:
            text = str(error) or "the disk hangs"
            if text != self._told_masks:
                log.error("masks: the last good ones stay: %s", text)  # noqa: TRY400 - an operator's slip of the pen needs no traceback
            self._told_masks = text
        else:
            self._told_masks = ""
            if (count := len(self._masks.masked)) != self._masked:
                log.info("masks: cameras=%d", count)
            self._masked = count

    async def _save_masks(self) -> None:
        ids = [camera.id for camera in self.fleet.cameras()]
        try:
            await self._hand.do(lambda _: self._masks.save(ids))
        except OSError as error:
            log.warning("masks: no copy saved: %s", str(error) or "the disk hangs")

    def _tell_oddities(self, roster: Roster) -> None:
        remarks = Counter(self._wheel.remark(camera) for camera in roster.cameras.values())
        for remark, count in remarks.items():
            if remark and remark not in self._told_oddities:
                log.warning("%s cameras=%d", remark, count)
        self._told_oddities |= remarks.keys()
        for name in sorted(self._masks.masked - roster.ids - self._told_oddities):
            self._told_oddities.add(name)
            log.warning("CCTV_MASKS has shapes for a camera the inventory lacks camera=%s", name)

    async def _reload_when_asked(self, asked: asyncio.Event) -> None:
        while True:
            await asked.wait()
            asked.clear()
            log.info("reading driver file, masks and inventory again signal=SIGHUP")
            self._told_masks = ""
            await self._read_masks()
            try:
                self._wheel = await self._hand.do(lambda _: self._turn())
            except (ConfigError, OSError) as error:
                text = "drivers: the last good ones stay: %s"
                log.error(text, str(error) or "the disk hangs")  # noqa: TRY400 - an operator's slip of the pen needs no traceback
            else:
                self._told_oddities.clear()
            await self.fleet.drive(self._wheel.driver)
            self._keeper.ask()


async def _keep_card(gallery: Gallery) -> None:
    """Keep the fallback image at its own address too, until cancelled."""
    while True:
        try:
            await gallery.store.put(
                gallery.key("unavailable"), gallery.unavailable("unavailable", {})
            )
        except StoreError:
            await asyncio.sleep(_CARD_AGAIN)
        else:
            await asyncio.sleep(_CARD_EVERY)


def _told(settings: Settings) -> dict[str, object]:
    """What the settings come to, for the log's first line."""
    return {
        "inventory": settings.inventory or "knack",
        "store": settings.folder or f"s3://{settings.bucket}",
        "prefix": settings.prefix,
        "interval": f"{settings.timing.interval:g}s",
        "refresh": f"{settings.refresh:g}s",
        "first_pictures": f"within {min(settings.timing.interval, 60):g}s",
    }
