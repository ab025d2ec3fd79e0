"""Damage within the picture data that a strict decoder lets pass."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cctv import pixels
from cctv.jpeg import SOS, walk
from cctv.scans import fault
from tests.fakes.photos import END, KINDS, holed, jpeg_of, photo, places

MISSING, ZEROS = "some of its scans are missing", "zeros in the picture data"
BLACK = Image.new("RGB", (640, 360))


def passes(data: bytes) -> bool:
    """Whether neither the decoder nor we find a fault."""
    try:
        pixels.reduced(data)
    except pixels.DamagedError:
        return False
    return not fault(data, walk(data))


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_sound_picture_has_no_fault(kind: str, number: int) -> None:
    """By day and by night, however it is coded."""
    data = photo(kind, number)
    assert fault(data, walk(data)) == ""


@pytest.mark.parametrize("options", [{"optimize": 1}, {"progressive": 1}, {}])
def test_black_picture_may_hold_zeros(options: dict[str, int]) -> None:
    """Its empty blocks are coded as runs of zeros, where the encoder chose its own codes."""
    data = jpeg_of(BLACK, **options)
    assert fault(data, walk(data)) == ""
    assert (bytes(64) in data) is bool(options)


@pytest.mark.parametrize("kind", ["baseline", "restarts"])
def test_zeros_are_no_picture_with_the_standard_codes(kind: str) -> None:
    """What a camera's encoder chip writes never holds 64 of them."""
    data = photo(kind)
    for at in places(data, 20):
        broken = holed(data, at, bytes(64))
        assert fault(broken, walk(broken)) == ZEROS


def zeroed(data: bytes, scan: int, count: int) -> bytes:
    """A picture with `count` zeros in the midst of one of its scans."""
    ends = [(each.end, end) for each, end in walk(data).parts() if each.marker == SOS]
    start, end = ends[scan]
    assert end - start > count + 20
    return holed(data, (start + end - count) // 2, bytes(count))


@pytest.mark.parametrize(
    ("scan", "count", "found"),
    [
        # of libjpeg's ten scans the first sends the averages, the seventh refines them
        (0, 64, ""),
        (6, 200, ""),
        (1, 64, ZEROS),
        (4, 64, ZEROS),
        (5, 160, ZEROS),
        (9, 160, ZEROS),
        (9, 120, ""),
    ],
)
def test_what_zeros_mean_depends_on_the_scan(scan: int, count: int, found: str) -> None:
    """Averages may well stay the same over many blocks; details never come as zeros."""
    data = zeroed(photo("progressive", 3), scan, count)
    assert fault(data, walk(data)) == found


@pytest.mark.parametrize(("scan", "found"), [(0, ZEROS), (6, "")])
def test_averages_that_never_stay_the_same_hold_no_zeros(scan: int, found: str) -> None:
    """Where the code of zeros stands for a difference; their last bits may be anything."""
    grain = Image.effect_noise((640, 360), 200).resize((1280, 720), Image.Resampling.BOX)
    data = zeroed(jpeg_of(grain.convert("RGB"), progressive=1), scan, 64)
    assert fault(data, walk(data)) == found


@pytest.mark.parametrize("number", [0, 3])
def test_zeros_that_pass_in_a_progressive_picture_are_hardly_seen(number: int) -> None:
    """Where zeros are sound by themselves, in the averages' last bits, they change little."""
    data = photo("progressive", number)
    sound = pixels.decoded(data, "RGB").astype(np.int16)
    passed = [at for at in places(data, 60) if passes(holed(data, at, bytes(256)))]
    assert len(passed) < 6
    for at in passed:
        seen = pixels.decoded(holed(data, at, bytes(256)), "RGB")
        assert np.abs(seen - sound).mean() < 1


def test_progressive_picture_without_its_last_scans_is_torn() -> None:
    """Cut between two scans and closed, it decodes without a warning, and is but a blur."""
    data = photo("progressive")
    starts = [each.start for each in walk(data).segments if each.marker == SOS]
    for start in starts[1:]:
        blurred = data[:start] + END
        assert pixels.reduced(blurred).size
        assert fault(blurred, walk(blurred)) == MISSING


def test_picture_without_one_of_its_colours_is_torn() -> None:
    """A frame header that names more components than the scans bring."""
    data = photo()
    scan = next(each for each in walk(data).segments if each.marker == SOS)
    other = bytearray(data)
    other[scan.start + 5] = 9
    assert fault(bytes(other), walk(bytes(other))) == MISSING
