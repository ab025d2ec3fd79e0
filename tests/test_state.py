"""What an address does next: the whole table against a second one, and what follows from it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.model import Camera, Cycle, NotStored, Outcome, Published, Rested, Unavailable
from cctv.reasons import Reason
from cctv.state import TRANSITIONS, Event, State, after, event_of
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH

NEVER = "-"
EVENTS = "frame no-picture left-alone not-stored ordered-off ordered-on"
TABLE = """
starting     live unavailable -        unconfirmed suspended starting
live         live unavailable -        unconfirmed suspended starting
unavailable  live unavailable resting  unconfirmed suspended starting
resting      live unavailable resting  unconfirmed suspended starting
unconfirmed  live unavailable resting  unconfirmed suspended starting
suspended    -    -           -        -           suspended starting
"""
PAIRS = [
    (row.split()[0], event, follower)
    for row in TABLE.strip().splitlines()
    for event, follower in zip(EVENTS.split(), row.split()[1:], strict=True)
]

CAMERA = Camera("1", "Axis", "10.0.0.1")
CYCLE = Cycle(EPOCH, EPOCH + timedelta(seconds=300))
TROUBLE = StoreError("busy")
SILENCE = CaptureError(Reason.TIMEOUT, "no answer")


def test_every_pair_is_pinned() -> None:
    """Six states, six events: nothing is left out."""
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
    ("outcome", "event"),
    [
        (Published(CAMERA, CYCLE, Frame.of(jpeg(), EPOCH)), Event.FRAME),
        (Unavailable(CAMERA, CYCLE, SILENCE), Event.NO_PICTURE),
        (Unavailable(CAMERA, CYCLE, SILENCE, TROUBLE), Event.NOT_STORED),
        (NotStored(CAMERA, CYCLE, TROUBLE), Event.NOT_STORED),
        (Rested(CAMERA, CYCLE, Reason.AUTH), Event.LEFT_ALONE),
        (Rested(CAMERA, CYCLE, Reason.AUTH, TROUBLE), Event.NOT_STORED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Outcome) else str(value),
)
def test_every_outcome_is_an_event(outcome: Outcome, event: Event) -> None:
    """What the store did not confirm is not known, whatever the camera gave."""
    assert event_of(outcome) is event


def test_an_outcome_of_no_kind_is_a_bug() -> None:
    """A new kind of outcome must be given a meaning."""
    with pytest.raises(TypeError, match=r"^no outcome of a cycle: Outcome$"):
        event_of(Outcome(CAMERA, CYCLE))


@given(st.lists(st.sampled_from(Event)))
def test_nothing_but_an_order_ends_a_suspension(events: list[Event]) -> None:
    """A picture that is still on its way shows nobody a camera that is not to be published."""
    state, ordered_off = State.STARTING, False
    for event in events:
        if event in {Event.ORDERED_OFF, Event.ORDERED_ON}:
            ordered_off = event is Event.ORDERED_OFF
        with suppress(ValueError):
            state = after(state, event)
        assert (state is State.SUSPENDED) is ordered_off


@given(st.lists(st.sampled_from(Event)))
def test_live_is_only_what_a_frame_made_live(events: list[Event]) -> None:
    """An address is live right after a frame, and never for another cause."""
    state = State.STARTING
    for event in events:
        try:
            state = after(state, event)
        except ValueError:
            continue
        assert (state is State.LIVE) is (event is Event.FRAME)
