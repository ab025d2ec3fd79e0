"""An order is in the store, or is said not to be known there: in virtual time, to the second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cctv import config
from cctv.desk import Desk, insist
from cctv.errors import StoreError
from cctv.gallery import Gallery
from cctv.holdbook import HoldBook
from cctv.reasons import Reason
from cctv.store.memory import Mood
from cctv.takedown import Takedown
from tests.fakes.frames import jpeg
from tests.fakes.heldtown import CARD, ShyStore, a_hold
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from pathlib import Path

KEY = "private/holds/bcdfg.json"


def desk(store: ShyStore, folder: Path) -> Desk:
    """A desk over this store."""
    (folder / "none.csv").write_text("id,model,address\n")
    env = {
        "CCTV_INVENTORY": str(folder / "none.csv"),
        "CCTV_STORE": str(folder / "store"),
        "CCTV_LOG_DIR": str(folder / "log"),
    }
    gallery = Gallery(store, "image/", 60, CARD, now)
    return Desk(config.read(env), gallery, store, HoldBook(store, now))


async def given(store: ShyStore, folder: Path) -> tuple[bool, float]:
    """Give an order: whether it is known to stand, and the seconds that took."""
    began = asyncio.get_running_loop().time()
    known = await desk(store, folder).give(a_hold(), "hold ordered", "in force")
    return known, asyncio.get_running_loop().time() - began


def test_a_store_that_comes_back_takes_the_order(tmp_path: Path) -> None:
    """A passing failure is tried again every second."""

    async def work() -> None:
        store = ShyStore(now, mood=Mood.REFUSE)
        asyncio.get_running_loop().call_later(10, setattr, store, "mood", Mood.TAKE)
        known, took = await given(store, tmp_path)
        assert known
        assert took == pytest.approx(10, abs=1)

    run(work)


def test_what_was_taken_and_not_confirmed_is_read_back(tmp_path: Path) -> None:
    """The store has it, byte by byte: it is in force, whatever its answer was."""

    async def work() -> None:
        known, _ = await given(ShyStore(now, mood=Mood.TAKE_THEN_FAIL), tmp_path)
        assert known

    run(work)


@pytest.mark.parametrize("passing", [True, False])
def test_an_order_that_is_not_known_to_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, passing: bool
) -> None:
    """Said as it is: after twenty seconds, or at once where trying again is of no use."""

    async def work() -> None:
        fault = StoreError("it refuses", passing=passing)
        store = ShyStore(now, mood=Mood.REFUSE, fault=fault)
        known, took = await given(store, tmp_path)
        assert not known
        # the audit log's disk is real, and does not go with virtual time
        assert took == pytest.approx(20 if passing else 0, abs=6)
        assert (store.puts[KEY] > 1) is passing

    run(work)
    said = capsys.readouterr().out
    assert said.startswith("hold bcdfg is NOT known to be in force: it refuses\n")
    assert "may have taken the order, or take it late" in said


def test_an_order_that_is_broken_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C while the store is slow: nobody knows, and that is said."""

    async def work() -> None:
        store = ShyStore(now, mood=Mood.REFUSE)
        task = asyncio.create_task(given(store, tmp_path), name="order")
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(work)
    assert "Broken off: hold bcdfg may have been taken or not" in capsys.readouterr().out


def test_a_store_that_never_answers_is_given_up() -> None:
    """Forty seconds are the most that any order waits."""

    async def work() -> None:
        with pytest.raises(StoreError, match="no answer within 40 s"):
            await insist(lambda: asyncio.sleep(1000))
        assert asyncio.get_running_loop().time() == 40

    run(work)


async def fill(store: ShyStore, *names: str) -> None:
    """Put pictures there."""
    gallery = Gallery(store, "image/", 60, CARD, now)
    card = gallery.card("1", Reason.HELD, EPOCH)
    live = type(card)(jpeg(), card.expires, {"state": "live"}, card.cache_control)
    for name in names:
        await store.put(f"image/{name}.jpg", live)


def test_only_what_is_meant_is_replaced(tmp_path: Path) -> None:
    """Other cameras, other objects and the private ones stay as they are."""

    async def work() -> None:
        store = ShyStore(now)
        await fill(store, "1", "2", "3", "sub/1", "logo")
        await HoldBook(store, now).write([a_hold()])
        order = a_hold(scope=type(a_hold().scope)(names=frozenset({"1", "3", "9"})))
        takedown = Takedown(desk(store, tmp_path), order)
        assert await takedown.replace()
        assert takedown.replaced == {"1", "3"}
        shown = {key: shelved.thing.body == CARD for key, shelved in store.objects.items()}
        assert [key for key, card in shown.items() if card] == ["image/1.jpg", "image/3.jpg"]
        assert store.objects["image/1.jpg"].thing.metadata["reason"] == "held"

    run(work)


def test_a_picture_that_cannot_be_replaced_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others go all the same; it is tried three times."""

    async def work() -> None:
        store = ShyStore(now)
        await fill(store, "1", "2")
        before = store.puts["image/2.jpg"]
        store.moods["image/2.jpg"] = Mood.REFUSE
        assert not await Takedown(desk(store, tmp_path), a_hold()).replace()
        assert store.objects["image/1.jpg"].thing.body == CARD
        assert store.puts["image/2.jpg"] - before == 3

    run(work)
    assert capsys.readouterr().out == (
        "1 picture replaced from here.\n"
        "NOT replaced from here: camera 2: the memory store refuses\n"
    )


def test_a_store_that_does_not_list_leaves_it_to_the_daemon(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hold stands all the same; it is said that nothing was replaced from here."""

    async def work() -> None:
        store = ShyStore(now, blind=True)
        assert not await Takedown(desk(store, tmp_path), a_hold()).replace()

    run(work)
    assert capsys.readouterr().out.startswith("Not replaced from here, a daemon has to do it: ")
