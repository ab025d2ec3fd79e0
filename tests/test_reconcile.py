"""Reconciling: what stands in the store follows the roster, and nothing that is fresh blinks."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cctv.errors import StoreError
from cctv.fleet import Fleet
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.keeper import Keeper
from cctv.lastgood import LastGood
from cctv.model import Camera, Record, Shelved
from cctv.reasons import Reason
from cctv.reconcile import Reconciler
from cctv.roster import Roster
from cctv.schedule import Timing, utc_now
from cctv.state import State
from cctv.store.envelope import etag_of
from cctv.store.memory import MemoryStore, Mood
from cctv.sweep import Sweeper
from tests.fakes.frames import ScriptedSource, jpeg
from tests.virtual import now, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from cctv.model import Listed, StoredObject

CARD = jpeg(1, (32, 24))
TIMING = Timing(interval=300)
# what an upload may take; a picture that is fresh for 450 s gives way that much earlier
UPLOAD = 20.0
DENIED = StoreError("access denied: the credentials need s3:ListBucket on B", passing=False)


@dataclass
class Filmed:
    """A store that remembers what it took; its list may be refused, or meddled with."""

    inner: MemoryStore
    film: list[tuple[str, str]] = field(default_factory=list)
    lists: int = 0
    denied: StoreError | None = None
    after_list: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    after_erase: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def put(self, key: str, thing: StoredObject) -> None:
        """As the store."""
        await self.inner.put(key, thing)
        self._note(key, thing)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """As the store."""
        done = await self.inner.replace(seen, thing)
        if done:
            self._note(seen.key, thing)
        return done

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """As the store, and what comes after."""
        self.lists += 1
        if self.denied:
            raise self.denied
        found = await self.inner.listed(prefix)
        while self.after_list:
            await self.after_list.pop(0)()
        return found

    async def erase(self, key: str) -> None:
        """As the store, and what comes after."""
        await self.inner.erase(key)
        while self.after_erase:
            await self.after_erase.pop(0)()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest is the store's
        return getattr(self.inner, name)

    def _note(self, key: str, thing: StoredObject) -> None:
        labels = thing.metadata
        self.film.append((key.removeprefix("image/"), labels.get("reason") or labels["state"]))


@dataclass
class Start:
    """A daemon's fleet and reconciler over what another one has left."""

    erase: bool = False
    asks: float = 0.1
    clock: Callable[[], Any] = now

    def __post_init__(self) -> None:
        self.confirmed = asyncio.Event()
        self.store = MemoryStore(self.clock)
        self.filmed = Filmed(self.store)
        self.gallery = Gallery(
            self.filmed, "image/", TIMING.interval, CARD, self.clock, upload=UPLOAD
        )
        self.fleet = Fleet(
            self.gallery,
            TIMING,
            lambda _: ScriptedSource([self.asks, jpeg(7)], self.clock),
            lambda _: None,
            lambda _: self.confirmed.set(),
            erase=self._erase if self.erase else None,
        )
        sweeper = Sweeper(self.gallery, self.filmed, lambda _: None)
        self.reconciler = Reconciler(
            self.gallery, self.filmed, sweeper, self.fleet, erase=self.erase
        )
        self.task = asyncio.create_task(self.reconciler.run(), name="reconciler")

    async def _erase(self, name: str) -> None:
        await self.store.erase(self.gallery.key(name))

    def left(self, *names: str, age: float, upload: float = 1) -> None:
        """A picture that was taken so long ago, and stored `upload` seconds later, stands there."""
        moment = self.clock() - timedelta(seconds=age)
        thing = self.gallery.live("1", Frame.of(jpeg(), moment), moment)
        stored = (moment + timedelta(seconds=upload)).replace(microsecond=0)
        for name in names:
            self.store.objects[f"image/{name}.jpg"] = Shelved(thing, etag_of(thing.body), stored)

    async def begin(self, *names: str, withdrawn: dict[str, Reason] | None = None) -> None:
        """Work by a roster of these, as the daemon does."""
        cameras = {name: Camera(name, "Axis", "10.0.0.1") for name in names}
        await self.fleet.apply(Roster(cameras, withdrawn or {}))
        self.reconciler.ask()

    def shows(self, name: str) -> str:
        """The state of an address or the reason for its fallback image; blank for nothing."""
        found = self.store.objects.get(f"image/{name}.jpg")
        labels = found.thing.metadata if found else {}
        return labels.get("reason") or labels.get("state", "")

    async def end(self) -> None:
        """Stop all of it."""
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.fleet.stop(5)
        assert asyncio.all_tasks() == {asyncio.current_task()}


def many(count: int) -> list[str]:
    """So many names."""
    return [str(number) for number in range(count)]


def test_restart_among_fresh_pictures_shows_no_fallback_image() -> None:
    """1,500 pictures of the daemon before, up to one interval old: each gives way to the next."""

    async def work() -> None:
        start = Start()
        for number, name in enumerate(many(1500)):
            start.left(name, age=number / 5)
        await start.begin(*many(1500))
        await asyncio.sleep(120)
        assert {what for _, what in start.filmed.film} == {"live"}
        assert len(start.filmed.film) >= 1500
        await start.end()

    run(work)


def test_old_pictures_are_gone_before_the_first_cycle() -> None:
    """Killed, and started again ten minutes later: no picture waits for its camera's answer."""

    async def work() -> None:
        start = Start(asks=40.0)
        start.left(*many(1500), age=600)
        await start.begin(*many(1500))
        await asyncio.sleep(1)
        assert {start.shows(name) for name in many(1500)} == {"stale"}
        await asyncio.sleep(120)
        assert {start.shows(name) for name in many(1500)} == {"live"}
        await start.end()

    run(work)


@pytest.mark.parametrize(("age", "upload"), [(10, 1), (200, 1), (400, 1), (400, 399)])
def test_picture_that_grows_old_after_a_start_goes_in_time(age: float, upload: float) -> None:
    """Its camera hangs: a picture of the daemon before is not shown past its time."""

    async def work() -> None:
        start = Start(asks=100_000.0)
        start.left("1", age=age, upload=upload)
        await start.begin("1")
        await asyncio.sleep(429 - age)
        assert start.shows("1") == "live" or age == 10
        await asyncio.sleep(2.1)
        assert start.shows("1") == "stale"
        await start.end()

    run(work)


def test_old_pictures_go_while_no_list_of_cameras_is_known() -> None:
    """The inventory is down and nothing is known from before: fresh ones stay for their time."""

    async def work() -> None:
        start = Start()
        start.left("1", age=500)
        start.left("2", age=100)
        await asyncio.sleep(1)
        assert (start.shows("1"), start.shows("2")) == ("stale", "live")
        await asyncio.sleep(328)
        assert start.shows("2") == "live"
        await asyncio.sleep(3)
        assert start.shows("2") == "stale"
        await start.end()

    run(work)


@pytest.mark.parametrize("age", [10, 100_000])
def test_picture_of_an_unknown_camera_is_replaced_however_fresh(age: float) -> None:
    """Nobody answers for it; it may be another daemon's, of a list that is not this one's."""

    async def work() -> None:
        start = Start()
        start.left("900", age=age)
        start.left("1", age=10)
        await start.begin("1")
        await asyncio.sleep(1)
        assert start.shows("900") == "removed"
        await start.end()

    run(work)


def test_withdrawn_camera_is_left_to_the_fleet() -> None:
    """Its fallback image says why it is withdrawn, not that its picture was old."""

    async def work() -> None:
        start = Start()
        start.left("2", age=1000)
        await start.begin("1", withdrawn={"2": Reason.NEVER_PUBLISH})
        await asyncio.sleep(1)
        assert ("2.jpg", "never-publish") in start.filmed.film
        assert ("2.jpg", "stale") not in start.filmed.film
        await start.end()

    run(work)


def test_camera_that_joins_while_the_store_is_looked_at_keeps_its_picture() -> None:
    """Its first picture is put after the listing: it is nobody's no more."""

    async def work() -> None:
        start = Start()
        start.left("1", "2", age=1000)

        async def join() -> None:
            await start.fleet.apply(
                Roster({name: Camera(name, "Axis", "10.0.0.1") for name in ("1", "2")})
            )
            await asyncio.sleep(50)
            assert start.shows("2") == "live"

        start.filmed.after_list.append(join)
        await start.begin("1")
        await asyncio.sleep(55)
        assert start.shows("1") == start.shows("2") == "live"
        assert {what for _, what in start.filmed.film} == {"live"}
        await start.end()

    run(work)


@pytest.mark.parametrize("turns", range(12))
def test_fallback_image_never_lands_on_a_first_picture(turns: int) -> None:
    """Whichever is first by a hair: the store ends with the new picture."""

    async def work() -> None:
        start = Start()
        start.left("1", age=1000)

        async def first_picture() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            thing = start.gallery.live("1", Frame.of(jpeg(9), now()), now())
            await start.filmed.put("image/1.jpg", thing)

        await start.begin("1")
        await asyncio.gather(first_picture(), asyncio.sleep(0.05))
        assert start.shows("1") == "live"
        await start.end()

    run(work)


def test_delete_removes_what_is_nobodys_and_no_more() -> None:
    """Unknown ones and disabled ones vanish, the fallback image too; held and live ones stand."""

    async def work() -> None:
        start = Start(erase=True)
        start.fleet.barred = lambda camera: Reason.HELD if camera.id == "4" else None
        start.left("1", "4", "900", "5", age=10)
        card = start.gallery.card("901", Reason.REMOVED, now())
        await start.store.put("image/901.jpg", card)
        for key in ("image/logo.png", "image/unavailable.jpg", "image/a/b.jpg", "private/1.jpg"):
            await start.store.put(key, card)
        await start.begin("1", "4", withdrawn={"5": Reason.UNPUBLISHED, "6": Reason.REMOVED})
        await asyncio.sleep(60)
        shown = {key.removeprefix("image/") for key in start.store.objects}
        assert shown == {
            "1.jpg",
            "4.jpg",
            "logo.png",
            "unavailable.jpg",
            "a/b.jpg",
            "private/1.jpg",
        }
        assert start.shows("4") == "held"
        assert start.shows("1") == "live"
        # no fallback image was put only to be removed
        assert "900.jpg" not in {key for key, _ in start.filmed.film}
        await start.end()

    run(work)


def test_delete_leaves_to_the_fleet_what_it_withdraws() -> None:
    """The fallback image is confirmed before anything is removed; only the fleet knows when."""

    async def work() -> None:
        start = Start(erase=True)
        start.fleet.erase = None
        await start.fleet.apply(Roster({}, {"5": Reason.UNPUBLISHED}))
        await asyncio.sleep(1)
        start.reconciler.ask()
        await asyncio.sleep(1)
        assert start.shows("5") == "unpublished"
        await start.end()

    run(work)


@pytest.mark.parametrize("moment", ["after_list", "after_erase"])
def test_delete_spares_a_camera_that_joins_meanwhile(moment: str) -> None:
    """The roster counts as it is when the object would be removed."""

    async def work() -> None:
        start = Start(erase=True)
        start.left("1", "2", "900", "901", age=10)

        async def join() -> None:
            names = ("1", "2", "901")
            cameras = {name: Camera(name, "Axis", "10.0.0.1") for name in names}
            await start.fleet.apply(Roster(cameras))

        getattr(start.filmed, moment).append(join)
        await start.begin("1", "2")
        for _ in range(500):
            await asyncio.sleep(0.1)
            assert start.shows("901") == "live"
        assert start.shows("900") == ""
        await start.end()

    run(work)


@pytest.mark.parametrize("erase", [False, True])
def test_what_the_store_refuses_is_tried_again(
    *, erase: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """One that fails does not hold up the others, and is told of once."""

    async def work() -> None:
        start = Start(erase=erase)
        start.store.fault = StoreError("the memory store refuses", passing=False)
        start.left("900", "901", "902", age=10)
        start.store.moods["image/900.jpg"] = Mood.REFUSE
        await start.begin("1")
        await asyncio.sleep(40)
        gone = "" if erase else "removed"
        assert [start.shows(name) for name in ("900", "901", "902")] == ["live", gone, gone]
        start.store.moods.clear()
        await asyncio.sleep(60)
        assert start.shows("900") == gone
        await start.end()

    run(work)
    told = [record for record in caplog.records if "not replaced yet" in record.message]
    assert [record.levelno for record in told].count(logging.WARNING) == 1
    assert "count=1 cameras=900: the memory store refuses" in told[0].message


def test_same_cameras_are_not_looked_for_again() -> None:
    """The inventory is read every minute: the store is listed once a minute, and on a change."""

    async def work() -> None:
        start = Start()
        for _ in range(10):
            await start.begin("1", "2")
            await asyncio.sleep(20)
        # one at the start, one when cameras were named, and one each minute
        assert start.filmed.lists <= 5
        looked = start.filmed.lists
        await start.begin("1")
        await asyncio.sleep(1)
        assert start.filmed.lists == looked + 1
        await start.end()

    run(work)


def test_list_that_is_denied_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """The line names the right and what cannot be seen; it is tried again, and then works."""

    async def work() -> None:
        start = Start()
        start.filmed.denied = DENIED
        start.left("900", age=10)
        await start.begin("1")
        await asyncio.sleep(600)
        assert start.shows("1") == "live"
        assert start.shows("900") == "live"
        start.filmed.denied = None
        await asyncio.sleep(31)
        assert start.shows("900") == "removed"
        await start.end()

    run(work)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.message.partition(": pictures")[0] for record in warnings] == [
        "what stands in the store cannot be listed",
        "pictures of unknown cameras replaced count=1 cameras=900",
    ]
    assert "s3:ListBucket" in warnings[0].message


async def test_own_list_is_enough_for_what_left_while_the_daemon_was_down(tmp_path: Path) -> None:
    """Without the right to list, the disk knows whose picture the last daemon published."""
    start = Start(clock=utc_now)
    start.filmed.denied = DENIED
    start.left("1", "2", "900", age=10)

    @dataclass
    class Office:
        answer: list[Record]

        async def records(self) -> list[Record]:
            return self.answer

    async def apply(roster: Roster) -> None:
        await start.fleet.apply(roster)
        start.reconciler.ask()

    before = Office([Record(name, "Axis", "10.0.0.1") for name in ("1", "2", "3", "4")])
    await Keeper(before, LastGood(tmp_path), nothing, refresh=0).look()
    after = Office([row for row in before.answer if row.id != "2"])
    keeper = Keeper(after, LastGood(tmp_path), apply, refresh=0)
    task = asyncio.create_task(keeper.run(), name="keeper")
    async with asyncio.timeout(10):
        await start.confirmed.wait()
    assert start.shows("2") == "removed"
    assert start.shows("900") == State.LIVE
    task.cancel()
    await asyncio.wait([task])
    await start.end()


async def nothing(_: Roster) -> None:
    """A daemon that ends before it works."""
