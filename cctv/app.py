"""The only file that knows all rooms: it opens them, puts them together, and closes them."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cctv.cdn.invalidate import invalidate
from cctv.cdn.viewer import open_viewer
from cctv.clock import StoreClock
from cctv.daemon import Daemon, Means
from cctv.darkroom import Darkroom
from cctv.detect import Detecting, Way
from cctv.drivers import own
from cctv.drivers.guard import Guard
from cctv.drivers.http import HttpDriver, Kit, open_kit
from cctv.drivers.refusals import open_refusals
from cctv.gallery import Gallery
from cctv.inventory import wrap as inventory_wrap
from cctv.inventory.file import FileInventory
from cctv.inventory.knack import KnackAccess, KnackInventory
from cctv.maskbook import MaskBook
from cctv.masking import Wheel
from cctv.onlyone import only_daemon
from cctv.schedule import utc_now
from cctv.signals import Signals
from cctv.sockets import allow_many
from cctv.store.breaker import Breaker
from cctv.store.folder import open_folder
from cctv.store.report import Reporting
from cctv.store.s3 import S3Access, open_s3
from cctv.store.wrap import GivenUp, Limited, Retrying, Timely
from cctv.watch import Watched
from cctv.watchdog import watched_loop
from cctv.ways import Ways, open_ways
from cctv.web.board import Board
from cctv.web.serve import Site, open_site
from cctv.when import shown
from cctv.witness import Witness
from cctv.wrap import Budget, Patient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cctv.model import Camera
    from cctv.seams import Archive, Clock, Driver, Inventory, Source, Store
    from cctv.settings import Settings

log = logging.getLogger(__name__)

_PUTS_IN_FLIGHT, _TURNS = 64, 3
# seconds for which who finds the store dead waits to be let through
_WAITS = 5.0
_STACKS = "stalled.txt"


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
async def open_driver(settings: Settings, now: Clock = utc_now) -> AsyncIterator[HttpDriver]:
    """The driver for all models, with the operator's own; one kit for all cameras.

    `now` is the clock of the pictures.

    Raises:
        ConfigError: the operator's file of models or of masks is wrong.
    """
    book = MaskBook(settings.masks, settings.state_dir)
    book.open()
    guard, develop = Guard(settings.networks), Darkroom().develop
    pause = settings.timing.retry_after
    async with AsyncExitStack() as stack:
        refusals = await stack.enter_async_context(open_refusals(settings.state_dir, pause))
        kit = open_kit(guard, develop, now, pause, refusals.page)
        yield make_driver(settings, await stack.enter_async_context(kit), book)


def make_driver(settings: Settings, kit: Kit, book: MaskBook) -> HttpDriver:
    """The driver as the operator's file describes it now; ConfigError as in `open_driver`."""
    budget = _budget(settings)
    return HttpDriver(
        table=own.load(settings.drivers),
        logins=settings.logins,
        timeout=budget.fetch,
        kit=kit,
        masks=book,
        max_width=settings.max_width,
    )


def patient(driver: HttpDriver, settings: Settings, ways: Ways) -> Driver:
    """The driver as the commands use it: one quick retry, the rules for odd pictures, no guesses.

    A camera whose right model the daemon has learned is asked in that way.
    """
    deadline = _budget(settings).capture

    def drive(camera: Camera) -> Source:
        learned = ways.of(camera)
        source = driver.others(camera).get(learned) if learned else None
        source = source or driver(camera)
        return Watched(Patient(source, deadline), settings.rules)

    return drive


def resourceful(
    driver: HttpDriver, settings: Settings, ways: Ways, newest: Callable[[], HttpDriver]
) -> Driver:
    """As `patient`, and where the record names the wrong model the others' ways are tried.

    Those are the `newest` driver's: a camera that asks as before keeps its source over a reload.
    """
    deadline = _budget(settings).capture

    def drive(camera: Camera) -> Source:
        def others() -> list[Way]:
            sources = newest().others(camera).items()
            return [Way(model, source, Patient(source, deadline)) for model, source in sources]

        # a little less than all of it, so that the camera's own failure is the one that is told
        own_way = Patient(driver(camera), deadline * 0.95)
        return Watched(Detecting(camera, own_way, deadline, others, ways), settings.rules)

    return drive


@asynccontextmanager
async def open_gallery(settings: Settings) -> AsyncIterator[tuple[Gallery, Archive]]:
    """The public place with its policies; and the bare store behind it, for all but cameras' PUTs.

    Its clock is the store's, where that tells one.

    Raises:
        ConfigError: it cannot be opened at all.
    """
    clock = StoreClock(utc_now)
    deadline = _budget(settings).put
    # one attempt may take nearly all of it: then the store itself says what it waited for
    attempt = deadline * 0.95
    async with AsyncExitStack() as stack:
        archive: Archive
        if settings.folder is not None:
            folder = open_folder(settings.folder, utc_now, attempt)
            archive = await stack.enter_async_context(folder)
        else:
            bucket = open_s3(S3Access(settings.bucket or "", attempt), learn=clock.learn)
            archive = await stack.enter_async_context(bucket)
        given_up = GivenUp()
        retrying = Retrying(Timely(archive, clock.now), deadline, given_up.note)
        limited = Limited(retrying, _PUTS_IN_FLIGHT, patience=_TURNS * deadline)
        breaker = Breaker(Reporting(limited, utc_now), max(deadline, _WAITS))
        gallery = _gallery(settings, breaker, clock.now)
        yield replace(gallery, given_up=given_up.last), archive


@asynccontextmanager
async def open_witness(
    settings: Settings, gallery: Gallery, archive: Archive
) -> AsyncIterator[Witness]:
    """Who looks at the public addresses, as far as the settings name them."""
    async with AsyncExitStack() as stack:
        viewer = None
        if settings.public_url:
            viewer = await stack.enter_async_context(open_viewer(settings.public_url, gallery))
        forget = None
        if settings.distribution:
            forget = partial(invalidate, settings.distribution, prefix=settings.prefix)
        where = f"{settings.public_url}/{settings.prefix}"
        told = partial(shown, zone=settings.timezone)
        yield Witness(gallery, archive, viewer, where, forget, told)


def _wheel(driver: HttpDriver, settings: Settings, ways: Ways) -> Callable[[], Wheel]:
    """What reads the operator's models again, for a daemon that knows no room."""
    newest = driver

    def turn() -> Wheel:
        nonlocal newest
        newest = make_driver(settings, driver.kit, driver.masks)
        drive = resourceful(newest, settings, ways, lambda: newest)
        return Wheel(drive, newest.remark, newest.masks)

    return turn


def _budget(settings: Settings) -> Budget:
    return Budget.of(settings.timing.interval, settings.fetch_timeout, settings.freshness)


def _gallery(settings: Settings, store: Store, now: Clock) -> Gallery:
    return Gallery(
        store=store,
        prefix=settings.prefix,
        interval=settings.timing.interval,
        fallback=settings.fallback,
        now=now,
        freshness=settings.freshness,
        upload=_budget(settings).put,
    )


async def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; SIGHUP reads the inventory and the driver file again.

    Raises:
        ConfigError: something the settings name cannot be used.
        AlreadyRunningError: another daemon works with the same state folder.
        AdriftError: too many tasks hang.
    """
    signals = Signals()
    signals.listen()
    allow_many()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        await enter(only_daemon(settings.state_dir))
        await enter(watched_loop(stacks=settings.log_dir / _STACKS))
        gallery, archive = await enter(open_gallery(settings))
        driver = await enter(open_driver(settings, gallery.now))
        ways = await enter(open_ways(settings.state_dir))
        board = Board()
        turn = _wheel(driver, settings, ways)
        witness = await enter(open_witness(settings, gallery, archive))
        means = Means(gallery, archive, open_inventory(settings), turn, board, witness)
        daemon = Daemon(settings, means)
        if settings.folder is not None:
            fleet, zone = daemon.fleet, settings.timezone
            site = Site(archive, gallery, board, fleet.ordered, zone, fleet.standing)
            address = await enter(open_site(site, settings.http))
            log.info("pictures can be seen at %s", address)
        await daemon.run(signals)
