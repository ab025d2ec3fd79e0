"""What a camera may write into its pictures and nobody should publish: EXIF, with its place."""

from __future__ import annotations

import io
import struct
from functools import cache

from PIL import Image

SERIAL = "SN-0815-4711"
"""Stands in every EXIF block of the street."""

_ASCII, _LONG, _RATIONAL = 2, 4, 5
_HEADER = b"Exif\0\0", b"II*\0\x08\0\0\0"
# the tags of TIFF and EXIF
_MAKE, _DATE, _PHOTO, _GPS = 0x010F, 0x0132, 0x8769, 0x8825
_TAKEN, _SERIAL = 0x9003, 0xA431
_NORTH, _LATITUDE, _WEST, _LONGITUDE = 1, 2, 3, 4
_THUMBNAIL, _THUMBNAIL_SIZE = 0x0201, 0x0202

Entry = tuple[int, int, int, bytes]
"""A tag, its type, how many values, and their bytes."""


def exif(time: str) -> bytes:
    """The content of an APP1 segment: make, serial number, time, place, and a thumbnail.

    `time` is as EXIF writes it (2026:03:01 12:00:00). The thumbnail is a JPEG, with an end mark
    of its own.
    """
    kept = [_text(_TAKEN, time), _text(_SERIAL, SERIAL)]
    where = [
        _text(_NORTH, "N"),
        _degrees(_LATITUDE, 30),
        _text(_WEST, "W"),
        _degrees(_LONGITUDE, 97),
    ]
    prefix, header = _HEADER
    first = [_text(_MAKE, "STREET"), _text(_DATE, time)]
    # each directory's size does not depend on what its pointers say
    size = len(_directory([*first, _long(_PHOTO, 0), _long(_GPS, 0)], 0))
    photo_at = len(header) + size
    photo = _directory(kept, photo_at)
    gps_at = photo_at + len(photo)
    gps = _directory(where, gps_at)
    small_at = gps_at + len(gps)
    pointers = [_long(_PHOTO, photo_at), _long(_GPS, gps_at)]
    main = _directory([*first, *pointers], len(header), following=small_at)
    return prefix + header + main + photo + gps + _small(small_at)


def _small(at: int) -> bytes:
    """The directory of the thumbnail, and the thumbnail."""
    thumbnail = _thumbnail()
    size = len(_directory([_long(_THUMBNAIL, 0)] * 2, 0))
    entries = [_long(_THUMBNAIL, at + size), _long(_THUMBNAIL_SIZE, len(thumbnail))]
    return _directory(entries, at) + thumbnail


def _directory(entries: list[Entry], at: int, following: int = 0) -> bytes:
    """A TIFF directory that stands at offset `at`, with the values that are too long for it."""
    behind = at + 2 + 12 * len(entries) + 4
    table, values = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in entries:
        place = value.ljust(4, b"\0")
        if len(value) > len(place[:4]):
            place = struct.pack("<I", behind + len(values))
            values += value + bytes(len(value) % 2)
        table += struct.pack("<HHI", tag, kind, count) + place
    return table + struct.pack("<I", following) + values


def _text(tag: int, text: str) -> Entry:
    value = text.encode() + b"\0"
    return tag, _ASCII, len(value), value


def _long(tag: int, number: int) -> Entry:
    return tag, _LONG, 1, struct.pack("<I", number)


def _degrees(tag: int, degrees: int) -> Entry:
    return tag, _RATIONAL, 3, struct.pack("<6I", degrees, 1, 16, 1, 1, 1)


@cache
def _thumbnail() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(file, "JPEG")
    return file.getvalue()
