"""What a fleet says of its addresses: always what the store has, whatever happens."""

from __future__ import annotations

import asyncio
import logging
from itertools import groupby
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.reasons import Reason
from cctv.store.memory import Mood
from tests.fakes.frames import hung, jpeg, refused
from tests.fakes.town import Town, camera
from tests.virtual import run

if TYPE_CHECKING:
    import pytest


def test_states_follow_what_happens() -> None:
    """Nothing yet, live, failing, live again: as the store has it."""

    async def work() -> None:
        town = Town({"1": [30.0, jpeg(), *[hung()] * 5, jpeg()]})
        await town.publish(camera("1"))
        assert town.states() == {"1": "unavailable?"}
        seen = []
        for _ in range(600):
            await asyncio.sleep(7)
            seen.append(town.states()["1"])
        told = [state for state, _ in groupby(seen)]
        assert told[:4] == ["unavailable?", "live", "unavailable", "live"]
        await town.fleet.stop(5)

    run(work)


def test_state_is_in_doubt_while_the_store_is_dead(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a picture nor a card is claimed; a withdrawal is ordered all the same."""

    async def work() -> None:
        town = Town({"2": [refused()]})
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(100)
        assert town.states() == {"1": "live", "2": "unavailable"}
        town.store.mood = Mood.REFUSE
        await asyncio.sleep(2000)
        assert town.states() == {"1": "unavailable?", "2": "unavailable?"}
        await town.publish(camera("2"), withdrawn={"1": Reason.UNPUBLISHED})
        assert town.states()["1"] == "unpublished?"
        town.store.mood = Mood.TAKE
        await asyncio.sleep(10)
        assert town.states() == {"1": "unpublished", "2": "unavailable"}
        await town.fleet.stop(5)

    run(work)
    assert not any("inside the program" in line for line in caplog.messages)


def test_orders_set_the_state_at_once() -> None:
    """Unpublished, started over, gone: before anything was asked or stored."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(100)
        await town.publish(camera("1", "Wisenet"), withdrawn={"2": Reason.UNPUBLISHED})
        assert town.states() == {"1": "unavailable?", "2": "unpublished?"}
        await asyncio.sleep(100)
        assert town.states() == {"1": "live", "2": "unpublished"}
        await town.publish(camera("2"))
        assert town.states() == {"2": "unavailable?"}
        await town.fleet.stop(5)

    run(work)


def test_state_after_a_bug_is_what_is_known() -> None:
    """The card once it is confirmed; a store that fails in a way of its own confirms nothing."""

    async def work() -> None:
        town = Town({"1": [jpeg(), ValueError("bug"), jpeg()]})
        await town.publish(camera("1"))
        seen = []
        for _ in range(1400):
            await asyncio.sleep(0.5)
            seen.append(town.states()["1"])
        told = [state for state, _ in groupby(seen)]
        assert told == ["unavailable?", "live", "live?", "unavailable", "live"]
        town.store.mood, town.store.fault = Mood.REFUSE, RuntimeError("bug")  # type: ignore[assignment] # as a bug is
        await asyncio.sleep(600)
        assert town.states()["1"].endswith("?")
        await town.fleet.stop(5)

    run(work)


SCRIPTS = st.lists(
    st.sampled_from([jpeg(), hung(), refused(), ValueError("bug"), 200.0]), min_size=1, max_size=6
)
LASTS = st.sampled_from([jpeg(), hung(), refused()])
ORDERS = st.tuples(
    st.sampled_from(["on", "other", "off", "gone"]),
    # what lands late has a test of its own
    st.sampled_from([Mood.TAKE, Mood.REFUSE, Mood.TAKE_THEN_FAIL]),
    st.integers(1, 4000),
)


class Bugs(logging.Handler):
    """What the fleet says of mistakes in its own table."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an error that is not one of the scripts'."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and str(error) != "bug":
            self.found.append(repr(error))


@given(SCRIPTS, LASTS, st.lists(ORDERS, max_size=12))
@settings(deadline=None)
def test_whatever_happens_in_whatever_order(
    script: list[bytes | Exception | float],
    last: bytes | Exception,
    orders: list[tuple[str, Mood, int]],
) -> None:
    """Orders, outcomes and a moody store: no event that cannot happen, no state that is not so."""

    async def work() -> None:
        town = Town({"1": [*script, last]})
        for order, mood, seconds in orders:
            town.store.mood = mood
            if order in {"on", "other"}:
                await town.publish(camera("1", "Wisenet" if order == "other" else "Axis"))
            else:
                await town.publish(withdrawn={"1": Reason.UNPUBLISHED} if order == "off" else None)
            await asyncio.sleep(seconds + 0.123)
            state = town.states().get("1")
            assert (state is None) is (order == "gone")
            assert (state or "").startswith("unpublished") is (order == "off")
            if state is not None and not state.endswith("?"):
                assert town.state("1") == state
        await town.fleet.stop(5)

    bugs, log = Bugs(), logging.getLogger("cctv.fleet")
    log.addHandler(bugs)
    try:
        run(work)
    finally:
        log.removeHandler(bugs)
    assert bugs.found == []
