"""The proof that pictures are off the air: in the store, and at the addresses that viewers use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from cctv.errors import CctvError, StoreError
from cctv.model import by_number, tag_of
from cctv.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from cctv.gallery import Gallery
    from cctv.seams import Catalogue, Labels

_LABELS_AT_ONCE = 16
_SIGHTS_AT_ONCE = 50
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 1.0, 5.0, 1.5
_NAMED = 20
_OFF_AIR = {State.HELD.value, State.UNAVAILABLE.value, State.UNPUBLISHED.value}


class ProofError(CctvError):
    """What makes or hastens a proof has failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a viewer gets at one public address.

    `picture` is False only where it is sure that no camera's picture is shown. `until` (aware,
    UTC) is the latest moment at which a cache may go on showing it, None where the answer does
    not say. `trouble` is blank, or why it could not be seen.
    """

    picture: bool
    until: datetime | None = None
    trouble: str = ""

    @property
    def clear(self) -> bool:
        """Whether it was seen, and no picture was."""
        return not (self.picture or self.trouble)


class Viewer(Protocol):
    """Looks at public addresses as everybody does, through every cache on the way."""

    async def see(self, name: str) -> Sight:
        """What the address of a camera shows now; a network's fault becomes its `trouble`."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found about the addresses that must show no picture.

    `unreplaced` are those whose object may still be a picture, and `unseen` those whose address
    may still show one, with what was seen last (None: nobody looked from outside). Names are in
    the order in which people count. `at` is when the looking ended, `cached` the latest moment
    that any picture seen on the way may be kept until; moments are aware, UTC. `store_trouble` is
    blank, or why the store did not tell of all.
    """

    total: int
    unreplaced: tuple[str, ...]
    unseen: Mapping[str, Sight] | None
    at: datetime
    where: str = ""
    store_trouble: str = ""
    cached: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing lacks."""
        return not (self.unreplaced or self.unseen or self.store_trouble)

    @property
    def until(self) -> datetime | None:
        """Until when a cache somewhere may show a picture that was seen; None: none is known to."""
        return self.cached if self.cached and self.cached > self.at else None


def is_off_air(labels: Mapping[str, str] | None) -> bool:
    """Whether an object with this metadata is no camera's picture; None: there is no object."""
    return labels is None or labels.get("state") in _OFF_AIR


async def prove(  # noqa: PLR0913, PLR0917 - the two places to look at, and how long
    names: Collection[str],
    gallery: Gallery,
    catalogue: Catalogue,
    labels: Labels,
    viewer: Viewer | None,
    patience: float,
    *,
    where: str = "",
) -> Proof:
    """Look until every address shows no picture, or for `patience` seconds, and tell.

    Without a `viewer` only the store is looked at. What is confirmed is seen once at its address,
    after its object was replaced. `where` is the viewer's public base, for the words.
    """
    looks = _Looks(tuple(sorted(set(names), key=by_number)), gallery, catalogue, labels, viewer)
    try:
        async with asyncio.timeout(patience) as timer:
            await looks.until_done()
    except TimeoutError:
        if not timer.expired():
            raise
    return looks.proof(where)


@dataclass(slots=True)
class _Looks:
    """What is known so far; each look at one place adds to it, so that it may end at any time."""

    names: tuple[str, ...]
    gallery: Gallery
    catalogue: Catalogue
    labels: Labels
    viewer: Viewer | None
    replaced: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    sights: dict[str, Sight] = field(default_factory=dict)
    trouble: str = "no answer in time"
    cached: datetime | None = None

    async def until_done(self) -> None:
        pause = _FIRST_PAUSE
        while not await self._done():
            await asyncio.sleep(pause)
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    async def _done(self) -> bool:
        await self._look_into_store()
        # a card that was seen while a picture stood in the store may give place to that picture
        self.confirmed &= self.replaced
        if self.viewer:
            await _each(self._without(self.confirmed), _SIGHTS_AT_ONCE, self._see)
        off_air = self.confirmed if self.viewer else self.replaced
        return len(off_air) == len(self.names)

    async def _look_into_store(self) -> None:
        try:
            listed = await self.catalogue.listed(self.gallery.prefix)
        except StoreError:
            await self._ask(self._without(self.replaced))
            return
        card = tag_of(self.gallery.fallback)
        others = {each.key for each in listed if each.etag != card}
        unsure = [name for name in self.names if self.gallery.key(name) in others]
        self.replaced |= set(self.names) - set(unsure)
        await self._ask(unsure)

    async def _ask(self, names: Collection[str]) -> None:
        """Ask the store about each; who has an answer keeps it, also when this is broken off."""
        troubles: list[str] = []

        async def ask(name: str) -> None:
            self.replaced.discard(name)
            try:
                labels = await self.labels.labels(self.gallery.key(name))
            except StoreError as error:
                troubles.append(str(error))
            else:
                self.replaced |= {name} if is_off_air(labels) else set()

        await _each(names, _LABELS_AT_ONCE, ask)
        self.trouble = troubles[-1] if troubles else ""

    async def _see(self, name: str) -> None:
        if self.viewer is None:
            return
        sight = self.sights[name] = await self.viewer.see(name)
        if sight.picture and sight.until:
            self.cached = max(sight.until, self.cached or sight.until)
        if sight.clear and name in self.replaced:
            self.confirmed.add(name)

    def _without(self, done: set[str]) -> list[str]:
        return [name for name in self.names if name not in done]

    def proof(self, where: str) -> Proof:
        unseen = {name: self._last_sight(name) for name in self._without(self.confirmed)}
        return Proof(
            total=len(self.names),
            unreplaced=tuple(self._without(self.replaced)),
            unseen={n: s for n, s in unseen.items() if not s.clear} if self.viewer else None,
            at=self.gallery.now(),
            where=where,
            store_trouble=self.trouble,
            cached=self.cached,
        )

    def _last_sight(self, name: str) -> Sight:
        sight = self.sights.get(name, Sight(picture=True, trouble="not looked at in time"))
        # where the store does not tell, what was seen is all there is
        if sight.clear and not self.trouble and name not in self.replaced:
            return replace(sight, trouble="no picture yet, but the store holds one")
        return sight


async def _each(
    names: Collection[str], at_once: int, work: Callable[[str], Awaitable[None]]
) -> None:
    """Do the work for each name, a few at once; no task outlives the call."""
    waiting = iter(names)

    async def hand() -> None:
        for name in waiting:
            await work(name)

    async with asyncio.TaskGroup() as hands:
        for number in range(min(at_once, len(names))):
            hands.create_task(hand(), name=f"proof {number}")


def sentences(proof: Proof, shown: Callable[[datetime], str]) -> list[str]:
    """The proof in lines for a person, the sum first; `shown` writes a moment."""
    lines = [_sum(proof)]
    if proof.unreplaced:
        known = "known to be " if proof.store_trouble else ""
        lines.append(f"not {known}replaced in the store: {_some(proof.unreplaced)}")
    if proof.store_trouble:
        lines.append(f"the store did not tell of all: {proof.store_trouble}")
    if proof.unseen:
        seen = [f"{n} ({_words(s, proof, shown)})" for n, s in proof.unseen.items()]
        lines.append(f"not confirmed at the public address: {_some(seen)}")
    if proof.until:
        lines.append(f"a cache may show an old picture until {shown(proof.until)}")
    return lines


def _sum(proof: Proof) -> str:
    replaced = proof.total - len(proof.unreplaced)
    store = f"{replaced:,} of {proof.total:,} replaced in the store"
    if proof.unseen is None:
        return f"{store} (CCTV_PUBLIC_URL is not set: nothing was looked at from outside)"
    confirmed = proof.total - len(proof.unseen)
    return f"{store}, {confirmed:,} confirmed at {proof.where or 'the public address'}"


def _words(sight: Sight, proof: Proof, shown: Callable[[datetime], str]) -> str:
    if sight.trouble:
        return sight.trouble
    if sight.until is None:
        return "still a picture"
    if sight.until <= proof.at:
        return f"still a picture, though it had to go at {shown(sight.until)}"
    return f"still a picture until {shown(sight.until)}"


def _some(words: Iterable[str]) -> str:
    """At most twenty, then a count."""
    every = list(words)
    rest = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
