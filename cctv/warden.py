"""Seeing to it that holds are obeyed: within seconds of the order, and no longer than it says."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.holds import holding, next_change
from cctv.journal import pairs
from cctv.reasons import Reason
from cctv.table import plain
from cctv.when import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from zoneinfo import ZoneInfo

    from cctv.audit import Audit
    from cctv.holdbook import HoldBook, Reading
    from cctv.holds import Hold
    from cctv.model import Camera
    from cctv.seams import Clock

    Obey = Callable[[list[Hold]], Awaitable[None]]

log = logging.getLogger(__name__)

_LOOK_EVERY, _FIRST_EVERY = 3.0, 1.0
_TELL_EVERY = 100
_NOTES = 1000
_TROUBLE = "holds cannot be read, %s: %s"
_BLIND = "nothing is published until they can"
_KNOWN = "those known stay in force, a new one is not seen"
_SOME = "not all of them; all others are obeyed"
_GONE = "hold has gone from the store without a release, it is written back hold=%s"


class Warden:
    """Reads the holds every three seconds and has them obeyed.

    `obey` is called whenever other holds are in force than before, and gets those that came into
    force; at first too, once the holds could be read. Until then every camera is barred. Later the
    known ones stay in force while they cannot be read, or when they go without a release. A hold
    begins and ends at its moment, however long the store takes to answer.
    """

    def __init__(self, book: HoldBook, now: Clock, zone: ZoneInfo, audit: Audit) -> None:
        self._book = book
        self._now = now
        self._zone = zone
        self._audit = audit
        self._holds: dict[str, Hold] | None = None
        # those that are not over: what is judged for each camera stays short over the years
        self._coming: list[Hold] = []
        self._in_force: dict[str, Hold] = {}
        self._blind = True
        self._told: set[str] = set()
        self._failures = 0
        self._news = asyncio.Event()
        self._to_note: asyncio.Queue[tuple[str, Hold]] = asyncio.Queue(_NOTES)

    @property
    def in_force(self) -> list[Hold]:
        """The holds to be obeyed now, as far as they are known."""
        now = self._now()
        return [hold for hold in self._coming if hold.in_force(now)]

    def obeyed(self) -> frozenset[str] | None:
        """The ids of the holds that are obeyed; None while none is known."""
        return None if self._holds is None else frozenset(self._in_force)

    def barred(self, camera: Camera) -> Reason | None:
        """Why this camera must not be published now; None: it may be."""
        if self._holds is None:
            return Reason.HOLDS_UNKNOWN
        return Reason.HELD if holding(self.in_force, camera) else None

    async def first_look(self, patience: float) -> None:
        """Read the holds; return when that is done, or after `patience` seconds without."""
        try:
            async with asyncio.timeout(patience):
                await self._look_until_seen()
        except TimeoutError:
            if not self._failures:
                self._fail(f"the store gave no answer within {patience:g} s")
        self._blind = self._holds is None
        self._in_force = {hold.id: hold for hold in self.in_force}
        for hold in self._in_force.values():
            self._tell("hold in force", hold)

    async def run(self, obey: Obey) -> None:
        """Look, and have obeyed what changes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_looking(), name="warden looks")
            group.create_task(self._keep_obeying(obey), name="warden obeys")
            group.create_task(self._keep_noting(), name="warden notes")

    async def _look_until_seen(self) -> None:
        while True:
            if await self._look():
                return
            await asyncio.sleep(_FIRST_EVERY)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            await self._look()
            self._news.set()

    async def _keep_obeying(self, obey: Obey) -> None:
        while True:
            await self._until_news()
            was, now = self._in_force, {hold.id: hold for hold in self.in_force}
            begun = [hold for name, hold in now.items() if was.get(name) != hold]
            if now != was or self._blind != (self._holds is None):
                self._in_force, self._blind = now, self._holds is None
                await obey(begun)
            for hold in begun:
                self._tell("hold in force", hold)
            for name in was.keys() - now.keys():
                self._tell("hold over", (self._holds or {}).get(name, was[name]))
            self._tell_to_come()

    async def _until_news(self) -> None:
        """Wait for other holds, or for a moment of a known one; a clock may jump over that."""
        now = self._now()
        change = next_change(self._coming, now)
        left = _LOOK_EVERY if change is None else (change - now).total_seconds()
        try:
            async with asyncio.timeout(min(_LOOK_EVERY, left)):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _look(self) -> bool:
        try:
            reading = await self._book.look()
        except StoreError as error:
            self._fail(str(error))
            return False
        if reading.troubles:
            self._fail(reading.trouble, _SOME)
        # one that cannot be read may order anything: at first nothing is known to be allowed
        if reading.troubles and self._holds is None:
            return False
        if self._failures and not reading.troubles:
            log.info("holds can be read again")
            self._failures = 0
        await self._take(reading)
        return True

    def _fail(self, trouble: str, later: str = _KNOWN) -> None:
        meanwhile = _BLIND if self._holds is None else later
        level = logging.DEBUG if self._failures % _TELL_EVERY else logging.ERROR
        log.log(level, _TROUBLE, meanwhile, trouble)
        self._failures += 1

    async def _take(self, reading: Reading) -> None:
        holds = {hold.id: hold for hold in reading.holds}
        lost = [hold for hold in self._coming if hold.id not in holds]
        holds |= {hold.id: hold for hold in lost}
        if self._holds is None:
            # what was there at the start was told when it was new
            self._told = set(holds)
        self._holds = holds
        self._coming = [hold for hold in holds.values() if not hold.over(self._now())]
        for hold in self._coming:
            if hold in lost and hold.id not in reading.ids:
                await self._put_back(hold)

    async def _put_back(self, hold: Hold) -> None:
        """Only a release ends it, and a restart must find it."""
        log.error(_GONE, hold.id)
        try:
            await self._book.write([hold])
        except StoreError as error:
            log.debug("hold not written back hold=%s: %s", hold.id, error)

    async def _keep_noting(self) -> None:
        """Write the audit log; a disk that hangs keeps nobody from obeying."""
        while True:
            what, hold = await self._to_note.get()
            await self._audit.note(what, hold=hold.id, **told(hold, self._zone))

    def _tell_to_come(self) -> None:
        fresh = [hold for hold in self._coming if hold.id not in self._told]
        self._told |= {hold.id for hold in fresh}
        for hold in fresh:
            if hold.id not in self._in_force:
                self._tell("hold to come", hold)

    def _tell(self, what: str, hold: Hold) -> None:
        log.warning("%s %s", what, pairs(hold=hold.id, **told(hold, self._zone)))
        try:
            self._to_note.put_nowait((what, hold))
        except asyncio.QueueFull:
            log.error("audit log not written, too much waits for the disk: %s %s", what, hold.id)  # noqa: TRY400 - the queue's error says nothing more


def told(hold: Hold, zone: ZoneInfo) -> dict[str, str]:
    """A hold in words, for people, the log and the audit log."""
    facts = {
        "cameras": plain(str(hold.scope)),
        "from": shown(hold.start, zone),
        "until": shown(hold.until, zone) if hold.until else "it is released",
        "by": plain(hold.by),
        "reason": plain(hold.reason),
    }
    if hold.released:
        at, by = shown(hold.released.at, zone), plain(hold.released.by)
        facts |= {"released_by": by, "released_at": at}
    return facts
