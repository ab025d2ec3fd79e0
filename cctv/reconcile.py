"""Making the store agree with the roster: what is nobody's, or was left to grow old, goes."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.journal import pairs
from cctv.model import by_number
from cctv.reasons import Reason
from cctv.state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from cctv.fleet import Fleet
    from cctv.gallery import Gallery
    from cctv.model import Listed
    from cctv.seams import Archive
    from cctv.state import Standing
    from cctv.sweep import Sweeper, Swept

log = logging.getLogger(__name__)

# seconds
_AGAIN, _EVERY, _LOOK_EVERY = 30.0, 1.0, 60.0
_NAMED = 20
_BLIND = (
    "what stands in the store cannot be listed: pictures of cameras that no list here ever named "
    "stay, and old ones of published cameras stay until their first cycle: %s"
)


@dataclass(slots=True)
class Reconciler:
    """Looks at everything that stands under the prefix.

    At first, when other cameras are named, and once a minute: others may put things there too.
    A picture of a published camera that is too old already gives way to the fallback image before
    its first cycle, and so does one that grows old before the camera has given another; before
    any roster is known, every old picture does. A picture of a camera that is on no list is
    replaced. With `erase` that one's object is removed, the fallback image too. What the fleet has
    withdrawn and somebody else has overwritten is replaced again.
    """

    gallery: Gallery
    archive: Archive
    sweeper: Sweeper
    fleet: Fleet
    erase: bool = False
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _names: tuple[frozenset[str], ...] = ()
    # when to look at everything again, by the loop's clock
    _look_at: float = 0.0
    # pictures from before, each with the time at which it must be judged again
    _kept: dict[str, tuple[Listed, datetime]] = field(default_factory=dict)
    _trouble: str = ""

    def ask(self) -> None:
        """Have the store looked at soon, if other cameras are on the roster than the last time."""
        self._asked.set()

    async def run(self) -> None:
        """Look at once and when asked, until cancelled; what a store refuses is tried again."""
        while True:
            if self._must_look():
                await self._look()
            await self._mind()
            try:
                # the clock may jump, and the machine stand still: no longer sleep
                async with asyncio.timeout(_EVERY):
                    await self._asked.wait()
            except TimeoutError:
                pass

    def _must_look(self) -> bool:
        asked = self._asked.is_set()
        self._asked.clear()
        other = asked and self._named() != self._names
        return other or asyncio.get_running_loop().time() >= self._look_at

    def _named(self) -> tuple[frozenset[str], ...]:
        roster = self.fleet.roster
        return frozenset(roster.cameras), frozenset(roster.withdrawn)

    async def _look(self) -> None:
        names = self._named()
        self._look_at = _later(min(_LOOK_EVERY, self.gallery.interval))
        try:
            listed = await self.sweeper.everything()
        except StoreError as error:
            self._look_at = _later(_AGAIN)
            self._tell(_BLIND, str(error))
            return
        self._kept.clear()
        failed = await self._put_away(self._subjects(listed))
        if self.erase:
            failed |= await self._remove(self._strangers(listed))
        if failed:
            self._look_at = _later(_AGAIN)
        self._names = names
        self._tell_failed(failed)

    async def _mind(self) -> None:
        """Judge again what stood there before, unless its camera has given another picture."""
        standings, now = self.fleet.standings(), self.gallery.now()
        for name in [name for name in self._kept if name in standings]:
            if _is_minded(standings[name]):
                del self._kept[name]
        if due := [entry for entry, again in self._kept.values() if again <= now]:
            self._tell_failed(await self._put_away(due))

    async def _put_away(self, listed: list[Listed]) -> dict[str, str]:
        """Replace what must go by the time it is replaced; what has failed comes again."""
        ahead = timedelta(seconds=self.gallery.upload)
        swept = await self.sweeper.put_away(listed, self._barred, ahead)
        for entry in listed:
            name = self.gallery.name(entry.key) or ""
            if name in swept.again:
                self._kept[name] = entry, swept.again[name]
            else:
                self._kept.pop(name, None)
        if swept.failed:
            self._look_at = min(self._look_at, _later(_AGAIN))
        self._sum_up(swept)
        return swept.failed

    def _sum_up(self, swept: Swept) -> None:
        for reason, text in (
            (Reason.STALE, "pictures were too old %s"),
            (Reason.REMOVED, "pictures of unknown cameras replaced %s"),
        ):
            if names := [name for name, why in swept.replaced.items() if why is reason]:
                log.warning(text, _counted(names))

    def _tell_failed(self, failed: Mapping[str, str]) -> None:
        if failed:
            first = next(iter(sorted(failed, key=by_number)))
            self._tell("not replaced yet %s: %s", _counted(failed), failed[first])

    async def _remove(self, strangers: Mapping[str, Listed]) -> dict[str, str]:
        gone: list[str] = []
        failed: dict[str, str] = {}
        for name, entry in strangers.items():
            # the roster may have changed since
            if self._barred(name):
                try:
                    await self.archive.erase(entry.key)
                    gone.append(name)
                except StoreError as error:
                    failed[name] = str(error)
                    if error.passing:
                        # a store that is in trouble is not asked for each of them
                        break
        if gone:
            log.warning("objects of unknown cameras removed %s", _counted(gone))
        return failed

    def _subjects(self, listed: list[Listed]) -> list[Listed]:
        """What is looked at: neither what the fleet is working on nor what is to be removed."""
        spared = {name for name, at in self.fleet.standings().items() if _is_minded(at)}
        if self.erase:
            spared |= self._strangers(listed).keys()
        return [entry for entry in listed if self.gallery.name(entry.key) not in spared]

    def _strangers(self, listed: list[Listed]) -> dict[str, Listed]:
        named = {self.gallery.name(entry.key) or "": entry for entry in listed}
        return {n: entry for n, entry in named.items() if self._barred(n) is Reason.REMOVED}

    def _barred(self, name: str) -> Reason | None:
        """Why a picture of this camera must go whatever its age, by what the fleet does now."""
        standing, roster = self.fleet.standing(name), self.fleet.roster
        if standing is not None:
            return standing.reason if standing.is_withdrawn else None
        # none is known yet, or it has only just come
        blank = not (roster.cameras or roster.withdrawn)
        known = name in roster.cameras or name in roster.withdrawn
        return None if blank or known else Reason.REMOVED

    def _tell(self, text: str, *words: str) -> None:
        trouble = text % words
        level = logging.DEBUG if trouble == self._trouble else logging.WARNING
        self._trouble = trouble
        log.log(level, text, *words)


def _is_minded(standing: Standing) -> bool:
    """Whether the fleet itself sees to it: a frame whose timer runs, or a withdrawal under way."""
    if standing.state is State.LIVE:
        return standing.confirmed
    return standing.is_withdrawn and not standing.confirmed


def _later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _counted(names: Iterable[str]) -> str:
    found = sorted(names, key=by_number)
    rest = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return pairs(count=len(found), cameras=" ".join(found[:_NAMED]) + rest)
