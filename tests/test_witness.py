"""The daemon's testimony: one line for each order, in the words of the proof."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cctv import witness as testifying
from cctv.gallery import Gallery
from cctv.proof import ProofError, Sight
from cctv.reasons import Reason
from cctv.when import shown
from tests.fakes.frames import jpeg
from tests.fakes.heldtown import CARD, CHICAGO, ShyStore
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = frozenset({"1", "2", "3"})


@dataclass
class World:
    """Three addresses in a store, and a cache before them that shows the old until `forgets`."""

    store: ShyStore = field(default_factory=lambda: ShyStore(now))
    forgets: float = 0.0
    trouble: str = ""
    invalidated: list[list[str]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gallery = Gallery(self.store, "image/", 60, CARD, now)

    async def see(self, _: str) -> Sight:
        """See `proof.Viewer`."""
        old = asyncio.get_running_loop().time() < self.forgets
        return Sight(picture=old, until=EPOCH.replace(minute=9) if old else None)

    async def hide(self, names: Iterable[str]) -> None:
        """The fallback image stands there now."""
        for name in names:
            card = self.gallery.card(name, Reason.HELD, now())
            await self.store.put(self.gallery.key(name), card)

    async def show(self, name: str) -> None:
        """Something else stands there."""
        card = self.gallery.card(name, Reason.HELD, now())
        live = type(card)(jpeg(), card.expires, {"state": "live"}, card.cache_control)
        await self.store.put(self.gallery.key(name), live)

    async def forget(self, keys: list[str]) -> str:
        """What asks the caches."""
        if self.trouble:
            raise ProofError(self.trouble)
        self.invalidated.append(keys)
        self.at.append(asyncio.get_running_loop().time())
        return "I123"

    def witness(self, *, outside: bool = True, asks: bool = False) -> testifying.Witness:
        """A witness of all that."""
        return testifying.Witness(
            self.gallery,
            self.store,
            self if outside else None,
            "https://cdn.example/image/",
            self.forget if asks else None,
            partial(shown, zone=CHICAGO),
        )


def test_all_is_proved() -> None:
    """In the store and at the public addresses, in one line."""

    async def work() -> None:
        world = World()
        await world.hide(NAMES)
        proof, lines = await world.witness().testify(NAMES, 60)
        assert proof.complete
        assert lines == ["3 of 3 replaced in the store, 3 confirmed at https://cdn.example/image/"]

    run(work)


def test_a_cache_that_keeps_the_old_one_is_named_with_its_latest_moment() -> None:
    """Until when it may be shown stands in full, in the operator's zone."""

    async def work() -> None:
        world = World(forgets=1000.0)
        await world.hide(NAMES)
        proof, lines = await world.witness().testify(NAMES, 30)
        assert not proof.complete
        moment = "Sunday 1 March 2026, 06:09 CST (UTC-06:00)"
        assert lines[-1] == f"a cache may show an old picture until {moment}"
        assert asyncio.get_running_loop().time() == pytest.approx(30, abs=1)

    run(work)


def test_the_caches_are_asked_once_the_store_has_the_cards() -> None:
    """Or after fifteen seconds: one object that fails must not keep the others' pictures up."""

    async def work() -> None:
        world = World()
        await world.hide(["1", "2"])
        await world.show("3")
        proof, lines = await world.witness(asks=True).testify(NAMES, 60)
        assert world.invalidated == [["image/1.jpg", "image/2.jpg", "image/3.jpg"]]
        assert world.at == [15.0]
        assert proof.unreplaced == ("3",)
        assert lines[-1] == "the caches were asked to forget it: I123"
        await world.hide(NAMES)
        began = asyncio.get_running_loop().time()
        await world.witness(asks=True).testify(NAMES, 60)
        assert world.at[-1] == began

    run(work)


def test_caches_that_cannot_be_asked_are_told_of() -> None:
    """The proof stands for itself: what was seen outside counts."""

    async def work() -> None:
        world = World(trouble="access denied")
        await world.hide(NAMES)
        proof, lines = await world.witness(asks=True).testify(NAMES, 60)
        assert proof.complete
        assert lines[-1] == "the caches were not asked to forget it: access denied"

    run(work)


def test_the_testimony_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A proof is INFO, its lack an ERROR; what has ended meanwhile, or means nobody, is neither."""

    async def work() -> None:
        world = World()
        await world.hide(["1", "2"])
        await world.show("3")
        testimony = testifying.Testimony(
            world.witness(outside=False), lambda order: order != "hold c"
        )
        task = asyncio.create_task(testimony.run(), name="testimony")
        testimony.ask("hold a", frozenset({"1", "2"}))
        testimony.ask("hold b", NAMES)
        testimony.ask("hold c", NAMES)
        testimony.ask("hold d", frozenset())
        await asyncio.sleep(400)
        task.cancel()
        await asyncio.wait([task])

    with caplog.at_level(logging.INFO):
        run(work)
    said = {line.getMessage()[:6]: (line.levelname, line.getMessage()) for line in caplog.records}
    assert said["hold a"][0] == "INFO"
    assert said["hold a"][1].startswith("hold a: 2 of 2 replaced in the store")
    assert said["hold b"][0] == "ERROR"
    assert "2 of 3 replaced in the store" in said["hold b"][1]
    assert said["hold c"] == ("INFO", "hold c: has ended before it was proved")
    assert said["hold d"] == ("INFO", "hold d: no camera of the inventory is meant by it")


def test_too_many_orders_at_once_are_said(caplog: pytest.LogCaptureFixture) -> None:
    """Sixteen wait; the daemon neither stops nor keeps an endless list."""

    async def work() -> None:
        testimony = testifying.Testimony(World().witness())
        for number in range(20):
            testimony.ask(f"hold {number}", NAMES)

    run(work)
    assert len(caplog.records) == 4
