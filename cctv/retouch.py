"""What is changed in a picture on purpose: privacy masks are drawn, large pictures are shrunk."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from cctv import pixels, repair
from cctv.errors import CaptureError
from cctv.jpeg import walk
from cctv.reasons import Reason

if TYPE_CHECKING:
    from cctv.jpeg import Extent

Point = tuple[float, float]
Polygon = tuple[Point, ...]
"""The corners of an area, as fractions of the picture's width and height, 0 to 1."""

_GREY = 128
_CORNERS = 3
# an edge may touch a pixel whose middle is 0.7 pixels away, and drawing rounds by up to one; a line
# ends straight, so that the corners are rounded off with discs
_BORDER = 5
_CMYK = 4
_SIDEWAYS = 5
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# what Pillow and numpy raise at a shape or a picture they cannot work with
_FAILURES = (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Retouch:
    """Which areas are covered, and the width in pixels a picture is shrunk to; 0 leaves it.

    Both are meant for the picture as a viewer sees it, turned upright.
    """

    masks: tuple[Polygon, ...] = ()
    max_width: int = 0


PLAIN = Retouch()

# the pixels of one at the cap take 300 MB while they are changed: such ones take turns
_LARGE = 10_000_000
_large = Lock()


def retouched(data: bytes, extent: Extent, retouch: Retouch) -> tuple[bytes, Extent]:
    """A cleaned picture, masked and then shrunk; the same bytes where nothing is to be done.

    A changed picture stands upright, keeps its colour profile and no other metadata.

    Raises:
        CaptureError: `unmasked`, whatever kept a mask from being drawn.
    """
    turn = repair.orientation(data, extent)
    width = extent.height if turn >= _SIDEWAYS else extent.width
    if not retouch.masks and not 0 < retouch.max_width < width:
        return data, extent
    try:
        with _large if extent.width * extent.height > _LARGE else nullcontext():
            changed = _changed(data, extent, retouch)
        return changed, walk(changed)
    except _FAILURES as error:
        if not retouch.masks:
            raise
        raise CaptureError(Reason.UNMASKED, f"masks not drawn ({type(error).__name__})") from None


def masked(image: Image.Image, masks: tuple[Polygon, ...]) -> Image.Image:
    """`image` with each area one solid grey, every pixel an area touches included; drawn in place.

    Raises:
        ValueError: a mask has no area, or a corner outside the picture.
    """
    draw = ImageDraw.Draw(image)
    grey = (_GREY,) * len(image.getbands())
    for mask in masks:
        corners = _corners(mask, image.size)
        draw.polygon(corners, fill=grey)
        draw.line([*corners, corners[0]], fill=grey, width=_BORDER)
        for corner in corners:
            draw.circle(corner, _BORDER / 2, fill=grey)
    return image


def _changed(data: bytes, extent: Extent, retouch: Retouch) -> bytes:
    colours: pixels.Colours = "GRAY" if extent.components == 1 else "RGB"
    image = _upright(data, extent, colours, retouch)
    image = _shrunk(masked(image, retouch.masks), retouch.max_width)
    body = pixels.encoded(np.asarray(image).reshape(image.height, image.width, -1), colours)
    # the profile of four inks says nothing of the three colours they became
    kept = b"" if extent.components == _CMYK else repair.profile(data, extent)
    return repair.with_profile(body, kept)


def _upright(data: bytes, extent: Extent, colours: pixels.Colours, retouch: Retouch) -> Image.Image:
    turn = repair.orientation(data, extent)
    least = (1, retouch.max_width) if turn >= _SIDEWAYS else (retouch.max_width, 1)
    # reducing mixes neighbours: what is to be covered is covered first, at full size
    rows = pixels.decoded(data, colours, (0, 0) if retouch.masks else least)
    image = Image.fromarray(rows if colours == "RGB" else rows[..., 0])
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _shrunk(image: Image.Image, width: int) -> Image.Image:
    if not 0 < width < image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _corners(mask: Polygon, size: tuple[int, int]) -> list[Point]:
    # a comparison with NaN is False
    if len(mask) < _CORNERS or not all(0 <= part <= 1 for corner in mask for part in corner):
        raise ValueError("a mask is no area of the picture")
    return [(x * size[0], y * size[1]) for x, y in mask]
