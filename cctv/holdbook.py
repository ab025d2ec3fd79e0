"""The holds as they stand in the store: one object each, under a prefix nobody can read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.errors import HoldError, StoreError
from cctv.holds import Hold, new_id
from cctv.kinds import PRIVATE
from cctv.model import Listed, StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cctv.seams import Archive, Clock

    Seen = tuple[str, str]

PLACE, PAST = PRIVATE + "holds/", PRIVATE + "holds-past/"
"""Where the holds stand, and where those go that are long over."""

_AT_ONCE = 16
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read: the holds, the first to begin first, and what is wrong with the rest.

    `ids` are those of all objects, whatever they hold.
    """

    holds: tuple[Hold, ...]
    troubles: tuple[str, ...]
    ids: frozenset[str]

    @property
    def trouble(self) -> str:
        """The first troubles in one line; blank where all is well."""
        rest = f"; and {len(self.troubles) - _NAMED} more" if len(self.troubles) > _NAMED else ""
        return "; ".join(self.troubles[:_NAMED]) + rest


class HoldBook:
    """Reads and writes holds; what has not changed is not fetched again.

    Each hold is an object of its own, so that two orders at once cannot lose each other; none is
    ever lost, so that they can be accounted for. A look is one list of all that stand in `place`,
    a page for each thousand: what is long over is filed away into another one.
    """

    def __init__(self, archive: Archive, now: Clock, place: str = PLACE) -> None:
        self._archive = archive
        self._now = now
        self._place = place
        self._known: dict[Seen, Hold] = {}

    async def look(self) -> Reading:
        """What can be read of the holds there are, past ones too.

        What was read is kept when this is broken off: the next look goes on from there.

        Raises:
            StoreError: the store does not tell which there are.
        """
        listed = await self._archive.listed(self._place)
        # a folder that was made in a console is an object of that name
        entries = {(e.key, e.etag): e for e in listed if not e.key.endswith("/")}
        self._known = {seen: hold for seen, hold in self._known.items() if seen in entries}
        fresh = [entry for seen, entry in entries.items() if seen not in self._known]
        troubles = await self._take_in(fresh)
        holds = sorted(self._known.values(), key=lambda hold: (hold.start, hold.id))
        return Reading(tuple(holds), tuple(troubles), frozenset(map(self._id, entries)))

    async def read(self) -> tuple[Hold, ...]:
        """Every hold there is, past ones too, the first to begin first.

        Raises:
            StoreError: the store did not tell which there are.
            HoldError: one of them cannot be read or makes no sense; it may order anything.
        """
        reading = await self.look()
        if reading.troubles:
            raise HoldError(reading.trouble)
        return reading.holds

    async def write(self, holds: Iterable[Hold]) -> None:
        """Put these holds in force, or end them.

        Raises:
            StoreError: not confirmed; the store may still have taken some.
        """
        for hold in holds:
            await self._archive.put(self._key(hold.id), private(hold.written(), self._now))

    async def stands(self, hold: Hold) -> bool:
        """Whether this hold stands in the store just as it is; StoreError: it did not say."""
        found = await self._archive.get(self._key(hold.id))
        return found is not None and found.thing.body == hold.written()

    async def free_id(self) -> str:
        """An id that no hold has; StoreError: the store did not say."""
        while await self._archive.get(self._key(name := new_id())) is not None:
            continue
        return name

    async def file_away(self, holds: Iterable[Hold]) -> None:
        """Move those that are settled to where they cost nothing; the others stay.

        Raises:
            StoreError: not confirmed; none is lost, one may stand in both places.
        """
        for hold in (hold for hold in holds if hold.settled(self._now())):
            key = self._key(hold.id)
            if (found := await self._archive.get(key)) is not None:
                await self._archive.put(PAST + key.removeprefix(self._place), found.thing)
                await self._archive.erase(key)

    async def _take_in(self, fresh: list[Listed]) -> list[str]:
        """Read these, a few at once; what is wrong with some of them."""
        waiting, troubles = iter(fresh), dict[str, str]()
        async with asyncio.TaskGroup() as hands:
            for number in range(min(_AT_ONCE, len(fresh))):
                hands.create_task(self._read_on(waiting, troubles), name=f"holds {number}")
        return [troubles[key] for key in sorted(troubles)]

    async def _read_on(self, waiting: Iterator[Listed], troubles: dict[str, str]) -> None:
        for entry in waiting:
            try:
                hold = await self._hold(entry.key)
            except (StoreError, HoldError) as error:
                troubles[entry.key] = str(error)
            else:
                # many that are long past must not fill the memory
                kept = hold.bare() if hold.settled(self._now()) else hold
                self._known[entry.key, entry.etag] = kept

    async def _hold(self, key: str) -> Hold:
        shown = key if key.isprintable() else repr(key)
        shelved = await self._archive.get(key)
        if shelved is None:
            raise HoldError(f"{shown} cannot be read whole")
        try:
            hold = Hold.read(shelved.thing.body)
        except HoldError as error:
            raise HoldError(f"{shown} is {error}") from error
        if key != self._key(hold.id):
            raise HoldError(f"{shown} is a hold under a name that is not its own")
        return hold

    def _key(self, name: str) -> str:
        return f"{self._place}{name}.json"

    def _id(self, seen: Seen) -> str:
        return seen[0].removeprefix(self._place).removesuffix(".json")


def private(body: bytes, now: Clock) -> StoredObject:
    """An object that is for the program alone."""
    return StoredObject(body, now(), {}, "no-store", "application/json")
