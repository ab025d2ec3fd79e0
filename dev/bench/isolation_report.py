"""The figures of several runs in a table side by side, and in words what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.table import table
from dev.bench.isolation_figures import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dev.bench.isolation_figures import Figures

WELL = "none"
"""The mode of the run in which nothing is sick."""

# seconds; above this, and above twice what it is without sick cameras, p99 is a harm
LATE, TWICE = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: its words, its value, and how that is shown."""

    words: str
    value: Callable[[Figures], float]
    shown: str = "{:.0f}"


ROWS = (
    Row("slots due", lambda run: run.due),
    Row("slots missed", lambda run: run.missed),
    Row("pictures published", lambda run: run.published),
    Row("slot to outcome, p50", lambda run: 1000 * percentile(run.ended, 0.5), "{:.0f} ms"),
    Row("slot to outcome, p99", lambda run: 1000 * percentile(run.ended, 0.99), "{:.0f} ms"),
    Row("slot to outcome, worst", lambda run: 1000 * percentile(run.ended, 1), "{:.0f} ms"),
    Row("slot to beginning, p99", lambda run: 1000 * percentile(run.begun, 0.99), "{:.0f} ms"),
    Row("CPU per picture", lambda run: 1000 * run.cpu_per_picture, "{:.2f} ms"),
    Row("CPU of one core", lambda run: 100 * run.cpu / run.seconds, "{:.1f} %"),
    Row("resident, at most", lambda run: run.resident / 1e6, "{:.0f} MB"),
    Row("open files, at most", lambda run: run.files),
    Row("longest collection", lambda run: 1000 * run.paused, "{:.0f} ms"),
    Row("loop got no processor", lambda run: 100 * run.waited / run.seconds, "{:.1f} %"),
)


def report(figures: Mapping[str, Figures]) -> str:
    """The table, what became of the sick, and the verdicts; `WELL` is what all are held against."""
    well = figures[WELL]
    others = {mode: each for mode, each in figures.items() if mode != WELL}
    head = ["", f"sick: {WELL}", *(word for mode in others for word in (mode, "ratio"))]
    rows = [_cells(row, well, others.values()) for row in ROWS]
    lines = [table(head, rows), ""]
    for mode, each in others.items():
        lines.append(f"{mode}: the sick came to {_counted(each.sick)}")
        lines.append(f"{mode}: the healthy are {verdict(each, well)}")
    return "\n".join(lines)


def verdict(figures: Figures, well: Figures) -> str:
    """Whether the healthy cameras were hurt, and how."""
    harms = []
    if figures.missed > well.missed:
        harms.append(f"{figures.missed - well.missed} slots more missed")
    if figures.published < well.published:
        harms.append(f"{well.published - figures.published} pictures fewer")
    late, usual = percentile(figures.ended, 0.99), percentile(well.ended, 0.99)
    if late > max(TWICE * usual, LATE):
        harms.append(f"p99 {late:.2f} s instead of {usual:.2f} s")
    return f"HURT: {', '.join(harms)}" if harms else "not hurt"


def _cells(row: Row, well: Figures, others: Iterable[Figures]) -> list[str]:
    usual = row.value(well)
    cells = [row.words, row.shown.format(usual)]
    for each in others:
        value = row.value(each)
        cells += [row.shown.format(value), f"{value / usual:.2f}" if usual else ""]
    return cells


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(counts.items())) or "nothing"
