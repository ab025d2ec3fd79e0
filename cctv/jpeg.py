"""Where a JPEG picture begins and ends: a walk along its markers (ISO/IEC 10918-1, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass

SOI = b"\xff\xd8\xff"

_EOI, _SOS, _TEM = 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
# every start-of-frame marker; C4, C8 and CC in their midst are tables and a reserved one
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# stray bytes between segments are stepped over, as libjpeg does; there is no `+` behind the FF,
# because a run of them would cost the square of its length
_MARKER = re.compile(rb"\xff([^\x00\xff])")
# within a scan a stuffed FF 00 and the restart markers are picture data
_MARKER_AFTER_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
# a progressive picture has some dozens of scans and tables, a bomb has millions of empty segments
_SEGMENTS = 5000


class NotWholeError(ValueError):
    """The walk did not arrive at the end of a picture; the text says where it stopped."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A whole picture: bytes 0 to `end` (behind the end marker), and its size in pixels."""

    end: int
    width: int
    height: int


def walk(data: bytes) -> Extent:
    """Walk from the start marker at byte 0 to the end marker that closes the same picture.

    Thumbnails inside a segment are stepped over with their segment; bytes behind the end are
    left out. The pixels themselves are not decoded.

    Raises:
        NotWholeError: the picture breaks off, or has no frame header or no scan.
    """
    position, size, scanned = 2, (0, 0), False
    for _ in range(_SEGMENTS):
        position, marker = _next_marker(data, position, after_scan=scanned)
        if marker == _EOI:
            return _extent(position, size, scanned=scanned)
        if marker == _TEM or marker in _RESTARTS:
            continue
        segment, position = _segment(data, position)
        if marker in _FRAMES:
            size = _size(segment)
        scanned = scanned or marker == _SOS
    raise NotWholeError(f"has more than {_SEGMENTS} segments")


def _next_marker(data: bytes, position: int, *, after_scan: bool) -> tuple[int, int]:
    found = (_MARKER_AFTER_SCAN if after_scan else _MARKER).search(data, position)
    if found is None:
        raise NotWholeError(f"cut off after {len(data)} bytes")
    return found.end(), found.group(1)[0]


def _segment(data: bytes, position: int) -> tuple[bytes, int]:
    length = int.from_bytes(data[position : position + 2], "big")
    end = position + length
    if end > len(data) or position + 2 > len(data):
        raise NotWholeError(f"cut off after {len(data)} bytes")
    if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
        raise NotWholeError(f"damaged at byte {position}")
    return data[position + 2 : end], end


def _size(segment: bytes) -> tuple[int, int]:
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    if not (width and height):
        raise NotWholeError(f"a frame of {width} by {height} pixels")
    return width, height


def _extent(end: int, size: tuple[int, int], *, scanned: bool) -> Extent:
    if not (scanned and all(size)):
        raise NotWholeError("ended before any picture data")
    return Extent(end, *size)
