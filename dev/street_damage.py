"""What becomes of pictures on bad cameras: cuts, holes, and heads that lost their tables."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

from PIL import Image

from dev.street_pictures import encoded
from dev.street_wire import EOI, half

if TYPE_CHECKING:
    from collections.abc import Iterator

GREY = (128, 128, 128)
_DHT, _SOS = 0xC4, 0xDA


def half_ended(jpeg: bytes) -> bytes:
    """Its first half, with an end mark as if it were whole."""
    return half(jpeg) + EOI


def progressive(jpeg: bytes) -> bytes:
    """The same picture, encoded progressively."""
    return encoded(_opened(jpeg), progressive=True)


def grey_bottom(jpeg: bytes) -> bytes:
    """The same picture, whole, its lower half a flat grey."""
    canvas = _opened(jpeg)
    canvas.paste(GREY, (0, canvas.height // 2, canvas.width, canvas.height))
    return encoded(canvas)


def zeros_mid(jpeg: bytes) -> bytes:
    """A fifth in its middle zeroed."""
    return _holed(jpeg, bytes(len(jpeg)))


def noise_mid(jpeg: bytes) -> bytes:
    """A fifth in its middle random bytes, without any marker among them."""
    return _holed(jpeg, bytes(random.choices(range(255), k=len(jpeg))))


def zeros_tail(jpeg: bytes) -> bytes:
    """Its last third zeroed."""
    start = len(jpeg) * 2 // 3
    return jpeg[:start] + bytes(len(jpeg) - start)


def zeros_tail_ended(jpeg: bytes) -> bytes:
    """Its last third zeroed, but for the end mark."""
    return zeros_tail(jpeg)[: -len(EOI)] + EOI


def padded(jpeg: bytes) -> bytes:
    """Eight zero bytes before its end mark, which hurt nobody."""
    return jpeg[: -len(EOI)] + bytes(8) + EOI


def without_tables(jpeg: bytes) -> bytes:
    """Its Huffman tables left out, as in AVI1 frames: readers know the standard ones."""
    kept = (piece for marker, piece in _segments(jpeg) if marker != _DHT)
    return jpeg[:2] + b"".join(kept)


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    """A segment more, right behind its beginning; `content` is 65,533 bytes at most."""
    return jpeg[:2] + segment(marker, content) + jpeg[2:]


def segment(marker: int, content: bytes) -> bytes:
    """A JPEG segment (ISO/IEC 10918-1, annex B)."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers behind the first with their segments; the last goes on to the end."""
    place, marker = 2, 0
    while marker != _SOS:
        marker = jpeg[place + 1]
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        end = len(jpeg) if marker == _SOS else end
        yield marker, jpeg[place:end]
        place = end


def _holed(jpeg: bytes, filling: bytes) -> bytes:
    hole = slice(len(jpeg) * 2 // 5, len(jpeg) * 3 // 5)
    return jpeg[: hole.start] + filling[hole] + jpeg[hole.stop :]


def _opened(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")
