"""What the decoder says, in words of ours."""

from __future__ import annotations

import pytest

from cctv import pixels
from tests.fakes.photos import END, KINDS, jpeg_of, photo, places, road

# a table of quantities that is one byte too long
TABLE = photo().index(b"\xff\xdb")
BAD_LENGTH = photo()[: TABLE + 3] + b"\x44" + photo()[TABLE + 4 :]


@pytest.mark.parametrize("kind", KINDS)
def test_reduction_is_small_and_in_colour(kind: str) -> None:
    """Down to an eighth, never below what the statistics look at."""
    assert pixels.reduced(photo(kind)).shape == (45, 80, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_every_kind_of_colour_becomes_rgb_or_grey(mode: str) -> None:
    """Grey ones and those of four inks are no special case."""
    data = jpeg_of(road().convert(mode))
    assert pixels.reduced(data).shape[2] == 3
    assert pixels.decoded(data, "RGB").shape == (360, 640, 3)
    assert pixels.decoded(data, "GRAY").shape == (360, 640, 1)


def test_decoding_for_a_smaller_picture_reduces() -> None:
    """To no less than what is asked for."""
    assert pixels.decoded(photo(), "RGB", (200, 1)).shape == (135, 240, 3)
    assert pixels.decoded(photo(), "RGB", (1, 200)).shape == (225, 400, 3)


@pytest.mark.parametrize("kind", ["baseline", "restarts"])
def test_half_a_picture_with_an_end_is_damaged(kind: str) -> None:
    """Wherever it was cut; what `scans` finds besides is for progressive ones."""
    data = photo(kind)
    for at in places(data, 20):
        with pytest.raises(pixels.DamagedError, match=r"ends too early|out of order"):
            pixels.reduced(data[:at] + END)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (photo()[:-200], "the picture data ends too early"),
        (
            photo("restarts").replace(b"\xff\xd3", b"\xff\xd5", 1),
            "a restart marker is out of order",
        ),
        (b"", "the decoder refuses it"),
        (BAD_LENGTH, "the decoder refuses it"),
        (b"canary" * 100, "the decoder refuses it"),
    ],
)
def test_damage_is_told_in_fixed_words(broken: bytes, words: str) -> None:
    """Whatever libjpeg says; nothing of the picture comes into the sentence."""
    with pytest.raises(pixels.DamagedError, match=f"^({words})"):
        pixels.reduced(broken)


def test_every_extraneous_byte_is_told_with_its_place() -> None:
    """How many, before which marker: it takes that to tell padding from damage."""
    data = photo()
    with pytest.raises(pixels.PaddedError) as caught:
        pixels.reduced(data[:-2] + bytes(20) + END)
    # libjpeg reads a few ahead, and does not count those
    assert 12 < caught.value.count <= 20
    assert caught.value.marker == 0xD9
    assert str(caught.value) == "stray bytes in the picture data"


def test_what_is_encoded_decodes() -> None:
    """Grey stays one component; rows and columns stay where they are."""
    kinds: dict[pixels.Colours, int] = {"RGB": 3, "GRAY": 1}
    for kind, parts in kinds.items():
        rows = pixels.decoded(photo(), kind)
        again = pixels.decoded(pixels.encoded(rows, kind), kind)
        assert again.shape == (360, 640, parts)
        assert abs(again.astype(int) - rows).mean() < 2
