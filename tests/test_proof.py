"""The proof that pictures are off the air, in virtual time: what counts, when, and its words."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.model import Listed, StoredObject
from cctv.proof import Proof, Sight, prove, sentences
from cctv.reasons import Reason
from cctv.store.memory import MemoryStore
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cctv.proof import Viewer

CARD = jpeg(1, (32, 24))
WHERE = "https://cdn.example/image/"
PATIENCE = 60.0


@dataclass(slots=True)
class Bucket:
    """A store whose rights to list and to look can be taken; it takes its time, and counts."""

    memory: MemoryStore = field(default_factory=partial(MemoryStore, now))
    lists: bool = True
    fault: Exception = field(default_factory=partial(StoreError, "access denied: s3:ListBucket"))
    mute: Collection[str] = ()
    asked: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    busiest: int = 0

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        await asyncio.sleep(0.1)
        if not self.lists:
            raise self.fault
        return await self.memory.listed(prefix)

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`."""
        self.asked[key] += 1
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0.02)
        self.busy -= 1
        if key in self.mute:
            raise StoreError(f"access denied: the credentials need s3:GetObject on {key}")
        return await self.memory.labels(key)


@dataclass(slots=True)
class Cache:
    """A viewer behind a cache that keeps what it has fetched until that expires, or for ever."""

    gallery: Gallery
    bucket: Bucket
    stubborn: bool = False
    kept: dict[str, StoredObject] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    busiest: int = 0

    async def see(self, name: str) -> Sight:
        """See `Viewer.see`."""
        self.seen[name] += 1
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0.2)
        self.busy -= 1
        thing = self._fetched(self.gallery.key(name))
        if thing is None or thing.body == CARD:
            return Sight(picture=False, until=thing.expires if thing else None)
        return Sight(picture=True, until=thing.expires)

    def _fetched(self, key: str) -> StoredObject | None:
        kept = self.kept.get(key)
        if kept and (self.stubborn or kept.expires > now()):
            return kept
        shelved = self.bucket.memory.objects.get(key)
        if shelved is None:
            return None
        self.kept[key] = shelved.thing
        return shelved.thing


@dataclass(slots=True)
class Town:
    """A store, the addresses before it and the cache between."""

    bucket: Bucket = field(default_factory=Bucket)
    gallery: Gallery = field(init=False)
    cache: Cache = field(init=False)

    def __post_init__(self) -> None:
        self.gallery = Gallery(self.bucket.memory, "image/", 300.0, CARD, now)
        self.cache = Cache(self.gallery, self.bucket)

    async def live(self, *names: str, expires: float = 300.0) -> None:
        """Put a picture up, which a cache fetches at once and may keep for some seconds."""
        for name in names:
            due = now() + timedelta(seconds=expires - 15)
            thing = self.gallery.live(name, Frame.of(jpeg(), now()), due)
            await self.bucket.memory.put(self.gallery.key(name), thing)
            self.cache.kept[self.gallery.key(name)] = thing

    async def hold(self, *names: str) -> None:
        """Put the card up."""
        for name in names:
            thing = self.gallery.card(name, Reason.HELD, now())
            await self.bucket.memory.put(self.gallery.key(name), thing)

    async def put(self, name: str, body: bytes, metadata: Mapping[str, str]) -> None:
        """Put anything up."""
        thing = StoredObject(body, now(), metadata, "")
        await self.bucket.memory.put(self.gallery.key(name), thing)

    async def prove(self, *names: str, patience: float = PATIENCE, outside: bool = True) -> Proof:
        """The proof for these names."""
        viewer: Viewer | None = self.cache if outside else None
        where = WHERE if outside else ""
        return await prove(
            names, self.gallery, self.bucket, self.bucket, viewer, patience, where=where
        )


def clock(moment: datetime) -> str:
    """A moment as these tests read it."""
    return f"{moment:%H:%M:%S}"


def told(proof: Proof) -> list[str]:
    """The proof's lines."""
    return sentences(proof, clock)


async def alone() -> bool:
    """Whether no task is left but the one that asks."""
    await asyncio.sleep(0)
    return len(asyncio.all_tasks()) == 1


def test_whole_fleet_is_proven_at_once() -> None:
    """One list for all, no object asked by itself, fifty addresses at once, one line."""

    async def work() -> None:
        town = Town()
        names = [str(number) for number in range(1, 1488)]
        await town.hold(*names)
        proof = await town.prove(*names)
        assert proof.complete
        assert told(proof) == [
            f"1,487 of 1,487 replaced in the store, 1,487 confirmed at {WHERE}",
        ]
        assert not town.bucket.asked
        assert set(town.cache.seen.values()) == {1}
        assert town.cache.busiest == 50
        # 0.1 s for the list and 30 rounds of 0.2 s
        assert timedelta(seconds=6) < now() - EPOCH < timedelta(seconds=6.2)
        assert await alone()

    run(work)


def test_confirmed_late() -> None:
    """Only what a cache still shows is looked at again, after a second, growing to five."""

    async def work() -> None:
        town = Town()
        await town.live("12", expires=20)
        await town.hold("12", "13")
        proof = await town.prove("12", "13")
        assert proof.complete
        assert told(proof) == [f"2 of 2 replaced in the store, 2 confirmed at {WHERE}"]
        assert town.cache.seen["13"] == 1
        # after 1, 1.5, 2.25, 3.4, 5 and 5 s, each look of 0.3 s
        assert 6 <= town.cache.seen["12"] <= 8
        assert timedelta(seconds=20) < now() - EPOCH < timedelta(seconds=26)

    run(work)


def test_other_caches_may_keep_what_was_seen() -> None:
    """A picture that this viewer has seen go may stand in others' caches until it expires."""

    async def work() -> None:
        town = Town()
        await town.live("12", expires=300)
        await town.hold("12")
        looking = asyncio.create_task(town.prove("12"), name="looking")
        await asyncio.sleep(5)
        town.cache.kept.clear()
        proof = await looking
        assert proof.complete
        assert told(proof) == [
            f"1 of 1 replaced in the store, 1 confirmed at {WHERE}",
            "a cache may show an old picture until 12:05:00",
        ]

    run(work)


def test_never_replaced() -> None:
    """When the patience is over it says which, and until when their pictures may be seen."""

    async def work() -> None:
        town = Town()
        await town.live("9", "10", expires=300)
        await town.live("11", expires=200)
        await town.hold("9", "12")
        proof = await town.prove("12", "11", "10", "9", patience=30)
        assert now() - EPOCH == timedelta(seconds=30)
        assert not proof.complete
        assert proof.until == EPOCH + timedelta(seconds=300)
        assert told(proof) == [
            f"2 of 4 replaced in the store, 1 confirmed at {WHERE}",
            "not replaced in the store: 10, 11",
            (
                "not confirmed at the public address: 9 (still a picture until 12:05:00),"
                " 10 (still a picture until 12:05:00), 11 (still a picture until 12:03:20)"
            ),
            "a cache may show an old picture until 12:05:00",
        ]
        assert await alone()

    run(work)


def test_cache_that_does_not_let_go() -> None:
    """What is shown beyond its end is named as that; no end is promised for it."""

    async def work() -> None:
        town = Town()
        town.cache.stubborn = True
        await town.live("12", expires=20)
        await town.hold("12")
        proof = await town.prove("12")
        assert proof.until is None
        assert told(proof) == [
            f"1 of 1 replaced in the store, 0 confirmed at {WHERE}",
            (
                "not confirmed at the public address:"
                " 12 (still a picture, though it had to go at 12:00:20)"
            ),
        ]

    run(work)


@pytest.mark.parametrize("lists", [True, False])
def test_what_counts_as_replaced(*, lists: bool) -> None:
    """The card, nothing at all, and what says it is no picture; not a live one, nor the unknown."""

    async def work() -> None:
        town = Town(Bucket(lists=lists))
        await town.hold("1")
        for name, state in (("2", "held"), ("3", "unavailable"), ("4", "unpublished")):
            await town.put(name, b"another card", {"state": state})
        await town.put("6", b"a picture", {"state": "live"})
        await town.put("7", b"a picture of a program before this one", {})
        proof = await town.prove(*"1234567", patience=5, outside=False)
        assert proof.unreplaced == ("6", "7")
        assert proof.unseen is None
        assert told(proof) == [
            (
                "5 of 7 replaced in the store"
                " (CCTV_PUBLIC_URL is not set: nothing was looked at from outside)"
            ),
            "not replaced in the store: 6, 7",
        ]

    run(work)


def test_store_alone_can_be_proof() -> None:
    """Without a public URL the store's word is all that can be had, and it says so."""

    async def work() -> None:
        town = Town()
        await town.hold("1")
        proof = await town.prove("1", outside=False)
        assert proof.complete
        assert told(proof) == [
            (
                "1 of 1 replaced in the store"
                " (CCTV_PUBLIC_URL is not set: nothing was looked at from outside)"
            ),
        ]
        assert now() - EPOCH < timedelta(seconds=1)

    run(work)


def test_store_that_cannot_list_is_asked_for_each() -> None:
    """Sixteen at once, and again only for those that were not replaced yet."""

    async def work() -> None:
        town = Town(Bucket(lists=False))
        names = [str(number) for number in range(1, 101)]
        await town.live(*names)
        await town.hold(*names[1:])
        looking = asyncio.create_task(town.prove(*names, outside=False), name="looking")
        await asyncio.sleep(10)
        await town.hold("1")
        assert (await looking).complete
        assert town.bucket.busiest == 16
        assert {town.bucket.asked[f"image/{name}.jpg"] for name in names[1:]} == {1}
        assert town.bucket.asked["image/1.jpg"] > 3

    run(work)


def test_store_that_tells_nothing() -> None:
    """Its sentence is given, none counts as replaced; what is seen from outside still counts."""

    async def work() -> None:
        keys = {f"image/{number}.jpg" for number in (1, 2)}
        town = Town(Bucket(lists=False, mute=keys))
        await town.live("1")
        await town.hold("2")
        proof = await town.prove("1", "2", patience=10)
        assert not proof.complete
        assert proof.unreplaced == ("1", "2")
        assert told(proof) == [
            f"0 of 2 replaced in the store, 1 confirmed at {WHERE}",
            "not known to be replaced in the store: 1, 2",
            f"the store did not tell of all: {proof.store_trouble}",
            "not confirmed at the public address: 1 (still a picture until 12:05:00)",
            "a cache may show an old picture until 12:05:00",
        ]
        assert "the credentials need s3:GetObject on image/" in proof.store_trouble

    run(work)


def test_store_that_tells_of_some() -> None:
    """The one it does not tell of is not replaced; the others are."""

    async def work() -> None:
        town = Town(Bucket(mute={"image/2.jpg"}))
        for name in "123":
            await town.put(name, b"another card", {"state": "held"})
        proof = await town.prove("1", "2", "3", patience=5, outside=False)
        assert proof.unreplaced == ("2",)
        assert "image/2.jpg" in proof.store_trouble

    run(work)


def test_passing_trouble_is_forgotten() -> None:
    """A store that tells in the end has told: the proof is complete."""

    async def work() -> None:
        town = Town(Bucket(lists=False, mute={"image/1.jpg"}))
        await town.hold("1")
        looking = asyncio.create_task(town.prove("1"), name="looking")
        await asyncio.sleep(5)
        town.bucket.mute = ()
        proof = await looking
        assert proof.complete
        assert told(proof) == [f"1 of 1 replaced in the store, 1 confirmed at {WHERE}"]

    run(work)


def test_card_before_the_replacement_is_no_proof() -> None:
    """A card seen while the store holds a picture may give place to it: it is looked at again."""

    async def work() -> None:
        town = Town()
        await town.live("12")
        town.cache.kept["image/12.jpg"] = town.gallery.card("12", Reason.TIMEOUT, now())
        first = await town.prove("12", patience=3)
        assert told(first) == [
            f"0 of 1 replaced in the store, 0 confirmed at {WHERE}",
            "not replaced in the store: 12",
            "not confirmed at the public address: 12 (no picture yet, but the store holds one)",
        ]
        before = town.cache.seen["12"]
        await town.hold("12")
        assert (await town.prove("12", patience=3)).complete
        assert town.cache.seen["12"] == before + 1

    run(work)


def test_picture_that_comes_back_is_noticed() -> None:
    """While others are waited for, who was proven is proven still; else it is looked at again."""

    async def work() -> None:
        town = Town()
        await town.live("13", expires=40)
        await town.hold("12", "13")
        looking = asyncio.create_task(town.prove("12", "13", patience=20), name="looking")
        await asyncio.sleep(5)
        await town.live("12", expires=60)
        proof = await looking
        assert proof.unreplaced == ("12",)
        assert told(proof)[2] == (
            "not confirmed at the public address: 12 (still a picture until 12:01:05),"
            " 13 (still a picture until 12:00:40)"
        )

    run(work)


def test_patience_of_nothing() -> None:
    """Nothing was looked at, and nothing is claimed."""

    async def work() -> None:
        town = Town()
        await town.hold("12")
        proof = await town.prove("12", patience=0)
        assert told(proof) == [
            f"0 of 1 replaced in the store, 0 confirmed at {WHERE}",
            "not known to be replaced in the store: 12",
            "the store did not tell of all: no answer in time",
            "not confirmed at the public address: 12 (not looked at in time)",
        ]

    run(work)


def test_slip_of_the_program_is_not_taken_for_patience() -> None:
    """A TimeoutError that is not the proof's own deadline goes through."""

    async def work() -> None:
        town = Town(Bucket(lists=False, fault=TimeoutError("a slip")))
        with pytest.raises(TimeoutError, match="a slip"):
            await town.prove("12")

    run(work)


def test_no_name_is_proof_at_once() -> None:
    """A hold on nobody is kept."""

    async def work() -> None:
        proof = await Town().prove()
        assert proof.complete
        assert told(proof) == [f"0 of 0 replaced in the store, 0 confirmed at {WHERE}"]

    run(work)


@pytest.mark.parametrize("after", [0.05, 0.15, 1.0, 3.33])
def test_cancelled_without_a_rest(after: float) -> None:
    """Wherever it is broken off, no task is left, and the cancellation goes through."""

    async def work() -> None:
        town = Town(Bucket(lists=False))
        await town.live(*map(str, range(100)))
        looking = asyncio.create_task(town.prove(*map(str, range(100))), name="looking")
        await asyncio.sleep(after)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert await alone()

    run(work)


def proof_of(unseen: Mapping[str, Sight], **more: object) -> Proof:
    """A proof of a hundred with these addresses not confirmed."""
    return Proof(100, (), unseen, EPOCH, WHERE, **more)  # type: ignore[arg-type] # as named


def test_words_for_each_address() -> None:
    """Why it is not confirmed, in the words that fit."""
    later = EPOCH + timedelta(seconds=61)
    proof = proof_of(
        {
            "1": Sight(picture=True, until=later),
            "2": Sight(picture=True, until=EPOCH),
            "3": Sight(picture=True),
            "4": Sight(picture=True, trouble="no answer in time"),
        }
    )
    assert told(proof)[1] == (
        "not confirmed at the public address: 1 (still a picture until 12:01:01),"
        " 2 (still a picture, though it had to go at 12:00:00), 3 (still a picture),"
        " 4 (no answer in time)"
    )


def test_twenty_are_named_then_counted() -> None:
    """A line stays readable, whatever has happened."""
    names = tuple(map(str, range(1, 1488)))
    for count, end in ((20, ", 19, 20"), (21, ", 19, 20 and 1 more"), (1487, " and 1,467 more")):
        proof = Proof(1487, names[:count], None, EPOCH)
        assert told(proof)[1].startswith("not replaced in the store: 1, 2, 3, ")
        assert told(proof)[1].endswith(end)
    sights = {name: Sight(picture=True) for name in names[:22]}
    assert told(proof_of(sights))[1].endswith("20 (still a picture) and 2 more")


def test_complete_is_without_any_doubt() -> None:
    """One name, one address or one trouble is enough to lack."""
    sight = {"1": Sight(picture=True)}
    assert proof_of({}).complete
    assert not proof_of(sight).complete
    assert not proof_of({}, store_trouble="no answer in time").complete
    assert not Proof(1, ("1",), None, EPOCH).complete


@pytest.mark.parametrize(
    ("moment", "known"), [(EPOCH, None), (EPOCH + timedelta(seconds=1),) * 2, (None, None)]
)
def test_until_is_a_moment_ahead(moment: datetime | None, known: datetime | None) -> None:
    """A moment that has passed tells nobody how long to wait."""
    assert proof_of({}, cached=moment).until == known
