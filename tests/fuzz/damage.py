"""Strategies for pictures: real JPEGs, and what happens to them on the way."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from PIL import Image

from cctv.jpeg import walk
from tests.fakes.frames import jpeg
from tests.fakes.photos import jpeg_of, segment, with_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from cctv.jpeg import Segment

    Damage = Callable[[st.DrawFn, bytes], bytes]

STREAM = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n"
_EXIF = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
_NOTES = (
    _EXIF,
    segment(0xFE, b"serial number 4711"),
    segment(0xE2, b"ICC_PROFILE\0\1\1 colours"),
    segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
    segment(0xE0, b"JFXX\0\x10"),
)
# markers, lengths and fillings that mean something to somebody
_BLOBS = (
    *(bytes((0xFF, marker)) for marker in (0x00, 0x01, 0xC0, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xDD)),
    *(b"\xff\xd8\xff", b"\xff\xda\0\x08", b"\xff\xff\xff", b"\0\0", b"\0\1", b"\0\2"),
    *(bytes(100), b"\xff" * 70, b"\x80" * 70, b"--frame--\r\n", b"<html>", STREAM),
)


@cache
def bases() -> tuple[bytes, ...]:
    """One small picture of each kind that cameras send."""
    noise = Image.effect_noise((40, 24), 60)
    colours = Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180)))
    return (
        jpeg(),
        jpeg(progressive=True),
        jpeg_of(noise),
        jpeg_of(colours, restart_marker_blocks=2),
        jpeg_of(colours, optimize=1, subsampling=0),
        jpeg_of(colours.convert("CMYK")),
        jpeg_of(Image.new("RGB", (32, 32), "green")),
        with_segments(jpeg_of(colours, progressive=1), *_NOTES),
        # without its Huffman tables, as motion JPEG has it
        _without(jpeg_of(colours), 0xC4),
    )


def _without(picture: bytes, marker: int) -> bytes:
    parts = walk(picture).segments
    gone = [picture[each.start : each.end] for each in parts if each.marker == marker]
    for each in gone:
        picture = picture.replace(each, b"")
    return picture


def _segment(draw: st.DrawFn, data: bytes) -> Segment | None:
    """One of the segments, where there is still a picture."""
    try:
        extent = walk(data)
    except ValueError:
        return None
    return draw(st.sampled_from(extent.segments))


def _place(draw: st.DrawFn, data: bytes) -> int:
    return draw(st.integers(0, len(data)))


def _cut(draw: st.DrawFn, data: bytes) -> bytes:
    return data[: _place(draw, data)]


def _lose(draw: st.DrawFn, data: bytes) -> bytes:
    at = _place(draw, data)
    return data[:at] + data[at + draw(st.integers(1, 200)) :]


def _flip(draw: st.DrawFn, data: bytes) -> bytes:
    at = _place(draw, data)
    return (
        data[:at]
        + bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at : at + 1])
        + (data[at + 1 :])
    )


def _put(draw: st.DrawFn, data: bytes) -> bytes:
    """Something over what was there, or in between."""
    at, blob = _place(draw, data), draw(st.sampled_from(_BLOBS) | st.binary(max_size=8))
    return data[:at] + blob + data[at + len(blob) * draw(st.booleans()) :]


def _splice(draw: st.DrawFn, data: bytes) -> bytes:
    other = draw(st.sampled_from(bases()))
    return data[: _place(draw, data)] + other[_place(draw, other) :]


def _repeat(draw: st.DrawFn, data: bytes) -> bytes:
    """A segment once more, behind itself."""
    each = _segment(draw, data)
    return data[: each.end] + data[each.start :] if each else data + data


def _note(draw: st.DrawFn, data: bytes) -> bytes:
    """One more segment, before one that is there."""
    each, note = _segment(draw, data), draw(st.sampled_from(_NOTES))
    return data[: each.start] + note + data[each.start :] if each else note + data


def _relength(draw: st.DrawFn, data: bytes) -> bytes:
    """A segment whose length lies."""
    each = _segment(draw, data)
    if each is None:
        return data
    length = each.end - each.start - 2 + draw(st.sampled_from((-9, -2, -1, 1, 2, 300)))
    return data[: each.start + 2] + max(0, length).to_bytes(2, "big") + data[each.start + 4 :]


def _retouch(draw: st.DrawFn, data: bytes) -> bytes:
    """Another byte within a segment: a size, a table, a selection."""
    each = _segment(draw, data)
    if each is None:
        return data
    at = draw(st.integers(min(each.start + 4, each.end - 1), each.end - 1))
    byte = draw(st.sampled_from((0, 1, 2, 0x11, 0x3F, 0x80, 0xFF)) | st.integers(0, 255))
    return data[:at] + bytes((byte,)) + data[at + 1 :]


_DAMAGES: tuple[Damage, ...] = (
    *(_cut, _lose, _flip, _put, _splice),
    *(_repeat, _note, _relength, _retouch, _retouch),
)


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    """A picture with up to four things wrong, as often as not in the midst of a stream."""
    data = draw(st.sampled_from(bases()))
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), max_size=4)):
        data = damage(draw, data)
    return draw(st.sampled_from((b"", b"", b"\r\n", STREAM))) + data


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A multipart stream: some parts damaged, some announced wrongly, perhaps without an end."""
    parts = draw(st.lists(pictures() | st.sampled_from(bases()), min_size=1, max_size=3))
    boundary = draw(st.sampled_from((STREAM, b"\r\n--x\r\n\r\n", b"", b"\r\n" * 40)))
    return b"".join(boundary + part for part in parts)
