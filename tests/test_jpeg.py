"""Where a picture begins and ends, and what no decoder is to see."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.jpeg import (
    HELD_PIXELS,
    LEAD_IN,
    SCANS,
    SEGMENTS,
    SIDE,
    Extent,
    NotWholeError,
    OversizeError,
    Walk,
    walk,
)
from tests.fakes.frames import jpeg
from tests.fakes.photos import END, segment, with_segments

SMALL, WAVES = jpeg(), jpeg(progressive=True)
SCAN = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
FULL = segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00")
STREAM = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"


def header(
    width: int = 8, height: int = 8, *, kind: int = 0xC0, depth: int = 8, components: int = 1
) -> bytes:
    """A frame header."""
    size = bytes((depth,)) + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    parts = b"".join(bytes((number, 0x11, 0)) for number in range(1, components + 1))
    return segment(kind, size + bytes((components,)) + parts)


def made(*pieces: bytes) -> bytes:
    """What lies between a start marker and an end marker."""
    return b"\xff\xd8" + b"".join(pieces) + END


def fed(data: bytes, sizes: list[int]) -> Extent | None:
    """What a walk says when `data` comes in pieces of `sizes`, over and over."""
    came = bytearray()
    path = Walk(came)
    extent, turn = None, 0
    while extent is None and len(came) < len(data):
        came += data[len(came) : len(came) + sizes[turn % len(sizes)]]
        extent, turn = path.on(), turn + 1
    return extent


@pytest.mark.parametrize("data", [SMALL, WAVES])
def test_whole_picture_is_measured(data: bytes) -> None:
    """Start, end, size, and all its segments and scans."""
    extent = walk(data)
    assert (extent.start, extent.end) == (0, len(data))
    assert (extent.width, extent.height, extent.components) == (64, 48, 3)
    assert extent.progressive is (data is WAVES)
    assert extent.scans == (10 if data is WAVES else 1)
    assert [each.start for each, _ in extent.parts()][1:] == [end for _, end in extent.parts()][:-1]


@pytest.mark.parametrize(
    "lead", [b"", b"\r\n", STREAM, b"\t ~", bytes(LEAD_IN - 1), b"\n" * (LEAD_IN - 1)]
)
def test_what_stands_before_is_stepped_over(lead: bytes) -> None:
    """Line ends, the headers of a part, NULs: up to 64 KB of them."""
    extent = walk(lead + SMALL + b"dhav\0\0\0\0")
    assert (extent.start, extent.end) == (len(lead), len(lead) + len(SMALL))


@pytest.mark.parametrize("byte", [b"\0", b"\n"])
def test_start_is_not_sought_for_ever(byte: bytes) -> None:
    """Behind 64 KB no picture is waited for."""
    path = Walk(byte * LEAD_IN + SMALL)
    with pytest.raises(NotWholeError, match="has no start within 65,536 bytes"):
        path.on()
    assert not path.begun


@pytest.mark.parametrize(
    ("lead", "at"),
    [
        (b"8BIM\x04\x0c", 4),
        (b"Exif\0\0II*\0", 4),
        (b"\0\0II*\0", 2),
        (b"\xef\xbb\xbf", 0),
        (b"\x7f", 0),
        (b"\xff\xe1\0\x10Exif", 0),
        (b"\0\0\xff\xe1", 2),
        (b"\r\n\xff\xd8\xfe", 2),
        (b"\xff\xd8\0", 0),
    ],
)
def test_start_behind_anything_else_is_that_of_a_thumbnail(lead: bytes, at: int) -> None:
    """The head of the picture around it is lost; the first odd byte tells, and is named."""
    path = Walk(lead + SMALL)
    with pytest.raises(NotWholeError, match=f"^has no start at byte {at}$"):
        path.on()
    assert not path.begun


@given(st.sampled_from([SMALL, WAVES]), st.lists(st.integers(1, 700), min_size=1), st.binary())
def test_pieces_tell_the_same_as_the_whole(data: bytes, sizes: list[int], tail: bytes) -> None:
    """However the bytes come, the extent is one and the same, and known at the end marker."""
    lead = STREAM[: sizes[0] % len(STREAM)]
    assert fed(lead + data + tail, sizes) == walk(lead + data)


@given(st.sampled_from([SMALL, WAVES]), st.data())
def test_prefix_waits_for_more(data: bytes, draw: st.DataObject) -> None:
    """No prefix is a picture, and none is given up: more may come."""
    kept = data[: draw.draw(st.integers(0, len(data) - 1))]
    path = Walk(kept)
    assert path.on() is None
    assert path.begun is (len(kept) > 2)
    with pytest.raises(NotWholeError, match=f"^cut off after {len(kept)} bytes$"):
        walk(kept)


def test_walk_stays_at_its_end() -> None:
    """Once whole, a picture's extent does not change with what follows."""
    came = bytearray(SMALL)
    path = Walk(came)
    first = path.on()
    came += WAVES
    assert path.on() is first


@pytest.mark.parametrize("kept", [len(SMALL) // 2, len(SMALL) - 2, len(SMALL) - 1])
def test_picture_that_broke_off_gives_way_to_the_next(kept: int) -> None:
    """In a stream the first whole picture counts, not the first."""
    extent = walk(SMALL[:kept] + WAVES)
    assert (extent.start, extent.progressive) == (kept, True)


@pytest.mark.parametrize("blank", [STREAM, b"\r\n\r\n", b"--frame\nContent-Type: image/jpeg\n\n"])
def test_picture_that_broke_off_in_its_header_gives_way(blank: bytes) -> None:
    """Behind the blank line of a part's head a start marker begins anew as well."""
    assert walk(SMALL[:20] + blank + WAVES).start == 20 + len(blank)


@pytest.mark.parametrize("stray", [b"", b"\r\n", b"\n", b"\n\r\n", b"\0\0", b"\xff\xff"])
def test_start_before_the_first_scan_is_damage(stray: bytes) -> None:
    """It is a thumbnail's, whose segment was lost; published it would be another picture."""
    with pytest.raises(NotWholeError, match=f"^damaged at byte {20 + len(stray)}$"):
        walk(SMALL[:20] + stray + WAVES)


def test_thumbnail_does_not_end_the_picture() -> None:
    """Its end marker lies within a segment."""
    data = with_segments(WAVES, segment(0xE1, b"Exif\0\0" + SMALL))
    assert walk(data).end == len(data)


@pytest.mark.parametrize("stray", [b"\x00\x00\x01", b"\xff\xff\xff", b"\xff\x00", b"\xff\xd0"])
def test_stray_bytes_between_segments_are_stepped_over(stray: bytes) -> None:
    """As libjpeg does it."""
    data = SMALL[:20] + stray + SMALL[20:]
    assert walk(data).end == len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (made(), "ended before any picture data"),
        (made(b"\xff\xfe\x00\x01"), "damaged at byte 2"),
        (made(header(), END), "ended before any picture data"),
        (made(SCAN), "damaged at byte 2"),
        (made(header(), header(), SCAN), "damaged at byte 15"),
        (made(header(), segment(0xDA, b"\x02" + bytes(5))), "damaged"),
        (made(header(), segment(0xDA, b"")), "damaged"),
        (made(segment(0xC0, b"\x08")), "damaged"),
        (made(header(0, 8), SCAN), "has a frame of 0 by 8 pixels"),
        (made(header(8, 0), SCAN), "has a frame of 8 by 0 pixels"),
        (made(header(depth=12), SCAN), "no viewer shows"),
        (made(header(components=2), SCAN), "no viewer shows"),
        (SMALL[:-20] + b"\xff\xd8\x00" + SMALL[-20:], "damaged"),
        *((made(header(kind=kind), SCAN), f"0x{kind:X}") for kind in (0xC3, 0xC5, 0xC9, 0xCA)),
    ],
)
def test_what_can_become_no_picture_is_refused(data: bytes, words: str) -> None:
    """At once, by a sentence that says where or why."""
    with pytest.raises(NotWholeError, match=words):
        walk(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (made(header(SIDE + 1, 8), SCAN), r"16,385 by 8 pixels"),
        (made(header(8, SIDE + 1), SCAN), r"8 by 16,385 pixels"),
        (made(header(8001, 5000), SCAN), r"40,005,000 pixels, more than 40,000,000"),
        (made(header(4001, 4000, kind=0xC2), SCAN), r"16,004,000 pixels in several scans"),
        (made(header(4001, 4000, components=3), SCAN), r"16,004,000 pixels in several scans"),
        (made(header(kind=0xC2), SCAN * (SCANS + 1)), r"more than 100 scans"),
        (made(header(4000, 4000, kind=0xC2), SCAN * 11), r"11 scans of 16,000,000 pixels"),
        (made(b"\xff\xfe\x00\x02" * SEGMENTS, header(), SCAN), r"more than 5,000 segments"),
        (made(b"\xff\x01" * SEGMENTS, header(), SCAN), r"more than 5,000 segments"),
        (b"\n\n\xff\xd8\xff\x01" * SEGMENTS, r"more than 5,000 segments"),
        (made(header(4000, 4000, components=3), SCAN, FULL * 10), r"11 scans of 16,000,000"),
    ],
)
def test_bomb_is_refused_before_a_decoder_sees_it(data: bytes, words: str) -> None:
    """By what its headers claim; the sentence says which cap, and by how much."""
    with pytest.raises(OversizeError, match=words):
        walk(data)


@pytest.mark.parametrize(
    "data",
    [
        made(header(SIDE, 2441), SCAN),
        made(header(8000, 5000), SCAN),
        made(header(4000, 4000, kind=0xC2), SCAN * 10),
        made(header(kind=0xC2), SCAN * SCANS),
        made(header(8000, 5000), SCAN * 5),
        made(header(4000, 4000, components=3), SCAN, FULL * 9),
        made(b"\xff\xfe\x00\x02" * (SEGMENTS - 3), header(), SCAN),
    ],
)
def test_largest_allowed_passes(data: bytes) -> None:
    """Each cap belongs to what is allowed."""
    extent = walk(data)
    assert extent.end == len(data)
    assert extent.width * extent.height <= HELD_PIXELS or not extent.progressive


@pytest.mark.parametrize(
    ("flood", "refusal"),
    [
        pytest.param(b"\xff" * 300_000, NotWholeError, id="fill bytes only"),
        pytest.param(bytes(300_000), NotWholeError, id="no start"),
        pytest.param(b"\xff\xd8" * 150_000, NotWholeError, id="starts"),
        pytest.param(b"\xff\xd8" + b"\xff\x01" * 150_000, OversizeError, id="bare markers"),
    ],
)
def test_flood_is_refused_early(flood: bytes, refusal: type[ValueError]) -> None:
    """Byte by byte as well, long before its end."""
    with pytest.raises(refusal):
        fed(flood, [1])


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(b"\xff\xd8\xff" + b"\xff" * 300_000, id="fill bytes"),
        pytest.param(b"\xff\xd8\xff\xff" + bytes(300_000), id="stray bytes"),
        pytest.param(SMALL[:-2] + b"\xff" * 300_000, id="fill bytes in a scan"),
        pytest.param(SMALL[:-2] + b"\xff\x00" * 150_000, id="stuffed bytes"),
        pytest.param(SMALL[:-2] + b"\xff\xd0" * 150_000, id="restart markers"),
        pytest.param(SMALL[:-2] + bytes(300_000), id="zeros"),
        pytest.param(SMALL[:-2] + b"\xff\xfe\xff\xff" * 75_000, id="large segments"),
    ],
)
def test_flood_costs_in_proportion_to_its_bytes(flood: bytes) -> None:
    """Byte by byte, 300 KB cost a second of CPU at the most; the square would cost hours."""
    before = time.process_time()
    assert fed(flood, [1]) is None
    assert time.process_time() - before < 1
