"""The policies: how often, how long, how many at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError, TooLateError
from cctv.model import StoredObject
from cctv.store.memory import MemoryStore, Mood
from cctv.store.wrap import Limited, Retrying, Timely
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Sequence

THING = StoredObject(b"picture", datetime(2026, 7, 1, tzinfo=UTC), {}, "public")
BUSY = StoreError("busy")
LASTING = StoreError("no such bucket", passing=False)
# generous: real time only ends a test that hangs
LIMIT = 30.0


class Scripted:
    """A store that ends its puts in turn with what the script holds; None is a success."""

    def __init__(self, script: Sequence[BaseException | None]) -> None:
        self.script = list(script)
        self.puts = 0

    async def put(self, key: str, thing: StoredObject) -> None:
        """End as the script says."""
        _ = key, thing
        self.puts += 1
        fault = self.script.pop(0)
        if fault is not None:
            raise fault


class Gate:
    """A store whose puts wait until the gate is opened; it counts who is inside."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.done: list[str] = []
        self.entered = asyncio.Semaphore(0)
        self.opened = asyncio.Event()

    async def put(self, key: str, thing: StoredObject) -> None:
        """Wait inside."""
        _ = thing
        self.inside.append(key)
        self.entered.release()
        try:
            await self.opened.wait()
            self.done.append(key)
        finally:
            self.inside.remove(key)


@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_a_passing_failure_is_tried_again(failures: int) -> None:
    """Up to two passing failures cost nothing but time."""
    store = Scripted([*[BUSY] * failures, None])
    await Retrying(store, LIMIT).put("a", THING)
    assert store.puts == failures + 1


async def test_the_third_failure_is_raised_as_it_is() -> None:
    """Three attempts, no more, and the caller gets the store's own words."""
    store = Scripted([BUSY, BUSY, StoreError("still busy"), None])
    with pytest.raises(StoreError, match=r"^still busy$"):
        await Retrying(store, LIMIT).put("a", THING)
    assert store.puts == 3


async def test_a_lasting_failure_is_not_tried_again() -> None:
    """What a moment cannot heal costs one attempt."""
    store = Scripted([LASTING, None])
    with pytest.raises(StoreError, match="no such bucket"):
        await Retrying(store, LIMIT).put("a", THING)
    assert store.puts == 1


async def test_a_bug_is_not_tried_again() -> None:
    """What is no StoreError passes through at once, with its own type."""
    store = Scripted([ValueError("a bug"), None])
    with pytest.raises(ValueError, match="a bug"):
        await Retrying(store, LIMIT).put("a", THING)
    assert store.puts == 1


async def test_a_timeout_that_is_not_ours_is_a_bug() -> None:
    """Only the wrapper's own deadline is turned into a StoreError."""
    with pytest.raises(TimeoutError, match="somebody else's"):
        await Retrying(Scripted([TimeoutError("somebody else's")]), LIMIT).put("a", THING)


async def test_a_store_that_took_it_and_then_failed_is_asked_again() -> None:
    """Not confirmed is not stored: the same object is put again."""
    store = MemoryStore(mood=Mood.TAKE_THEN_FAIL)
    with pytest.raises(StoreError):
        await Retrying(store, LIMIT).put("a", THING)
    assert store.puts["a"] == 3
    assert store.objects["a"].thing.body == THING.body


async def test_the_deadline_ends_an_attempt_that_hangs() -> None:
    """All attempts together end in time, as a passing StoreError."""
    gate = Gate()
    async with asyncio.timeout(LIMIT):
        with pytest.raises(StoreError, match=r"not confirmed within 0\.05 s") as caught:
            await Retrying(gate, 0.05).put("a", THING)
    assert caught.value.passing
    assert gate.inside == []


async def test_no_wait_is_begun_that_the_deadline_would_cut() -> None:
    """Where there is no time for another attempt, the failure that was found is raised."""
    store = Scripted([BUSY, None])
    with pytest.raises(StoreError, match=r"^busy$"):
        await Retrying(store, 1e-9).put("a", THING)
    assert store.puts == 1


async def test_cancelling_ends_the_attempts() -> None:
    """A cancelled put stays cancelled and is not taken for a failure to be tried again."""
    gate = Gate()
    putting = asyncio.create_task(Retrying(gate, LIMIT).put("a", THING))
    await gate.entered.acquire()
    putting.cancel()
    await asyncio.wait([putting])
    assert putting.cancelled()
    assert gate.inside == gate.done == []


async def test_no_more_than_the_places_are_inside() -> None:
    """The others wait outside, and get in as places come free."""
    gate = Gate()
    store = Limited(gate, 3)
    async with asyncio.TaskGroup() as tasks:
        for n in range(10):
            tasks.create_task(store.put(str(n), THING))
        for _ in range(3):
            await gate.entered.acquire()
        await _settle()
        assert gate.inside == ["0", "1", "2"]
        gate.opened.set()
    assert sorted(gate.done) == [str(n) for n in range(10)]


async def test_waiting_for_a_place_is_not_counted_by_the_store_inside() -> None:
    """A deadline of what is wrapped begins when the place is there."""
    gate = Gate()
    store = Limited(Retrying(gate, LIMIT), 1)
    first = asyncio.create_task(store.put("first", THING))
    await gate.entered.acquire()
    second = asyncio.create_task(store.put("second", THING))
    await _settle()
    assert gate.inside == ["first"]
    gate.opened.set()
    await asyncio.gather(first, second)
    assert gate.done == ["first", "second"]


@pytest.mark.parametrize("victim", ["inside", "waiting"])
async def test_a_cancelled_put_gives_its_place_back(victim: str) -> None:
    """Neither a cancelled put inside nor one that waits takes a place with it."""
    gate = Gate()
    store = Limited(gate, 1)
    names = ("inside", "waiting", "last")
    tasks = {name: asyncio.create_task(store.put(name, THING)) for name in names}
    await gate.entered.acquire()
    tasks[victim].cancel()
    await asyncio.wait([tasks[victim]])
    gate.opened.set()
    async with asyncio.timeout(LIMIT):
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert gate.done == [name for name in names if name != victim]


async def test_a_failed_put_gives_its_place_back() -> None:
    """A store that fails does not run out of places."""
    store = Limited(Scripted([BUSY, BUSY, None]), 1)
    for _ in range(2):
        with pytest.raises(StoreError):
            await store.put("a", THING)
    await store.put("a", THING)


def until(seconds: float) -> StoredObject:
    """An object that may be put for so long, in virtual time."""
    return replace(THING, not_after=EPOCH + timedelta(seconds=seconds))


def test_what_is_out_of_date_is_not_begun() -> None:
    """At its very moment and after it nothing is asked of the store, and the words say when."""

    async def work() -> None:
        store = Scripted([])
        for _ in range(2):
            with pytest.raises(TooLateError) as caught:
                await Timely(store, now).put("a", until(5.0))
            assert str(caught.value) == "not public in time: it was to be by 12:00:05 UTC"
            await asyncio.sleep(1)
        assert store.puts == 0

    async def later() -> None:
        await asyncio.sleep(5)
        await work()

    run(later)


def test_a_put_is_given_up_when_its_time_is_over() -> None:
    """Neither earlier nor later, and nothing of it goes on."""

    async def work() -> None:
        gate = Gate()
        with pytest.raises(TooLateError):
            await Timely(gate, now).put("a", until(7.5))
        assert asyncio.get_running_loop().time() == pytest.approx(7.5)
        assert gate.inside == gate.done == []

    run(work)


def test_in_time_is_as_without() -> None:
    """A put that ends in time, one that fails in time, and one that has no limit."""

    async def work() -> None:
        gate = Gate()
        gate.opened.set()
        await Timely(gate, now).put("a", until(7.5))
        with pytest.raises(StoreError, match="busy"):
            await Timely(Scripted([BUSY]), now).put("a", until(7.5))
        with pytest.raises(TimeoutError, match="own"):
            await Timely(Scripted([TimeoutError("its own")]), now).put("a", until(7.5))
        await asyncio.sleep(10)
        await Timely(gate, now).put("b", THING)
        assert gate.done == ["a", "b"]

    run(work)


def test_a_cancelled_put_in_time_stays_cancelled() -> None:
    """Cancelling is no finding about the time."""

    async def work() -> None:
        putting = asyncio.create_task(Timely(Gate(), now).put("a", until(7.5)))
        await asyncio.sleep(1)
        putting.cancel()
        await asyncio.wait([putting])
        assert putting.cancelled()

    run(work)


def test_what_is_too_late_is_not_tried_again() -> None:
    """Retrying lets it through at once, and Limited has its place back."""

    async def work() -> None:
        store = Scripted([TooLateError("too late"), None])
        stack = Retrying(Limited(store, 1), LIMIT)
        with pytest.raises(TooLateError):
            await stack.put("a", THING)
        assert store.puts == 1
        await stack.put("a", THING)

    run(work)


def test_each_attempt_is_judged() -> None:
    """A store that is busy until the picture is old is not asked once more then."""

    async def work() -> None:
        store = MemoryStore(now, Mood.REFUSE, BUSY)
        stack = Retrying(Limited(Timely(store, now), 1), LIMIT)
        # less than the shortest wait between two attempts is likely to be
        with pytest.raises(TooLateError):
            await stack.put("a", until(1e-6))
        assert store.puts["a"] == 1

    run(work)


def test_the_wait_for_a_place_is_judged() -> None:
    """Who got its place too late gives it back at once, to one that is still in time."""

    async def work() -> None:
        gate = Gate()
        stack = Limited(Timely(gate, now), 1)
        puts = [asyncio.create_task(stack.put(key, until(s))) for key, s in PUTS.items()]
        await asyncio.sleep(10)
        gate.opened.set()
        ends = await asyncio.gather(*puts, return_exceptions=True)
        assert [type(end) for end in ends] == [type(None), TooLateError, type(None)]
        assert gate.done == ["inside", "in time"]

    run(work)


PUTS = {"inside": 20.0, "too late": 5.0, "in time": 20.0}


async def _settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)
