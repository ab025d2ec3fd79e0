"""The fleet: one task for each address, changed by set arithmetic, and harmed by nobody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import groupby

import pytest

from cctv.frame import Frame
from cctv.model import Outcome, Published
from cctv.observers import tell_all
from cctv.reasons import Reason
from cctv.store.memory import Mood
from tests.fakes.frames import ScriptedSource, hung, jpeg
from tests.fakes.town import CARD, Town, camera
from tests.virtual import EPOCH, now, run


def test_each_camera_is_published_on_its_own() -> None:
    """A camera that hangs for ever costs its neighbours no slot."""

    async def work() -> None:
        town = Town({"2": [86400.0]})
        await town.publish(camera("1"), camera("2"), camera("3"))
        await asyncio.sleep(3600)
        assert town.published("1") in {12, 13}
        assert town.published("3") in {12, 13}
        await town.fleet.stop(5)

    run(work)


@pytest.mark.parametrize("bug", [ValueError("bug"), RecursionError(), UnicodeError(), KeyError()])
def test_bug_in_a_cycle_stays_with_its_camera(bug: Exception) -> None:
    """What is not ours is logged, the address shows the fallback, and the loop goes on."""

    async def work() -> None:
        town = Town({"2": [jpeg(), bug, jpeg()]})
        await town.publish(camera("1"), camera("2"))
        states = []
        for _ in range(640):
            await asyncio.sleep(1)
            if "image/2.jpg" in town.store.objects:
                states.append(town.state("2"))
        assert [state for state, _ in groupby(states)] == ["live", "unavailable", "live"]
        await asyncio.sleep(3000)
        assert town.published("2") >= 7
        assert town.published("1") >= 11
        await town.fleet.stop(5)

    run(work)


def test_failing_observer_stops_nobody() -> None:
    """A broken page must not stop a picture, nor the next observer."""

    async def work() -> None:
        def broken(_: Outcome) -> None:
            raise ZeroDivisionError

        town = Town()
        town.fleet.tell = tell_all([broken, town.outcomes.append])
        await town.publish(camera("1"))
        await asyncio.sleep(1000)
        assert town.published("1") >= 3
        await town.fleet.stop(5)

    run(work)


def test_reload_touches_only_what_changed() -> None:
    """Added starts, changed restarts, the others keep their schedule and their source."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(1000)
        asked = len(town.sources[camera("1")].asked)
        await town.publish(camera("1"), camera("2", "Wisenet"), camera("3"))
        await asyncio.sleep(46)
        assert len(town.sources[camera("1")].asked) == asked
        assert len(town.sources[camera("2", "Wisenet")].asked) == 1
        assert len(town.sources[camera("3")].asked) == 1
        before = len(town.sources[camera("2")].asked)
        await asyncio.sleep(1000)
        assert len(town.sources[camera("2")].asked) == before
        await town.fleet.stop(5)

    run(work)


def test_removed_camera_shows_the_fallback_at_once() -> None:
    """The last picture does not stay public: it is replaced before a second has passed."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(100)
        assert town.state("2") == "live"
        await town.publish(camera("1"), withdrawn={"2": Reason.REMOVED})
        await asyncio.sleep(1)
        assert (town.state("2"), town.reason("2")) == ("unpublished", "removed")
        assert town.confirmed == ["2"]
        asked = len(town.sources[camera("2")].asked)
        await asyncio.sleep(3600)
        assert len(town.sources[camera("2")].asked) == asked
        await town.fleet.stop(5)

    run(work)


def test_withdrawal_is_retried_until_the_store_confirms() -> None:
    """A dead bucket delays the order, and does not lose it."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"))
        await asyncio.sleep(100)
        town.store.mood = Mood.REFUSE
        await town.publish(withdrawn={"1": Reason.UNPUBLISHED})
        await asyncio.sleep(600)
        assert town.confirmed == []
        town.store.mood = Mood.TAKE
        await asyncio.sleep(31)
        assert town.confirmed == ["1"]
        assert town.reason("1") == "unpublished"
        await town.fleet.stop(5)

    run(work)


def test_withdrawn_camera_comes_back() -> None:
    """Switched on again, it is live within a minute, with its old phase."""

    async def work() -> None:
        town = Town()
        await town.publish(withdrawn={"1": Reason.UNPUBLISHED})
        await asyncio.sleep(10)
        await town.publish(camera("1"))
        await asyncio.sleep(60)
        assert town.state("1") == "live"
        await town.fleet.stop(5)

    run(work)


def test_bug_in_the_store_does_not_lose_a_withdrawal() -> None:
    """What is not a StoreError is logged, and the order is carried out all the same."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"))
        await asyncio.sleep(100)
        town.store.mood, town.store.fault = Mood.REFUSE, RuntimeError("bug")  # type: ignore[assignment] # as a bug is
        await town.publish(withdrawn={"1": Reason.UNPUBLISHED})
        await asyncio.sleep(10)
        town.store.mood = Mood.TAKE
        await asyncio.sleep(31)
        assert town.reason("1") == "unpublished"
        assert town.confirmed == ["1"]
        await town.fleet.stop(5)

    run(work)


def test_bug_that_stays_does_not_flood_the_store_or_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A library that fails at every PUT: a hundred cameras knock gently, and say it once each."""

    async def work() -> None:
        town = Town()
        town.store.mood, town.store.fault = Mood.REFUSE, RuntimeError("bug")  # type: ignore[assignment] # as a bug is
        await town.publish(*(camera(str(number)) for number in range(100)))
        await asyncio.sleep(600)
        assert town.store.puts.total() <= 100 * (600 / 30 + 6)
        await town.fleet.stop(5)

    run(work)
    assert sum("camera failed" in line for line in caplog.messages) <= 200


def test_driver_change_does_not_bring_back_an_older_roster() -> None:
    """Two SIGHUPs while a camera is being switched off: it stays off."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(100)
        off = town.publish(camera("1"), withdrawn={"2": Reason.UNPUBLISHED})
        await asyncio.gather(off, town.fleet.drive(town.drive), town.fleet.drive(town.drive))
        await asyncio.sleep(60)
        assert town.state("2") == "unpublished"
        await town.fleet.stop(5)

    run(work)


def test_order_repeated_is_not_carried_out_again() -> None:
    """Reading the same inventory every minute costs no PUT for a disabled camera."""

    async def work() -> None:
        town = Town()
        await town.publish(withdrawn={"1": Reason.UNPUBLISHED})
        # for a minute it is put again: a process before this one may have left a PUT on its way
        await asyncio.sleep(61)
        puts = town.store.puts["image/1.jpg"]
        assert puts == 4
        for _ in range(10):
            await town.publish(withdrawn={"1": Reason.UNPUBLISHED})
            await asyncio.sleep(60)
        assert town.store.puts["image/1.jpg"] == puts
        await town.fleet.stop(5)

    run(work)


def test_driver_change_restarts_only_those_it_concerns() -> None:
    """A new driver file must not make 1,500 cameras start over."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2", "Acme"))
        await asyncio.sleep(100)
        other = ScriptedSource([jpeg(7)], now)
        kept = town.sources[camera("1")]
        asked = len(kept.asked)
        await town.fleet.drive(lambda one: other if one.model == "Acme" else kept)
        await asyncio.sleep(46)
        assert len(other.asked) == 1
        assert len(kept.asked) == asked
        await town.fleet.stop(5)

    run(work)


def test_camera_dies_and_recovers() -> None:
    """The fallback goes up in the cycle that fails, the picture in the first that succeeds."""

    async def work() -> None:
        town = Town({"1": [jpeg(), hung(), jpeg()]})
        seen: list[str] = []
        town.fleet.tell = lambda outcome: seen.append(f"{type(outcome).__name__} {town.state('1')}")
        await town.publish(camera("1"))
        await asyncio.sleep(900)
        assert seen[:3] == ["Published live", "Unavailable unavailable", "Published live"]
        await town.fleet.stop(5)

    run(work)


@pytest.mark.parametrize("patience", [5.0, 0.0])
def test_stop_ends_everything(patience: float) -> None:
    """No task outlives the fleet, whether its uploads had time to finish or not."""

    async def work() -> None:
        town = Town({str(number): [float(number), jpeg()] for number in range(50)})
        await town.publish(*(camera(str(number)) for number in range(50)))
        await asyncio.sleep(20)
        await town.fleet.stop(patience)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work)


def test_five_thousand_cameras_for_an_hour() -> None:
    """The core itself carries a fleet of 5,000: no slot is missed."""

    async def work() -> None:
        town = Town()
        names = [str(number) for number in range(5000)]
        await town.publish(*map(camera, names))
        await asyncio.sleep(3600)
        counts = [0] * 5000
        for outcome in town.outcomes:
            counts[int(outcome.camera.id)] += isinstance(outcome, Published)
        assert min(counts) >= 12
        await town.fleet.stop(5)

    run(work)


@pytest.mark.parametrize("moment", [0.5, 10.5, 25.0])
def test_cancel_within_a_cycle_leaves_a_whole_object(moment: float) -> None:
    """Wherever a cycle is cut off, the address shows a whole object of one kind."""

    async def work() -> None:
        town = Town({"1": [5.0, jpeg(), 5.0, hung()]})
        await town.publish(camera("1"))
        await asyncio.sleep(300 + moment)
        await town.publish(withdrawn={"1": Reason.REMOVED})
        await asyncio.sleep(31)
        thing = town.store.objects["image/1.jpg"].thing
        assert thing.body == CARD
        assert Frame.of(thing.body, EPOCH).width == 32
        assert thing.expires <= now() + timedelta(seconds=60)
        await town.fleet.stop(5)

    run(work)
