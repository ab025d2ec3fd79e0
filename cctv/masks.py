"""The operator's privacy masks: shapes for each camera, from a TOML file.

    12 = [[[0, 0.6], [0.4, 0.6], [0.4, 1], [0, 1]]]

A camera's id, and its shapes: each at least three corners, as fractions of the picture's width
and height from its upper left, so that they hold at any resolution. `12 = []` hides nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cctv import tomlfile
from cctv.roster import is_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cctv.retouch import Polygon

    Masks = Mapping[str, tuple[Polygon, ...]]

_CORNERS, _MOST_CORNERS = 3, 200
# fractions do not come out even: what is smaller than this part of the picture is a line
_NOTHING = 1e-6


def load(file: Path | None) -> Masks:
    """The shapes by camera id; none without a file.

    Raises:
        ConfigError: every fault of the file at once. A mask in doubt is no mask: nothing of a
            faulty file is used.
    """
    if file is None:
        return {}
    entries = tomlfile.read("CCTV_MASKS", file, _faults)
    return {name: polygons(shapes) for name, shapes in entries.items()}


def polygons(shapes: Iterable[Iterable[Sequence[float]]]) -> tuple[Polygon, ...]:
    """Shapes as they are drawn."""
    return tuple(tuple((float(x), float(y)) for x, y in shape) for shape in shapes)


def _faults(entries: Mapping[str, object]) -> Iterator[str]:
    for name, shapes in entries.items():
        if not is_id(name):
            yield f"{name!r} is not the id of a camera"
        elif not isinstance(shapes, list):
            yield f"{name} has no list of shapes; [] is for a camera of which nothing is hidden"
        else:
            for place, shape in enumerate(shapes, 1):
                if fault := _shape_fault(shape):
                    yield f"{name}, shape {place}: {fault}"


def _shape_fault(shape: object) -> str:
    if not isinstance(shape, list) or len(shape) < _CORNERS:
        return f"is not a list of {_CORNERS} corners or more (is a pair of brackets missing?)"
    for corner in shape:
        if not _is_corner(corner):
            return f"{_shown(corner)} is not a corner such as [0.25, 0.5], both from 0 to 1"
    if len(shape) > _MOST_CORNERS:
        return f"has more than {_MOST_CORNERS} corners"
    if _crosses(shape):
        return "crosses itself; make two shapes of it"
    return "" if _area(shape) > _NOTHING else "encloses nothing"


def _crosses(shape: list[list[float]]) -> bool:
    """Whether two edges cross: what lies inside is then a matter of opinion, and may stay open."""
    edges = list(zip(shape, [*shape[1:], shape[0]], strict=True))
    return any(
        _side(*one, other[0]) * _side(*one, other[1]) < 0
        and _side(*other, one[0]) * _side(*other, one[1]) < 0
        for place, one in enumerate(edges)
        for other in edges[place + 1 :]
    )


def _side(start: list[float], end: list[float], corner: list[float]) -> float:
    """On which side of the line from `start` to `end` a corner lies: below, above or 0."""
    across, down = end[0] - start[0], end[1] - start[1]
    return across * (corner[1] - start[1]) - down * (corner[0] - start[0])


def _shown(corner: object) -> str:
    try:
        return repr(corner)
    except ValueError:
        # Python writes no number of thousands of digits
        return "a huge number"


def _is_corner(corner: object) -> bool:
    if not isinstance(corner, list) or len(corner) != 2:  # noqa: PLR2004 - across and down
        return False
    return all(type(part) in (int, float) and 0 <= part <= 1 for part in corner)


def _area(shape: list[list[float]]) -> float:
    """The triangles of the shape, seen from its first corner, in all; 0 for a line or a point."""
    left, top = shape[0]
    spokes = [(across - left, down - top) for across, down in shape]
    return sum(abs(a * d - b * c) / 2 for (a, b), (c, d) in pairwise(spokes))
