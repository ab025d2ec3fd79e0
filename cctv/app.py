"""The only file that knows all rooms: it opens them, puts them together, and closes them."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from cctv.daemon import Daemon, Signals, Wheel
from cctv.darkroom import Darkroom
from cctv.detect import Detecting, Way
from cctv.drivers import own
from cctv.drivers.guard import Guard
from cctv.drivers.http import HttpDriver, Kit, open_kit
from cctv.drivers.refusals import open_refusals
from cctv.inventory import wrap as inventory_wrap
from cctv.inventory.file import FileInventory
from cctv.inventory.knack import KnackAccess, KnackInventory
from cctv.maskbook import MaskBook
from cctv.public_image import Gallery
from cctv.schedule import utc_now
from cctv.store.folder import open_folder
from cctv.store.report import Reporting
from cctv.store.s3 import S3Access, open_s3
from cctv.store.wrap import Limited, Retrying
from cctv.watch import Watched
from cctv.ways import Ways, open_ways
from cctv.web.board import Board
from cctv.web.serve import Site, open_site
from cctv.wrap import Budget, Patient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cctv.model import Camera
    from cctv.seams import Driver, Inventory, Shelf, Source, Store
    from cctv.settings import Settings

log = logging.getLogger(__name__)

_PUTS_IN_FLIGHT = 64


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
    """The driver for all models, with the operator's own; one kit for all cameras.

    Raises:
        ConfigError: the operator's file of models or of masks is wrong.
    """
    book = MaskBook(settings.masks, settings.state_dir)
    book.open()
    guard, develop = Guard(settings.networks), Darkroom().develop
    pause = settings.timing.retry_after
    async with AsyncExitStack() as stack:
        refusals = await stack.enter_async_context(open_refusals(settings.state_dir, pause))
        kit = open_kit(guard, develop, utc_now, pause, refusals.page)
        yield make_driver(settings, await stack.enter_async_context(kit), book)


def make_driver(settings: Settings, kit: Kit, book: MaskBook) -> HttpDriver:
    """The driver as the operator's file describes it now; ConfigError as in `open_driver`."""
    budget = Budget.of(settings.timing.interval, settings.fetch_timeout)
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
    deadline = Budget.of(settings.timing.interval, settings.fetch_timeout).capture

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
    deadline = Budget.of(settings.timing.interval, settings.fetch_timeout).capture

    def drive(camera: Camera) -> Source:
        def others() -> list[Way]:
            sources = newest().others(camera).items()
            return [Way(model, source, Patient(source, deadline)) for model, source in sources]

        # a little less than all of it, so that the camera's own failure is the one that is told
        own_way = Patient(driver(camera), deadline * 0.95)
        return Watched(Detecting(camera, own_way, deadline, others, ways), settings.rules)

    return drive


@asynccontextmanager
async def open_gallery(settings: Settings) -> AsyncIterator[tuple[Gallery, Shelf | None]]:
    """The public place with its policies; and the shelf to serve from, when it is a folder.

    Raises:
        ConfigError: it cannot be opened at all.
    """
    deadline = Budget.of(settings.timing.interval, settings.fetch_timeout).put
    # one attempt may take nearly all of it: then the store itself says what it waited for
    attempt = deadline * 0.95
    async with AsyncExitStack() as stack:
        shelf: Shelf | None = None
        store: Store
        if settings.folder is not None:
            folder = open_folder(settings.folder, utc_now, attempt)
            store = shelf = await stack.enter_async_context(folder)
        else:
            bucket = open_s3(S3Access(settings.bucket or "", attempt))
            store = await stack.enter_async_context(bucket)
        limited = Retrying(Limited(store, _PUTS_IN_FLIGHT), deadline)
        yield _gallery(settings, Reporting(limited, utc_now)), shelf


def _wheel(driver: HttpDriver, settings: Settings, ways: Ways) -> Callable[[], Wheel]:
    """What reads the operator's models again, for a daemon that knows no room."""
    newest = driver

    def turn() -> Wheel:
        nonlocal newest
        newest = make_driver(settings, driver.kit, driver.masks)
        drive = resourceful(newest, settings, ways, lambda: newest)
        return Wheel(drive, newest.remark, newest.masks)

    return turn


def _gallery(settings: Settings, store: Store) -> Gallery:
    interval = settings.timing.interval
    return Gallery(store, settings.prefix, interval, settings.fallback, utc_now)


async def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; SIGHUP reads the inventory and the driver file again.

    Raises:
        ConfigError: something the settings name cannot be used.
    """
    signals = Signals()
    signals.listen()
    async with AsyncExitStack() as stack:
        gallery, shelf = await stack.enter_async_context(open_gallery(settings))
        driver = await stack.enter_async_context(open_driver(settings))
        ways = await stack.enter_async_context(open_ways(settings.state_dir))
        board = Board()
        turn = _wheel(driver, settings, ways)
        daemon = Daemon(settings, gallery, open_inventory(settings), turn, board)
        if shelf is not None:
            site = Site(shelf, gallery, board, daemon.fleet.cameras, settings.timezone)
            address = await stack.enter_async_context(open_site(site, settings.http))
            log.info("pictures can be seen at %s", address)
        await daemon.run(signals)
