"""What stands in the store and must not: too old, held, never to be published, or nobody's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.model import tag_of
from cctv.reasons import Reason
from cctv.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cctv.gallery import Gallery
    from cctv.model import Listed
    from cctv.seams import Archive

    Barred = Callable[[str], Reason | None]

_LIMIT_INTERVALS, _LIMIT_LEAST = 3, timedelta(minutes=15)
_SURELY = timedelta(minutes=4)
_LONGEST = timedelta(days=31)
# two right clocks differ by less; so do a moment and the whole second a store makes of it
_SKEW = timedelta(seconds=5)
_CARDS = frozenset(State) - {State.LIVE}
_AT_ONCE = 32
_NOTHING = timedelta(0)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TURNS = 3


@dataclass(frozen=True, slots=True)
class Found:
    """A camera's object that must go, and why."""

    name: str
    listed: Listed
    reason: Reason


@dataclass(slots=True)
class Swept:
    """What a sweep came to, by the camera; `renewed` are those where something newer came first.

    `failed` holds what the store said; `again` when what may stay must be judged again.
    """

    looked: int = 0
    replaced: dict[str, Reason] = field(default_factory=dict)
    renewed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    again: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Errand:
    """One call's questions and findings."""

    barred: Barred
    ahead: timedelta
    sure: timedelta
    swept: Swept


class Sweeper:
    """Judges what stands under the gallery's prefix, and puts the fallback image in its place.

    `barred` tells why a camera must not be public whatever its picture's age; None: it may be.
    A picture is too old when its own `fresh-until` is past, and also when it was stored longer
    ago than it said to be fresh for, whatever clock it was written by. One that does not say has
    three intervals (at least fifteen minutes). With `older_than` (seconds) only that counts.
    In a sweep one that was stored less than four minutes ago (half the freshness, where that is
    shorter) is not even looked at: pictures are stored soon after they are taken.
    """

    def __init__(
        self,
        gallery: Gallery,
        archive: Archive,
        barred: Barred,
        older_than: float | None = None,
    ) -> None:
        self._gallery = gallery
        self._archive = archive
        self._barred = barred
        self._older_than = None if older_than is None else timedelta(seconds=older_than)
        self._card = tag_of(gallery.fallback)
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def sweep(self, ahead: float = 0.0) -> Swept:
        """Replace all that must go now, or would be too old within `ahead` seconds.

        Raises:
            StoreError: the store does not tell what it holds.
        """
        listed, span = await self.pictures(), timedelta(seconds=ahead)
        sure = max(_NOTHING, self._surely_fresh() - span)
        errand = _Errand(self._barred, span, sure, Swept(len(listed)))
        return await self._run(listed, errand)

    async def everything(self) -> list[Listed]:
        """The cameras' objects; StoreError as in `sweep`."""
        listed = await self._archive.listed(self._gallery.prefix)
        return [entry for entry in listed if self._gallery.name(entry.key)]

    async def pictures(self) -> list[Listed]:
        """The same without those that are the fallback image, byte by byte."""
        return [entry for entry in await self.everything() if entry.etag != self._card]

    async def put_away(
        self, listed: Iterable[Listed], barred: Barred, ahead: timedelta | None = None
    ) -> Swept:
        """Replace what of these must go; `barred` is asked anew for each, just before.

        With `ahead` what is too old so much later goes too, and every picture is looked at.
        """
        entries = list(listed)
        swept = Swept(len(entries))
        sure = self._surely_fresh() if ahead is None else _NOTHING
        return await self._run(entries, _Errand(barred, ahead or _NOTHING, sure, swept))

    async def _run(self, entries: list[Listed], errand: _Errand) -> Swept:
        await asyncio.gather(*(self._put_away_one(entry, errand) for entry in entries))
        return errand.swept

    async def _put_away_one(self, entry: Listed, errand: _Errand) -> None:
        name = self._gallery.name(entry.key) or ""
        async with self._places:
            try:
                await self._turns(name, entry, errand)
            except StoreError as error:
                errand.swept.failed[name] = str(error)

    async def _turns(self, name: str, entry: Listed, errand: _Errand) -> None:
        """Judge and replace, and judge again what was put meanwhile: a picture may be barred."""
        swept, newer = errand.swept, entry
        for turn in range(_TURNS):
            verdict = await self._judge(name, newer, errand)
            if not isinstance(verdict, Found):
                if turn:
                    swept.renewed.append(name)
                elif verdict:
                    swept.again[name] = verdict
                return
            if await self._replace(verdict):
                swept.replaced[name] = verdict.reason
                return
            newer = await self._look_again(entry.key) or newer
        swept.failed[name] = "something else was put there each time"

    async def _replace(self, found: Found) -> bool:
        card = self._gallery.card(found.name, found.reason, self._gallery.now())
        return await self._archive.replace(found.listed, card)

    async def _look_again(self, key: str) -> Listed | None:
        listed = await self._archive.listed(key)
        return next((entry for entry in listed if entry.key == key), None)

    async def _judge(self, name: str, entry: Listed, errand: _Errand) -> Found | datetime | None:
        """What must go; else when to judge a picture again, or None where there is none."""
        if entry.etag == self._card:
            return None
        age = self._gallery.now() - entry.modified
        if not errand.barred(name) and abs(age) < errand.sure:
            return entry.modified + errand.sure
        # just before the replacement: a store that cannot compare then hardly loses a new picture
        labels = await self._archive.labels(entry.key)
        # no labels: it has gone; another state: the fallback image of other bytes
        if labels is None or labels.get("state") in _CARDS:
            return None
        until, reason = self._fresh_until(entry, labels), errand.barred(name)
        if reason is None and self._gallery.now() + errand.ahead < until:
            return until - errand.ahead
        return Found(name, entry, reason or Reason.STALE)

    def _surely_fresh(self) -> timedelta:
        if self._older_than is not None:
            return self._older_than
        return min(self._gallery.fresh_for / 2, _SURELY)

    def _fresh_until(self, entry: Listed, labels: Mapping[str, str]) -> datetime:
        now = self._gallery.now()
        taken, until = _moment(labels, "captured-at"), _moment(labels, "fresh-until")
        stored = entry.modified
        if taken and stored < taken <= now + _SKEW:
            # taken after that was stored: it is a newer picture than the one that was listed
            stored = taken
        if stored > now + self._surely_fresh():
            # by a clock that was wrong: nobody knows how old it is
            return _LONG_AGO
        if self._older_than is not None:
            return stored + self._older_than
        latest = stored + self._lasts(taken, until)
        return min(latest, until) if until else latest

    def _lasts(self, taken: datetime | None, until: datetime | None) -> timedelta:
        """How long it is fresh by its own words, which a wrong clock does not change."""
        said = until - taken if taken and until else timedelta(0)
        if timedelta(0) < said <= _LONGEST:
            return said + _SKEW
        return max(_LIMIT_INTERVALS * timedelta(seconds=self._gallery.interval), _LIMIT_LEAST)


def _moment(labels: Mapping[str, str], name: str) -> datetime | None:
    """The moment in a label; None where there is none, or nothing that makes sense."""
    try:
        found = datetime.fromisoformat(labels.get(name, ""))
    except ValueError:
        return None
    return found if found.tzinfo else None
