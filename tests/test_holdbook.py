"""The holds in the store: one object each, read once, refused by name where they make no sense."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cctv.errors import HoldError, StoreError
from cctv.holdbook import PAST, HoldBook, private
from cctv.store.memory import Mood
from tests.fakes.heldtown import LONG_AGO, ShyStore, a_hold
from tests.virtual import EPOCH, now, run

ODD = "private/holds/odd.json"


def test_what_is_written_is_read_and_fetched_once() -> None:
    """The first to begin first; what has not changed costs the list only."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        first, second = a_hold("bbbbb"), a_hold("ccccc", start=EPOCH)
        await book.write([second, first])
        for _ in range(5):
            assert await book.read() == (first, second)
        assert store.lists == 5
        assert set(store.gets.values()) == {1}
        ended = first.release(EPOCH, "ann")
        await book.write([ended])
        assert await book.read() == (ended, second)
        assert store.gets["private/holds/bbbbb.json"] == 2

    run(work)


def test_it_stands_where_nobody_can_read_and_no_cache_keeps_it() -> None:
    """Under private/, with no-store, and without metadata."""

    async def work() -> None:
        store = ShyStore(now)
        await HoldBook(store, now).write([a_hold()])
        (key, shelved), *rest = store.objects.items()
        assert not rest
        assert key == "private/holds/bcdfg.json"
        assert shelved.thing.cache_control == "no-store"
        assert shelved.thing.metadata == {}

    run(work)


@pytest.mark.parametrize(
    ("key", "body", "found"),
    [
        (ODD, b"{", f"{ODD} is something that is no hold"),
        (ODD, b'{"format": 2}', f"{ODD} is a hold of the unknown format 2"),
        (ODD, a_hold().written(), f"{ODD} is a hold under a name that is not its own"),
        ("private/holds/x\n.txt", b"", r"'private/holds/x\n.txt' is something that is no hold"),
    ],
)
def test_garbage_is_named_and_hides_no_other(key: str, body: bytes, found: str) -> None:
    """`read` refuses all of it, `look` gives the rest and says which key is wrong."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        await book.write([a_hold()])
        await store.put(key, private(body, now))
        reading = await book.look()
        assert reading.holds == (a_hold(),)
        assert reading.troubles == (found,)
        with pytest.raises(HoldError) as refused:
            await book.read()
        assert str(refused.value) == found

    run(work)


def test_one_that_cannot_be_fetched_is_a_trouble() -> None:
    """Its key is known all the same: it has not gone."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        await book.write([a_hold(), a_hold("ccccc")])
        store.unreadable.add("private/holds/ccccc.json")
        reading = await book.look()
        assert reading.holds == (a_hold(),)
        assert reading.ids == {"bcdfg", "ccccc"}
        assert reading.trouble == "private/holds/ccccc.json cannot be fetched"
        store.unreadable.clear()
        assert len(await book.read()) == 2

    run(work)


def test_many_troubles_are_one_short_line() -> None:
    """Three by name, then a count."""

    async def work() -> None:
        store = ShyStore(now)
        for number in range(10):
            await store.put(f"private/holds/{number}.json", private(b"", now))
        trouble = (await HoldBook(store, now).look()).trouble
        assert trouble.count("no hold") == 3
        assert trouble.endswith("; and 7 more")

    run(work)


def test_a_folder_made_in_a_console_is_no_hold() -> None:
    """S3's console makes an empty object of that name; it orders nothing."""

    async def work() -> None:
        store = ShyStore(now)
        await store.put("private/holds/", private(b"", now))
        assert await HoldBook(store, now).read() == ()

    run(work)


def test_a_store_that_does_not_list_tells_nothing() -> None:
    """No list is no empty list."""

    async def work() -> None:
        with pytest.raises(StoreError):
            await HoldBook(ShyStore(now, blind=True), now).look()

    run(work)


def test_reading_goes_on_where_it_was_broken_off() -> None:
    """A first look that runs out of time has not read in vain."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        await book.write(a_hold(f"{number:05}") for number in range(100))
        store.lag = 1.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.5):
                await book.look()
        fetched = sum(store.gets.values())
        assert fetched >= 48
        assert len(await book.read()) == 100
        assert sum(store.gets.values()) <= 100 + 16

    run(work)


def test_thousands_of_past_holds_cost_a_list_only() -> None:
    """Read once, sixteen at a time; what they found is not kept in memory for years."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        found = frozenset(map(str, range(50)))
        end = LONG_AGO + timedelta(hours=1)
        await book.write(a_hold(f"{n:05}", until=end, found=found) for n in range(2000))
        await book.write([a_hold("zzzzz", found=found)])
        holds = await book.read()
        assert len(holds) == 2001
        assert {len(hold.found) for hold in holds if hold.over(now())} == {0}
        assert [hold.found for hold in holds if not hold.over(now())] == [found]
        before = sum(store.gets.values())
        await book.read()
        assert sum(store.gets.values()) == before == 2001

    run(work)


def test_whether_it_stands() -> None:
    """Just this one, byte by byte; after a PUT that failed this tells whether it was taken."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        assert not await book.stands(a_hold())
        store.mood = Mood.TAKE_THEN_FAIL
        with pytest.raises(StoreError):
            await book.write([a_hold()])
        assert await book.stands(a_hold())
        assert not await book.stands(a_hold().release(EPOCH, "ann"))

    run(work)


def test_an_id_that_is_taken_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another hold's object would be lost, and with it the order."""

    async def work() -> None:
        book = HoldBook(ShyStore(now), now)
        await book.write([a_hold("bbbbb")])
        letters = iter("bbbbb" + "ccccc")
        monkeypatch.setattr("cctv.holds.secrets.choice", lambda _: next(letters))
        assert await book.free_id() == "ccccc"

    run(work)


def test_what_is_long_over_is_filed_away() -> None:
    """Moved as it is, to where no look lists it; what was over lately or is not stays."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        long_over = a_hold("bbbbb", until=LONG_AGO + timedelta(hours=1), found=frozenset("12"))
        lately = a_hold("ccccc", until=EPOCH - timedelta(days=29))
        await book.write([long_over, lately, a_hold("ddddd")])
        await book.file_away(await book.read())
        assert [hold.id for hold in await book.read()] == ["ccccc", "ddddd"]
        moved = store.objects[f"{PAST}bbbbb.json"].thing
        assert moved.body == long_over.written()
        assert [hold.id for hold in await HoldBook(store, now, PAST).read()] == ["bbbbb"]

    run(work)


def test_filing_away_loses_nothing() -> None:
    """A store that does not take the copy keeps the hold where it was."""

    async def work() -> None:
        store = ShyStore(now)
        book = HoldBook(store, now)
        await book.write([a_hold("bbbbb", until=LONG_AGO + timedelta(hours=1))])
        store.moods[f"{PAST}bbbbb.json"] = Mood.REFUSE
        with pytest.raises(StoreError):
            await book.file_away(await book.read())
        assert len(await book.read()) == 1

    run(work)
