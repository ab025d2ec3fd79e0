"""A picture's bytes made fit to be shown: what is of the device goes, what viewers miss comes.

Nothing here touches the coded picture itself; a decoder sees the same pixels before and after.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from cctv.jpeg import COM, DHT, EOI, SOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cctv.jpeg import Extent, Segment

_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_HEAD = 4
_EXIF = b"Exif\0\0"
# libjpeg warns of any other revision than 1, and a second warning would go unheard
_KEPT = {_APP0: b"JFIF\0\1", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
# with less in it libjpeg overlooks a segment, and Pillow refuses the picture
_LEAST = {_APP0: 14, _APP2: 14, _APP14: 12}
_UPRIGHT, _TURNS = 1, range(2, 9)
_ORIENTATION_TAG = 0x0112
# sequential pictures have one fixed selection; old encoders leave it 0, which libjpeg warns of
_WHOLE_SPECTRUM = b"\x00\x3f\x00"
# encoders pad to the 32 or 64 bytes of their buffers; more than that is no padding
_PADDING = 64
_SAME = 3

# what an encoder of motion JPEG may leave out (AVI1): ISO/IEC 10918-1, K.3
_STANDARD_TABLES = bytes.fromhex(
    "ffc4001f0000010501010101010100000000000000000102030405060708090a0b"
    "ffc400b5100002010303020403050504040000017d"
    "01020300041105122131410613516107227114328191a1082342b1c11552d1f0"
    "2433627282090a161718191a25262728292a3435363738393a43444546474849"
    "4a535455565758595a636465666768696a737475767778797a83848586878889"
    "8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5"
    "c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8"
    "f9fa"
    "ffc4001f0100030101010101010101010000000000000102030405060708090a0b"
    "ffc400b51100020102040403040705040400010277"
    "000102031104052131061241510761711322328108144291a1b1c109233352f0"
    "156272d10a162434e125f11718191a262728292a35363738393a434445464748"
    "494a535455565758595a636465666768696a737475767778797a828384858687"
    "88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3"
    "c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8"
    "f9fa"
)


def cleaned(data: bytes, extent: Extent) -> bytes:
    """The picture alone, for the public.

    Gone are serial numbers, places, thumbnails and notes (APP1 to APP15 and COM; the colour
    profile and Adobe's colour transform stay), and every byte between segments. Of EXIF an
    orientation other than upright stays, so that the picture does not turn over. Missing Huffman
    tables are put in.
    """
    body = b"".join(_pieces(data, extent))
    return data if body == data else body


def unpadded(data: bytes, extent: Extent, marker: int, count: int) -> bytes | None:
    """A cleaned picture without the `count` bytes of padding before a `marker`.

    None where they are no padding: too many, not all equal, or before a restart marker, where
    they are as likely a picture's bytes.
    """
    if count > _PADDING:
        return None
    for segment, end in extent.parts():
        alike = len(set(data[max(segment.end, end - max(count, _SAME)) : end])) == 1
        enough = segment.end + count <= end
        if segment.marker == SOS and data[end + 1] == marker and alike and enough:
            return data[: end - count] + data[end:]
    return None


def orientation(data: bytes, extent: Extent) -> int:
    """How EXIF says the picture is to be turned, 1 (upright, also where it says nothing) to 8."""
    found = (_turn(data[each.start + _HEAD : each.end]) for each in _application_1(extent))
    return next((turn for turn in found if turn in _TURNS), _UPRIGHT)


def profile(data: bytes, extent: Extent) -> bytes:
    """The segments of a cleaned picture's colour profile; empty when it has none."""
    head = takewhile(lambda each: each.marker != SOS, extent.segments)
    return b"".join(data[each.start : each.end] for each in head if each.marker == _APP2)


def with_profile(data: bytes, segments: bytes) -> bytes:
    """A JFIF picture with the `segments` of a colour profile behind its first segment."""
    end = 2 + 2 + int.from_bytes(data[4:6], "big")
    return data[:end] + segments + data[end:]


def _pieces(data: bytes, extent: Extent) -> Iterator[bytes]:
    yield data[extent.start : extent.start + 2]
    turn, bare = orientation(data, extent), _lacks_tables(extent)
    for segment, end in extent.parts():
        if turn != _UPRIGHT and segment.marker == _APP1:
            yield _minimal_exif(turn)
            turn = _UPRIGHT
        if bare and segment.marker == SOS:
            yield _STANDARD_TABLES
            bare = False
        if segment.marker == SOS:
            yield _start_of_scan(data, segment, extent)
            # fill bytes; the picture's own FF is followed by 00
            yield data[segment.end : end].rstrip(b"\xff")
        elif _stays(data, segment):
            yield data[segment.start : segment.end]
    yield bytes((0xFF, EOI))


def _stays(data: bytes, segment: Segment) -> bool:
    if segment.marker in _KEPT:
        named = data.startswith(_KEPT[segment.marker], segment.start + _HEAD)
        return named and segment.end - segment.start >= _HEAD + _LEAST[segment.marker]
    return not (_APP1 <= segment.marker <= _APP15 or segment.marker == COM)


def _start_of_scan(data: bytes, segment: Segment, extent: Extent) -> bytes:
    if extent.progressive:
        return data[segment.start : segment.end]
    return data[segment.start : segment.end - len(_WHOLE_SPECTRUM)] + _WHOLE_SPECTRUM


def _lacks_tables(extent: Extent) -> bool:
    return not extent.progressive and all(each.marker != DHT for each in extent.segments)


def _application_1(extent: Extent) -> Iterator[Segment]:
    return (each for each in extent.segments if each.marker == _APP1)


def _turn(content: bytes) -> int:
    """The orientation in one EXIF segment; 0 where there is none. Reads past the end as zeros."""
    tiff = content[len(_EXIF) :] if content.startswith(_EXIF) else b""
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    first = number(4, 4) + 2
    for entry in range(first, min(first + 12 * number(first - 2, 2), len(tiff)), 12):
        if number(entry, 2) == _ORIENTATION_TAG:
            return number(entry + 8, 2)
    return 0


def _minimal_exif(turn: int) -> bytes:
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes((0, turn, 0, 0))
    content = _EXIF + b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + bytes(4)
    return bytes((0xFF, _APP1)) + (len(content) + 2).to_bytes(2, "big") + content
