"""The pictures that dummy cameras take: what the stamp tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from PIL import ImageChops

from dev.pictures import picture
from tests.dev.client import opened

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_the_stamp_tells_the_second() -> None:
    """Within one second the picture is the same; a second later only its lower bar differs."""
    first = picture("7", "Axis", NOON)
    assert picture("7", "Axis", NOON + timedelta(milliseconds=900)) == first
    left, top, right, bottom = changed(first, picture("7", "Axis", NOON + timedelta(seconds=1)))
    assert (top >= 304, right - left < 40, bottom <= 360) == (True, True, True)


def test_the_stamp_tells_the_camera() -> None:
    """Two cameras before one scene at one moment differ in the upper bar only."""
    _, top, _, bottom = changed(picture("1", "Axis", NOON), picture("9", "Axis", NOON))
    assert 0 <= top < bottom <= 56


def changed(one: bytes, other: bytes) -> tuple[int, int, int, int]:
    """The box in which two pictures differ by more than the codec's grain."""
    difference = ImageChops.difference(opened(one), opened(other)).convert("L")
    box = difference.point(lambda part: 255 * (part > 24)).getbbox()
    assert box is not None
    return box
