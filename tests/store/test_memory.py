"""The memory store's moods: what a test can have it do."""

from __future__ import annotations

import asyncio

import pytest

from cctv.errors import StoreError
from cctv.model import StoredObject, tag_of
from cctv.store.memory import MemoryStore, Mood
from tests.virtual import EPOCH, now, run

OLD = StoredObject(b"old", EPOCH, {"state": "live"}, "public")
NEW = StoredObject(b"new", EPOCH, {"state": "unavailable"}, "public")


def test_what_is_late_lands_after_it_failed() -> None:
    """The put fails at once; the object overwrites what was confirmed in between."""

    async def work() -> None:
        store = MemoryStore(now, Mood.LATE)
        with pytest.raises(StoreError):
            await store.put("a", OLD)
        assert asyncio.get_running_loop().time() == 0
        store.mood = Mood.TAKE
        await store.put("a", NEW)
        await asyncio.sleep(29)
        assert store.objects["a"].thing == NEW
        await store.landed()
        assert asyncio.get_running_loop().time() == 30
        assert store.objects["a"].thing == OLD

    run(work)


def test_a_program_that_ended_puts_nothing_late() -> None:
    """What was under way is gone with the process, and no task is left."""

    async def work() -> None:
        store = MemoryStore(now, Mood.LATE, late=5.0)
        with pytest.raises(StoreError):
            await store.put("a", OLD)
        await store.aclose()
        await asyncio.sleep(60)
        assert store.objects == {}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work)


def test_a_late_replacement_compares_when_it_lands() -> None:
    """As a store does: who was quicker stays."""

    async def work() -> None:
        store = MemoryStore(now)
        await store.put("a", OLD)
        (line,) = await store.listed("a")
        store.mood = Mood.LATE
        with pytest.raises(StoreError):
            await store.replace(line, NEW)
        store.mood = Mood.TAKE
        await store.put("a", StoredObject(b"quicker", EPOCH, {}, "public"))
        await store.landed()
        assert store.objects["a"].thing.body == b"quicker"

    run(work)


def test_a_key_may_have_a_mood_of_its_own() -> None:
    """One camera's store fails while the others' works."""

    async def work() -> None:
        store = MemoryStore(now, moods={"a": Mood.REFUSE})
        await store.put("b", OLD)
        with pytest.raises(StoreError):
            await store.put("a", OLD)
        store.mood, store.moods["a"] = Mood.REFUSE, Mood.TAKE
        await store.put("a", OLD)
        assert sorted(store.objects) == ["a", "b"]
        assert [line.etag for line in await store.listed("")] == [tag_of(b"old")] * 2

    run(work)


@pytest.mark.parametrize("mood", list(Mood))
def test_erasing_has_moods_too(mood: Mood) -> None:
    """Only a store in the best of moods confirms it."""

    async def work() -> None:
        store = MemoryStore(now)
        await store.put("a", OLD)
        store.mood = mood
        if mood is Mood.TAKE:
            await store.erase("a")
        else:
            with pytest.raises(StoreError):
                await store.erase("a")
        assert ("a" in store.objects) is (mood in {Mood.REFUSE, Mood.LATE})

    run(work)
