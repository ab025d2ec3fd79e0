"""Where orders are given: the store they are kept in, and what is told of them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cctv import app
from cctv.asked import Known, placeless, some
from cctv.audit import Audit
from cctv.commands import read_roster, show
from cctv.daemon import AUDIT_FILE
from cctv.errors import InventoryError, StoreError
from cctv.holdbook import PAST, HoldBook
from cctv.holds import new_id
from cctv.lastgood import LastGood
from cctv.roster import Roster
from cctv.table import plain
from cctv.warden import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from datetime import datetime

    from cctv.gallery import Gallery
    from cctv.holds import Hold
    from cctv.seams import Archive
    from cctv.settings import Settings

T = TypeVar("T")

# seconds
_INSIST, _LONGEST = 20.0, 40.0
_AGAIN = 1.0
_GLANCE = 5.0
_TIDIED = 200
_BROKEN_OFF = "Broken off: hold {} may have been taken or not; `cctv holds` tells."


@dataclass(frozen=True, slots=True)
class Desk:
    """Where orders are given: the store they are kept in, and what is told of them."""

    settings: Settings
    gallery: Gallery
    archive: Archive
    book: HoldBook

    async def free_id(self) -> str:
        """An id for a new hold. The store's answer sets our clock, which may be wrong, too."""
        try:
            async with asyncio.timeout(_GLANCE):
                return await self.book.free_id()
        except (StoreError, TimeoutError):
            # what is wrong will show when it is written
            return new_id()

    async def cameras(self, patience: float) -> Known:
        """The cameras there are: by the inventory, else by the daemon's last good list."""
        settings = self.settings
        if settings.inventory is not None or (settings.knack and settings.knack.container):
            try:
                async with asyncio.timeout(patience):
                    roster = await read_roster(settings)
                    return Known(roster.without(settings.never), sure=True)
            except TimeoutError:
                show(f"The inventory gave no answer within {patience:g} s.")
            except InventoryError as error:
                show(f"The inventory cannot be read ({plain(str(error))}).")
        try:
            last = await LastGood(settings.state_dir).load()
        except (OSError, ValueError):
            return Known()
        if last.blank:
            return Known()
        return Known(Roster(last.cameras, last.owed, ids=last.ids).without(settings.never))

    async def give(self, order: Hold, what: str, unknown: str) -> bool:
        """Have this hold stand in the store; False, and said, where that is not confirmed.

        `what` is for the audit log; `unknown` is what is not known then, for a person.
        """
        try:
            await insist(lambda: self.book.write([order]))
        except StoreError as error:
            if not await self._stands(order):
                show(f"hold {order.id} is NOT known to be {unknown}: {error}")
                show("The store may have taken the order, or take it late.")
                await self.note(f"{what}, not confirmed", order)
                return False
        except asyncio.CancelledError:
            show(_BROKEN_OFF.format(order.id))
            raise
        return True

    async def past(self) -> list[Hold]:
        """The holds that were filed away; StoreError: the store does not tell."""
        reading = await insist(HoldBook(self.archive, self.gallery.now, PAST).look)
        return list(reading.holds)

    async def tidy(self, holds: Iterable[Hold]) -> None:
        """File away some that are long over, where that is allowed: each look lists them all."""
        long_over = [each for each in holds if each.settled(self.gallery.now())]
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_INSIST):
                await self.book.file_away(long_over[:_TIDIED])

    async def _stands(self, order: Hold) -> bool:
        try:
            async with asyncio.timeout(_GLANCE):
                return await self.book.stands(order)
        except (StoreError, TimeoutError):
            return False

    def describe(self, order: Hold) -> None:
        """Say back in full what was ordered."""
        words = told(order, self.settings.timezone)
        width = max(map(len, words)) + 1
        show(
            "\n".join(f"  {word.replace('_', ' ') + ':':<{width}} {words[word]}" for word in words)
        )

    def tell_meant(self, order: Hold, known: Known) -> None:
        """Say how many cameras it means, and which it may mean or not."""
        if known.roster is None:
            show("Which cameras that means is not known here; each daemon goes by its own list.")
            return
        cameras = known.cameras
        by = "" if known.sure else ", by the last list known here"
        show(f"That means {sum(map(order.covers, cameras)):,} of {len(cameras):,} cameras{by}.")
        if unheard := order.scope.names - known.ids:
            show(f"Not on that list, and held all the same: {some(unheard)}")
        if lost := placeless(order, cameras):
            show(f"NOT held, for their records have no place: {some(lost)}")

    async def note(self, what: str, order: Hold) -> None:
        """Write it into the audit log."""
        audit = Audit(self.settings.log_dir / AUDIT_FILE, self.gallery.now)
        await audit.note(what, hold=order.id, **told(order, self.settings.timezone))

    def show_hold(self, order: Hold, now: datetime) -> None:
        """Tell of one hold, a line for each thing: a moment in full is too long for a table."""
        state = "over" if order.over(now) else "IN FORCE" if order.in_force(now) else "to come"
        show(f"hold {order.id}: {state}")
        self.describe(order)


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """The desk over the store that the settings name; ConfigError as `app.open_gallery`."""
    # a command keeps its log to itself; but an order that is not accounted for is to be said
    logging.getLogger("cctv.audit").setLevel(logging.WARNING)
    async with app.open_gallery(settings) as (gallery, archive):
        yield Desk(settings, gallery, archive, HoldBook(archive, gallery.now))


async def insist(work: Callable[[], Awaitable[T]]) -> T:
    """What `work` comes to, tried again for twenty seconds while its failure is a passing one.

    Raises:
        StoreError: the last failure, or none came within forty seconds.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _INSIST
    try:
        async with asyncio.timeout(_LONGEST):
            while True:
                try:
                    return await work()
                except StoreError as error:
                    if not error.passing or loop.time() >= end:
                        raise
                await asyncio.sleep(_AGAIN)
    except TimeoutError:
        raise StoreError(f"no answer within {_LONGEST:g} s") from None
