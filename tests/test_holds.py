"""Holds as values: which cameras they mean, when they are in force, and how they are written."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.errors import HoldError
from cctv.holds import Hold, Release, Scope, new_id, next_change
from tests.fakes.heldtown import EVERY, LONG_AGO, a_hold, cam

AUSTIN = (30.2664, -97.7371)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
# 2001 to 8000, in the whole milliseconds that are written
moments = st.integers(978_307_200_000, 190_288_396_800_000).map(
    lambda millis: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)
)
scopes = st.one_of(
    st.just(EVERY),
    st.builds(Scope, names=st.frozensets(texts, min_size=1)),
    st.builds(Scope, area=st.text(min_size=1, alphabet="NORTHäß ")),
    st.builds(
        lambda lat, lon, km: Scope(near=(lat, lon, km)),
        st.floats(-90, 90),
        st.floats(-180, 180),
        st.floats(0.001, 1000),
    ),
)
ends = st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=9))


@st.composite
def holds(draw: st.DrawFn) -> Hold:
    """Any hold that can be ordered."""
    start, length = draw(moments), draw(ends)
    whole = None if length is None else timedelta(seconds=int(length.total_seconds()))
    return Hold(
        id=draw(texts),
        scope=draw(scopes),
        start=start,
        until=None if whole is None else start + whole,
        by=draw(texts),
        reason=draw(texts),
        made=draw(moments),
        found=draw(st.frozensets(texts)),
        released=draw(st.none() | st.builds(Release, moments, texts)),
    )


@given(holds())
def test_what_is_written_is_read_back(hold: Hold) -> None:
    """To the millisecond, whatever the texts hold."""
    assert Hold.read(hold.written()) == hold


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(a_hold().written()))), json_values)
def test_a_damaged_hold_is_read_or_refused(field: str, value: object) -> None:
    """Whatever stands in one of its fields: a hold or a HoldError, and its words can be said."""
    saved = json.loads(a_hold().written()) | {field: value}
    try:
        hold = Hold.read(json.dumps(saved).encode())
    except HoldError:
        return
    assert str(hold.scope)


@given(st.binary(max_size=40))
def test_garbage_is_refused(data: bytes) -> None:
    """Bytes that nobody wrote as a hold are none."""
    with pytest.raises(HoldError):
        Hold.read(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("from", "2026-11-20T12:00:00"),
        ("from", "0001-01-01T00:00:00+14:00"),
        ("until", "2025-12-31T00:00:00Z"),
        ("near", [30, -97]),
        ("near", [float("nan"), -97, 2]),
        ("near", [10**400, 0, 1]),
        ("all", "yes"),
        ("cameras", [12]),
        ("released", True),
    ],
)
def test_what_could_be_taken_for_less_than_it_orders_is_refused(field: str, value: object) -> None:
    """A later format, no zone, an end before the begin, no camera: none may pass for a hold."""
    saved = json.loads(a_hold().written()) | {field: value}
    with pytest.raises(HoldError):
        Hold.read(json.dumps(saved).encode())


def test_deep_nesting_is_refused() -> None:
    """A text that would exhaust the stack ends at the wall, too."""
    with pytest.raises(HoldError):
        Hold.read(b"[" * 100_000)


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        (EVERY, "1 2 3 4"),
        (Scope(names=frozenset({"1", "4", "99"})), "1 4"),
        (Scope(area="north"), "1 2"),
        (Scope(near=(*AUSTIN, 2.0)), "1 3"),
        (Scope(names=frozenset({"4"}), near=(*AUSTIN, 0.1)), "1 4"),
    ],
)
def test_which_cameras_a_scope_means(scope: Scope, meant: str) -> None:
    """Each part adds to the others; an area in any case; who has no place is near nothing."""
    town = [
        cam("1", " NORTH ", AUSTIN),
        cam("2", "North"),
        cam("3", "SOUTH", (30.28, -97.7371)),
        cam("4"),
    ]
    assert " ".join(camera.id for camera in town if scope.covers(camera)) == meant


def test_near_reaches_over_the_date_line() -> None:
    """Fiji's islands lie on both sides of it, 22 km apart."""
    assert Scope(near=(-17.0, 179.9, 25)).covers(cam("1", place=(-17.0, -179.9)))
    assert not Scope(near=(-17.0, 179.9, 20)).covers(cam("1", place=(-17.0, -179.9)))


def test_a_camera_stays_held_when_its_record_changes() -> None:
    """What was found at the order is covered, by its record and by its name alone."""
    hold = a_hold(scope=Scope(area="NORTH"), found=frozenset({"1"}))
    assert hold.covers(cam("1", "SOUTH"))
    assert hold.covers(cam("2", "NORTH"))
    assert hold.covers_name("1")
    assert not hold.covers_name("2")


def test_when_it_is_in_force() -> None:
    """From its first moment, until just before its last."""
    hold = a_hold(start=NOON, until=NOON + HOUR)
    tick = timedelta(microseconds=1)
    assert not hold.in_force(NOON - tick)
    assert hold.in_force(NOON)
    assert hold.in_force(NOON + HOUR - tick)
    assert not hold.in_force(NOON + HOUR)
    assert hold.over(NOON + HOUR)
    assert not hold.release(NOON, "ann").in_force(NOON)
    assert a_hold().in_force(NOON)


def test_settled_only_a_month_after_its_end() -> None:
    """Until then it may be asked about, and a clock that was wrong may still be set back."""
    hold = a_hold(start=NOON, until=NOON + HOUR)
    assert not hold.settled(NOON + 30 * 24 * HOUR)
    assert hold.settled(NOON + 30 * 24 * HOUR + HOUR)
    assert a_hold().release(NOON, "ann").settled(NOON + 31 * 24 * HOUR)
    assert not a_hold().release(NOON, "ann").settled(NOON + 24 * HOUR)
    assert not a_hold().settled(NOON + 31 * 24 * HOUR)


def test_the_next_change() -> None:
    """The nearest begin or end that is ahead; a released hold's do no harm."""
    later = a_hold(start=NOON + 2 * HOUR, until=NOON + 3 * HOUR)
    assert next_change([a_hold()], NOON) is None
    assert next_change([a_hold(until=NOON + HOUR), later], NOON) == NOON + HOUR
    assert next_change([later], NOON) == NOON + 2 * HOUR
    assert next_change([later], NOON + 2 * HOUR) == NOON + 3 * HOUR


def test_an_id_can_be_read_out() -> None:
    """No vowels, nothing that looks alike, in one case; enough of them."""
    ids = {new_id() for _ in range(200)}
    assert len(ids) > 190
    assert not set("".join(ids)) & set("aeioul01")
    assert all(name == name.lower() for name in ids)


def test_the_words_of_a_scope() -> None:
    """In the order in which people count."""
    scope = Scope(names=frozenset({"10", "9"}), area="NORTH", near=(30.5, -97.25, 2))
    assert str(scope) == "camera 9, 10 and area NORTH and within 2 km of 30.5,-97.25"
    assert str(EVERY) == "all cameras"
    assert a_hold().made == LONG_AGO
