"""`cctv check`: everything the daemon needs is tested, and no camera is published."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from cctv import app
from cctv.address import shown
from cctv.commands import learned, print_odd, read_roster, read_ways, show, told
from cctv.errors import CaptureError, ConfigError, HoldError, InventoryError, StoreError
from cctv.gallery import CARD
from cctv.holdbook import HoldBook
from cctv.reasons import WORDS
from cctv.table import table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from cctv.gallery import Gallery
    from cctv.model import Camera
    from cctv.seams import Archive, Driver
    from cctv.settings import Settings

_AT_ONCE = 50
_BAR = 30


async def check(settings: Settings, options: argparse.Namespace) -> int:
    """Test everything the daemon needs; publish no camera."""
    show("settings   ok")
    well = _check_folders(settings)
    well = await _check_store(settings) and well
    try:
        roster = await read_roster(settings)
    except InventoryError as error:
        show(f"inventory  FAILED: {error}")
        return 1
    if not roster.ids:
        show("inventory  FAILED: it lists no camera")
        return 1
    show(f"inventory  ok: {len(roster.cameras)} cameras, {len(roster.withdrawn)} not published")
    print_odd(roster)
    cameras = list(roster.cameras.values())
    ways = await read_ways(settings)
    async with app.open_driver(settings) as driver:
        remarks = {driver.remark(camera) for camera in cameras}
        remarks |= {learned(camera, ways) for camera in cameras}
        remarks |= {f"masks: {name} is no camera" for name in driver.masks.masked - roster.ids}
        for remark in sorted(remarks - {""}):
            show(f"           {remark}")
        results = await _ask_all(app.patient(driver, settings, ways), cameras)
    _print_results(results, everything=options.all)
    failed = any(result.error for result in results)
    return 0 if well and not failed and not roster.refusals else 1


@dataclass(frozen=True, slots=True)
class Result:
    """What one camera answered to a check; `seconds` it took."""

    camera: Camera
    seconds: float
    picture: str = ""
    error: CaptureError | None = None
    odd: bool = False


async def _check_store(settings: Settings) -> bool:
    try:
        async with app.open_gallery(settings) as (gallery, archive):
            key = gallery.key(CARD)
            await gallery.store.put(key, gallery.own_card())
            show(f"store      ok: {key} is in place")
            return await _check_holds(gallery, archive) and await _check_list(gallery, archive)
    except (StoreError, ConfigError) as error:
        show(f"store      FAILED: {error}")
        return False


async def _check_holds(gallery: Gallery, archive: Archive) -> bool:
    try:
        holds = await HoldBook(archive, gallery.now).read()
    except (StoreError, HoldError) as error:
        show(f"holds      FAILED, and nothing is published without: {error}")
        return False
    in_force = sum(hold.in_force(gallery.now()) for hold in holds)
    show(f"holds      ok: {in_force} in force (`cctv holds`)")
    return True


async def _check_list(gallery: Gallery, archive: Archive) -> bool:
    try:
        listed = await archive.listed(gallery.prefix)
    except StoreError as error:
        show(f"list       FAILED, pictures of cameras nobody lists cannot be seen: {error}")
        return False
    show(f"list       ok: {len(listed)} objects under {gallery.prefix}")
    return True


def _check_folders(settings: Settings) -> bool:
    """Whether log and state can be written; without them the daemon goes on, and forgets."""
    for folder in (settings.log_dir, settings.state_dir):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            show(f"folders    FAILED: {folder}: {error.strerror}")
            return False
    show(f"folders    ok: {settings.log_dir}, {settings.state_dir}")
    return True


async def _ask_all(driver: Driver, cameras: Sequence[Camera]) -> list[Result]:
    places = asyncio.Semaphore(_AT_ONCE)
    done: list[Result] = []

    async def ask(camera: Camera) -> None:
        async with places:
            done.append(await _ask(driver, camera))
        _progress(len(done), len(cameras))

    async with asyncio.TaskGroup() as group:
        for camera in cameras:
            group.create_task(ask(camera), name=f"check {camera.id}")
    order = {camera.id: place for place, camera in enumerate(cameras)}
    return sorted(done, key=lambda result: order[result.camera.id])


async def _ask(driver: Driver, camera: Camera) -> Result:
    began = time.monotonic()
    try:
        frame = await driver(camera).frame()
    except CaptureError as error:
        return Result(camera, time.monotonic() - began, error=error)
    took = time.monotonic() - began
    return Result(camera, took, told(frame), odd=bool(frame.warnings))


def _progress(done: int, total: int) -> None:
    """A bar where somebody watches; it goes to stderr, so that stdout can be kept."""
    if not sys.stderr.isatty():
        return
    full = _BAR * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\rcameras    [{'#' * full:<{_BAR}}] {done} of {total}{end}")
    sys.stderr.flush()


def _print_results(results: Sequence[Result], *, everything: bool) -> None:
    listed = [result for result in results if everything or result.error or result.odd]
    if listed:
        show(table(("camera", "model", "address", "seconds", "result"), map(_row, listed)))
    reasons = Counter(result.error.reason for result in results if result.error)
    counts = [("ok", len(results) - reasons.total()), *reasons.most_common()]
    show("cameras    " + ", ".join(f"{count} {word}" for word, count in counts))
    for reason in reasons:
        show(f"  {reason}: {WORDS[reason].sentence} {WORDS[reason].advice}")


def _row(result: Result) -> Sequence[str]:
    camera = result.camera
    found = f"{result.error.reason}: {result.error}" if result.error else f"ok {result.picture}"
    return camera.id, camera.model, shown(camera.address), f"{result.seconds:.1f}", found
