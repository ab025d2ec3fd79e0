"""The breaker: a dead store is spared, and its recovery is seen at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError, TooLateError
from cctv.model import StoredObject
from cctv.store.breaker import SPARED, Breaker
from cctv.store.memory import MemoryStore, Mood
from cctv.store.wrap import Limited, Retrying, Timely
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from cctv.seams import Store

THING = StoredObject(b"picture", EPOCH, {}, "public")
KEYS, INTERVAL, TEN_MINUTES = 1500, 300.0, 600.0


async def refused(store: Store, key: str = "a") -> str | None:
    """The words of a put that fails, or None."""
    try:
        await store.put(key, THING)
    except StoreError as error:
        return str(error)
    return None


async def broken(memory: MemoryStore, store: Store) -> None:
    """Let twenty puts fail."""
    memory.mood = Mood.REFUSE
    for n in range(20):
        assert await refused(store, str(n)) == str(memory.fault)


class Slow:
    """A store whose puts take their time, and end as the script says: None is a success."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.fault: Exception | None = StoreError("slow and dead")
        self.begun = 0

    async def put(self, key: str, thing: StoredObject) -> None:
        """Wait, and end."""
        _ = key, thing
        self.begun += 1
        await asyncio.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault


async def fleet(store: Store, ends: Callable[[str | None], None]) -> None:
    """1,500 keys, each put every five minutes in its own phase, for ever."""

    async def camera(n: int) -> None:
        await asyncio.sleep(n * INTERVAL / KEYS)
        while True:
            ends(await refused(store, str(n)))
            await asyncio.sleep(INTERVAL)

    async with asyncio.TaskGroup() as tasks:
        for n in range(KEYS):
            tasks.create_task(camera(n), name=f"camera {n}")


@pytest.mark.parametrize("passing", [False, True])
def test_a_dead_store_gets_one_trial_a_second(*, passing: bool) -> None:
    """1,500 keys for ten minutes: after the first failures a trial a second at most."""

    async def work() -> None:
        memory = MemoryStore(now, Mood.REFUSE, StoreError("dead", passing=passing))
        store = Breaker(Retrying(Limited(Timely(memory, now), 64), 20.0))
        ended: list[str | None] = []
        going = asyncio.create_task(fleet(store, ended.append))
        await asyncio.sleep(TEN_MINUTES)
        each = 3 if passing else 1
        # those that were inside when the twentieth failed come on top
        assert memory.puts.total() <= each * (TEN_MINUTES + 25)
        assert ended.count(SPARED) > 2000
        memory.mood = Mood.TAKE
        ended.clear()
        await asyncio.sleep(3)
        assert None in ended
        ended.clear()
        await asyncio.sleep(INTERVAL)
        assert set(ended) == {None}
        going.cancel()
        await asyncio.wait([going])

    run(work)


def test_who_waits_goes_on_at_the_first_success() -> None:
    """1,500 cards wait for a dead store and are all up within two seconds of its return."""

    async def work() -> None:
        memory = MemoryStore(now)
        store = Breaker(Limited(memory, 64), patience=20.0)
        await broken(memory, store)
        ends: list[tuple[float, str | None]] = []
        loop = asyncio.get_running_loop()

        async def put(key: str) -> None:
            ends.append((loop.time(), await refused(store, key)))

        puts = [asyncio.create_task(put(str(n)), name=str(n)) for n in range(1500)]
        await asyncio.sleep(10)
        asked = memory.puts.total()
        memory.mood = Mood.TAKE
        await asyncio.sleep(1.1)
        up = [moment for moment, words in ends if words is None]
        assert asked <= 20 + 11
        assert len(up) >= 1500 - 11
        assert max(up) <= 11.1
        await asyncio.wait(puts)

    run(work)


def test_who_waits_in_vain_is_told_in_time() -> None:
    """Nobody waits longer than the patience, and a trial is made every second meanwhile."""

    async def work() -> None:
        memory = MemoryStore(now, Mood.REFUSE)
        store = Breaker(memory, patience=20.0)
        await broken(memory, store)
        began = now()
        words = await asyncio.gather(*(refused(store, f"late {n}") for n in range(5)))
        assert set(words) == {SPARED, str(memory.fault)}
        assert (now() - began).total_seconds() <= 20.0
        assert 18 <= memory.puts.total() - 20 <= 21

    run(work)


def test_nineteen_failures_break_nothing() -> None:
    """A success between them begins the count anew."""

    async def work() -> None:
        memory = MemoryStore()
        store = Breaker(memory)
        for _ in range(5):
            memory.mood = Mood.REFUSE
            assert [await refused(store) for _ in range(19)] == [str(memory.fault)] * 19
            memory.mood = Mood.TAKE
            assert await refused(store) is None
        assert memory.puts["a"] == 100

    run(work)


def test_what_is_spared_is_no_passing_trouble() -> None:
    """It is refused at once, without a request, and is not worth trying again in a moment."""

    async def work() -> None:
        memory = MemoryStore()
        store = Breaker(memory)
        await broken(memory, store)
        await refused(store)
        with pytest.raises(StoreError, match=SPARED) as caught:
            await store.put("spared", THING)
        assert not caught.value.passing
        assert memory.puts["spared"] == 0

    run(work)


def test_the_first_success_lets_everything_through() -> None:
    """Within two seconds of the store's recovery, and then without a limit."""

    async def work() -> None:
        memory = MemoryStore()
        store = Breaker(memory)
        await broken(memory, store)
        assert await refused(store) == str(memory.fault)
        memory.mood = Mood.TAKE
        assert await refused(store) == SPARED
        await asyncio.sleep(1)
        assert [await refused(store) for _ in range(50)] == [None] * 50

    run(work)


def test_one_trial_is_in_flight_at_a_time() -> None:
    """A store that hangs is not asked a second time while the first trial is still out."""

    async def work() -> None:
        slow = Slow(0.0)
        store = Breaker(slow)
        for _ in range(20):
            await refused(store)
        slow.seconds = 20.0
        trial = asyncio.create_task(refused(store))
        for _ in range(19):
            await asyncio.sleep(1)
            assert await refused(store) == SPARED
        assert slow.begun == 21
        await asyncio.wait([trial])
        slow.seconds, slow.fault = 0.0, None
        assert await refused(store) is None

    run(work)


def test_a_cancelled_trial_frees_its_place() -> None:
    """It says nothing of the store, and the next second's trial is made."""

    async def work() -> None:
        slow = Slow(0.0)
        store = Breaker(slow)
        for _ in range(20):
            await refused(store)
        slow.seconds = 20.0
        trial = asyncio.create_task(refused(store))
        await asyncio.sleep(1)
        trial.cancel()
        await asyncio.wait([trial])
        assert trial.cancelled()
        slow.seconds, slow.fault = 0.0, None
        assert await refused(store) is None

    run(work)


@pytest.mark.parametrize("fault", [TooLateError("too late"), RuntimeError("bug")])
def test_what_is_not_the_stores_fault_counts_neither_way(fault: Exception) -> None:
    """A picture that grew too old breaks nothing, and mends nothing."""

    async def work() -> None:
        slow, dead = Slow(0.0), StoreError("dead")
        store = Breaker(slow)
        for count, end in [(19, dead), (30, fault), (1, dead)]:
            slow.fault = end
            for _ in range(count):
                with pytest.raises(type(end)):
                    await store.put("a", THING)
        begun = slow.begun
        slow.fault = fault
        with pytest.raises(type(fault)):
            await store.put("a", THING)
        assert [await refused(store) for _ in range(9)] == [SPARED] * 9
        assert slow.begun == begun + 1

    run(work)


def test_a_put_that_began_before_mends_too() -> None:
    """Whoever succeeds has shown that the store takes objects."""

    async def work() -> None:
        slow, early = Slow(5.0), Slow(0.0)
        slow.fault = None
        stores = {"early": slow}

        class Split:
            async def put(self, key: str, thing: StoredObject) -> None:
                await stores.get(key, early).put(key, thing)

        store = Breaker(Split())
        first = asyncio.create_task(refused(store, "early"))
        await asyncio.sleep(0)
        for _ in range(21):
            await refused(store)
        assert await refused(store) == SPARED
        assert await first is None
        assert await refused(store) == "slow and dead"

    run(work)
