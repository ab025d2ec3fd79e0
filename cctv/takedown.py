"""Taking held pictures off the air from here, and proving that nothing shows them any more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cctv import app
from cctv.asked import some
from cctv.commands import show
from cctv.errors import StoreError
from cctv.model import by_number
from cctv.presence import PLACE as WORDS_PLACE
from cctv.presence import daemons
from cctv.reasons import Reason
from cctv.status import NAME
from cctv.sweep import Sweeper
from cctv.when import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cctv.asked import Known
    from cctv.desk import Desk
    from cctv.holds import Hold
    from cctv.model import Listed
    from cctv.presence import Daemon

_AT_ONCE = 32
_PASSES = 3
_PAUSE, _LOOK_EVERY = 1.0, 0.5
_ALIVE = timedelta(minutes=3)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SILENT = (
    "A daemon publishes here and leaves no word: it is NOT known to obey; see its log, and whether "
    "it may write to private/."
)
_NO_DAEMON = "No daemon has left word here within the last three minutes."


@dataclass(slots=True)
class Takedown:
    """One hold's pictures: replaces them, in case that no daemon does, and looks at what is left.

    `replaced` are the cameras whose picture went from here, `left` those whose picture did not,
    with why.
    """

    desk: Desk
    order: Hold
    replaced: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)

    async def replace(self) -> bool:
        """Put the fallback image over every picture it means; False, and said, where one is left.

        A daemon that has not seen the hold may renew one meanwhile: that is replaced in its turn.
        """
        try:
            for _ in range(_PASSES):
                await self._pass_over()
                if not self.left:
                    break
                await asyncio.sleep(_PAUSE)
        except StoreError as error:
            show(f"Not replaced from here, a daemon has to do it: {error}")
            return False
        count = len(self.replaced)
        show(f"{count:,} picture{'s' * (count != 1)} replaced from here.")
        if self.left:
            why = self.left[min(self.left, key=by_number)]
            show(f"NOT replaced from here: camera {some(self.left)}: {why}")
        return not self.left

    async def prove(self, known: Known, patience: float) -> bool:
        """Look until nothing shows a picture and every daemon obeys, and tell it all.

        False where that did not come about within `patience` seconds.
        """
        desk, order = self.desk, self.order
        names = {camera.id for camera in known.cameras if order.covers(camera)}
        names |= order.found | order.scope.names | self.replaced | self.left.keys()
        if not names:
            show("NOT proved: which cameras it means is not known here.")
            return False
        async with app.open_witness(desk.settings, desk.gallery, desk.archive) as witness:
            # a daemon that has not seen it yet may put up another picture over what was proved
            loop = asyncio.get_running_loop()
            end = loop.time() + patience
            await self._until_obeyed(patience)
            proof, lines = await witness.testify(names, max(1.0, end - loop.time()))
        for line in lines:
            show(line)
        if not (proof.until or (proof.complete and proof.unseen is not None)):
            latest = shown(order.made + desk.gallery.fresh_for, desk.settings.timezone)
            show(f"a cache that nobody looked at may show an old picture until {latest}")
        return await tell_daemons(desk, [order]) and proof.complete

    async def _pass_over(self) -> None:
        """Replace what is listed and is no fallback image; a look at each would take as long."""
        gallery, archive = self.desk.gallery, self.desk.archive
        pictures = await Sweeper(gallery, archive, lambda _: None).pictures()
        names = {gallery.name(entry.key) or "": entry for entry in pictures}
        waiting = iter([(n, e) for n, e in names.items() if self.order.covers_name(n)])
        self.left.clear()

        async def hand() -> None:
            for name, entry in waiting:
                await self._replace(name, entry)

        async with asyncio.TaskGroup() as hands:
            for number in range(_AT_ONCE):
                hands.create_task(hand(), name=f"takedown {number}")

    async def _replace(self, name: str, entry: Listed) -> None:
        gallery = self.desk.gallery
        card = gallery.card(name, Reason.HELD, gallery.now())
        try:
            if await self.desk.archive.replace(entry, card):
                self.replaced.add(name)
            else:
                self.left[name] = "something else was put there meanwhile"
        except StoreError as error:
            self.left[name] = str(error)

    async def _until_obeyed(self, patience: float) -> None:
        """Wait until every daemon that is alive obeys it, at most so many seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while loop.time() < end:
            try:
                if all(_obeys(one, self.order) for one in await alive(self.desk)):
                    return
            except StoreError:
                pass
            await asyncio.sleep(_LOOK_EVERY)


async def alive(desk: Desk) -> list[Daemon]:
    """The daemons that publish to the same addresses; StoreError: the store does not tell."""
    found = await daemons(desk.archive, desk.gallery.now())
    return [one for one in found if one.prefix == desk.gallery.prefix]


async def tell_daemons(desk: Desk, orders: Iterable[Hold]) -> bool:
    """Say which daemons obey these; False where one that is alive does not, or nothing is told."""
    try:
        found = await alive(desk)
        silent = not found and await _publishes(desk)
    except StoreError as error:
        show(f"Whether the daemons obey cannot be told: {error}")
        return False
    orders, late = list(orders), silent
    for one in found:
        lacks = [order.id for order in orders if not _obeys(one, order)]
        late |= bool(lacks)
        show(f"daemon {one}: {_words(desk, one, lacks, said='obeys' if orders else 'is alive')}")
    if not found:
        show(_SILENT if silent else _NO_DAEMON)
    return not late


async def _publishes(desk: Desk) -> bool:
    """Whether somebody renews the status here, who leaves no word of the holds that are obeyed."""
    listed = await desk.archive.listed(desk.gallery.prefix + NAME)
    words = await desk.archive.listed(WORDS_PLACE)
    heard = max((word.modified for word in words), default=_LONG_AGO)
    # one that has taken its leave spoke last
    since = max(heard, desk.gallery.now() - _ALIVE)
    return any(entry.modified > since for entry in listed)


def _obeys(one: Daemon, order: Hold) -> bool:
    return order.id in (one.holds or ())


def _words(desk: Desk, one: Daemon, lacks: list[str], said: str) -> str:
    ago = max(0.0, (desk.gallery.now() - one.heard).total_seconds())
    if one.holds is None:
        return f"cannot read the holds, and publishes nothing (it said so {ago:.0f} s ago)"
    if not lacks:
        return f"{said} (it said so {ago:.0f} s ago)"
    return f"does NOT obey {some(lacks)} yet; it was last heard of {ago:.0f} s ago"
