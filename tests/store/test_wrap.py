"""The policies: how often, how long, how many at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError
from cctv.model import StoredObject
from cctv.store.memory import MemoryStore, Mood
from cctv.store.wrap import Limited, Retrying

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


async def _settle() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)
