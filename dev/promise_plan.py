"""What a run of the promise is asked to do."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.promise_children import ROOT

EVENTS = ("faults", "term", "kill", "death", "refusal")
FRESH_INTERVALS = 1.5


@dataclass(frozen=True, slots=True)
class Plan:
    """The command line as values; durations are seconds. `told_freshness` 0: the daemon's own."""

    cameras: int
    interval: float
    seconds: float
    daemons: int
    seed: int
    events: frozenset[str]
    sick: float
    sweep: bool
    sweep_always: bool
    told_freshness: float
    recover: float
    code: Path
    json: Path | None
    timeline: Path | None
    folder: Path | None

    @property
    def freshness(self) -> float:
        """How old a picture may be that a viewer sees."""
        return self.told_freshness or FRESH_INTERVALS * self.interval

    @property
    def sweeps(self) -> bool:
        """Whether the command `sweep` is needed."""
        return self.sweep_always or (self.sweep and "death" in self.events)

    @property
    def sweep_every(self) -> float:
        """The pause between two sweeps."""
        return min(5.0, self.interval / 20)


def nginx() -> str | None:
    """Where nginx is installed, if it is; Debian keeps it where users do not look."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def plan_of(words: list[str] | None = None) -> Plan:
    """The command line; leaves with a sentence when it makes no sense."""
    parser = _parser()
    options = vars(parser.parse_args(words))
    events = frozenset(options.pop("events").split(",")) - {""}
    if unknown := events - set(EVENTS):
        parser.error(f"no such event: {', '.join(sorted(unknown))}; there are {', '.join(EVENTS)}")
    if options["sweep_always"] and options["no_sweep"]:
        parser.error("--sweep-always and --no-sweep contradict each other")
    if nginx() is None:
        parser.error("nginx is not installed")
    return Plan(events=events, sweep=not options.pop("no_sweep"), **options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Measure in real time how old the pictures are that viewers see.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--cameras", type=int, default=200)
    add("--interval", type=float, default=10.0, help="CCTV_INTERVAL")
    add("--seconds", type=float, default=300.0, help="how long viewers watch")
    add("--daemons", type=int, choices=(1, 2), default=1, help="2: events hit the first only")
    add("--seed", type=int, default=1)
    add("--events", default=",".join(EVENTS), help="which of these happen")
    add("--sick", type=float, default=0.15, help="part of the cameras that is sick at a time")
    add("--no-sweep", action="store_true", help="nothing sweeps while the daemon is dead")
    add("--sweep-always", action="store_true", help="sweep also while a daemon is alive")
    add(
        "--freshness",
        dest="told_freshness",
        type=float,
        default=0.0,
        help="CCTV_FRESHNESS; 0: not set, 1.5 intervals are expected",
    )
    add(
        "--recover",
        type=float,
        default=5.0,
        help="seconds that are judged apart after nothing was alive, or the store refused",
    )
    add("--code", type=Path, default=ROOT, help="the folder whose cctv is measured")
    add("--json", type=Path, help="write the figures here")
    add("--timeline", type=Path, help="write a row for each second here (CSV)")
    add("--folder", type=Path, help="keep logs here; default: a temporary folder")
    return parser
