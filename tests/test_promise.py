"""The promise: a fresh picture or the fallback image, whatever happens; hours in virtual time.

While a daemon or the sweep is alive and the store takes what comes, an address shows no picture
older than its freshness limit, none of another camera, and none at all where somebody ordered so.
`tests/fakes/world_audit.py` has every bound; `dev/bench/promise_days.py` goes on for days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fakes.world import lived
from tests.fakes.world_plan import KINDS, MODES, Event, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

E = Event
ALL = range(4)
AFTER = st.sampled_from([0.0, 0.1, 1.0, 4.0, 20.0, 60.0, 150.0, 300.0, 450.0])
MUCH = st.sampled_from([0.0, 1.0, 5.0, 18.0, 50.0, 600.0, 3600.0, -3600.0])
EVENTS = st.builds(Event, AFTER, st.sampled_from(KINDS), st.integers(0, 4), MUCH)
PLANS = st.builds(Plan, st.lists(EVENTS, max_size=25).map(tuple), st.booleans())


def each(what: str, after: float = 0.0) -> Iterable[Event]:
    """The same to all cameras at once, after so many seconds."""
    return (Event(0.0 if who else after, what, who) for who in ALL)


OF_TIME = {"clock", "frozen", "machine", "crash", "daemons", "come", "late"}
TROUBLES = {
    **{mode: [E(700, f"camera: {mode}"), E(1000, "camera: ok")] for mode in MODES},
    "all at once": [*each("camera: hang", 700), *each("camera: ok", 1000)],
    "a store that refuses": [E(700, "store: refuse"), E(2000, "store: take")],
    "a store that takes and fails": [E(700, "store: take then fail"), E(900, "store: take")],
    "a store that is late": [E(700, "store: late", 0, 50), E(900, "store: take")],
    "a store that is slow": [E(700, "store: slow", 0, 18), E(2000, "store: take")],
    "a store that is slow over a hold": [
        E(700, "store: slow", 0, 18),
        *each("hold", 40),
        E(900, "store: take"),
    ],
    "a store that tells nothing": [
        E(0, "list denied"),
        E(400, "crash"),
        E(300, "start"),
        E(700, "list allowed"),
    ],
    "a late attempt behind a good one": [
        # the slot of camera 1 lies at 889.4 s: its picture goes up 0.2 s later, in two attempts
        E(880, "store: stutter", 0, 45),
        E(12, "store: take"),
        E(0.5, "hold", 0),
        E(1900, "camera: ok"),
    ],
    "a hold": [E(700, "hold"), E(900, "release")],
    "a hold to come": [E(700, "hold", 1, 600)],
    "a hold while dead": [E(700, "crash"), E(10, "hold"), E(20, "start"), E(900, "release")],
    "a camera switched off and on": [E(700, "inventory: off"), E(900, "inventory: add")],
    "a camera removed": [E(700, "inventory: remove", 1), E(900, "inventory: add", 1)],
    "a camera changed": [E(700, "inventory: change", 2), E(900, "inventory: add", 2)],
    "a list that cannot be read": [
        E(700, "inventory: unreadable"),
        E(100, "crash"),
        E(100, "start"),
        E(900, "inventory: readable"),
    ],
    "no list from the start": [E(0.05, "inventory: unreadable"), E(900, "inventory: readable")],
    "a clock ahead": [E(700, "clock", 0, 3600), E(900, "clock", 0, -3600)],
    "a clock behind": [E(700, "clock", 0, -3600), E(900, "clock", 0, 3600)],
    "a frozen machine": [E(700, "freeze", 0, 3600), E(900, "freeze", 0, 60)],
    "a frozen machine after its start": [E(20, "freeze", 0, 3600)],
    "a stop": [E(700, "stop"), E(100, "start")],
    "a crash": [E(700, "crash"), E(900, "start")],
    "a crash before pictures grow old": [
        *each("camera: stuck", 700),
        E(1, "crash"),
        E(230, "start"),
        E(1000, "camera: ok"),
    ],
    "a crash amid an upload": [
        E(600, "store: slow", 0, 18),
        *each("hold", 100),
        E(0, "crash"),
        E(0, "store: take"),
        E(1, "start"),
    ],
    "two daemons": [E(100, "start", 1), E(900, "crash"), E(900, "start"), E(400, "stop", 1)],
    "two daemons, and one trusts a card that the other replaced": [
        E(3015.96, "camera: frozen", 2),
        E(2260.96, "start", 3),
        E(220, "crash", 3),
    ],
    "a refused replacement and a clock that is set back": [
        E(0, "store: refuse"),
        E(221, "clock", 0, -3600),
        E(1560, "store: take"),
        E(1800, "list allowed"),
    ],
    "the sweep alone": [E(100, "sweep: on"), E(400, "crash"), E(1200, "start")],
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble(name: str) -> None:
    """One trouble of each kind: no address breaks the promise, and all is well afterwards."""
    result = lived(Plan(tuple(TROUBLES[name])))
    assert result.violations == ()
    assert result.published > 20


@pytest.mark.parametrize("name", [name for name in TROUBLES if set(name.split()) & OF_TIME])
def test_a_trouble_where_the_store_tells_the_time(name: str) -> None:
    """The same where the daemons go by the store's clock."""
    assert lived(Plan(tuple(TROUBLES[name]), corrected=True)).violations == ()


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
@given(plan=PLANS)
def test_the_promise(plan: Plan) -> None:
    """Whatever happens, one thing upon another; `promise_days.py` tries what is not tried here."""
    assert lived(plan).violations == ()


@pytest.mark.parametrize(
    ("forged", "words"),
    [("old", "1 shows a picture"), ("foreign", "1 shows a picture of 2"), ("held", "longer than")],
)
def test_the_audit_sees_what_must_not_be(forged: str, words: str) -> None:
    """A picture that somebody else puts there is found: one too old, foreign, or forbidden."""
    order = E(10, "hold") if forged == "held" else E(10, "camera: fail")
    plan = Plan((E(700, "camera: ok"), order, E(400, f"forge: {forged}"), E(100, "camera: ok")))
    found = lived(plan).violations
    assert found
    assert all(words in each for each in found)
