"""What happens to the world, as data; and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

MODES = ("ok", "slow", "fail", "auth", "hang", "stuck", "bug", "deep", "frozen", "torn")
MOODS = ("take", "refuse", "take then fail", "late", "slow", "stutter")
LISTS = ("add", "remove", "off", "change", "unreadable", "readable")
KINDS = (
    *(f"camera: {mode}" for mode in MODES),
    *(f"store: {mood}" for mood in (*MOODS, "take", "take")),
    *(f"inventory: {change}" for change in (*LISTS, "readable")),
    *("list denied", "list allowed", "list allowed"),
    *("hold", "hold", "release", "clock", "freeze", "sweep: on", "sweep: off"),
    *("start", "start", "start", "crash", "stop"),
)
"""What can happen; what mends comes more than once, so that worlds do not stay broken."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happens `after` so many seconds: `what`, to the `who`-th, by so `much`."""

    after: float
    what: str
    who: int = 0
    much: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to the world; `corrected`: the daemons learn the store's time."""

    events: tuple[Event, ...]
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a plan: faults in sentences, and how much was lived through."""

    violations: tuple[str, ...]
    seconds: float
    cycles: int
    published: int
    looks: int
    worst: float
