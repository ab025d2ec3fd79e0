"""Straight lines through measurements: how much something grows, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slope:
    """A line by least squares: its rise for each unit, and the standard error of that.

    The error takes the points for independent of each other, so that it is a lower bound.
    """

    rise: float
    error: float

    def __str__(self) -> str:
        return f"{self.rise:+.3g} ± {self.error:.2g}"


def slope(at: Sequence[float], values: Sequence[float]) -> Slope:
    """The line through these points; without a rise and with no certainty where there is none.

    Raises:
        ValueError: there are not as many values as places.
    """
    count = len(at)
    middle, mean = _mean(at), _mean(values)
    spread = sum((x - middle) ** 2 for x in at)
    both = sum((x - middle) * (y - mean) for x, y in zip(at, values, strict=True))
    # two points always lie on a line: that says nothing of how sure it is
    if spread == 0 or count < 3:  # noqa: PLR2004 - as said
        return Slope(both / spread if spread else 0.0, math.inf)
    rise = both / spread
    left = sum((y - mean - rise * (x - middle)) ** 2 for x, y in zip(at, values, strict=True))
    return Slope(rise, math.sqrt(left / (count - 2) / spread))


def settled(values: Sequence[T], part: float = 1 / 3) -> Sequence[T]:
    """The values without the warm-up, the first `part` of them."""
    return values[math.ceil(len(values) * part) :]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
