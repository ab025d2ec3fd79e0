"""The only file that knows all rooms: it opens them, puts them together, and closes them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.drivers import own
from cctv.drivers.guard import Guard
from cctv.drivers.http import HttpDriver, open_session
from cctv.errors import ConfigError, StoreError
from cctv.fleet import Fleet
from cctv.health import Heart
from cctv.inventory import wrap as inventory_wrap
from cctv.inventory.file import FileInventory
from cctv.inventory.knack import KnackAccess, KnackInventory
from cctv.journal import Journal, pairs
from cctv.keeper import Keeper
from cctv.lastgood import LastGood
from cctv.observers import tell_all
from cctv.public_image import Gallery
from cctv.schedule import utc_now
from cctv.store.folder import open_folder
from cctv.store.report import Reporting
from cctv.store.s3 import S3Access, open_s3
from cctv.store.wrap import Limited, Retrying
from cctv.web.board import Board
from cctv.web.serve import Site, open_site
from cctv.wrap import Budget, Patient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from cctv.model import Camera
    from cctv.roster import Roster
    from cctv.seams import Driver, Inventory, Shelf, Source, Store
    from cctv.settings import Settings

log = logging.getLogger(__name__)

_PUTS_IN_FLIGHT = 64
_UPLOADS_FINISH = 5.0
_LEAVE_WITHIN = 9.0
_CARD_AGAIN, _CARD_EVERY = 30.0, 3600.0


def open_inventory(settings: Settings) -> Inventory:
    """The inventory the settings name, asked again when it fails in passing."""
    knack = settings.knack
    if knack is None:
        if settings.inventory is None:
            raise ValueError("settings without an inventory")
        return FileInventory(settings.inventory)
    access = KnackAccess(
        app_id=knack.app_id,
        api_key=knack.api_key,
        container=knack.container,
        api_url=knack.api_url,
        fields=knack.fields,
        metadata_cache=settings.state_dir / "knack-metadata.json",
    )
    return inventory_wrap.Retrying(KnackInventory(access))


@asynccontextmanager
async def open_driver(settings: Settings) -> AsyncIterator[HttpDriver]:
    """The driver for all models, with the operator's own; one session for all cameras.

    Raises:
        ConfigError: the operator's file of models is wrong.
    """
    budget = Budget.of(settings.timing.interval, settings.fetch_timeout)
    table = own.load(settings.drivers)
    async with open_session(Guard(settings.networks)) as session:
        yield HttpDriver(table, settings.logins, budget.fetch, session, utc_now)


def patient(driver: HttpDriver, settings: Settings) -> Driver:
    """The driver with one quick retry around each source."""
    deadline = Budget.of(settings.timing.interval, settings.fetch_timeout).capture

    def drive(camera: Camera) -> Source:
        return Patient(driver(camera), deadline)

    return drive


@asynccontextmanager
async def open_gallery(settings: Settings) -> AsyncIterator[tuple[Gallery, Shelf | None]]:
    """The public place with its policies; and the shelf to serve from, when it is a folder.

    Raises:
        ConfigError: it cannot be opened at all.
    """
    deadline = Budget.of(settings.timing.interval, settings.fetch_timeout).put
    async with AsyncExitStack() as stack:
        shelf: Shelf | None = None
        store: Store
        if settings.folder is not None:
            folder = open_folder(settings.folder, utc_now, deadline / 2)
            store = shelf = await stack.enter_async_context(folder)
        else:
            bucket = open_s3(S3Access(settings.bucket or "", deadline / 2))
            store = await stack.enter_async_context(bucket)
        limited = Retrying(Limited(store, _PUTS_IN_FLIGHT), deadline)
        yield _gallery(settings, Reporting(limited, utc_now)), shelf


def _gallery(settings: Settings, store: Store) -> Gallery:
    interval = settings.timing.interval
    return Gallery(store, settings.prefix, interval, settings.fallback, utc_now)


async def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; SIGHUP reads the inventory and the driver file again.

    Raises:
        ConfigError: something the settings name cannot be used.
    """
    async with AsyncExitStack() as stack:
        gallery, shelf = await stack.enter_async_context(open_gallery(settings))
        driver = await stack.enter_async_context(open_driver(settings))
        daemon = _Daemon(settings, gallery, driver)
        if shelf is not None:
            site = Site(shelf, gallery, daemon.board, daemon.fleet.cameras, settings.timezone)
            address = await stack.enter_async_context(open_site(site, settings.http))
            log.info("pictures can be seen at %s", address)
        await daemon.run()


class _Daemon:
    """The parts that run side by side, and the signals that steer them."""

    def __init__(self, settings: Settings, gallery: Gallery, driver: HttpDriver) -> None:
        self._settings = settings
        self._gallery = gallery
        self._driver = driver
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._told_models: set[str] = set()
        self.board = Board()
        self._journal = Journal(utc_now)
        self._keeper = Keeper(
            inventory=open_inventory(settings),
            last_good=LastGood(settings.state_dir),
            apply=self._apply,
            refresh=settings.refresh,
        )
        interval = settings.timing.interval
        self._heart = Heart(
            settings.state_dir, interval, lambda: len(self.fleet.cameras()), utc_now
        )
        self.fleet = Fleet(
            gallery=gallery,
            timing=settings.timing,
            driver=patient(driver, settings),
            tell=tell_all([self._journal, self.board, self._heart]),
            confirmed=self._keeper.confirmed,
        )

    async def run(self) -> None:
        """Run every part until a signal, or until one of them fails; uploads may finish."""
        self._listen()
        log.info("started %s", pairs(version=PUBLISHER, **_told(self._settings)))
        tasks = [asyncio.create_task(part, name=name) for name, part in self._parts().items()]
        try:
            stopped = asyncio.create_task(self._stop.wait(), name="stop")
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

    def _parts(self) -> dict[str, Coroutine[None, None, None]]:
        return {
            "keeper": self._keeper.run(),
            "saver": self._keeper.save_when_changed(),
            "heart": self._heart.run(),
            "reload": self._reload_when_asked(),
            "card": _keep_card(self._gallery),
        }

    async def _apply(self, roster: Roster) -> None:
        self._tell_unknown_models(roster)
        await self.fleet.apply(roster)
        self._journal.forget(set(roster.cameras))

    def _tell_unknown_models(self, roster: Roster) -> None:
        cameras = roster.cameras.values()
        unknown = {camera.model for camera in cameras if not self._driver.knows(camera)}
        for model in sorted(unknown - self._told_models):
            count = sum(camera.model == model for camera in cameras)
            log.warning(
                "unknown model, asked with /jpeg?id=2; describe it in CCTV_DRIVERS %s",
                pairs(model=model, cameras=count),
            )
        self._told_models |= unknown

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _leave(self, name: str) -> None:
        if self._stop.is_set():
            os._exit(1)
        log.info("stopping signal=%s", name)
        self._stop.set()
        # whatever hangs on the way out: docker would kill after ten seconds, and less politely
        guard = threading.Timer(_LEAVE_WITHIN, os._exit, [0])
        guard.daemon = True
        guard.start()

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            log.info("reading the driver file and the inventory again signal=SIGHUP")
            try:
                self._driver = replace(self._driver, table=own.load(self._settings.drivers))
            except ConfigError as error:
                log.error("drivers: the last good ones stay: %s", error)  # noqa: TRY400 - an operator's slip of the pen needs no traceback
            else:
                self._told_models.clear()
                await self.fleet.drive(patient(self._driver, self._settings))
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
    }
