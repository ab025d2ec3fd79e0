"""What an address does next: the whole table against a second one, and what follows from it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.model import Camera, Cycle, Expired, NotStored, Outcome, Published, Rested, Unavailable
from cctv.reasons import Reason
from cctv.state import TRANSITIONS, Event, Standing, State, after, state_for
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH

NEVER = "-"
EVENTS = "frame no-picture expired not-stored hold withdraw publish"
TABLE = """
live         live unavailable unavailable live        held unpublished unavailable
unavailable  live unavailable unavailable unavailable held unpublished unavailable
held         -    -           -           -           held unpublished unavailable
unpublished  -    -           -           -           held unpublished unavailable
"""
PAIRS = [
    (row.split()[0], event, follower)
    for row in TABLE.strip().splitlines()
    for event, follower in zip(EVENTS.split(), row.split()[1:], strict=True)
]
ORDERS = {Event.HOLD: State.HELD, Event.WITHDRAW: State.UNPUBLISHED, Event.PUBLISH: None}

CAMERA = Camera("1", "Axis", "10.0.0.1")
DUE = EPOCH + timedelta(seconds=300)
CYCLE = Cycle(EPOCH, DUE)
LATER = EPOCH + timedelta(seconds=100)
TROUBLE = StoreError("busy")
SILENCE = CaptureError(Reason.TIMEOUT, "no answer")
FRAME = Frame.of(jpeg(), EPOCH)
NEW = Standing(State.UNAVAILABLE, EPOCH, Reason.NO_PICTURE)


def test_every_pair_is_pinned() -> None:
    """Four states, seven events: nothing is left out."""
    pinned = {(state, event) for state, event, _ in PAIRS}
    assert pinned == {(state.value, event.value) for state in State for event in Event}
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize(("state", "event", "follower"), PAIRS)
def test_what_follows(state: str, event: str, follower: str) -> None:
    """The one table, row by row; what cannot happen is a bug and says so."""
    if follower == NEVER:
        words = f"^{event} cannot happen to an address that is {state}$"
        with pytest.raises(ValueError, match=words):
            after(State(state), Event(event))
    else:
        assert after(State(state), Event(event)) is State(follower)


@pytest.mark.parametrize(
    ("outcome", "state", "reason", "confirmed"),
    [
        (Published(CAMERA, CYCLE, FRAME), "live", None, True),
        (Unavailable(CAMERA, CYCLE, SILENCE), "unavailable", "timeout", True),
        (Unavailable(CAMERA, CYCLE, SILENCE, TROUBLE), "unavailable", "timeout", False),
        (NotStored(CAMERA, CYCLE, TROUBLE), "unavailable", "no-picture", False),
        (Rested(CAMERA, CYCLE, Reason.AUTH), "unavailable", "auth", True),
        (Rested(CAMERA, CYCLE, Reason.AUTH, TROUBLE), "unavailable", "auth", False),
        (Expired(CAMERA, CYCLE), "unavailable", "stale", True),
        (Expired(CAMERA, CYCLE, TROUBLE), "unavailable", "stale", False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Outcome) else str(value),
)
def test_what_an_outcome_makes_of_a_new_address(
    outcome: Outcome,
    state: str,
    reason: str | None,
    confirmed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """What the store did not confirm is in doubt, whatever the camera gave; the next is due."""
    standing = NEW.heeded(outcome, LATER)
    assert (standing.state, standing.reason, standing.confirmed) == (state, reason, confirmed)
    assert standing.next_due == DUE


def test_a_picture_in_doubt_is_still_remembered() -> None:
    """Until the card is confirmed the last frame may be seen, and its time is told."""
    live = NEW.heeded(Published(CAMERA, CYCLE, FRAME), EPOCH)
    assert live.captured_at == EPOCH
    assert live.heeded(NotStored(CAMERA, CYCLE, TROUBLE), LATER).captured_at == EPOCH
    assert live.heeded(Unavailable(CAMERA, CYCLE, SILENCE, TROUBLE), LATER).captured_at == EPOCH
    held = live.ordered(Reason.HELD, LATER)
    assert (held.captured_at, held.confirmed) == (EPOCH, False)
    assert (held.settled().captured_at, held.settled().confirmed) == (None, True)
    assert live.heeded(Unavailable(CAMERA, CYCLE, SILENCE), LATER).captured_at is None


def test_since_is_when_the_state_began() -> None:
    """Another reason, or another picture, is no other state."""
    live = NEW.heeded(Published(CAMERA, CYCLE, FRAME), EPOCH)
    assert live.heeded(Published(CAMERA, CYCLE, FRAME), LATER).since == EPOCH
    down = live.heeded(Unavailable(CAMERA, CYCLE, SILENCE), LATER)
    assert down.since == LATER
    assert down.heeded(Rested(CAMERA, CYCLE, Reason.AUTH), DUE).since == LATER


def test_an_outcome_of_no_kind_is_a_bug() -> None:
    """A new kind of outcome must be given a meaning."""
    with pytest.raises(TypeError, match=r"^no outcome of a cycle: Outcome$"):
        NEW.heeded(Outcome(CAMERA, CYCLE), LATER)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_state(reason: Reason) -> None:
    """Held by order, unpublished by the inventory or the settings, else unavailable."""
    held = {"held", "holds-unknown"}
    unpublished = {"unpublished", "removed", "bad-record", "never-publish"}
    expected = "held" if reason in held else "unpublished" if reason in unpublished else None
    assert state_for(reason).value == (expected or "unavailable")


@given(st.lists(st.sampled_from(Event)))
def test_nothing_but_an_order_ends_an_order(events: list[Event]) -> None:
    """A picture that is still on its way shows nobody a camera that is not to be published."""
    state, ordered = State.UNAVAILABLE, None
    for event in events:
        ordered = ORDERS.get(event, ordered)
        with suppress(ValueError):
            state = after(state, event)
        assert (state if state in {State.HELD, State.UNPUBLISHED} else None) is ordered


@given(st.lists(st.sampled_from(Event)))
def test_live_is_only_what_a_frame_made_live(events: list[Event]) -> None:
    """An address is live right after a frame, and stays so only while the store is silent."""
    state, framed = State.UNAVAILABLE, False
    for event in events:
        try:
            state = after(state, event)
        except ValueError:
            continue
        framed = event is Event.FRAME or (framed and event is Event.NOT_STORED)
        assert (state is State.LIVE) is framed
