"""Daemons leave word in the store, by which a command knows whether each of them obeys."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cctv.holdbook import private
from cctv.presence import Presence, daemons
from cctv.store.memory import Mood
from tests.fakes.heldtown import ShyStore
from tests.virtual import now, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "private/daemons/x.json"
WORD = {"host": "h", "pid": 7, "prefix": "image/", "since": "s", "holds": []}


class Post:
    """A daemon's presence, and what it obeys."""

    def __init__(self, store: ShyStore, place: str = "/state", prefix: str = "image/") -> None:
        self.obeys: frozenset[str] | None = frozenset()
        self.presence = Presence(store, now, place=place, prefix=prefix, holds=lambda: self.obeys)

    @asynccontextmanager
    async def manned(self) -> AsyncIterator[None]:
        """Leave word until the end of the block."""
        task = asyncio.create_task(self.presence.run(), name="presence")
        try:
            await asyncio.sleep(0.1)
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()


def test_what_it_obeys_is_known_at_once() -> None:
    """Word is left at the start, on each change, and every minute."""

    async def work() -> None:
        store = ShyStore(now)
        post = Post(store)
        async with post.manned():
            (one,) = await daemons(store, now())
            assert one.holds == frozenset()
            assert one.prefix == "image/"
            post.obeys = frozenset({"bcdfg"})
            post.presence.changed()
            await asyncio.sleep(0.1)
            (one,) = await daemons(store, now())
            assert one.holds == frozenset({"bcdfg"})
            post.obeys = None
            await asyncio.sleep(60)
            (one,) = await daemons(store, now())
            assert one.holds is None
            assert str(one).startswith(f"pid {one.pid} on {one.host} (since 2026-03-01T12:00:00")

    run(work)


def test_one_that_has_left_is_not_waited_for() -> None:
    """After an orderly end it says so itself; no command waits three minutes for it."""

    async def work() -> None:
        store = ShyStore(now)
        async with Post(store).manned():
            assert await daemons(store, now())
        assert await daemons(store, now()) == []
        # the same daemon, started again, stands in its own place
        async with Post(store).manned():
            assert len(await daemons(store, now())) == 1
            assert len(store.objects) == 1

    run(work)


def test_one_that_was_killed_counts_for_three_minutes() -> None:
    """Nobody knows better before; and its age is judged by the store's times."""

    async def work() -> None:
        store = ShyStore(now)
        await store.put(KEY, private(json.dumps(WORD).encode(), now))
        assert len(await daemons(store, now() + timedelta(seconds=179))) == 1
        assert await daemons(store, now() + timedelta(seconds=181)) == []
        # what a clock wrote that was an hour ahead is not alive for an hour
        assert await daemons(store, now() - timedelta(hours=1)) == []

    run(work)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"7", b'{"holds": 7}', json.dumps(WORD | {"pid": "x"}).encode()]
)
def test_garbage_is_no_daemon(body: bytes) -> None:
    """Whatever else lies there says nothing, and stops nobody."""

    async def work() -> None:
        store = ShyStore(now)
        await store.put(KEY, private(body, now))
        assert await daemons(store, now()) == []

    run(work)


def test_a_second_daemon_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Of the same addresses only: a trial under another prefix is meant."""

    async def work() -> None:
        store = ShyStore(now)
        async with Post(store).manned(), Post(store, prefix="trial/image/").manned():
            await asyncio.sleep(300)
            assert not caplog.records
            async with Post(store, place="/other").manned():
                await asyncio.sleep(300)
        texts = [line.getMessage() for line in caplog.records]
        # each of the two tells of the other
        assert len(texts) == 2
        assert all("another daemon publishes to the same addresses: pid" in text for text in texts)

    with caplog.at_level(logging.WARNING):
        run(work)


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.TAKE])
def test_a_store_that_fails_or_hangs_keeps_nobody_from_leaving(mood: Mood) -> None:
    """Word is left again when it can be; the farewell takes two seconds at most."""

    async def work() -> None:
        store = ShyStore(now, mood=mood, blind=True)
        async with Post(store).manned():
            await asyncio.sleep(130)
            assert sum(store.puts.values()) == 3
            store.mood = Mood.REFUSE
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began <= 2

    run(work)
