"""What a public address is doing: six states, and the one table of how they follow each other."""

from __future__ import annotations

from enum import StrEnum

from cctv.model import NotStored, Outcome, Published, Rested, Unavailable


class State(StrEnum):
    """What an address shows, as far as is known."""

    STARTING = "starting"
    """Nothing was put there yet since the program or the order began."""

    LIVE = "live"
    """A fresh frame, confirmed by the store."""

    UNAVAILABLE = "unavailable"
    """The fallback image, because the camera gave no picture."""

    RESTING = "resting"
    """The fallback image; the camera is left alone for a while."""

    UNCONFIRMED = "unconfirmed"
    """Not known: the store did not confirm what was last put there."""

    SUSPENDED = "suspended"
    """The fallback image is ordered: the camera is not to be published."""


class Event(StrEnum):
    """What can happen to an address."""

    FRAME = "frame"
    NO_PICTURE = "no-picture"
    LEFT_ALONE = "left-alone"
    NOT_STORED = "not-stored"
    ORDERED_OFF = "ordered-off"
    ORDERED_ON = "ordered-on"


_CYCLES = {
    Event.FRAME: State.LIVE,
    Event.NO_PICTURE: State.UNAVAILABLE,
    Event.NOT_STORED: State.UNCONFIRMED,
}
_ORDERS = {Event.ORDERED_OFF: State.SUSPENDED, Event.ORDERED_ON: State.STARTING}

TRANSITIONS: dict[State, dict[Event, State]] = {
    State.STARTING: {**_CYCLES, **_ORDERS},
    State.LIVE: {**_CYCLES, **_ORDERS},
    # a camera is left alone only after it has failed
    State.UNAVAILABLE: {**_CYCLES, **_ORDERS, Event.LEFT_ALONE: State.RESTING},
    State.RESTING: {**_CYCLES, **_ORDERS, Event.LEFT_ALONE: State.RESTING},
    State.UNCONFIRMED: {**_CYCLES, **_ORDERS, Event.LEFT_ALONE: State.RESTING},
    # suspended: no frame may follow, whatever is still on its way
    State.SUSPENDED: _ORDERS,
}


def after(state: State, event: Event) -> State:
    """The state that `event` leads to.

    Raises:
        ValueError: it cannot happen in this state; a mistake of our own.
    """
    if event not in TRANSITIONS[state]:
        raise ValueError(f"{event} cannot happen to an address that is {state}")
    return TRANSITIONS[state][event]


def event_of(outcome: Outcome) -> Event:
    """What the outcome of a cycle means for its address."""
    match outcome:
        case Published():
            return Event.FRAME
        case Unavailable(not_stored=None):
            return Event.NO_PICTURE
        case Rested(not_stored=None):
            return Event.LEFT_ALONE
        case Unavailable() | Rested() | NotStored():
            return Event.NOT_STORED
    raise TypeError(f"no outcome of a cycle: {type(outcome).__name__}")
