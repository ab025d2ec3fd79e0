"""Only a whole picture becomes a Frame."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cctv import pixels
from cctv.errors import CaptureError
from cctv.frame import Frame, whole
from cctv.jpeg import SOS, walk
from cctv.reasons import Reason
from cctv.retouch import Retouch
from tests.fakes.frames import jpeg
from tests.fakes.photos import (
    END,
    KINDS,
    holed,
    jpeg_of,
    photo,
    places,
    road,
    segment,
    with_segments,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = [jpeg(), jpeg(progressive=True), jpeg(size=(640, 360))]
CARD = Path(__file__).parents[1] / "cctv" / "unavailable.jpg"
STREAM = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99\r\n\r\n"
EXIF = segment(0xE1, b"Exif\0\0" + WHOLE[0])
REASONS = {Reason.TORN, Reason.NOT_A_PICTURE, Reason.TOO_BIG, Reason.UNMASKED}


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


def test_warnings_are_flagged_once() -> None:
    """The same picture, one warning more; the frame itself stays as it was."""
    frame = Frame.of(WHOLE[0], NOON)
    flagged = frame.flagged(Reason.FROZEN)
    assert (frame.warnings, flagged.warnings) == ((), (Reason.FROZEN,))
    assert flagged.flagged(Reason.FROZEN) is flagged
    assert flagged.flagged(Reason.BLANK).warnings == (Reason.FROZEN, Reason.BLANK)
    assert (flagged.body, flagged.captured_at) == (frame.body, NOON)
    assert (flagged.width, flagged.height) == (frame.width, frame.height)
    assert flagged.digest == frame.digest


def test_digest_is_of_the_picture_before_it_is_retouched() -> None:
    """A mask over all that changes leaves the same bytes of two different pictures."""
    everything = Retouch((((0, 0), (1, 0), (1, 1), (0, 1)),))
    one, other = (Frame.of(photo(number=number), NOON, everything) for number in (0, 1))
    assert one.body == other.body
    assert one.digest != other.digest
    assert len(one.digest) == 16
    assert one.digest == Frame.of(photo(), NOON).digest


def test_digest_is_of_the_picture_alone() -> None:
    """What the device writes beside it does not count, nor does what stands around it."""
    noted = with_segments(WHOLE[0], segment(0xFE, b"12:00:01"), EXIF)
    assert Frame.of(STREAM + noted + b"dhav", NOON).digest == Frame.of(WHOLE[0], NOON).digest


def test_picture_does_not_print() -> None:
    """A log line or a traceback that names a frame does not hold it."""
    frame = Frame.of(WHOLE[0], NOON)
    assert "body" not in repr(frame)
    assert "digest" not in repr(frame)


@given(st.sampled_from(WHOLE), st.data())
def test_cut_anywhere_is_refused(data: bytes, draw: st.DataObject) -> None:
    """No prefix of a picture passes, whatever its length."""
    kept = draw.draw(st.integers(0, len(data) - 1))
    error = refusal(data[:kept])
    assert error.reason is (Reason.TORN if kept > 2 else Reason.NOT_A_PICTURE)
    assert f"{kept} bytes" in str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_half_with_an_end_is_torn(kind: str) -> None:
    """As firmware closes what it could not finish; cut at 40 places."""
    data = photo(kind)
    for at in places(data, 40):
        assert refusal(data[:at] + END).reason is Reason.TORN


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_are_torn(kind: str) -> None:
    """A lost packet, as large as most networks carry, at 20 places; and a lost rest."""
    data = photo(kind)
    for at in places(data, 20):
        rest = len(data) - 2 - at
        assert refusal(holed(data, at, bytes(min(1460, rest)))).reason is Reason.TORN
        assert refusal(holed(data, at, bytes(rest))).reason is Reason.TORN


@pytest.mark.parametrize("kind", KINDS)
def test_most_noise_is_torn(kind: str) -> None:
    """64 bytes of it: some decode as a picture by chance, and nothing but the eye can tell."""
    data, chance = photo(kind), random.Random(7)  # noqa: S311 - the same noise in every run
    holes = [holed(data, at, chance.randbytes(64)) for at in places(data, 40)]
    assert sum(passes(hole) for hole in holes) <= 10
    large = [holed(data, at, chance.randbytes(1024)) for at in places(data, 40)[:-4]]
    assert not any(passes(hole) for hole in large)


def passes(data: bytes) -> bool:
    """Whether `data` becomes a Frame."""
    try:
        Frame.of(data, NOON)
    except CaptureError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_padding_before_the_end_is_not_published(kind: str) -> None:
    """Some encoders fill up their last bytes: the picture passes, clean."""
    data = photo(kind)
    body = Frame.of(data[:-2] + bytes(32) + END, NOON).body
    assert body.startswith(data[:-2])
    assert pixels.reduced(body).size
    assert Frame.of(body, NOON).body == body


def test_padding_does_not_hide_damage() -> None:
    """Libjpeg tells of the first oddity only: where that is forgiven, the next one still counts."""
    data = photo("progressive")
    end = next(end for each, end in walk(data).parts() if each.marker == SOS)
    assert Frame.of(data[:end] + bytes(20) + data[end:], NOON).body.startswith(data[:end])
    late = places(data, 10)[8]
    torn = holed(data, late, random.Random(5).randbytes(200))  # noqa: S311 - the same every time
    with pytest.raises(pixels.DamagedError):
        pixels.reduced(torn)
    assert refusal(torn[:end] + bytes(20) + torn[end:]).reason is Reason.TORN


@pytest.mark.parametrize("colour", [(128, 128, 128), (0, 135, 0)])
def test_flat_tail_is_torn(colour: tuple[int, int, int]) -> None:
    """A half picture that the camera itself encoded anew."""
    image = road(0).copy()
    image.paste(colour, (0, 216, *image.size))
    error = refusal(jpeg_of(image))
    assert (error.reason, str(error)) == (Reason.TORN, "the lower 39 % is one flat colour")


@pytest.mark.parametrize("colour", [(0, 0, 0), (0, 135, 0), (255, 255, 255)])
def test_blank_picture_is_flagged(colour: tuple[int, int, int]) -> None:
    """It is whole; whether it is shown is not decided here."""
    frame = Frame.of(jpeg_of(Image.new("RGB", (640, 360), colour)), NOON)
    assert frame.warnings == (Reason.BLANK,)


def test_looks_are_judged_before_masks_are_drawn() -> None:
    """Neither does a mask make a picture blank or torn, nor does it hide that one is."""
    everything = Retouch((((0, 0), (1, 0), (1, 1), (0, 1)),))
    assert Frame.of(photo(), NOON, everything).warnings == ()
    below = Retouch((((0, 0.5), (1, 0.5), (1, 1), (0, 1)),))
    assert Frame.of(photo(), NOON, below).warnings == ()
    image = road(0).copy()
    image.paste((0, 135, 0), (0, 180, *image.size))
    with pytest.raises(CaptureError, match="flat colour"):
        Frame.of(jpeg_of(image), NOON, below)


def test_retouched_frame_has_its_new_size() -> None:
    """And passes again as it is."""
    frame = Frame.of(photo(), NOON, Retouch(max_width=320))
    assert (frame.width, frame.height) == (320, 180)
    assert Frame.of(frame.body, NOON).body == frame.body


def test_mask_that_cannot_be_drawn_refuses_the_picture() -> None:
    """No mask, no picture."""
    with pytest.raises(CaptureError) as caught:
        Frame.of(photo(), NOON, Retouch((((0, 0), (2, 2), (0, 1)),)))
    assert caught.value.reason is Reason.UNMASKED


@given(st.sampled_from(WHOLE), st.binary(max_size=300))
def test_what_follows_the_end_is_left_out(data: bytes, tail: bytes) -> None:
    """A trailer (Dahua's `dhav` and others) is never published."""
    assert Frame.of(data + tail, NOON).body == data


@pytest.mark.parametrize("lead", [b"\r\n", STREAM, b"\0" * 1000])
def test_what_stands_before_the_start_is_left_out(lead: bytes) -> None:
    """Line ends, the headers of a part, NULs."""
    assert Frame.of(lead + WHOLE[0], NOON).body == WHOLE[0]


def test_first_whole_picture_of_a_stream_counts() -> None:
    """Not the one that broke off before it, nor the one behind it."""
    stream = STREAM + WHOLE[0][:-500] + STREAM + WHOLE[2] + STREAM + WHOLE[1]
    assert Frame.of(stream, NOON).body == WHOLE[2]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_torn_part_with_exif_gives_way_to_the_next(share: float) -> None:
    """Wherever it broke off: in a scan, or in the midst of its header."""
    part = with_segments(WHOLE[2], segment(0xE1, b"Exif\0\0II*\0"))
    kept = max(40, int(len(part) * share))
    assert Frame.of(STREAM + part[:kept] + b"\r\n" + STREAM + part, NOON).body == WHOLE[2]


@pytest.mark.parametrize(
    "lead",
    [
        b"<html><img src=",
        b"\xef\xbb\xbf\r\n<?xml",
        b'{"image": "',
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0AVI ",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"%PDF-1.7",
        b"PK\3\4",
        b"\x1f\x8b",
        b"\0\0\0\x18ftypheic",
    ],
)
def test_picture_within_something_else_is_not_taken_out(lead: bytes) -> None:
    """A preview or a thumbnail is not the camera's picture."""
    assert refusal(lead + WHOLE[0]).reason is Reason.NOT_A_PICTURE
    assert refusal(lead + WHOLE[0][:-100]).reason is Reason.NOT_A_PICTURE


THUMBNAIL = WHOLE[0]
AROUND = (
    segment(0xE0, b"JFXX\0\x10" + THUMBNAIL),
    segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0" + THUMBNAIL),
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + THUMBNAIL),
    segment(0xE2, b"FPXR\0" + THUMBNAIL),
    segment(0xED, b"Photoshop 3.0\08BIM\x04\x0c\0\0\1" + bytes(27) + THUMBNAIL),
    segment(0xFE, b"\x0a\x01" + THUMBNAIL),
)


@pytest.mark.parametrize("around", AROUND)
def test_segment_of_a_wrong_length_does_not_give_way_to_its_thumbnail(around: bytes) -> None:
    """Wherever the walk comes upon the small picture: before it, at its start, or within."""
    picture = with_segments(WHOLE[2], around)
    start = len(around) - len(THUMBNAIL) - 2
    # by chance it may end between two segments of the small picture: that is not told apart
    lengths = {2, 14, *range(start - 2, start + 30), start + 300, len(around) - 30}
    lengths -= {start + each.start for each in walk(THUMBNAIL).segments}
    errors = [refusal(picture[:4] + length.to_bytes(2, "big") + picture[6:]) for length in lengths]
    assert {error.reason for error in errors} == {Reason.TORN}
    assert "JPEG damaged: only its thumbnail is left" in set(map(str, errors))


@pytest.mark.parametrize("around", AROUND)
def test_lost_head_does_not_give_way_to_a_thumbnail(around: bytes) -> None:
    """The start, or the segment's marker: zeroed, or not come at all."""
    picture = with_segments(WHOLE[2], around)
    for lost in (1, 2, 3, 4):
        assert refusal(bytes(lost) + picture[lost:]).reason is Reason.NOT_A_PICTURE
        assert refusal(picture[lost:]).reason is Reason.NOT_A_PICTURE
    assert refusal(picture[:2] + bytes(2) + picture[4:]).reason is Reason.NOT_A_PICTURE
    tabled = with_segments(picture, segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"))
    assert refusal(tabled[:20] + bytes(2) + tabled[22:]).reason is Reason.TORN


def test_preview_in_several_segments_is_no_damage() -> None:
    """Some makes spread one that is too long for a single segment."""
    first, second = (segment(0xE1, b"FLIR\0" + part) for part in (THUMBNAIL[:900], THUMBNAIL[900:]))
    assert Frame.of(with_segments(WHOLE[2], first, second), NOON).body == WHOLE[2]


def test_segment_full_of_marks_is_no_damage() -> None:
    """Its length is right, and so whatever it holds is stepped over."""
    junk = segment(0xE4, b"\xff\xd9\xff\xd8\xff" * 1000)
    assert Frame.of(with_segments(WHOLE[2], junk), NOON).body == WHOLE[2]


@settings(deadline=None)
@given(
    st.binary(max_size=2000)
    | st.binary(max_size=2000).map(lambda tail: b"\xff\xd8\xff" + tail)
    | st.builds(
        holed,
        st.sampled_from(WHOLE[:2]),
        st.integers(0, len(WHOLE[0])),
        st.binary(min_size=1, max_size=40),
    )
)
def test_any_bytes_give_a_frame_or_one_reason(data: bytes) -> None:
    """Frame.of raises nothing but CaptureError, and what it takes is clean and stays so."""
    try:
        frame = Frame.of(data, NOON)
    except CaptureError as error:
        assert error.reason in REASONS  # noqa: PT017 - one of four
    else:
        extent = walk(frame.body)
        assert (extent.start, extent.end) == (0, len(frame.body))
        assert not {0xE1, 0xFE} & {each.marker for each in extent.segments}
        assert pixels.reduced(frame.body).size
        assert Frame.of(frame.body, NOON).body == frame.body


@given(st.sampled_from(WHOLE), st.data())
def test_thumbnail_in_a_segment_does_not_end_the_picture(data: bytes, draw: st.DataObject) -> None:
    """An end marker inside EXIF is stepped over with its segment, and goes with it."""
    thumbnail = draw.draw(st.sampled_from(WHOLE[:2]))
    picture = with_segments(data, segment(0xE1, thumbnail))
    assert Frame.of(picture, NOON).body == data
    assert refusal(picture[: len(thumbnail) + 24]).reason is Reason.TORN


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing (0 bytes)"),
        (b"  <!DOCTYPE html><title>Login</title>", "an HTML page"),
        (b'<?xml version="1.0"?><ResponseStatus/>', "an XML text"),
        (b'[{"cmd":"Snap","code":1}]', "a JSON text"),
        (STREAM, "a multipart stream"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "a PNG picture"),
        (b"\0\0\0\x18ftypmp42", "a film or a picture of another kind"),
        (b"\x00" * 500, "something that is no JPEG (500 bytes)"),
        (bytes(70_000) + WHOLE[0], "something that is no JPEG"),
        (b"canary", "something that is no JPEG (6 bytes)"),
    ],
)
def test_refusal_says_what_came_instead(data: bytes, words: str) -> None:
    """A technician reads what the camera answered, and never the answer itself."""
    error = refusal(data)
    assert error.reason is Reason.NOT_A_PICTURE
    assert words in str(error)
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        pytest.param(b"\xff\xd8\xff" + b"\xff" * 8_000_000, Reason.TORN, id="fill bytes"),
        pytest.param(
            b"\xff\xd8" + b"\xff\xfe\x00\x02" * 2_000_000, Reason.TOO_BIG, id="empty segments"
        ),
        pytest.param(jpeg()[:-2] + b"\xff" * 8_000_000, Reason.TORN, id="fill bytes in a scan"),
        pytest.param(jpeg()[:-2] + bytes(8_000_000) + END, Reason.TORN, id="zeros in a scan"),
        pytest.param(jpeg()[:-2] + b"\x55" * 8_000_000 + END, Reason.TORN, id="a long scan"),
    ],
)
def test_bomb_is_refused_in_a_blink(bomb: bytes, reason: Reason) -> None:
    """8 MB made to cost the square of their length (hours) cost a second of CPU at the most."""
    before = time.process_time()
    assert refusal(bomb).reason is reason
    assert time.process_time() - before < 1


def test_start_and_end_without_picture_is_torn() -> None:
    """Two markers with nothing between are no picture."""
    assert refusal(b"\xff\xd8\xff\xd9").reason is Reason.TORN


def test_operators_picture_may_look_as_it_likes() -> None:
    """Flat below, or all over; with whatever metadata."""
    whole(CARD.read_bytes())
    image = road(0).copy()
    image.paste((128, 128, 128), (0, 180, *image.size))
    for good in (jpeg_of(image), jpeg_of(Image.new("RGB", (9, 9))), with_segments(photo(), EXIF)):
        whole(good)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.NOT_A_PICTURE),
        (b"\r\n" + photo(), Reason.NOT_A_PICTURE),
        (photo()[:-2], Reason.TORN),
        (photo()[:5000] + END, Reason.TORN),
        (holed(photo(), 5000, bytes(1460)), Reason.TORN),
    ],
)
def test_operators_picture_has_to_be_whole(data: bytes, reason: Reason) -> None:
    """It is published byte by byte, so that nothing may stand before it either."""
    with pytest.raises(CaptureError) as caught:
        whole(data)
    assert caught.value.reason is reason
