"""Pictures that are new at every request and cost next to nothing: a road with a counter in it."""

from __future__ import annotations

import io
import itertools
import re
import time
from functools import cache

from PIL import Image, ImageColor, ImageDraw, ImageFont

from dev.scenes import SCENES, paint

TILE, ROW = 32, 16
GLYPHS = "0123456789 "
UHD = (3840, 2160)
QUALITY = 82

_FONT = ImageFont.load_default(15)
_SOS = b"\xff\xda"
# within a scan a marker cannot be picture data: there every FF is followed by 00
_BEHIND_RESTART = re.compile(rb"(?<=\xff[\xd0-\xd7])")
# hundredths of a second: a street that starts again does not repeat itself
_counter = itertools.count(time.time_ns() // 10_000_000)


def encoded(canvas: Image.Image, **options: object) -> bytes:
    """The canvas as a JPEG."""
    file = io.BytesIO()
    canvas.save(file, "JPEG", quality=QUALITY, **options)
    return file.getvalue()


class Plate:
    """A picture with a number plate: its first row is exchanged without encoding it again.

    A restart marker stands behind every tile of 32 by 16 pixels, and behind such a marker a
    decoder begins afresh; so tiles of several encodings of one canvas can be put together. The
    canvas is a multiple of 32 pixels wide.
    """

    def __init__(self, canvas: Image.Image) -> None:
        self._places = canvas.width // TILE
        self._head, *tiles = _pieces(canvas)
        self._rest = b"".join(tiles[self._places :])
        self._tiles = {glyph: _pieces(_row(canvas.width, glyph))[1:] for glyph in GLYPHS}

    def stamped(self, text: str) -> bytes:
        """The JPEG with these digits and blanks in its first row, cut to what fits in."""
        line = text[: self._places].ljust(self._places)
        row = (self._tiles[glyph][place] for place, glyph in enumerate(line))
        return b"".join((self._head, *row, self._rest))


def _row(width: int, glyph: str) -> Image.Image:
    """A row of tiles with `glyph` in each; and one below, so that each ends with its marker."""
    canvas = Image.new("RGB", (width, 2 * ROW))
    draw = ImageDraw.Draw(canvas)
    for left in range(0, width, TILE):
        draw.text((left + TILE / 2, ROW / 2), glyph, (255, 255, 255), _FONT, anchor="mm")
    return canvas


def _pieces(canvas: Image.Image) -> list[bytes]:
    """The head of a JPEG, then its tiles; the last one holds the end mark too."""
    jpeg = encoded(canvas, subsampling="4:2:0", restart_marker_blocks=TILE // ROW)
    scan = jpeg.index(_SOS)
    scan += 2 + int.from_bytes(jpeg[scan + 2 : scan + 4], "big")
    return [jpeg[:scan], *_BEHIND_RESTART.split(jpeg[scan:])]


def scene(number: int) -> Image.Image:
    """What camera `number` looks at, to be copied before it is drawn on."""
    return _scene(number % SCENES)


def stamp(number: int) -> str:
    """What stands in a picture: the camera's number, and a count that never comes twice."""
    return f"{number:>6}{next(_counter):>13}"


def picture(number: int) -> bytes:
    """A new whole JPEG of camera `number`, 640 by 360 pixels."""
    return _plate(number % SCENES).stamped(stamp(number))


def paint_all() -> None:
    """Paint every scene now, not when a camera is first asked for it."""
    for number in range(SCENES):
        _plate(number)


def huge_picture(number: int) -> bytes:
    """A new whole JPEG of camera `number`, 3840 by 2160 pixels."""
    return _huge_plate().stamped(stamp(number))


def labelled(canvas: Image.Image, number: int) -> Image.Image:
    """A copy of the canvas with a stamp drawn in, for encodings that a plate cannot have."""
    canvas = canvas.copy()
    ink = ImageDraw.Draw(canvas)
    ink.text((8, 8), stamp(number), ImageColor.getcolor("grey", canvas.mode), _FONT)
    return canvas


@cache
def _scene(number: int) -> Image.Image:
    return paint(number)


@cache
def _plate(number: int) -> Plate:
    return Plate(_scene(number))


@cache
def _huge_plate() -> Plate:
    return Plate(_scene(0).resize(UHD))
