"""The figures of a run: for people, as JSON, and second by second."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from dev.promise_ledger import TOLERANCE, Kind
from dev.promise_world import PROMISED, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dev.promise_ledger import Ledger
    from dev.promise_plan import Plan

_SHOWN = 10


def percentile(ages: Sequence[float], part: float) -> float | None:
    """The age that `part` of all does not exceed; None of none. `ages` are sorted."""
    return ages[min(len(ages) - 1, int(part * len(ages)))] if ages else None


def figures(ledger: Ledger, plan: Plan, sweeps: list[int]) -> dict[str, object]:
    """All that a run came to, as JSON holds it; ages are seconds."""
    ages = sorted(age for phase in PROMISED for age in ledger.ages[phase])
    return {
        "plan": {k: _plain(getattr(plan, k)) for k in ("cameras", "interval", "seconds", "seed")}
        | {"daemons": plan.daemons, "events": sorted(plan.events), "sweep": plan.sweep},
        "freshness": plan.freshness,
        "tolerance": TOLERANCE,
        "polls": ledger.kinds.total(),
        "from_cache": ledger.hits,
        "kinds": {kind.value: ledger.kinds[kind] for kind in Kind},
        "details": dict(ledger.details.most_common(_SHOWN)),
        "age_p50": percentile(ages, 0.5),
        "age_p99": percentile(ages, 0.99),
        "phases": {phase.value: _phase(ledger, phase) for phase in Phase},
        "violations": len(ledger.violations),
        "violations_by_kind": dict(Counter(found.what for found in ledger.violations)),
        "first_violations": [asdict(found) for found in ledger.violations[:_SHOWN]],
        "sweeps": len(sweeps),
        "sweeps_failed": sum(status != 0 for status in sweeps),
        "slowest_poll": ledger.slowest,
        "events": [
            {"second": round(began, 1), "event": event, **asdict(chapter)}
            for (began, event), chapter in ledger.chapters.items()
        ],
    }


def _plain(value: object) -> object:
    return value if isinstance(value, int | float | str) else str(value)


def _phase(ledger: Ledger, phase: Phase) -> dict[str, object]:
    worst = ledger.worst.get(phase)
    return {
        "pictures": len(ledger.ages[phase]),
        "too_old": ledger.too_old[phase],
        "worst": None if worst is None else asdict(worst),
    }


def told(ledger: Ledger, plan: Plan, sweeps: list[int]) -> str:
    """The report for people."""
    kinds = ", ".join(f"{ledger.kinds[kind]} {kind}" for kind in Kind)
    ages = sorted(age for phase in PROMISED for age in ledger.ages[phase])
    p50, p99 = (percentile(ages, part) or 0.0 for part in (0.5, 0.99))
    lines = [
        "",
        _asked(plan),
        f"polls: {ledger.kinds.total()} ({kinds})",
        f"from the cache: {ledger.hits}; the slowest took {ledger.slowest:.1f} s",
        *(f"  {count} times {detail}" for detail, count in ledger.details.most_common(_SHOWN)),
        f"sweeps: {len(sweeps)}, failed {sum(status != 0 for status in sweeps)}",
        f"age of pictures where the promise holds: p50 {p50:.1f} s, p99 {p99:.1f} s",
        *(_line(ledger, phase) for phase in Phase if phase in ledger.worst),
        "from one event to the next (too old, oldest, for how long there were such):",
        *(
            f"  {chapter.too_old:6} {chapter.worst:6.1f} s {chapter.lasted:6.1f} s  {event}"
            for (_, event), chapter in ledger.chapters.items()
        ),
        *_verdict(ledger),
    ]
    return "\n".join(lines)


def _asked(plan: Plan) -> str:
    return (
        f"{plan.cameras} cameras, {plan.interval:g} s, {plan.daemons} daemon(s),"
        f" freshness {plan.freshness:g} s, watched for {plan.seconds:g} s, seed {plan.seed}"
    )


def _line(ledger: Ledger, phase: Phase) -> str:
    counted = "VIOLATIONS" if phase in PROMISED else "not counted"
    return (
        f"{phase}: {len(ledger.ages[phase])} pictures, {ledger.too_old[phase]} too old ({counted})"
        f"\n  {ledger.worst[phase]}"
    )


def _verdict(ledger: Ledger) -> list[str]:
    kinds = Counter(found.what for found in ledger.violations)
    if not kinds:
        return ["violations: none"]
    where = Counter(f"{found.phase}, {found.event}" for found in ledger.violations)
    return [
        f"violations: {kinds.total()} ({', '.join(f'{n} {what}' for what, n in kinds.items())})",
        *(f"  {count} after: {event}" for event, count in where.most_common(_SHOWN)),
        *(f"  {found}" for found in ledger.violations[:_SHOWN]),
    ]


def write_json(file: Path, what: dict[str, object]) -> None:
    """Write the figures."""
    file.write_text(json.dumps(what, indent=2) + "\n")


def write_timeline(file: Path, ledger: Ledger) -> None:
    """Write a row for each second: the oldest picture, how many pictures, cards and others."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["second", "worst age", "live", "cards", "other", "event"])
        for second, row in sorted(ledger.seconds.items()):
            rows.writerow([second, f"{row.worst:.2f}", row.live, row.cards, row.other, row.event])
