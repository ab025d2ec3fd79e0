"""A table in plain text: columns as wide as what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """`rows` under `head`, left-aligned; control characters from records are made harmless."""
    cells = [head, *([plain(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_line(row, widths) for row in cells)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
    return "  ".join(padded).rstrip()


def plain(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
