"""Pictures as cameras send them, and what goes wrong with them on the way."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from cctv.jpeg import SOS, walk
from dev.scenes import paint

if TYPE_CHECKING:
    from PIL import Image

END = b"\xff\xd9"
KINDS = ("baseline", "progressive", "restarts", "optimized")
_OPTIONS: dict[str, dict[str, int]] = {
    "baseline": {},
    "progressive": {"progressive": 1},
    "restarts": {"restart_marker_blocks": 8},
    "optimized": {"optimize": 1},
}


@cache
def road(number: int = 0) -> Image.Image:
    """A road, 640 by 360 pixels; scenes 3 and 7 lie in the night."""
    return paint(number)


@cache
def photo(kind: str = "baseline", number: int = 0) -> bytes:
    """A road as a JPEG of one of `KINDS`."""
    return jpeg_of(road(number), **_OPTIONS[kind])


def jpeg_of(image: Image.Image, **options: int | bytes) -> bytes:
    """`image` as Pillow saves it."""
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    """A segment with its length."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def with_segments(picture: bytes, *segments: bytes) -> bytes:
    """`picture` with more segments behind its start marker."""
    return picture[:2] + b"".join(segments) + picture[2:]


def places(picture: bytes, count: int) -> list[int]:
    """`count` places spread over the picture data, the first scan's beginning left out."""
    first = next(each.end for each in walk(picture).segments if each.marker == SOS)
    room = len(picture) - 2 - first
    return [first + room * number // (count + 1) for number in range(1, count + 1)]


def holed(picture: bytes, at: int, filling: bytes) -> bytes:
    """`picture` with `filling` in the place of as many of its bytes."""
    return picture[:at] + filling + picture[at + len(filling) :]
