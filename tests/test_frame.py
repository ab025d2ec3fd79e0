"""Only a whole picture becomes a Frame."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason
from tests.fakes.frames import jpeg

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = [jpeg(), jpeg(progressive=True), jpeg(size=(640, 360))]
SHARED = Path(__file__).parents[2] / "shared" / "data" / "images"
# these begin with the marker of a JPEG and are whole as far as a walk along the markers can tell
GOOD = [
    "austin_22nd_st_day.jpg",
    "derived_leading_crlf.jpg",
    "derived_progressive.jpg",
    "derived_trailing_garbage.jpg",
    "digitraffic_1image.jpg",
    "digitraffic_exif.jpg",
    "drivebc_228.jpg",
    "munster_north_church_lamberti.jpg",
    "pillow_hopper_gray.jpg",
    "pillow_jpeg_ff00_header.jpg",
    "pillow_pil_sample_cmyk.jpg",
]
BAD = {
    "derived_empty.jpg": Reason.NOT_A_PICTURE,
    "derived_html_200.jpg": Reason.NOT_A_PICTURE,
    "derived_truncated_50pct.jpg": Reason.TORN,
    "derived_truncated_no_eoi.jpg": Reason.TORN,
    "pillow_truncated_jpeg.jpg": Reason.TORN,
}


def refusal(data: bytes) -> CaptureError:
    """Why `data` becomes no Frame."""
    with pytest.raises(CaptureError) as caught:
        Frame.of(data, NOON)
    return caught.value


@pytest.mark.parametrize("data", WHOLE)
def test_whole_picture_is_taken_as_it_is(data: bytes) -> None:
    """Not a byte is changed, and the size in pixels is read from it."""
    frame = Frame.of(data, NOON)
    assert frame.body == data
    assert (frame.width, frame.height) in {(64, 48), (640, 360)}
    assert frame.captured_at is NOON


def test_constructor_is_closed() -> None:
    """Frame.of is the only door."""
    with pytest.raises(TypeError):
        Frame()


@given(st.sampled_from(WHOLE), st.data())
def test_cut_anywhere_is_torn(data: bytes, draw: st.DataObject) -> None:
    """No prefix of a picture passes, whatever its length."""
    kept = draw.draw(st.integers(4, len(data) - 1))
    assert refusal(data[:kept]).reason is Reason.TORN


@given(st.sampled_from(WHOLE), st.binary(max_size=300))
def test_what_follows_the_end_is_left_out(data: bytes, tail: bytes) -> None:
    """A trailer (Dahua's `dhav` and others) is never published."""
    assert Frame.of(data + tail, NOON).body == data


@given(st.binary(max_size=2000) | st.binary(max_size=2000).map(lambda tail: b"\xff\xd8\xff" + tail))
def test_any_bytes_give_a_frame_or_one_reason(data: bytes) -> None:
    """Frame.of raises nothing but CaptureError, and what it takes ends in an end marker."""
    try:
        frame = Frame.of(data, NOON)
    except CaptureError as error:
        assert error.reason in {Reason.TORN, Reason.NOT_A_PICTURE}  # noqa: PT017 - one of two
    else:
        assert frame.body.startswith(b"\xff\xd8\xff")
        assert frame.body.endswith(b"\xff\xd9")
        assert frame.width > 0
        assert frame.height > 0


@given(st.sampled_from(WHOLE), st.data())
def test_thumbnail_in_a_segment_does_not_end_the_picture(data: bytes, draw: st.DataObject) -> None:
    """An end marker inside EXIF is stepped over with its segment."""
    thumbnail = draw.draw(st.sampled_from(WHOLE[:2]))
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    picture = data[:2] + segment + data[2:]
    assert Frame.of(picture, NOON).body == picture
    assert refusal(picture[: len(segment) + 20]).reason is Reason.TORN


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing (0 bytes)"),
        (b"  <!DOCTYPE html><title>Login</title>", "an HTML page"),
        (b'<?xml version="1.0"?><ResponseStatus/>', "an XML text"),
        (b'[{"cmd":"Snap","code":1}]', "a JSON text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
        (b"\x00" * 500, "something that is no JPEG (500 bytes)"),
    ],
)
def test_refusal_says_what_came_instead(data: bytes, words: str) -> None:
    """A technician reads what the camera answered, and never the answer itself."""
    error = refusal(data)
    assert error.reason is Reason.NOT_A_PICTURE
    assert words in str(error)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(b"\xff\xd8\xff" + b"\xff" * 8_000_000, id="fill bytes"),
        pytest.param(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 2_000_000, id="empty segments"),
        pytest.param(jpeg()[:-2] + b"\xff" * 8_000_000, id="fill bytes in a scan"),
    ],
)
def test_bomb_is_refused_in_a_blink(bomb: bytes) -> None:
    """8 MB made to cost the square of their length (hours) cost a second of CPU at the most."""
    before = time.process_time()
    assert refusal(bomb).reason is Reason.TORN
    assert time.process_time() - before < 1


def test_start_and_end_without_picture_is_torn() -> None:
    """Two markers with nothing between are no picture."""
    assert refusal(b"\xff\xd8\xff\xd9").reason is Reason.TORN


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real pictures are not on this machine")
@pytest.mark.parametrize("name", GOOD)
def test_real_good_picture_passes(name: str) -> None:
    """No false refusal of a real camera's picture."""
    assert Frame.of((SHARED / name).read_bytes(), NOON).width > 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real pictures are not on this machine")
@pytest.mark.parametrize("name", BAD)
def test_real_bad_picture_is_refused(name: str) -> None:
    """What a walk along the markers can tell is refused for the right reason."""
    assert refusal((SHARED / name).read_bytes()).reason is BAD[name]
