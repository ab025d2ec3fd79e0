"""What a public address is doing: four states, and the one table of how they follow each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cctv.model import Expired, NotStored, Outcome, Published, Rested, Unavailable
from cctv.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime


class State(StrEnum):
    """What an address is to show; the same words stand in its public metadata."""

    LIVE = "live"
    """A fresh frame."""

    UNAVAILABLE = "unavailable"
    """The fallback image: there is no fresh frame, for a reason of the camera's or ours."""

    HELD = "held"
    """The fallback image: somebody has ordered so for now, or it is not known whether."""

    UNPUBLISHED = "unpublished"
    """The fallback image: the inventory or the settings say that it is not to be published."""


class Event(StrEnum):
    """What can happen to an address."""

    FRAME = "frame"
    NO_PICTURE = "no-picture"
    EXPIRED = "expired"
    NOT_STORED = "not-stored"
    HOLD = "hold"
    WITHDRAW = "withdraw"
    PUBLISH = "publish"


_ORDERS = {
    Event.HOLD: State.HELD,
    Event.WITHDRAW: State.UNPUBLISHED,
    Event.PUBLISH: State.UNAVAILABLE,
}
_CYCLES = {
    Event.FRAME: State.LIVE,
    Event.NO_PICTURE: State.UNAVAILABLE,
    Event.EXPIRED: State.UNAVAILABLE,
}

TRANSITIONS: dict[State, dict[Event, State]] = {
    # what was not confirmed may stand or not: the state is the one before, and in doubt
    State.LIVE: {**_CYCLES, **_ORDERS, Event.NOT_STORED: State.LIVE},
    State.UNAVAILABLE: {**_CYCLES, **_ORDERS, Event.NOT_STORED: State.UNAVAILABLE},
    # no frame may follow, whatever is still on its way
    State.HELD: _ORDERS,
    State.UNPUBLISHED: _ORDERS,
}

_HELD = {Reason.HELD, Reason.HOLDS_UNKNOWN}
_UNPUBLISHED = {Reason.UNPUBLISHED, Reason.REMOVED, Reason.BAD_RECORD, Reason.NEVER_PUBLISH}


def after(state: State, event: Event) -> State:
    """The state that `event` leads to.

    Raises:
        ValueError: it cannot happen in this state; a mistake of our own.
    """
    if event not in TRANSITIONS[state]:
        raise ValueError(f"{event} cannot happen to an address that is {state}")
    return TRANSITIONS[state][event]


def state_for(reason: Reason) -> State:
    """The state of an address that shows the fallback image for this reason."""
    if reason in _HELD:
        return State.HELD
    return State.UNPUBLISHED if reason in _UNPUBLISHED else State.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one address.

    `reason` stands beside every state but `live`; `since` is when the state began. `confirmed`
    tells whether the store has confirmed what was put there last. `captured_at` is the last
    public frame's, for as long as it may still be public; moments are aware, UTC.
    """

    state: State
    since: datetime
    reason: Reason | None = None
    confirmed: bool = False
    captured_at: datetime | None = None
    next_due: datetime | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether the fallback image is there by order."""
        return self.state in {State.HELD, State.UNPUBLISHED}

    def ordered(self, reason: Reason | None, now: datetime) -> Standing:
        """After an order: to publish (None), or to show the fallback image for a reason."""
        if reason is None:
            return self._turned(Event.PUBLISH, now, Reason.NO_PICTURE)
        event = Event.HOLD if state_for(reason) is State.HELD else Event.WITHDRAW
        return self._turned(event, now, reason)

    def heeded(self, outcome: Outcome, now: datetime) -> Standing:
        """After an outcome of the address's camera."""
        due = outcome.cycle.next_due
        match outcome:
            case Published(frame=frame):
                taken = frame.captured_at
                turned = self._turned(Event.FRAME, now, confirmed=True)
                return replace(turned, captured_at=taken, next_due=due)
            case Unavailable(error=error, not_stored=trouble):
                turned = self._turned(Event.NO_PICTURE, now, error.reason, confirmed=not trouble)
            case Rested(reason=reason, not_stored=trouble):
                turned = self._turned(Event.NO_PICTURE, now, reason, confirmed=not trouble)
            case Expired(not_stored=trouble):
                turned = self._turned(Event.EXPIRED, now, Reason.STALE, confirmed=not trouble)
            case NotStored():
                state = after(self.state, Event.NOT_STORED)
                return replace(self, state=state, confirmed=False, next_due=due)
            case _:
                raise TypeError(f"no outcome of a cycle: {type(outcome).__name__}")
        return replace(turned, next_due=due)

    def fallen(self, reason: Reason, now: datetime, *, confirmed: bool) -> Standing:
        """After the fallback image was shown, for a reason that no cycle gave."""
        turned = self._turned(Event.NO_PICTURE, now, reason, confirmed=confirmed)
        return replace(turned, next_due=self.next_due)

    def settled(self) -> Standing:
        """Once the store has confirmed the fallback image."""
        return replace(self, confirmed=True, captured_at=None)

    def _turned(
        self, event: Event, now: datetime, reason: Reason | None = None, *, confirmed: bool = False
    ) -> Standing:
        state = after(self.state, event)
        since = self.since if state is self.state else now
        # until the fallback image is confirmed the last frame may still be seen
        taken = None if confirmed else self.captured_at
        return Standing(state, since, reason, confirmed, taken)
