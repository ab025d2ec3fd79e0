"""The commands a technician types: each prints what it finds and gives an exit status."""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

from cctv import app
from cctv.errors import CaptureError, InventoryError, StoreError
from cctv.health import judge
from cctv.lastgood import LastGood
from cctv.model import Cycle, NotStored, Published, Unavailable
from cctv.public_image import PublicImage
from cctv.publish import Publisher
from cctv.reasons import WORDS
from cctv.roster import Roster, read
from cctv.schedule import utc_now
from cctv.table import table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from cctv.logs import Redactor
    from cctv.model import Camera, Outcome
    from cctv.seams import Driver
    from cctv.settings import Settings

_AT_ONCE = 50
_BAR = 30


class Redacted(io.TextIOBase):
    """A stream that takes secrets out of what is printed."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        super().__init__()
        self._stream = stream
        self._redact = redact

    def write(self, text: str) -> int:
        """Pass the text on, redacted."""
        self._stream.write(self._redact(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream behind."""
        self._stream.flush()


async def listing(settings: Settings, options: argparse.Namespace) -> int:
    """List the inventory; with --accept, vouch for it before the daemon."""
    roster = await _roster(settings)
    _print(_camera_table(roster))
    _print(f"\n{len(roster.cameras)} cameras, {len(roster.withdrawn)} not published")
    _print_odd(roster)
    if options.accept:
        LastGood(settings.state_dir).accept(roster.ids)
        _print("Accepted. The daemon believes this list when it reads it next (SIGHUP: now).")
    return 0


async def snap(settings: Settings, options: argparse.Namespace) -> int:
    """Save one camera's picture to a file."""
    camera = _find(await _roster(settings), options.camera)
    if camera is None:
        return 1
    async with app.open_driver(settings) as driver:
        try:
            frame = await app.patient(driver, settings)(camera).frame()
        except CaptureError as error:
            return _say_failure(camera, error)
    options.output.write_bytes(frame.body)
    _print(f"{options.output}: {frame.width}x{frame.height} pixels, {len(frame.body):,} bytes")
    return 0


async def once(settings: Settings, options: argparse.Namespace) -> int:
    """Run one publishing cycle of one camera, and tell what becomes of it."""
    camera = _find(await _roster(settings), options.camera)
    if camera is None:
        return 1
    _print(f"camera {camera.id} {camera.name}: asking {camera.address} as {camera.model}")
    async with app.open_driver(settings) as driver, app.open_gallery(settings) as (gallery, _):
        source = app.patient(driver, settings)(camera)
        now = utc_now()
        cycle = Cycle(now, now + timedelta(seconds=settings.timing.interval))
        image = PublicImage(gallery, camera.id)
        outcome = await Publisher(camera, source, image).cycle(cycle)
        return _say_outcome(outcome, gallery.key(camera.id))


async def health(settings: Settings, _: argparse.Namespace) -> int:
    """Judge the daemon by the pulse it leaves in the state folder."""
    wrong = judge(settings.state_dir, time.time())
    _print(wrong or "healthy")
    return 1 if wrong else 0


async def check(settings: Settings, options: argparse.Namespace) -> int:
    """Test everything the daemon needs; publish no camera."""
    _print("settings   ok")
    well = await _check_store(settings)
    try:
        roster = await _roster(settings)
    except InventoryError as error:
        _print(f"inventory  FAILED: {error}")
        return 1
    _print(f"inventory  ok: {len(roster.cameras)} cameras, {len(roster.withdrawn)} not published")
    _print_odd(roster)
    async with app.open_driver(settings) as driver:
        results = await _ask_all(app.patient(driver, settings), list(roster.cameras.values()))
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


async def _check_store(settings: Settings) -> bool:
    async with app.open_gallery(settings) as (gallery, _):
        key = gallery.key("unavailable")
        try:
            await gallery.store.put(key, gallery.unavailable("unavailable", {}))
        except StoreError as error:
            _print(f"store      FAILED: {error}")
            return False
    _print(f"store      ok: {key} is in place")
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
    picture = f"{frame.width}x{frame.height} {len(frame.body) / 1000:.0f} kB"
    return Result(camera, time.monotonic() - began, picture)


def _progress(done: int, total: int) -> None:
    """A bar where somebody watches; it goes to stderr, so that stdout can be kept."""
    if not sys.stderr.isatty():
        return
    full = _BAR * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\rcameras    [{'#' * full:<{_BAR}}] {done} of {total}{end}")
    sys.stderr.flush()


def _print_results(results: Sequence[Result], *, everything: bool) -> None:
    shown = [result for result in results if everything or result.error]
    if shown:
        _print(table(("camera", "model", "address", "seconds", "result"), map(_row, shown)))
    reasons = Counter(result.error.reason for result in results if result.error)
    counts = [("ok", len(results) - reasons.total()), *reasons.most_common()]
    _print("cameras    " + ", ".join(f"{count} {word}" for word, count in counts))
    for reason in reasons:
        _print(f"  {reason}: {WORDS[reason].sentence} {WORDS[reason].advice}")


def _row(result: Result) -> Sequence[str]:
    camera = result.camera
    found = f"{result.error.reason}: {result.error}" if result.error else f"ok {result.picture}"
    return camera.id, camera.model, camera.address, f"{result.seconds:.1f}", found


async def _roster(settings: Settings) -> Roster:
    return read(await app.open_inventory(settings).records(), {})


def _find(roster: Roster, name: str) -> Camera | None:
    camera = roster.cameras.get(name)
    if camera is None:
        reason = roster.withdrawn.get(name)
        found = WORDS[reason].sentence if reason else "The inventory has no such camera."
        _print(f"camera {name}: {found}")
    return camera


def _say_failure(camera: Camera, error: CaptureError) -> int:
    words = WORDS[error.reason]
    _print(f"camera {camera.id}: {error.reason}: {error}")
    _print(f"{words.sentence} {words.advice}")
    return 1


def _say_outcome(outcome: Outcome, key: str) -> int:
    match outcome:
        case Published(frame=frame):
            size = f"{frame.width}x{frame.height} pixels, {len(frame.body):,} bytes"
            _print(f"picture    ok: {size}\npublished  ok: {key}")
            return 0
        case NotStored(error=error):
            _print(f"picture    ok\npublished  FAILED: {error}")
        case Unavailable(error=error, not_stored=trouble):
            _say_failure(outcome.camera, error)
            _print(f"fallback   FAILED: {trouble}" if trouble else f"fallback   in place: {key}")
    return 1


def _camera_table(roster: Roster) -> str:
    rows = [
        (camera.id, camera.model, camera.address, camera.name, camera.area)
        for camera in roster.cameras.values()
    ]
    rows += [(name, "", "", f"not published: {why}", "") for name, why in roster.withdrawn.items()]
    return table(("camera", "model", "address", "name", "area"), rows)


def _print_odd(roster: Roster) -> None:
    for refusal in roster.refusals:
        _print(f"odd record {refusal.id}: {refusal.why}")


def _print(text: str | Iterable[str]) -> None:
    print(text)  # noqa: T201 - the command's voice
