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

_APP0, _APP1, _APP2, _APP14, _APP15, _DNL = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xDC
_HEAD = 4
# with less in it than so many bytes libjpeg overlooks a segment, and Pillow refuses the picture
_JFIF, _JFIF_SIZE = b"JFIF\0", 14
_ADOBE, _ADOBE_SIZE = b"Adobe", 12
_PROFILE, _PROFILE_SIZE = b"ICC_PROFILE\0", 14
# libjpeg warns of any other revision than 1, and a second warning would go unheard
_REVISION, _NO_THUMBNAIL = b"\1", b"\0\0"
_EXIF = b"Exif\0\0"
_TIFF: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_UPRIGHT, _TURNS = 1, range(2, 9)
_ORIENTATION_TAG = 0x0112
# SHORT and LONG, with their bytes; an orientation of any other type is none
_NUMBERS = {3: 2, 4: 4}
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

    Gone are serial numbers, places, thumbnails and notes (the application segments and COM), a
    late height (DNL), and every byte between segments. What the first scan's colours and place
    depend on stays, and no more of it: the fixed fields of JFIF and of Adobe's colour transform,
    the colour profile, and of EXIF an orientation other than upright, so that the picture does not
    turn over. Missing Huffman tables are put in.
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
    """How EXIF says the picture is to be turned, 1 (upright, also where it says nothing) to 8.

    Of several EXIF segments the first one counts, as it does for viewers.
    """
    first = next(_named(data, extent, _APP1, _EXIF), None)
    turn = _turn(data[first.start + _HEAD + len(_EXIF) : first.end]) if first else _UPRIGHT
    return turn if turn in _TURNS else _UPRIGHT


def profile(data: bytes, extent: Extent) -> bytes:
    """The segments of a cleaned picture's colour profile; empty when it has none."""
    found = _named(data, extent, _APP2, _PROFILE, _PROFILE_SIZE)
    return b"".join(data[each.start : each.end] for each in found)


def with_profile(data: bytes, segments: bytes) -> bytes:
    """A JFIF picture with the `segments` of a colour profile behind its first segment."""
    end = 2 + 2 + int.from_bytes(data[4:6], "big")
    return data[:end] + segments + data[end:]


def _pieces(data: bytes, extent: Extent) -> Iterator[bytes]:
    yield data[extent.start : extent.start + 2]
    kept, bare = _kept(data, extent), _lacks_tables(extent)
    for segment, end in extent.parts():
        if bare and segment.marker == SOS:
            yield _STANDARD_TABLES
            bare = False
        if segment.marker == SOS:
            yield _start_of_scan(data, segment, extent)
            # fill bytes; the picture's own FF is followed by 00
            yield data[segment.end : end].rstrip(b"\xff")
        elif _is_of_the_device(segment):
            yield kept.get(segment, b"")
        else:
            yield data[segment.start : segment.end]
    yield bytes((0xFF, EOI))


def _is_of_the_device(segment: Segment) -> bool:
    return _APP0 <= segment.marker <= _APP15 or segment.marker in (COM, _DNL)


def _kept(data: bytes, extent: Extent) -> dict[Segment, bytes]:
    """Which application segments stay, and what of them.

    Decoders heed them before the first scan only. Of several Adobe segments the last one counts
    for libjpeg; any JFIF segment makes the same colours.
    """
    turn = orientation(data, extent)
    jfif = list(_named(data, extent, _APP0, _JFIF, _JFIF_SIZE))[:1]
    exif = list(_named(data, extent, _APP1, _EXIF))[:1] if turn != _UPRIGHT else []
    profiles = _named(data, extent, _APP2, _PROFILE, _PROFILE_SIZE)
    adobe = list(_named(data, extent, _APP14, _ADOBE, _ADOBE_SIZE))[-1:]
    return {
        **{each: _plain_jfif(data, each) for each in jfif},
        **{each: _minimal_exif(turn) for each in exif},
        **{each: data[each.start : each.end] for each in profiles},
        **{each: _plain_adobe(data, each) for each in adobe},
    }


def _named(
    data: bytes, extent: Extent, marker: int, name: bytes, size: int = 0
) -> Iterator[Segment]:
    """The segments before the first scan that hold `name` and at least `size` bytes."""
    for each in takewhile(lambda each: each.marker != SOS, extent.segments):
        long_enough = each.end - each.start >= _HEAD + size
        if each.marker == marker and long_enough and data.startswith(name, each.start + _HEAD):
            yield each


def _plain_jfif(data: bytes, segment: Segment) -> bytes:
    """JFIF's version and densities, without its thumbnail and what an encoder put behind."""
    start = segment.start + _HEAD + len(_JFIF) + len(_REVISION)
    end = segment.start + _HEAD + _JFIF_SIZE - len(_NO_THUMBNAIL)
    return _segment(_APP0, _JFIF + _REVISION + data[start:end] + _NO_THUMBNAIL)


def _plain_adobe(data: bytes, segment: Segment) -> bytes:
    start = segment.start + _HEAD
    return _segment(_APP14, data[start : start + _ADOBE_SIZE])


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _start_of_scan(data: bytes, segment: Segment, extent: Extent) -> bytes:
    if extent.progressive:
        return data[segment.start : segment.end]
    return data[segment.start : segment.end - len(_WHOLE_SPECTRUM)] + _WHOLE_SPECTRUM


def _lacks_tables(extent: Extent) -> bool:
    return not extent.progressive and all(each.marker != DHT for each in extent.segments)


def _turn(tiff: bytes) -> int:
    """The orientation in what EXIF holds; 0 where there is none. Reads past the end as zeros."""
    order = _TIFF.get(tiff[:4])
    if order is None:
        return 0

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    first = number(4, 4) + 2
    for entry in range(first, min(first + 12 * number(first - 2, 2), len(tiff)), 12):
        if number(entry, 2) == _ORIENTATION_TAG:
            return number(entry + 8, _NUMBERS.get(number(entry + 2, 2), 0))
    return 0


def _minimal_exif(turn: int) -> bytes:
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes((0, turn, 0, 0))
    return _segment(_APP1, _EXIF + b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + bytes(4))
