"""Bytes to bytes: what goes, what comes, and that the picture itself stays as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cctv import pixels
from cctv.jpeg import DHT, SOS, Extent, walk
from cctv.repair import cleaned, orientation, profile, unpadded, with_profile
from tests.fakes.photos import END, KINDS, jpeg_of, photo, road, segment, with_segments

SECRETS = (
    segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0canary"),
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0canary"),
    segment(0xE0, b"JFXX\0canary"),
    segment(0xE0, b"canary"),
    segment(0xE2, b"MPF\0canary"),
    *(segment(marker, b"canary") for marker in range(0xE3, 0xF0)),
    segment(0xFE, b"serial canary"),
)
PROFILE = segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(200))
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")


def clean(data: bytes) -> bytes:
    """`data` cleaned."""
    return cleaned(data, walk(data))


def scan_data(data: bytes) -> list[bytes]:
    """The coded picture of each scan."""
    return [data[each.end : end] for each, end in walk(data).parts() if each.marker == SOS]


def exif(turn: int, order: str = "MM") -> bytes:
    """EXIF of a real library, with more in it than the orientation."""
    tags = Image.Exif()
    tags.endian = "<" if order == "II" else ">"
    tags[0x0112], tags[0x010F], tags[0x0110] = turn, "canary make", "canary model"
    return segment(0xE1, tags.tobytes())


def without_tables(data: bytes) -> bytes:
    """As motion JPEG frames come."""
    for each in reversed(walk(data).segments):
        if each.marker == DHT:
            data = data[: each.start] + data[each.end :]
    return data


@pytest.mark.parametrize("kind", KINDS)
def test_clean_picture_is_not_copied(kind: str) -> None:
    """Most cameras' pictures pass as the object they are."""
    data = photo(kind)
    assert clean(data) is data


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_of_the_device_goes(kind: str) -> None:
    """Every application segment and comment that may name it; not a bit of the picture."""
    data = photo(kind)
    body = clean(b"\r\n" + with_segments(data, *SECRETS) + b"dhav")
    assert b"canary" not in body
    assert body == data
    assert scan_data(body) == scan_data(data)


def test_pixels_stay_the_same() -> None:
    """Lossless, also to another decoder."""
    data = photo()
    body = clean(with_segments(data, *SECRETS))
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (data, body))
    assert np.array_equal(before, after)


def test_what_colours_depend_on_stays() -> None:
    """The colour profile, and Adobe's colour transform."""
    data = with_segments(photo(), PROFILE, ADOBE)
    assert clean(data) is data
    assert profile(data, walk(data)) == PROFILE


def test_profile_goes_behind_the_first_segment() -> None:
    """Where viewers look for it: after JFIF's own."""
    data = photo()
    body = with_profile(data, PROFILE)
    assert [each.marker for each in walk(body).segments][:2] == [0xE0, 0xE2]
    assert body.replace(PROFILE, b"") == data


@pytest.mark.parametrize("major", [0, 2])
def test_jfif_of_another_revision_is_put_right(major: int) -> None:
    """Libjpeg warns of it, and a second warning would not be heard; the colours hang on it."""
    data = bytearray(photo())
    data[11] = major
    with pytest.raises(pixels.DamagedError):
        pixels.reduced(bytes(data))
    assert clean(bytes(data)) == photo()


FIELDS = b"\1\2\0\0\1\0\1"


def without_jfif(data: bytes) -> bytes:
    """A picture without its first segment."""
    return data[:2] + data[walk(data).segments[0].end :]


@pytest.mark.parametrize(
    "content",
    [
        b"JFIF\0" + FIELDS + b"\0\0 canary",
        b"JFIF\0" + FIELDS + b"\2\4" + b"canary" * 4,
        b"JFIF\0" + FIELDS + b"\x78\x5a" + b"canary" * 10,
    ],
)
def test_jfif_keeps_its_fields_and_nothing_else(content: bytes) -> None:
    """Neither a thumbnail, which shows what a mask may hide, nor what stands behind it."""
    body = clean(with_segments(without_jfif(photo()), segment(0xE0, content)))
    kept = segment(0xE0, b"JFIF\0" + FIELDS + b"\0\0")
    assert body == with_segments(without_jfif(photo()), kept)
    assert clean(body) is body


def test_only_the_first_jfif_segment_stays() -> None:
    """A second one says nothing to a viewer; too short a one is none."""
    second = segment(0xE0, b"JFIF\0\1canary-canary")
    assert clean(with_segments(photo(), segment(0xE0, b"JFIF\0\1canary"))) == photo()
    body = clean(with_segments(without_jfif(photo()), walk_first(photo()), second))
    assert body == photo()


def walk_first(data: bytes) -> bytes:
    """The first segment."""
    first = walk(data).segments[0]
    return data[first.start : first.end]


def test_adobe_keeps_its_transform_and_nothing_else() -> None:
    """And of several the one that counts for libjpeg: the last before the first scan."""
    padded = segment(0xEE, ADOBE[4:] + b"canary")
    other = segment(0xEE, b"Adobe\0\x64canary")
    assert clean(with_segments(photo(), padded)) == with_segments(photo(), ADOBE)
    several = with_segments(photo(), other, padded)
    assert clean(several) == with_segments(photo(), ADOBE)
    # a JFIF segment would settle the colours by itself
    bare = without_jfif(photo())
    reds = with_segments(bare, ADOBE, segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"))
    assert np.array_equal(pixels.decoded(clean(reds), "RGB"), pixels.decoded(reds, "RGB"))
    assert not np.array_equal(pixels.decoded(reds, "RGB"), pixels.decoded(bare, "RGB"))


def test_late_height_goes() -> None:
    """DNL tells nothing new, and may hold anything."""
    late = segment(0xDC, b"canary")
    assert clean(with_segments(photo()[:-2] + late + END, late)) == photo()


@pytest.mark.parametrize("late", [PROFILE, ADOBE, segment(0xE0, b"JFIF\0\1canary-canary")])
def test_behind_the_first_scan_nothing_of_an_application_stays(late: bytes) -> None:
    """Nobody reads a profile there, but for who looks for hidden bytes."""
    data = photo("progressive")
    at = walk(data).segments[-1].start
    assert clean(data[:at] + late + data[at:]) == data


@pytest.mark.parametrize("stray", [b"\xff\xff\xff", b"\0\0\0\0\0", b"\xff\xd0", b"\xff\x01"])
def test_bytes_between_segments_go(stray: bytes) -> None:
    """Fill bytes, stray bytes and markers that stand for nothing there."""
    data = photo()
    at = walk(data).segments[1].start
    assert clean(data[:at] + stray + data[at:]) == data


def test_fill_bytes_before_the_end_go() -> None:
    """They are no picture data, whose FF is followed by 00."""
    data = photo()
    assert clean(data[:-2] + b"\xff" * 9 + END) == data


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_orientation_alone_is_kept(turn: int, order: str) -> None:
    """The public picture does not turn over, and says no more about the device than that."""
    data = with_segments(photo(), exif(turn, order), exif(turn))
    body = clean(data)
    assert b"canary" not in body
    assert len(body) == len(photo()) + 36
    assert Image.open(io.BytesIO(body)).getexif() == {0x0112: turn}
    assert orientation(body, walk(body)) == turn
    assert clean(body) == body


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0",
        b"Exif\0\0MM\0+\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"Exif\0\0MM*\0\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"Exif\0\0ZZ\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x01\0\0\0\x01\x06\0\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\x06\0\0",
    ],
)
def test_broken_exif_means_upright(content: bytes) -> None:
    """Cut off, leading nowhere, no TIFF, of no number's type, or of no such value: it goes."""
    data = with_segments(photo(), segment(0xE1, content))
    assert orientation(data, walk(data)) == 1
    assert clean(data) == photo()


@pytest.mark.parametrize(
    "content",
    [
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0",
    ],
)
def test_orientation_may_be_a_long_number(content: bytes) -> None:
    """Some devices write four bytes where EXIF has two."""
    data = with_segments(photo(), segment(0xE1, content))
    assert orientation(data, walk(data)) == 6


def test_first_exif_segment_counts() -> None:
    """As viewers have it; other segments of its marker do not, nor any behind the first scan."""
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")
    for first, second, turn in ((1, 6, 1), (6, 1, 6), (9, 6, 1)):
        data = with_segments(photo(), xmp, exif(first), exif(second))
        assert orientation(data, walk(data)) == turn
        body = clean(data)
        assert orientation(body, walk(body)) == turn
    waves = photo("progressive")
    at = walk(waves).segments[-1].start
    assert clean(waves[:at] + exif(6) + waves[at:]) == waves


def test_missing_tables_are_put_in() -> None:
    """Motion JPEG leaves them out; browsers do not all know the standard ones by heart."""
    data = photo()
    bare = without_tables(data)
    assert len(bare) < len(data) - 400
    body = clean(bare)
    assert np.array_equal(pixels.decoded(body, "RGB"), pixels.decoded(data, "RGB"))
    tables = [data[each.start : each.end] for each in walk(data).segments if each.marker == DHT]
    assert b"".join(tables) in body
    assert clean(body) is body


def test_selection_an_old_encoder_left_empty_is_put_right() -> None:
    """Of a sequential picture it can only be one; libjpeg warns of any other."""
    data = photo()
    end = next(each.end for each in walk(data).segments if each.marker == SOS)
    assert clean(data[: end - 3] + bytes(3) + data[end:]) == data


def padded(data: bytes, padding: bytes) -> tuple[bytes, Extent, pixels.PaddedError]:
    """A picture with `padding` before its end, and what libjpeg says to it."""
    body = data[:-2] + padding + END
    with pytest.raises(pixels.PaddedError) as caught:
        pixels.reduced(body)
    return body, walk(body), caught.value


@pytest.mark.parametrize("padding", [bytes(9), bytes(64), b"\x55" * 30])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_taken_out(kind: str, padding: bytes) -> None:
    """Encoders fill up their buffer's last bytes; what remains decodes without a word."""
    data = photo(kind)
    body, extent, found = padded(data, padding)
    left = unpadded(body, extent, found.marker, found.count)
    assert left is not None
    assert left.startswith(data[:-2])
    assert np.array_equal(pixels.reduced(left), pixels.reduced(data))


@pytest.mark.parametrize(
    "padding", [bytes(100), b"\x55\x44" * 15, bytes(10) + b"\x55" * 20, b"\x55\x44\x33"]
)
def test_what_may_be_picture_data_is_no_padding(padding: bytes) -> None:
    """Too many bytes, or such that differ."""
    body, extent, found = padded(photo(), padding)
    assert unpadded(body, extent, found.marker, found.count) is None


def test_nothing_before_a_restart_marker_is_padding() -> None:
    """There it is as likely the rest of an interval that was lost."""
    data = photo("restarts")
    at = data.index(b"\xff\xd3")
    body = data[:at] + bytes(9) + data[at:-2] + bytes(9) + END
    with pytest.raises(pixels.PaddedError) as caught:
        pixels.reduced(body)
    assert unpadded(body, walk(body), caught.value.marker, caught.value.count) is None


def test_real_library_reads_every_clean_picture() -> None:
    """A grey one and one of four inks, too."""
    for mode in ("L", "CMYK"):
        body = clean(with_segments(jpeg_of(road().convert(mode)), *SECRETS))
        assert Image.open(io.BytesIO(body)).mode == mode
