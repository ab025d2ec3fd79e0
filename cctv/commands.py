"""The commands a technician types: each prints what it finds and gives an exit status."""

from __future__ import annotations

import io
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, TextIO

from cctv import app
from cctv.address import shown
from cctv.errors import CaptureError
from cctv.health import judge
from cctv.holdbook import HoldBook
from cctv.holds import holding
from cctv.lastgood import LastGood
from cctv.model import Cycle, NotStored, Published, Unavailable
from cctv.public_image import PublicImage
from cctv.publish import Publisher
from cctv.reasons import WORDS, Reason
from cctv.roster import Roster, read
from cctv.table import plain, table
from cctv.ways import Ways

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from cctv.frame import Frame
    from cctv.logs import Redactor
    from cctv.model import Camera, Outcome
    from cctv.settings import Settings


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
    roster = await read_roster(settings)
    show(_camera_table(roster))
    show(f"\n{len(roster.cameras)} cameras, {len(roster.withdrawn)} not published")
    print_odd(roster)
    if options.accept and not roster.ids:
        show("Not accepted: an empty list is never believed.")
        return 1
    if options.accept:
        await LastGood(settings.state_dir).accept(roster.ids)
        show("Accepted. The daemon believes this list when it reads it next (SIGHUP: now).")
    return 0


async def snap(settings: Settings, options: argparse.Namespace) -> int:
    """Save one camera's picture to a file."""
    camera = _find(await read_roster(settings), options.camera)
    if camera is None:
        return 1
    ways = await read_ways(settings)
    async with app.open_driver(settings) as driver:
        try:
            frame = await app.patient(driver, settings, ways)(camera).frame()
        except CaptureError as error:
            return _say_failure(camera, error)
    options.output.write_bytes(frame.body)
    show(f"{options.output}: {told(frame)}")
    return 0


async def once(settings: Settings, options: argparse.Namespace) -> int:
    """Run one publishing cycle of one camera, and tell what becomes of it."""
    camera = _find(await read_roster(settings), options.camera)
    if camera is None:
        return 1
    show(f"camera {camera.id} {camera.name}: asking {shown(camera.address)} as {camera.model}")
    ways = await read_ways(settings)
    async with AsyncExitStack() as stack:
        gallery, archive = await stack.enter_async_context(app.open_gallery(settings))
        if await _is_held(camera, HoldBook(archive, gallery.now), gallery.now()):
            return 1
        driver = await stack.enter_async_context(app.open_driver(settings, gallery.now))
        for remark in filter(None, (driver.remark(camera), learned(camera, ways))):
            show(remark)
        source = app.patient(driver, settings, ways)(camera)
        now = gallery.now()
        cycle = Cycle(now, now + timedelta(seconds=settings.timing.interval))
        image = PublicImage(gallery, camera.id)
        outcome = await Publisher(camera, source, image).cycle(cycle)
        # the camera took its time, and somebody may have ordered otherwise meanwhile
        if await _is_held(camera, HoldBook(archive, gallery.now), gallery.now()):
            await image.show_fallback(Reason.HELD, gallery.now())
            return 1
        image.close()
        return _say_outcome(outcome, gallery.key(camera.id))


async def _is_held(camera: Camera, book: HoldBook, now: datetime) -> bool:
    """Whether it must not be published now, and says so; HoldError where that cannot be told."""
    held = holding((hold for hold in await book.read() if hold.in_force(now)), camera)
    if held:
        words = WORDS[Reason.HELD]
        show(f"camera {camera.id}: {words.sentence} {words.advice}")
    return held


async def health(settings: Settings, _: argparse.Namespace) -> int:
    """Judge the daemon by the pulse it leaves in the state folder."""
    wrong = judge(settings.state_dir, time.time())
    show(wrong or "healthy")
    return 1 if wrong else 0


async def read_ways(settings: Settings) -> Ways:
    """What the daemon has learned of cameras whose record names the wrong model."""
    ways = Ways(settings.state_dir)
    await ways.load()
    return ways


def learned(camera: Camera, ways: Ways) -> str:
    """What the daemon has learned of this camera; blank where its record is right."""
    way = ways.of(camera)
    said = f"camera {camera.id}: record says {camera.model}, answers as {way.title()}"
    return f"{said}; correct its model" if way else ""


async def read_roster(settings: Settings) -> Roster:
    """What the inventory comes to now; InventoryError when it cannot be read."""
    return read(await app.open_inventory(settings).records(), {}).without(settings.never)


def _find(roster: Roster, name: str) -> Camera | None:
    camera = roster.cameras.get(name)
    if camera is None:
        reason = roster.withdrawn.get(name)
        found = WORDS[reason].sentence if reason else "The inventory has no such camera."
        show(f"camera {name}: {found}")
    return camera


def _say_failure(camera: Camera, error: CaptureError) -> int:
    words = WORDS[error.reason]
    show(f"camera {camera.id}: {error.reason}: {error}")
    show(f"{words.sentence} {words.advice}")
    return 1


def _say_outcome(outcome: Outcome, key: str) -> int:
    match outcome:
        case Published(frame=frame):
            show(f"picture    ok: {told(frame)}\npublished  ok: {key}")
            return 0
        case NotStored(error=error):
            show(f"picture    ok\npublished  FAILED: {error}")
        case Unavailable(error=error, not_stored=trouble):
            _say_failure(outcome.camera, error)
            show(f"fallback   FAILED: {trouble}" if trouble else f"fallback   in place: {key}")
    return 1


def _camera_table(roster: Roster) -> str:
    rows = [
        (camera.id, camera.model, shown(camera.address), camera.name, camera.area)
        for camera in roster.cameras.values()
    ]
    rows += [
        (name, "", "", f"not published: {WORDS[why].sentence}", "")
        for name, why in roster.withdrawn.items()
    ]
    return table(("camera", "model", "address", "name", "area"), rows)


def told(frame: Frame) -> str:
    """A picture in a few words: its size, and what is odd about it."""
    odd = "".join(f", warning: {reason}" for reason in frame.warnings)
    return f"{frame.width}x{frame.height} pixels, {len(frame.body):,} bytes{odd}"


def print_odd(roster: Roster) -> None:
    """Print the records that are odd."""
    for refusal in roster.refusals:
        show(plain(f"odd record {refusal.id}: {refusal.why}"))


def show(text: str) -> None:
    """Print a line, redacted."""
    print(text)  # noqa: T201 - the command's voice
