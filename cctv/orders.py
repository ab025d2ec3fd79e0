"""The commands that take pictures off the air, and let them come back."""

from __future__ import annotations

import asyncio
import getpass
from typing import TYPE_CHECKING

from cctv import app, asked
from cctv.asked import Known, OrderError
from cctv.commands import show
from cctv.desk import insist, open_desk
from cctv.errors import StoreError
from cctv.holdbook import HoldBook
from cctv.model import by_number
from cctv.reasons import Reason
from cctv.sweep import Sweeper
from cctv.takedown import Takedown, tell_daemons

if TYPE_CHECKING:
    import argparse

    from cctv.desk import Desk
    from cctv.gallery import Gallery
    from cctv.holds import Hold
    from cctv.settings import Settings

# seconds for the inventory, which need not answer: before the order, and where only it can tell
_AT_ONCE, _BY_THE_INVENTORY, _MEANWHILE = 5.0, 20.0, 5.0
# two clocks may differ by so much: seconds, and a part of the interval
_CLOCKS, _CLOCKS_PART = 5.0, 0.02
_NAMELESS = "unknown"
_WHO = "Who orders it is not known here: name yourself with --by the next time."
_NOT_KNOWN = "Nothing else was done. `cctv holds` lists it if it is there; else order it again."
_PAST = "--from is past: the hold is in force from now on."
_TO_COME = "It is to come: a daemon that runs then obeys it."


async def hold(settings: Settings, options: argparse.Namespace) -> int:
    """Order not to publish cameras, replace their pictures at once, and prove it with --wait."""
    async with open_desk(settings) as desk:
        name = await desk.free_id()
        known = await _known_before(desk, options)
        order = asked.order(settings, options, desk.gallery.now(), known, name)
        if not await desk.give(order, "hold ordered", "in force"):
            show(_NOT_KNOWN)
            return 1
        now = order.in_force(order.made)
        show(f"hold {order.id} is ordered{', and in force now' if now else ''}:")
        desk.describe(order)
        if order.start < order.made:
            show(_PAST)
        if order.by == _NAMELESS:
            show(_WHO)
        status = await (_take_down(desk, options, order, known) if now else _to_come(desk, order))
        show(f"`cctv release {order.id}` ends it.")
        return status


async def release(settings: Settings, options: argparse.Namespace) -> int:
    """End holds; what the inventory or the settings do not publish stays unpublished."""
    faults: list[str] = []
    by, names = asked.named(options.by, faults), asked.ids(options.holds)
    if bool(names) == options.all:
        faults.append("name the holds to release (`cctv holds` lists them), or use --all, not both")
    if faults:
        raise OrderError(faults)
    async with open_desk(settings) as desk:
        reading = await insist(desk.book.look)
        now, there = desk.gallery.now(), {order.id: order for order in reading.holds}
        open_ones = [order for order in reading.holds if not order.over(now)]
        if lost := [name for name in names if name not in there]:
            raise OrderError([_lost(name, reading.ids) for name in lost])
        chosen = [order for order in open_ones if options.all or order.id in names]
        for name in names:
            if there[name].over(now):
                show("This one was over already:")
                desk.show_hold(there[name], now)
        ended = [order for order in chosen if await _release(desk, order, by)]
        _tell_rest(open_ones, ended, reading.trouble)
        await desk.tidy(reading.holds)
        return 1 if len(ended) < len(chosen) or reading.troubles else 0


async def holds(settings: Settings, options: argparse.Namespace) -> int:
    """List the holds in force and to come; with --past those that are over, too."""
    async with open_desk(settings) as desk:
        reading = await insist(desk.book.look)
        now = desk.gallery.now()
        past = await desk.past() if options.past else []
        wanted = past + [order for order in reading.holds if options.past or not order.over(now)]
        for order in wanted:
            desk.show_hold(order, now)
        count = f"{len(wanted):,} hold{'s' * (len(wanted) != 1)}."
        show(count if wanted else "No hold is in force or to come.")
        if settings.never:
            names = ", ".join(sorted(settings.never, key=by_number))
            show(f"Never published (CCTV_NEVER_PUBLISH): {names}")
        if reading.troubles:
            show(f"NOT all of the holds can be read: {reading.trouble}")
        obeyed = await tell_daemons(desk, [order for order in wanted if order.in_force(now)])
        return 0 if obeyed and not reading.troubles else 1


async def sweep(settings: Settings, options: argparse.Namespace) -> int:
    """Replace what is too old or held, whatever has become of the daemon."""
    async with app.open_gallery(settings) as (gallery, archive):
        obeyed: list[Hold] = []
        try:
            reading = await HoldBook(archive, gallery.now).look()
            obeyed = [order for order in reading.holds if order.in_force(gallery.now())]
            trouble = f"not all of the holds can be read: {reading.trouble}" * bool(
                reading.troubles
            )
        except StoreError as error:
            trouble = f"the holds cannot be read, only old pictures are looked for: {error}"

        def barred(name: str) -> Reason | None:
            if name in settings.never:
                return Reason.NEVER_PUBLISH
            return Reason.HELD if any(order.covers_name(name) for order in obeyed) else None

        ahead = _ahead(settings, gallery, options.ahead)
        swept = await Sweeper(gallery, archive, barred, options.older_than).sweep(ahead)
        for name, reason in sorted(swept.replaced.items(), key=_by_name):
            show(f"camera {name}: replaced, {reason}")
        for name, why in sorted(swept.failed.items(), key=_by_name):
            show(f"camera {name}: FAILED: {why}")
        counts = f"{len(swept.replaced)} replaced, {len(swept.failed)} failed"
        show(f"{swept.looked} pictures looked at, {counts}")
        if trouble:
            show(trouble)
        return 1 if trouble or swept.failed else 0


def _ahead(settings: Settings, gallery: Gallery, asked: float) -> float:
    """How far ahead the sweep may look without hiding a picture that is about to be renewed."""
    spare = gallery.fresh_for.total_seconds() - settings.timing.interval - gallery.upload
    longest = max(0.0, spare - min(_CLOCKS, settings.timing.interval * _CLOCKS_PART))
    if asked > longest:
        show(f"--ahead {asked:g} is shortened to {longest:g}: beyond it healthy pictures would go.")
    return min(asked, longest)


def _by_name(item: tuple[str, object]) -> tuple[int, str]:
    return by_number(item[0])


def login_name() -> str:
    """Who is at the keyboard, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return _NAMELESS


async def _known_before(desk: Desk, options: argparse.Namespace) -> Known:
    """What must be known of the cameras to order it; nothing may keep an order of all."""
    if options.all:
        return Known()
    by_inventory = options.area or options.near
    return await desk.cameras(_BY_THE_INVENTORY if by_inventory else _AT_ONCE)


async def _take_down(desk: Desk, options: argparse.Namespace, order: Hold, known: Known) -> int:
    takedown = Takedown(desk, order)
    noted, replacing = desk.note("hold ordered", order), takedown.replace()
    if order.scope.every:
        known, replaced, _ = await asyncio.gather(desk.cameras(_MEANWHILE), replacing, noted)
    else:
        replaced, _ = await asyncio.gather(replacing, noted)
    desk.tell_meant(order, known)
    named = order.scope.names & known.ids or any(map(order.covers, known.cameras))
    if known.roster is not None and not named:
        show("It means NO camera that is known here: is it a slip? It stays ordered all the same.")
        return 1
    if options.wait is None:
        return 0 if replaced else 1
    return 0 if await takedown.prove(known, float(options.wait)) else 1


async def _to_come(desk: Desk, order: Hold) -> int:
    known = await desk.cameras(_MEANWHILE)
    desk.tell_meant(order, known)
    await desk.note("hold ordered", order)
    show(_TO_COME)
    await tell_daemons(desk, [])
    return 0


async def _release(desk: Desk, order: Hold, by: str) -> bool:
    if by == _NAMELESS:
        show(_WHO)
    ended = order.release(desk.gallery.now(), by)
    if not await desk.give(ended, "hold released", "released, and may be in force"):
        show("`cctv holds` tells; release it again if it is there.")
        return False
    show(f"hold {order.id} is released:")
    desk.describe(ended)
    await desk.note("hold released", ended)
    return True


def _lost(name: str, ids: frozenset[str]) -> str:
    if name in ids:
        return f"hold {name} cannot be read; remove private/holds/{name}.json from the store"
    return f"there is no hold {name[:20]!r}; `cctv holds` lists them"


def _tell_rest(open_ones: list[Hold], ended: list[Hold], trouble: str) -> None:
    if ended:
        show(
            "A daemon lets the pictures come back with each camera's next turn. What the inventory"
        )
        show("or CCTV_NEVER_PUBLISH keeps off the air stays there.")
    rest = [order.id for order in open_ones if order not in ended]
    if rest:
        show(f"Still ordered: {', '.join(rest)} (`cctv holds`).")
    if not open_ones:
        show("There was no hold to release.")
    if trouble:
        show(f"NOT all of the holds can be read: {trouble}")
