"""Holds are obeyed to the second, by a real fleet in virtual time, whatever the store does."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from cctv.holdbook import private
from cctv.holds import Scope
from cctv.reasons import Reason
from cctv.warden import told
from tests.fakes.heldtown import CHICAGO, INTERVAL, HeldTown, ShyStore, a_hold, cam
from tests.virtual import EPOCH, now, run

# seconds until a new hold has been seen and obeyed
SOON = 3.2
NORTH = Scope(area="NORTH")


def town(store: ShyStore | None = None) -> HeldTown:
    """Three cameras, two of them in the north."""
    cameras = cam("1", "NORTH"), cam("2", "north"), cam("3", "SOUTH")
    return HeldTown(store or ShyStore(now), *cameras)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that call for somebody."""
    return [line.getMessage() for line in caplog.records if line.levelno >= logging.ERROR]


def test_a_hold_is_obeyed_within_seconds_and_ends_with_its_release() -> None:
    """The pictures go, the cameras are left alone, and all of it comes back."""

    async def work() -> None:
        here = town()
        async with here.at_work():
            await asyncio.sleep(2 * INTERVAL)
            assert here.all_show("live")
            await here.book.write([a_hold()])
            await asyncio.sleep(SOON)
            assert here.all_show("held")
            asked = here.asked()
            await asyncio.sleep(3600)
            assert here.all_show("held")
            assert here.asked() == asked
            assert here.warden.obeyed() == frozenset({"bcdfg"})
            await here.book.write([a_hold().release(here.now(), "ann")])
            await asyncio.sleep(SOON + INTERVAL)
            assert here.all_show("live")
            assert here.warden.obeyed() == frozenset()
        assert here.ledger.entries == [("hold in force", "bcdfg"), ("hold over", "bcdfg")]

    run(work)


def test_a_hold_begins_and_ends_at_its_moments() -> None:
    """Ordered beforehand, obeyed at the second, over at the second."""

    async def work() -> None:
        here = town()
        start = EPOCH + timedelta(seconds=1000.5)
        hold = a_hold(scope=NORTH, start=start, until=start + timedelta(seconds=500))
        async with here.at_work():
            await asyncio.sleep(600)
            await here.book.write([hold])
            await asyncio.sleep(400.4)
            assert here.all_show("live")
            await asyncio.sleep(0.2)
            assert [here.shows(name) for name in "123"] == ["held", "held", "live"]
            await asyncio.sleep(499.8)
            assert here.shows("1") == "held"
            await asyncio.sleep(INTERVAL)
            assert here.all_show("live")
        assert here.obeyed_at == [1000.5, 1500.5]
        told_of = [what for what, _ in here.ledger.entries]
        assert told_of == ["hold to come", "hold in force", "hold over"]

    run(work)


def test_a_store_that_hangs_delays_no_moment_that_is_known() -> None:
    """Twenty seconds for each answer, and the hold begins and ends at its seconds all the same."""

    async def work() -> None:
        here = town()
        start = EPOCH + timedelta(seconds=1000)
        await here.book.write([a_hold(start=start, until=start + timedelta(seconds=100))])
        async with here.at_work():
            await asyncio.sleep(500)
            here.store.lag = 19.0
            await asyncio.sleep(700)
        assert here.obeyed_at == [1000.0, 1100.0]

    run(work)


def test_one_of_two_that_overlap_is_released() -> None:
    """What the other covers stays held."""

    async def work() -> None:
        here = town()
        every, north = a_hold("bbbbb"), a_hold("ccccc", NORTH)
        await here.book.write([every, north])
        async with here.at_work():
            await asyncio.sleep(INTERVAL)
            assert here.all_show("held")
            await here.book.write([every.release(here.now(), "ann")])
            await asyncio.sleep(SOON + INTERVAL)
            assert [here.shows(name) for name in "123"] == ["held", "held", "live"]
            await here.book.write([north.release(here.now(), "ann")])
            await asyncio.sleep(SOON + INTERVAL)
            assert here.all_show("live")

    run(work)


def test_a_hold_in_force_at_the_start_lets_no_picture_through() -> None:
    """A restart in the middle: not one frame is put, nor one camera asked."""

    async def work() -> None:
        here = town()
        await here.book.write([a_hold()])
        async with here.at_work():
            await asyncio.sleep(10 * INTERVAL)
            assert here.all_show("held")
            assert here.asked() == 0
            assert here.begun == []
        assert here.ledger.entries == [("hold in force", "bcdfg")]

    run(work)


def test_the_inventory_may_change_during_a_hold() -> None:
    """A camera that joins the area is held, one that leaves it stays held, others are not."""

    async def work() -> None:
        here = town()
        await here.book.write([a_hold(scope=NORTH, found=frozenset({"1", "2"}))])
        async with here.at_work():
            here.cameras["4"] = cam("4", "NORTH")
            here.cameras["5"] = cam("5", "WEST")
            here.cameras["1"] = cam("1", "SOUTH")
            await here.list_again()
            await asyncio.sleep(2 * INTERVAL)
            shown = [here.shows(name) for name in "12345"]
            assert shown == ["held", "held", "live", "held", "live"]

    run(work)


def test_a_release_brings_back_nothing_that_others_keep_off_the_air() -> None:
    """What the inventory disabled, and what the settings never publish."""

    async def work() -> None:
        here = town()
        here.never = frozenset({"3", "612"})
        await here.book.write([a_hold()])
        async with here.at_work():
            here.withdrawn["2"] = Reason.UNPUBLISHED
            del here.cameras["2"]
            await here.list_again()
            await asyncio.sleep(INTERVAL)
            await here.book.write([a_hold().release(here.now(), "ann")])
            await asyncio.sleep(3 * INTERVAL)
            shown = [here.shows(name) for name in ("1", "2", "3", "612")]
            assert shown == ["live", "unpublished", "never-publish", "never-publish"]

    run(work)


@pytest.mark.parametrize("garbage", [False, True])
def test_nothing_is_published_before_the_holds_are_known(
    caplog: pytest.LogCaptureFixture, *, garbage: bool
) -> None:
    """A store that refuses, or an object that makes no sense: cards, one ERROR, then pictures."""

    async def work() -> None:
        here = town(ShyStore(now, blind=not garbage))
        if garbage:
            await here.store.put("private/holds/odd.json", private(b"{", now))
        async with here.at_work():
            assert asyncio.get_running_loop().time() == 20
            await asyncio.sleep(200)
            assert here.all_show("holds-unknown")
            assert here.asked() == 0
            assert here.warden.obeyed() is None
            (line,) = errors(caplog)
            assert line.startswith("holds cannot be read, nothing is published until they can: ")
            assert line.endswith("odd.json is something that is no hold" if garbage else "list")
            here.store.blind = False
            await here.store.erase("private/holds/odd.json")
            await asyncio.sleep(SOON + INTERVAL)
            assert here.all_show("live")
            assert "holds can be read again" in caplog.messages

    with caplog.at_level(logging.INFO):
        run(work)


def test_a_first_answer_that_never_comes_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The daemon says after its patience what it waits for, and obeys once it knows."""

    async def work() -> None:
        here = town(ShyStore(now, lag=100.0))
        await here.book.write([a_hold(scope=NORTH)])
        async with here.at_work():
            (line,) = errors(caplog)
            assert line.endswith("the store gave no answer within 20 s")
            await asyncio.sleep(250)
            assert here.begun == [["bcdfg"]]
            await asyncio.sleep(INTERVAL)
            assert [here.shows(name) for name in "123"] == ["held", "held", "live"]

    run(work)


def test_the_known_holds_stay_while_the_store_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They neither vanish nor outlive their end; one line says that new ones are not seen."""

    async def work() -> None:
        here = town()
        end = EPOCH + timedelta(seconds=1000)
        await here.book.write([a_hold(scope=NORTH, until=end)])
        async with here.at_work():
            await asyncio.sleep(100)
            here.store.blind = True
            await here.book.write([a_hold("ccccc")])
            await asyncio.sleep(250)
            assert [here.shows(name) for name in "123"] == ["held", "held", "live"]
            (line,) = errors(caplog)
            assert "those known stay in force, a new one is not seen" in line
            await asyncio.sleep(650 + INTERVAL)
            assert here.all_show("live")
            here.store.blind = False
            await asyncio.sleep(SOON)
            assert here.all_show("held")

    run(work)


def test_garbage_among_the_holds_keeps_no_other_from_being_seen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Later, with the daemon at work: the new hold is obeyed, the odd key is named."""

    async def work() -> None:
        here = town()
        async with here.at_work():
            await asyncio.sleep(INTERVAL)
            await here.store.put("private/holds/odd.json", private(b"?", now))
            await here.book.write([a_hold()])
            await asyncio.sleep(SOON)
            assert here.all_show("held")
            (line,) = errors(caplog)
            assert "all others are obeyed: private/holds/odd.json is" in line

    run(work)


def test_a_hold_whose_object_is_spoilt_stays_in_force() -> None:
    """Overwritten with garbage, it is obeyed as it was known, and not written over."""

    async def work() -> None:
        here = town()
        await here.book.write([a_hold()])
        async with here.at_work():
            await here.store.put("private/holds/bcdfg.json", private(b"?", now))
            await asyncio.sleep(INTERVAL)
            assert here.all_show("held")
            assert here.store.objects["private/holds/bcdfg.json"].thing.body == b"?"

    run(work)


def test_a_hold_that_vanishes_is_written_back(caplog: pytest.LogCaptureFixture) -> None:
    """Only a release ends it: whoever removed its object did not mean that, or should say so."""

    async def work() -> None:
        here = town()
        await here.book.write([a_hold()])
        async with here.at_work():
            await asyncio.sleep(INTERVAL)
            await here.store.erase("private/holds/bcdfg.json")
            await asyncio.sleep(SOON)
            assert await here.book.stands(a_hold())
            await here.book.write([a_hold().release(here.now(), "ann")])
            await asyncio.sleep(SOON + INTERVAL)
            assert here.all_show("live")
        assert ["gone from the store" in line for line in errors(caplog)] == [True]

    run(work)


def test_the_clock_jumps_over_a_begin_and_back() -> None:
    """Three seconds later it is obeyed as the clock says; and once it is right, as that says."""

    async def work() -> None:
        here = town()
        start = EPOCH + timedelta(hours=1)
        await here.book.write([a_hold(start=start, until=start + timedelta(hours=2))])
        async with here.at_work():
            await asyncio.sleep(100)
            here.ahead = timedelta(hours=1)
            await asyncio.sleep(SOON)
            assert here.all_show("held")
            here.ahead = timedelta(hours=4)
            await asyncio.sleep(SOON)
            assert here.warden.obeyed() == frozenset()
            here.ahead = timedelta(hours=2)
            await asyncio.sleep(SOON)
            assert here.all_show("held")

    run(work)


def test_every_daemon_obeys() -> None:
    """Two that publish to the same addresses: neither puts a picture during a hold."""

    async def work() -> None:
        store = ShyStore(now)
        towns = [town(store), town(store)]
        async with AsyncExitStack() as stack:
            for each in towns:
                await stack.enter_async_context(each.at_work())
            await asyncio.sleep(2 * INTERVAL)
            await towns[0].book.write([a_hold()])
            await asyncio.sleep(SOON)
            for _ in range(600):
                assert towns[0].all_show("held")
                await asyncio.sleep(1)
            await towns[0].book.write([a_hold().release(now(), "ann")])
            await asyncio.sleep(SOON + INTERVAL)
            assert towns[0].all_show("live")

    run(work)


def test_one_line_for_an_hour_of_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """A store that refuses for an hour: an ERROR every five minutes, not every three seconds."""

    async def work() -> None:
        here = town()
        async with here.at_work():
            here.store.blind = True
            await asyncio.sleep(3600)
        assert 10 <= len(errors(caplog)) <= 13

    run(work)


def test_a_look_costs_one_list_in_three_seconds() -> None:
    """Nothing is fetched that is known; an hour of a hold is 1,200 lists."""

    async def work() -> None:
        here = town()
        await here.book.write([a_hold()])
        async with here.at_work():
            before = here.store.lists
            await asyncio.sleep(3600)
            assert here.store.lists - before <= 1200
            assert here.store.gets["private/holds/bcdfg.json"] == 1

    run(work)


def test_what_is_told_cannot_forge_a_line() -> None:
    """The store may hold what another program wrote: no control character comes through."""
    hold = a_hold(by="x\nERROR", reason="a\x1b[2Jb\u202e", scope=Scope(area="N\r"))
    facts = told(hold.release(EPOCH, "ann\t"), CHICAGO)
    assert all(text.isprintable() for text in facts.values())
    assert facts["until"] == "it is released"
    assert facts["released_at"] == "Sunday 1 March 2026, 06:00 CST (UTC-06:00)"
