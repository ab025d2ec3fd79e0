"""The fault matrix: what becomes public when a camera behaves in each way of the street.

python dev/matrix.py            print it as it stands in dev/fault-matrix.md
python dev/matrix.py --write    write that file anew
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.matrix_rows import ROWS
from dev.street_modes import KINDS, MODES

if TYPE_CHECKING:
    from dev.matrix_row import Row

FILE = Path(__file__).with_name("fault-matrix.md")
_OPENING = """\
# The fault matrix

What is public while a camera behaves in one of the ways of `dev/street.py`: `live`, a whole and
fresh picture, or `unavailable`, the fallback image with its reason. `tests/test_matrix.py` runs
a fleet over all of them at once and judges each row; `python dev/matrix.py --write` writes this.
"""
_COLUMNS = ("fault", "what the camera does", "seen in", "public", "reason, warning", "must hold")


def document() -> str:
    """The table in Markdown, by kinds of fault."""
    lines = [_OPENING, _line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    for kind, modes in KINDS.items():
        names = [mode.name for mode in modes]
        lines.append(_line([f"**{kind}**"] + [""] * (len(_COLUMNS) - 1)))
        lines += [_line(_cells(row)) for name in names for row in ROWS if row.mode == name]
    return "\n".join([*lines, ""])


def _cells(row: Row) -> list[str]:
    mode = MODES[row.mode]
    why = ", ".join(part for part in (row.reason, row.warning and f"warning {row.warning}") if part)
    return [f"`{row.name}`", mode.words, mode.seen, row.verdict, why, "; ".join(row.holds())]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the document, or write it."""
    parser = argparse.ArgumentParser(description="Writes the fault matrix as a document.")
    parser.add_argument("--write", action="store_true", help=f"to {FILE.name}")
    if parser.parse_args().write:
        FILE.write_text(document(), "utf-8")
    else:
        print(document(), end="")


if __name__ == "__main__":
    main()
