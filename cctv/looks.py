"""What a decoded picture looks like: of one colour, of a colour no street has, lost below.

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
# what decoders fill in for lost data: mid-grey, always within 1 of it (measured), or an empty YUV
# buffer. Black, white and other colours are flat by themselves: a caption, a camera's own privacy
# mask, an unused quarter of a quad view, the night, snow in the sun
_GREY, _GREYISH = 128, 4
# a lost part without variation, give or take what rounding does, or a clock drawn on it does
_FLAT, _FLAT_CELLS, _FLAT_ROW = 1, 0.9, 0.5
_TAIL = 0.25
# where a tail begins, the picture above it stops along a line, other than fog: so much of its
# width differs by more than so much
_EDGE_ROWS = 2
_EDGE, _EDGE_CELLS = 4, 0.5


def grid(pixels: Pixels) -> Grid:
    """The cells of an RGB picture; a smaller picture has one for each of its pixels."""
    height, width = pixels.shape[:2]
    size = (min(width, _COLUMNS), min(height, _ROWS))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX)
    return np.asarray(small).astype(np.int16)


def blank(cells: Grid) -> bool:
    """Whether nothing can be seen: one flat colour, or the green or pink of a lost buffer."""
    return _plain(cells) or max(float(each.mean()) for each in _casts(cells)) >= _CAST_CELLS


def flat_tail(cells: Grid) -> float:
    """The part of the height, from below, that is one colour as lost data leaves it.

    A few cells of it may differ. 0 where it is less than a quarter, where the whole picture is
    flat, and where the picture fades into the colour, as it does into fog.
    """
    if _plain(cells):
        return 0.0
    rows = len(cells)
    colour = np.median(cells[-max(1, round(_TAIL * rows)) :], axis=(0, 1))
    depth = _depth(np.abs(cells - colour).max(axis=2) <= _FLAT) if _lost(colour) else 0
    if depth < _TAIL * rows or not _cut(cells[: rows - depth], colour):
        return 0.0
    return depth / rows


def _plain(cells: Grid) -> bool:
    return float(cells.mean(axis=2).std()) < _PLAIN


def _casts(colours: Grid) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where there is the green of a lost buffer, and where its pink."""
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    return green - np.maximum(red, blue) > _CAST, np.minimum(red, blue) - green > _CAST


def _lost(colour: Grid) -> bool:
    """Whether a colour is one that stands for lost data."""
    grey = bool(np.abs(colour - _GREY).max() <= _GREYISH)
    return grey or any(map(bool, _casts(colour)))


def _depth(alike: npt.NDArray[np.bool_]) -> int:
    """How many rows from below are alike, but for a few cells of them all, and half a first row."""
    shares = alike.mean(axis=1)[::-1]
    so_far = shares.cumsum() / np.arange(1, len(shares) + 1)
    found = np.flatnonzero((so_far >= _FLAT_CELLS) & (shares >= _FLAT_ROW))
    return int(found[-1]) + 1 if len(found) else 0


def _cut(above: Grid, colour: Grid) -> bool:
    """Whether the picture above a tail stops along a line, or there is none left."""
    apart = np.abs(above[-_EDGE_ROWS:] - colour).max(axis=2)
    return not len(above) or float((apart.max(axis=0) > _EDGE).mean()) >= _EDGE_CELLS
