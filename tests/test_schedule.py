"""When cycles come, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.model import Camera, Cycle, NotStored, Outcome, Published, Unavailable
from cctv.reasons import Reason
from cctv.schedule import Schedule, Timing, phase
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Callable

CAMERA = Camera("12", "Axis", "10.1.2.3")
FIVE_MINUTES = Timing()
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)


def published(cycle: Cycle) -> Outcome:
    """A picture."""
    return Published(CAMERA, cycle, Frame.of(jpeg(), cycle.due))


def failed(cycle: Cycle, reason: Reason = Reason.TIMEOUT) -> Outcome:
    """No picture."""
    return Unavailable(CAMERA, cycle, CaptureError(reason, "so it was found"))


def cycles(
    count: int, timing: Timing = FIVE_MINUTES, camera: str = "12", takes: float = 0.0
) -> list[Cycle]:
    """The first `count` cycles of a camera, each of which keeps it busy for `takes` seconds."""

    async def work() -> list[Cycle]:
        found: list[Cycle] = []
        async for cycle in Schedule(camera, timing, now):
            found.append(cycle)
            if len(found) == count:
                break
            await asyncio.sleep(takes)
        return found

    return run(work)


def asked(outcomes: list[str], timing: Timing, slots: int) -> list[bool]:
    """Which of the first `slots` slots ask the camera, when its askings come to `outcomes`."""

    async def work() -> list[bool]:
        script = iter(outcomes)
        found: list[bool] = []
        schedule = Schedule("12", timing, now)
        async for cycle in schedule:
            found.append(cycle.ask)
            if len(found) == slots:
                break
            if cycle.ask:
                schedule.heed(OUTCOMES[next(script, "down")](cycle))
        return found

    return run(work)


OUTCOMES: dict[str, Callable[[Cycle], Outcome]] = {
    "ok": published,
    "down": failed,
    "auth": lambda cycle: failed(cycle, Reason.AUTH),
    "store": lambda cycle: NotStored(CAMERA, cycle, StoreError("busy")),
}


@given(IDS, st.floats(1, 3600), st.floats(0, 0.9))
@settings(max_examples=60, deadline=None)
def test_no_drift_and_no_missed_slot(camera: str, interval: float, busy: float) -> None:
    """However long cycles take within the interval, the hundredth slot is on the grid."""
    timing = Timing(interval=interval)
    found = cycles(100, timing, camera, takes=busy * interval)
    first, second, last = found[0].due, found[1].due, found[-1].due
    grid = (second.timestamp() / interval - phase(camera)) % 1
    assert min(grid, 1 - grid) < 0.01
    assert last - second == pytest.approx(timedelta(seconds=98 * interval), abs=MILLISECOND)
    assert first < second <= first + timedelta(seconds=1.02 * interval) or busy > 0


MILLISECOND = timedelta(milliseconds=1)


@given(IDS, st.floats(1, 3600))
@settings(max_examples=60, deadline=None)
def test_first_picture_comes_soon(camera: str, interval: float) -> None:
    """After a start every camera is asked within min(interval, 60 s), with time for its answer."""
    first = cycles(1, Timing(interval=interval), camera)[0].due
    assert first - EPOCH <= timedelta(seconds=0.75 * min(interval, 60))


def test_phase_is_the_same_after_a_restart() -> None:
    """A restart at another moment does not change when pictures come."""

    async def late() -> datetime:
        await asyncio.sleep(1234.5)
        schedule = Schedule("12", FIVE_MINUTES, now)
        await anext(schedule)
        return (await anext(schedule)).due

    before, after = cycles(2)[1].due, run(late)
    turns = (after - before) / timedelta(seconds=300)
    assert turns == pytest.approx(round(turns), abs=1e-6)


def test_load_is_spread() -> None:
    """1,500 cameras fall evenly on the interval: no tenth of it has a third more than its share."""
    tenths = [0] * 10
    for number in range(1500):
        tenths[int(phase(str(number)) * 10)] += 1
    assert max(tenths) < 150 * 4 / 3


def test_missed_slots_are_skipped() -> None:
    """A cycle of two and a half intervals costs two slots, and the grid stands."""
    found = cycles(4, takes=750.0)
    gaps = [later.due - sooner.due for sooner, later in pairwise(found[1:])]
    assert gaps == [timedelta(seconds=900)] * 2


def test_a_fleet_that_was_stopped_does_not_ask_all_at_once() -> None:
    """After ten minutes without a turn the slots of that time are left out, not made up for."""

    async def work() -> list[float]:
        loop, times = asyncio.get_running_loop(), []

        async def camera(name: int) -> None:
            async for _ in Schedule(str(name), FIVE_MINUTES, now):
                times.append(loop.time())  # noqa: PERF401 - it has no end

        tasks = [asyncio.create_task(camera(name), name=str(name)) for name in range(300)]
        await asyncio.sleep(1000)
        loop.skip(600)  # type: ignore[attr-defined] # the virtual loop's
        await asyncio.sleep(1000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return times

    times = run(work)
    after = [moment - 1600 for moment in times if moment >= 1600]
    # one a second is usual; those whose slot has just passed come at once
    assert sum(moment < 10 for moment in after) <= 60
    assert sum(moment < 300 for moment in after) in range(290, 340)


def test_next_due_is_the_next_slot() -> None:
    """What a cycle is told of the next one comes true."""
    found = cycles(5)
    for sooner, later in pairwise(found):
        assert abs(sooner.next_due - later.due) < MILLISECOND


def test_wall_clock_jump_moves_nothing() -> None:
    """A clock that is set an hour back does not stop or hurry the cycles."""
    jump = [timedelta(0)]

    async def work() -> list[float]:
        loop, times = asyncio.get_running_loop(), []
        schedule = Schedule("12", FIVE_MINUTES, lambda: now() + jump[0])
        async for _ in schedule:
            times.append(loop.time())
            jump[0] -= timedelta(hours=1)
            if len(times) == 4:
                break
        return times

    times = run(work)
    gaps = [later - sooner for sooner, later in pairwise(times[1:])]
    assert gaps == pytest.approx([300.0, 300.0])


def test_failure_limit_then_long_pause() -> None:
    """Five failures in a row, then a try every half hour (six slots), until it succeeds."""
    found = asked(["down"] * 5 + ["down", "ok", "ok"], FIVE_MINUTES, 21)
    pause = [False] * 5
    assert found == [True] * 5 + pause + [True] + pause + [True] * 5


def test_success_forgives_failures() -> None:
    """Failures count only in a row."""
    assert all(asked(["down"] * 4 + ["ok"] + ["down"] * 4 + ["ok"], FIVE_MINUTES, 10))


def test_refused_password_pauses_from_the_second_refusal() -> None:
    """Cameras lock accounts: two wrong passwords, then one every half hour."""
    found = asked(["auth"] * 9, FIVE_MINUTES, 14)
    pause = [False] * 5
    assert found == [True] * 2 + pause + [True] + pause + [True]


def test_refusals_are_not_forgotten_over_other_failures() -> None:
    """A timeout between two refusals does not give the password another try."""
    assert asked(["auth", "down", "auth"], FIVE_MINUTES, 5) == [True] * 3 + [False] * 2


@pytest.mark.parametrize("outcome", ["down", "auth"])
def test_no_retry_when_retry_after_is_zero(outcome: str) -> None:
    """CCTV_RETRY_AFTER=0: not until restart."""
    found = asked([outcome] * 5, Timing(retry_after=0), 3000)
    assert sum(found) == (5 if outcome == "down" else 2)
    assert not any(found[5:])


def test_failing_store_never_counts_against_a_camera() -> None:
    """A dead bucket for a day pauses no camera."""
    assert all(asked(["store"] * 288, FIVE_MINUTES, 288))


def test_wrong_password_for_a_day() -> None:
    """At most 50 attempts in a day: far below every vendor's lock-out."""
    assert sum(asked(["auth"] * 300, FIVE_MINUTES, 288)) <= 50
