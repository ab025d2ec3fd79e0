"""The store's clock: what it learns from answers, and what it says of the machine's."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.clock import StoreClock

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
HINT = "set it, and keep it set with NTP (times are corrected meanwhile)"
RIGHT = "this machine's clock is right again"

SECONDS = st.floats(-10_000_000, 10_000_000)
TOOK = st.floats(0, 5)


class World:
    """A machine's clock, `wrong` seconds behind the store's, and the clock under test."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.time = NOON
        self.wrong = wrong
        self.clock = StoreClock(self.machine)

    def machine(self) -> datetime:
        """What the machine says."""
        return self.time - timedelta(seconds=self.wrong)

    def answer(self, took: float = 0.1, share: float = 0.5) -> None:
        """One exchange; the store reads its clock after a share of it, and tells whole seconds."""
        sent = self.machine()
        date = (self.time + timedelta(seconds=took * share)).replace(microsecond=0)
        self.time += timedelta(seconds=took)
        self.clock.learn(date, sent, self.machine())

    def answers(self, count: int, every: float = 1.0) -> None:
        """Several exchanges with time between them."""
        for _ in range(count):
            self.answer()
            self.time += timedelta(seconds=every)

    @property
    def off(self) -> float:
        """By how much the clock under test is ahead of the store's."""
        return (self.clock.now() - self.time).total_seconds()


def offset(clock: StoreClock) -> float:
    """What a clock over a machine that stands at noon adds."""
    return (clock.now() - NOON).total_seconds()


def learned(*offsets: float) -> StoreClock:
    """A clock whose machine stands at noon, after answers with these offsets."""
    clock = StoreClock(lambda: NOON)
    for seconds in offsets:
        clock.learn(NOON + timedelta(seconds=seconds - 0.5), NOON, NOON)
    return clock


def test_without_answers_it_is_the_machines() -> None:
    """Nothing is corrected before the store has said something."""
    assert learned().now() == NOON


@pytest.mark.parametrize("wrong", [3600.0, -3600.0, 7.0, -7.0, 86_400.0 * 400])
def test_one_answer_is_enough(wrong: float) -> None:
    """The first picture after a start already has the store's time."""
    world = World(wrong)
    world.answer()
    assert abs(world.off) < 1


@pytest.mark.parametrize("wrong", [0.0, 0.9, -0.9, 1.3, -1.3])
def test_less_than_two_seconds_is_none(wrong: float) -> None:
    """Whole seconds and slow answers correct nothing."""
    world = World(wrong)
    world.answers(40, every=0.37)
    assert world.clock.now() == world.machine()


@given(SECONDS, st.lists(st.tuples(TOOK, st.floats(0, 1), st.floats(0, 600)), min_size=1))
def test_it_is_right_within_the_slowness_of_the_answers(
    wrong: float, exchanges: list[tuple[float, float, float]]
) -> None:
    """However wrong the machine is: two seconds, half an exchange, and half a second at most."""
    world = World(wrong)
    for took, share, pause in exchanges:
        world.answer(took, share)
        world.time += timedelta(seconds=pause)
    assert abs(world.off) <= 2.0 + 2.5 + 0.51


@given(SECONDS, SECONDS, st.integers(1, 100))
def test_a_jump_is_followed_within_a_few_answers(before: float, after: float, count: int) -> None:
    """Not fifteen: three that agree with each other are enough."""
    world = World(before)
    world.answers(count)
    world.wrong = after
    world.answers(3)
    # a step of less than the finding's two seconds may wait for the median
    assert abs(world.off) <= 2.0 + 2.0 + 0.51


@given(st.lists(st.floats(-1, 1), min_size=15, max_size=15), SECONDS, SECONDS)
def test_two_odd_answers_change_nothing(usual: list[float], one: float, other: float) -> None:
    """A proxy's or another server's clock is outvoted."""
    assert offset(learned(*usual, one, other)) == 0


@given(st.lists(SECONDS, max_size=60))
def test_it_only_believes_what_was_measured(offsets: list[float]) -> None:
    """Whatever came: no mean of two clocks, and no memory of more than the last answers."""
    got = offset(learned(*offsets))
    assert got == 0 or any(abs(got - each) < 1e-3 for each in offsets[-15:])


def test_answers_that_disagree_start_nothing() -> None:
    """Three in a row that are odd, each in its own way, leave the median where it was."""
    assert offset(learned(*[0.0] * 15, 100.0, 200.0, 300.0)) == 0


def test_odd_answers_count_only_in_a_row() -> None:
    """One usual answer between them and they are single ones again."""
    assert offset(learned(*[0.0] * 15, 100.0, 100.0, 0.0, 100.0, 100.0)) == 0


@pytest.mark.parametrize("took", [5.1, 3600.0, -0.001, -3600.0])
def test_slow_exchanges_and_jumps_meanwhile_are_left_out(took: float) -> None:
    """What took long says little; what took less than nothing was a jump of the machine's clock."""
    clock = StoreClock(lambda: NOON)
    clock.learn(NOON + timedelta(hours=1), NOON, NOON + timedelta(seconds=took))
    assert clock.now() == NOON


def test_the_last_offset_stays() -> None:
    """A store that is down for days does not bring the wrong time back."""
    world = World(3600)
    world.answer()
    world.time += timedelta(days=9)
    assert abs(world.off) < 1


def test_a_wrong_clock_is_told_once_and_hourly(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of answers over nearly three hours, one line in each."""
    world = World(3600)
    world.answers(2600, every=4)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    (told,) = set(caplog.messages)
    assert told in {
        f"this machine's clock is {n} s behind the store's: {HINT}" for n in (3600, 3601)
    }


def test_a_clock_that_is_ahead_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    """The direction is in the words."""
    World(-90).answer()
    assert caplog.messages[0].startswith(
        "this machine's clock is 90 s ahead of the store's: set it"
    )


def test_a_change_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not in an hour: the clock was set, and wrongly again; less than a minute is no news."""
    world = World(100)
    world.answers(20)
    world.wrong = 150
    world.answers(20)
    assert len(caplog.messages) == 1
    world.wrong = 220
    world.answers(20)
    assert len(caplog.messages) == 2
    assert "220 s behind" in caplog.messages[1]


def test_a_right_clock_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The end of the trouble is a line too; and what comes after it is news again."""
    caplog.set_level(logging.INFO)
    world = World(100)
    for wrong in (100, 0, 100, 0):
        world.wrong = wrong
        world.answers(20)
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.INFO] * 2
    assert caplog.messages[1] == caplog.messages[3] == RIGHT


def test_a_clock_at_the_edge_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Two seconds, more or less, in turn: one line and its end, not one for each answer."""
    caplog.set_level(logging.INFO)
    world = World()
    for n in range(60):
        world.wrong = 2.6 if n % 2 else 0.5
        world.answers(20)
    assert len(caplog.messages) == 2


def test_a_right_clock_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Neither at the start nor ever."""
    caplog.set_level(logging.INFO)
    World().answers(5000)
    assert caplog.messages == []
