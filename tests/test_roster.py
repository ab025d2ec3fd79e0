"""Records in, cameras out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.model import Camera, Record
from cctv.reasons import Reason
from cctv.roster import believable, read

GOOD = Record(id="12", model="Axis", address="10.1.2.3")
CAMERA = Camera("12", "Axis", "10.1.2.3")


def test_whole_record_becomes_a_camera() -> None:
    """Every field finds its place, blanks around them forgiven."""
    record = Record(
        id=" 12 ",
        model=" Wisenet ",
        address=" 10.1.2.3:8080 ",
        name=" 6th / Red River ",
        latitude="30.2664757",
        longitude="-97.7371902",
        area="CENTRAL",
        channel="2",
        publish="Yes",
    )
    expected = Camera(
        "12",
        "Wisenet",
        "10.1.2.3:8080",
        "6th / Red River",
        30.2664757,
        -97.7371902,
        "CENTRAL",
        2,
    )
    roster = read([record], {})
    assert roster.cameras == {"12": expected}
    assert not roster.refusals


def test_a_word_that_may_mean_no_means_no() -> None:
    """Who writes `off` meant to hide it: its last good record does not keep it public."""
    known = read([GOOD], {}).cameras
    for last_good in ({}, known):
        roster = read([replace(GOOD, publish="off")], last_good)
        assert roster.withdrawn == {"12": Reason.UNPUBLISHED}
        assert roster.cameras == {}
        (refusal,) = roster.refusals
        assert "publish is 'off', not yes, no, true, false, 1 or 0" in refusal.why


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (replace(GOOD, model=" "), "model is blank"),
        (replace(GOOD, address=""), "address is blank"),
        (replace(GOOD, address="10.1.2"), "address '10.1.2' is not host"),
        (replace(GOOD, address="http://u:pw@10.1.2.3"), "address '…@10.1.2.3' is not host"),
        (replace(GOOD, channel="0"), "channel '0' is not a whole number from 1 to 999"),
        (replace(GOOD, channel="one"), "channel 'one' is not"),
    ],
)
def test_nonsense_is_refused_with_a_reason(record: Record, why: str) -> None:
    """A record that makes no sense names what is wrong; its address shows the fallback image."""
    roster = read([record, replace(GOOD, id="13")], {})
    assert list(roster.cameras) == ["13"]
    assert roster.withdrawn == {"12": Reason.BAD_RECORD}
    (refusal,) = roster.refusals
    assert refusal.id == "12"
    assert why in refusal.why


@pytest.mark.parametrize("name", ["../../x", "", "a" * 65, "_1", "-1", "ä", "1 2", "unavailable"])
def test_impossible_id_gets_no_address(name: str) -> None:
    """An id that is no id is refused, and no key is ever made of it."""
    roster = read([replace(GOOD, id=name)], {})
    assert not roster.cameras
    assert not roster.withdrawn
    assert len(roster.refusals) == 1


def test_duplicates_are_both_refused() -> None:
    """Two cameras must not take turns at one address."""
    roster = read([GOOD, replace(GOOD, address="10.9.9.9")], {})
    assert not roster.cameras
    assert roster.withdrawn == {"12": Reason.BAD_RECORD}
    assert [refusal.why for refusal in roster.refusals] == ["id stands in 2 records"]


def test_running_camera_keeps_its_last_good_record() -> None:
    """A slip of the pen in the inventory takes no picture off the air."""
    roster = read([replace(GOOD, address="")], {"12": CAMERA})
    assert roster.cameras == {"12": CAMERA}
    assert not roster.withdrawn
    assert len(roster.refusals) == 1


@pytest.mark.parametrize("word", ["no", "No", "FALSE", "0"])
@pytest.mark.parametrize("record", [GOOD, replace(GOOD, address="", model="")])
def test_order_not_to_publish_is_obeyed_whatever_else_stands_there(
    word: str, record: Record
) -> None:
    """A disabled camera is withdrawn, its record good or not, running or not."""
    roster = read([replace(record, publish=word)], {"12": CAMERA})
    assert not roster.cameras
    assert roster.withdrawn == {"12": Reason.UNPUBLISHED}


def test_disabled_twin_outranks_the_published_one() -> None:
    """Of two records with one id, the order not to publish is the one that counts."""
    roster = read([GOOD, replace(GOOD, publish="no")], {"12": CAMERA})
    assert not roster.cameras
    assert roster.withdrawn == {"12": Reason.UNPUBLISHED}


def test_what_is_gone_is_withdrawn() -> None:
    """A camera that left the list must not leave its last picture behind."""
    roster = read([replace(GOOD, id="13")], {"12": CAMERA})
    assert roster.withdrawn == {"12": Reason.REMOVED}


def test_odd_coordinates_cost_no_picture() -> None:
    """They are reported and left out; the camera is published."""
    roster = read([replace(GOOD, latitude="north", longitude="-197")], {})
    assert roster.cameras == {"12": CAMERA}
    assert [refusal.why.split(" ")[0] for refusal in roster.refusals] == ["latitude", "longitude"]


def test_half_a_character_does_not_reach_a_page() -> None:
    """JSON can hold half an emoji; no page and no log can."""
    roster = read([replace(GOOD, name="Lamar \ud83d")], {})
    assert roster.cameras["12"].name == "Lamar ?"


def test_url_model_takes_a_whole_url() -> None:
    """Only for the model `url` may the address have a path and a query."""
    url = "http://10.1.2.3:81/snap.jpg?ch={channel}"
    roster = read([replace(GOOD, model="URL", address=url), replace(GOOD, id="2", address=url)], {})
    assert roster.cameras["12"].address == url
    assert "2" not in roster.cameras


@given(st.integers(1, 2000), st.data())
def test_a_list_that_lost_much_is_not_believable(known: int, draw: st.DataObject) -> None:
    """Up to 30 % may be lost; new records do not make up for lost ones."""
    lost = draw.draw(st.integers(0, known))
    names = [str(number) for number in range(known)]
    kept = [*names[lost:], *(f"new{number}" for number in range(lost))]
    assert believable(kept, names) == (lost <= 0.3 * known)


TEXTS = st.text(max_size=30) | st.sampled_from(["12", "Axis", "10.1.2.3", "no", "yes", "url", "1"])


@given(st.lists(st.builds(Record, *[TEXTS] * 10), max_size=5))
def test_any_records_make_a_roster(records: list[Record]) -> None:
    """Whatever stands in a list, nothing is raised, and no address has two orders."""
    roster = read(records, {"12": CAMERA})
    assert not roster.cameras.keys() & roster.withdrawn.keys()
    assert "12" in roster.cameras.keys() | roster.withdrawn.keys()
