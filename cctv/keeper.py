"""Keeping the roster: when the inventory is read, whether it is believed, what is remembered."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cctv.errors import ConfigError, InventoryError
from cctv.journal import pairs
from cctv.lastgood import Known
from cctv.model import by_number
from cctv.reasons import Reason
from cctv.roster import Refusal, Roster, believable, read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from cctv.lastgood import LastGood
    from cctv.model import Camera, Record
    from cctv.seams import Inventory

log = logging.getLogger(__name__)

_SAVE_AFTER = 5.0
_HANGS = "the disk hangs"
_STAYS = "meanwhile the last good list stays in force"
_NOTHING = "nothing is published until a list can be read"


@dataclass(slots=True)
class Keeper:
    """Reads the inventory and has the fleet work by it.

    A list that cannot be read or believed changes nothing: the last good one stands, from the
    disk after a start. Only its orders not to publish are obeyed all the same. `apply` gets
    each new roster, `changed` the ids of what a list changes. Seconds: `refresh` between
    readings, 0 for none; `again` until a first reading that failed is tried once more; `patience`
    until the last good list is worked from meanwhile.
    """

    inventory: Inventory
    last_good: LastGood
    apply: Callable[[Roster], Awaitable[None]]
    refresh: float
    again: float = 30.0
    patience: float = 10.0
    changed: Callable[[Mapping[str, list[str]]], Awaitable[None]] | None = None
    _known: Known = field(default_factory=Known)
    _settled: dict[str, Reason] = field(default_factory=dict)
    _begun: bool = False
    _answered: bool = False
    _trouble: str = ""
    _reported: frozenset[Refusal] = frozenset()
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _dirty: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Read now, on request and every `refresh` seconds, until cancelled.

        Without a refresh, a first reading that fails is tried again until it succeeds.
        """
        await self._recall()
        await self._look_first()
        while True:
            await self._pause()
            self._wanted.clear()
            await self.look()

    async def save_when_changed(self) -> None:
        """Keep the file in step with confirmations, a few seconds behind, until cancelled."""
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_SAVE_AFTER)
            self._dirty.clear()
            await self._save()

    def ask(self) -> None:
        """Have the inventory read again soon."""
        self._wanted.set()

    def confirmed(self, name: str) -> None:
        """The fallback image of a withdrawn address is confirmed: nothing is owed any more."""
        owed = dict(self._known.owed)
        if name in owed:
            self._settled[name] = owed.pop(name)
            self._known = replace(self._known, owed=owed)
            self._dirty.set()

    async def _look_first(self) -> None:
        """Look; an inventory that takes its time does not hold up what is known already."""
        look = asyncio.create_task(self.look(), name="first look")
        try:
            await asyncio.wait([look], timeout=self.patience)
            if not look.done():
                await self._work_from_last_good({})
            await look
        finally:
            look.cancel()

    async def _pause(self) -> None:
        pause = self.refresh or (None if self._answered else self.again)
        try:
            async with asyncio.timeout(pause):
                await self._wanted.wait()
        except TimeoutError:
            pass

    async def look(self) -> None:
        """Read the inventory once and work by what it says.

        Raises:
            ConfigError: nothing is known from before, and reading again will not help.
        """
        try:
            records = await self.inventory.records()
        except InventoryError as error:
            if error.lasting and self._known.blank and not self._begun:
                raise ConfigError([f"inventory: {error}"]) from None
            self._tell_trouble(str(error))
            if not self._begun:
                await self._work_from_last_good({})
            return
        roster = read(records, self._known.cameras)
        self._answered = bool(roster.ids)
        if doubt := await self._doubt(roster):
            await self._hold_on(roster, doubt)
        else:
            await self._adopt(roster, records)

    async def _doubt(self, roster: Roster) -> str:
        """Why this list is not believed; empty when it is."""
        known = self._known
        if not roster.ids:
            return "the list is empty, which is never believed"
        if believable(roster.ids, known.ids) or roster.ids == known.doubted:
            return ""
        if await self.last_good.accepts(roster.ids):
            return ""
        lost = len(known.ids - roster.ids)
        return (
            f"the list has lost {lost} of {len(known.ids)} records; it is believed when it comes "
            "twice, or after `cctv list --accept`"
        )

    async def _hold_on(self, roster: Roster, doubt: str) -> None:
        """Work on from the last good list, but for what this one orders not to publish."""
        self._tell_trouble(doubt)
        withdrawn = roster.withdrawn.items()
        off = {name: why for name, why in withdrawn if why is Reason.UNPUBLISHED}
        known = self._known
        self._known = replace(
            known,
            cameras={name: cam for name, cam in known.cameras.items() if name not in off},
            owed={**known.owed, **self._unsettled(off)},
            doubted=roster.ids or known.doubted,
        )
        await self._save()
        await self._work_from_last_good(off)

    async def _work_from_last_good(self, unpublished: Mapping[str, Reason]) -> None:
        known = self._known
        if known.blank:
            return
        if not self._begun:
            log.warning("inventory: working from the last good list cameras=%d", len(known.cameras))
        await self._work(Roster(known.cameras, {**known.owed, **unpublished}, ids=known.ids))

    async def _adopt(self, roster: Roster, records: Sequence[Record]) -> None:
        owed = {name: why for name, why in self._known.owed.items() if name not in roster.cameras}
        roster = replace(roster, withdrawn={**owed, **roster.withdrawn})
        changes = _changes(self._known.cameras, roster)
        self._tell_changes(roster, len(records), changes)
        if self.changed and any(changes.values()):
            await self.changed(changes)
        self._known = Known(roster.ids, roster.cameras, self._unsettled(roster.withdrawn))
        with suppress(OSError):
            await self.last_good.forget_accepted()
        # saved before it is acted on: what a crash interrupts is still owed after it
        await self._save()
        await self._work(roster)

    def _unsettled(self, withdrawn: Mapping[str, Reason]) -> dict[str, Reason]:
        """What of this is still owed; an order that comes again after it was obeyed is not."""
        withdrawals = withdrawn.items()
        self._settled = {name: why for name, why in withdrawals if self._settled.get(name) is why}
        return {name: why for name, why in withdrawals if name not in self._settled}

    async def _work(self, roster: Roster) -> None:
        self._begun = True
        await self.apply(roster)

    async def _recall(self) -> None:
        try:
            self._known = await self.last_good.load()
        except (OSError, ValueError) as error:
            log.warning(
                "inventory: last good list not readable, starting without: %s", str(error) or _HANGS
            )

    async def _save(self) -> None:
        try:
            await self.last_good.save(self._known)
        except OSError as error:
            log.warning("inventory: last good list not saved: %s", str(error) or _HANGS)

    def _tell_trouble(self, trouble: str) -> None:
        level = logging.DEBUG if trouble == self._trouble else logging.ERROR
        meanwhile = _NOTHING if self._known.blank else _STAYS
        log.log(level, "inventory: %s (%s)", trouble, meanwhile)
        self._trouble = trouble

    def _tell_changes(self, roster: Roster, rows: int, changes: Mapping[str, list[str]]) -> None:
        if self._trouble:
            log.info("inventory: read again")
            self._trouble = ""
        if any(changes.values()) or not self._begun:
            counts = {word: len(names) for word, names in changes.items()}
            text = pairs(records=rows, cameras=len(roster.cameras), **counts)
            log.info("inventory: %s", text)
        for refusal in roster.refusals:
            if refusal not in self._reported:
                log.warning("inventory: odd record %s", pairs(camera=refusal.id, why=refusal.why))
        self._reported = frozenset(roster.refusals)


def _changes(before: Mapping[str, Camera], roster: Roster) -> dict[str, list[str]]:
    """The cameras that a list adds, takes away and changes."""
    after = roster.cameras
    both = before.keys() & after.keys()
    return {
        "joined": sorted(after.keys() - before.keys(), key=by_number),
        "left": sorted(before.keys() - after.keys(), key=by_number),
        "changed": sorted((name for name in both if before[name] != after[name]), key=by_number),
    }
