"""Fuzz targets: bytes taken for pictures, by the walk and by the repairs."""

from __future__ import annotations

import random
import zlib

import numpy as np
import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such

from cctv import repair
from cctv.jpeg import (
    COM,
    EOI,
    PIXELS,
    SEGMENTS,
    SOF,
    SOI,
    SOS,
    Extent,
    NotWholeError,
    OversizeError,
    Walk,
    walk,
)

_FILL = 0xFF
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_DNL = 0xDC
_ONCE = frozenset({_APP0, _APP1, _APP2, _APP14})
_NEVER = frozenset({COM, _DNL, *range(_APP0, _APP15 + 1)}) - _ONCE
# JFIF, the orientation, Adobe's transform: with their markers and lengths, and nothing more
_LENGTHS = {_APP0: 18, _APP1: 36, _APP14: 16}
# what is decoded a second time, by another way, is kept small: the first way has its own caps
COMPARED = 1_000_000
# a piece by itself is costly: larger inputs come in larger ones, no more than twice so many
_PIECES = 256

Verdict = Extent | tuple[type[ValueError], str] | None


def pieces(data: bytes) -> list[bytes]:
    """`data` in pieces of sizes that only look random: the same data is cut the same way."""
    rolls = random.Random(zlib.crc32(data))  # noqa: S311 - no secret, but sizes of pieces
    largest = (1 + len(data) // _PIECES) * rolls.choice((1, 7, 100))
    parts, at = [], 0
    while at < len(data):
        size = rolls.randint(1, largest)
        parts.append(data[at : at + size])
        at += size
    return parts


def verdict(data: bytes) -> Verdict:
    """What a walk says of all of `data`, fed at once."""
    try:
        return Walk(data).on()
    except (NotWholeError, OversizeError) as error:
        return type(error), str(error)


def check_walk(data: bytes) -> None:
    """The walk says the same however the bytes come, and an extent is what it promises to be."""
    whole = verdict(data)
    assert _in_pieces(data) == whole
    if isinstance(whole, Extent):
        _check_extent(data, whole)


def _in_pieces(data: bytes) -> Verdict:
    came, found = bytearray(), None
    path = Walk(came)
    try:
        for part in pieces(data):
            came += part
            found = path.on()
    except (NotWholeError, OversizeError) as error:
        return type(error), str(error)
    return found


def _check_extent(data: bytes, extent: Extent) -> None:
    assert data[extent.start :].startswith(SOI)
    _check_lead_in(data[: extent.start])
    assert data[extent.end - 2 : extent.end] == bytes((0xFF, EOI))
    assert 0 < extent.width * extent.height <= PIXELS
    markers = [each.marker for each in extent.segments]
    assert len(markers) <= SEGMENTS
    assert markers.count(SOS) == extent.scans > 0
    assert len(SOF.intersection(markers)) == sum(each in SOF for each in markers) == 1
    _check_segments(data, extent)
    # nothing behind the end counts, nothing before the start, and no byte less would do
    assert verdict(data[: extent.end]) == extent
    assert verdict(data[: extent.end - 1]) is None
    alone = walk(data[extent.start : extent.end])
    assert (alone.start, alone.end) == (0, extent.end - extent.start)


def _check_lead_in(lead: bytes) -> None:
    """Text or NULs; a picture that broke off may stand before a later one."""
    text = lead.decode("latin-1")
    plain = all(each in "\t\r\n" or " " <= each <= "~" for each in text)
    assert plain or not lead.strip(b"\0") or SOI in lead


def _check_segments(data: bytes, extent: Extent) -> None:
    at = extent.start + 2
    for segment, end in extent.parts():
        assert at <= segment.start < segment.end <= end
        assert data[segment.start : segment.start + 2] == bytes((0xFF, segment.marker))
        length = int.from_bytes(data[segment.start + 2 : segment.start + 4], "big")
        assert segment.end == segment.start + 2 + length
        at = segment.end
    assert at <= extent.end - 2


def check_repair(data: bytes) -> None:
    """A cleaned picture is the same picture, alone, and cleaning it again changes nothing."""
    extent = verdict(data)
    if not isinstance(extent, Extent):
        return
    body = repair.cleaned(data, extent)
    clean = walk(body)
    assert _shape(clean) == _shape(extent)
    assert (clean.start, clean.end) == (0, len(body))
    assert repair.cleaned(body, clean) is body
    assert repair.orientation(body, clean) == repair.orientation(data, extent)
    check_parts(body, clean)
    _check_unpadded(body, clean)
    _check_profile(body, clean)
    _check_same_pixels(data[extent.start : extent.end], body, clean)


def _shape(extent: Extent) -> tuple[int | bool, ...]:
    size = extent.width, extent.height, extent.components
    return *size, extent.progressive, extent.scans


def check_parts(body: bytes, extent: Extent) -> None:
    """Only picture data lies between two segments, and no segment is of the device."""
    markers = [each.marker for each in extent.segments]
    assert _NEVER.isdisjoint(markers)
    assert _ONCE.isdisjoint(markers[markers.index(SOS) :])
    for marker, length in _LENGTHS.items():
        found = [each.end - each.start for each in extent.segments if each.marker == marker]
        assert found in ([], [length])
    for segment, end in extent.parts():
        assert segment.marker == SOS or segment.end == end
        assert segment.marker != SOS or body[end - 1] != _FILL or end == segment.end
    pictured = repair.orientation(body, extent) != 1
    assert markers.count(_APP1) == pictured


def _check_unpadded(body: bytes, extent: Extent) -> None:
    """Padding is taken out of a scan's end, so many bytes and no other; or nothing is."""
    scans = [(each.end, end) for each, end in extent.parts() if each.marker == SOS]
    for start, end in scans:
        for count in {0, 1, end - start, 64}:
            left = repair.unpadded(body, extent, body[end + 1], count)
            assert left is None or len(left) == len(body) - count
            assert left is None or _shape(walk(left)) == _shape(extent)
        assert repair.unpadded(body, extent, body[end + 1], 65) is None


def _check_profile(body: bytes, extent: Extent) -> None:
    """A profile's segments come through the encoding of a new picture."""
    kept = repair.profile(body, extent)
    new = repair.with_profile(_plain(), kept)
    assert repair.profile(new, walk(new)) == kept


def _plain() -> bytes:
    pixels = np.zeros((8, 8, 3), np.uint8)
    data: bytes = simplejpeg.encode_jpeg(pixels)
    return data


def _check_same_pixels(before: bytes, after: bytes, extent: Extent) -> None:
    """What libjpeg took without a warning, it takes still, and sees the same."""
    if extent.width * extent.height > COMPARED:
        return
    try:
        seen = simplejpeg.decode_jpeg(before, strict=True)
    except ValueError:
        return
    assert np.array_equal(seen, simplejpeg.decode_jpeg(after, strict=True))
