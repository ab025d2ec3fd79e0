"""What a decoded picture looks like: of one colour, of a colour no street has, cut off below.

Judged on a grid of some 64 by 36 cells, each the mean of its pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    from cctv.pixels import Pixels

    Grid = npt.NDArray[np.int16]
    """Rows of cells of red, green and blue, 0 to 255."""

_COLUMNS, _ROWS = 64, 36
# standard deviation of the cells' greys; night and fog were seen with 15 and more
_PLAIN = 2.0
# how far green lies above red and blue, or below both: 135 in an empty YUV buffer, 40 in grass
_CAST, _CAST_CELLS = 80, 0.95
# a row without variation, give or take what rounding does
_FLAT = 1
_TAIL = 0.25
# where a tail begins, the picture above it stops along a line: so much of its width differs by
# more than so much
_EDGE_ROWS = 2
_EDGE, _EDGE_CELLS = 4, 0.5
# black and white are flat by themselves, at night and against the sun: only a hard edge tells
_BLACK, _WHITE = 24, 248
_HARD_EDGE, _HARD_EDGE_CELLS = 16, 0.8


def grid(pixels: Pixels) -> Grid:
    """The cells of an RGB picture; a smaller picture has one for each of its pixels."""
    height, width = pixels.shape[:2]
    size = (min(width, _COLUMNS), min(height, _ROWS))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(small).astype(np.int16)


def blank(cells: Grid) -> bool:
    """Whether nothing can be seen: one flat colour, or the green or pink of a lost buffer."""
    red, green, blue = cells[..., 0], cells[..., 1], cells[..., 2]
    greener = green - np.maximum(red, blue) > _CAST
    pinker = np.minimum(red, blue) - green > _CAST
    cast = max(float(greener.mean()), float(pinker.mean())) >= _CAST_CELLS
    return cast or float(cells.mean(axis=2).std()) < _PLAIN


def flat_tail(cells: Grid) -> float:
    """The part of the height, from below, that is one colour beneath a picture cut off by it.

    0 where it is less than a quarter, where the whole picture is flat, and where the picture
    fades into the colour, as it does into a dark or dazzling foreground.
    """
    rows = len(cells)
    flat = _flat_rows(cells)
    if flat == rows or flat < _TAIL * rows or not _cut(cells, rows - flat):
        return 0.0
    return flat / rows


def _flat_rows(cells: Grid) -> int:
    """How many rows from below are of the last one's colour."""
    apart = np.abs(cells - cells[-1, -1]).max(axis=(1, 2))
    varied = np.flatnonzero(apart > _FLAT)
    return len(cells) - 1 - int(varied[-1]) if len(varied) else len(cells)


def _cut(cells: Grid, first: int) -> bool:
    """Whether the picture stops along a line above row `first`."""
    colour = cells[-1, -1]
    above = cells[max(0, first - _EDGE_ROWS) : first]
    apart = np.abs(above - colour).max(axis=(0, 2))
    if colour.max() <= _BLACK or colour.min() >= _WHITE:
        return float((apart > _HARD_EDGE).mean()) >= _HARD_EDGE_CELLS
    return float((apart > _EDGE).mean()) >= _EDGE_CELLS
