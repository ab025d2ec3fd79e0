"""What a fleet's outcomes say about its healthy cameras while others are sick."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.model import NotStored, Outcome, Published, Rested, Unavailable
from cctv.schedule import phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cctv.seams import Clock
    from dev.bench.fleet import Sample

PUBLISHED = "published"
# a timer may fire early: a cycle begins this part of an interval before its slot at most
EARLY = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of a street's `cameras`, one picture each `interval` seconds, `cycles` watched.

    `sick` says which camera is in which mode; `healthy` ones are never sick, in no run.
    """

    cameras: int
    interval: float
    cycles: int
    healthy: Sequence[str]
    sick: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Note:
    """One outcome: when its cycle began, when it was told (seconds of the epoch), what it was."""

    camera: str
    began: float
    told: float
    came: str


class Notebook:
    """An observer that notes every outcome; `begun` is set by the first of them."""

    def __init__(self, now: Clock) -> None:
        self.notes: list[Note] = []
        self.begun = asyncio.Event()
        self._now = now

    def __call__(self, outcome: Outcome) -> None:
        """Note it."""
        began, told = outcome.cycle.due.timestamp(), self._now().timestamp()
        self.notes.append(Note(outcome.camera.id, began, told, came(outcome)))
        self.begun.set()


def came(outcome: Outcome) -> str:
    """What an outcome was, in a few words."""
    match outcome:
        case Published():
            return PUBLISHED
        case Unavailable(error=error):
            return error.reason.value
        case Rested(reason=reason):
            return f"rest after {reason.value}"
        case NotStored():
            return "not stored"
    raise TypeError(outcome)


class Pauses:
    """Told by `gc` when it begins and ends; `longest` is in seconds of CPU."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        """Heed it; both calls come in the thread that collects, which holds up all others."""
        now = time.thread_time()
        if phase == "start":
            self._began = now
        else:
            self.longest = max(self.longest, now - self._began)


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen: all notes, and samples of the daemon from `opens` on, one each interval.

    `waited` are the seconds in which the daemon's loop had work and got no processor for it,
    `paused` those of CPU that the longest garbage collection took, during which nothing moves.
    """

    opens: float
    notes: Sequence[Note]
    samples: Sequence[Sample]
    waited: float
    paused: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to.

    Of the healthy: slots `due`, `missed` and ending in a picture `published`; seconds, sorted,
    from a slot to its cycle's beginning (`begun`) and outcome (`ended`). Of the daemon: seconds
    of `cpu` within `seconds`, most bytes `resident`, most open `files`, all cameras' `pictures`.
    `sick` counts what the sick came to; `waited` and `paused` are as in `Run`.
    """

    due: int
    missed: int
    published: int
    begun: Sequence[float]
    ended: Sequence[float]
    cpu: float
    seconds: float
    resident: int
    files: int
    pictures: int
    sick: Mapping[str, int]
    waited: float
    paused: float

    @classmethod
    def of(cls, run: Run, plan: Plan) -> Figures:
        """Judge a run; a slot is missed when no cycle that began in it has ended."""
        slots = slots_due(plan, run.opens)
        served = served_slots(run.notes, slots, plan.interval)
        seconds = plan.interval * plan.cycles
        watched = [note for note in run.notes if 0 <= note.told - run.opens < seconds]
        return cls(
            due=len(slots),
            missed=len(slots) - len(served),
            published=sum(note.came == PUBLISHED for note in served.values()),
            begun=sorted(note.began - slots[slot] for slot, note in served.items()),
            ended=sorted(note.told - slots[slot] for slot, note in served.items()),
            cpu=run.samples[-1].cpu - run.samples[0].cpu,
            seconds=seconds,
            resident=max(sample.resident for sample in run.samples),
            files=max(sample.files for sample in run.samples),
            pictures=sum(note.came == PUBLISHED for note in watched),
            sick=Counter(note.came for note in watched if note.camera in plan.sick),
            waited=run.waited,
            paused=run.paused,
        )

    @property
    def cpu_per_picture(self) -> float:
        """Seconds of the daemon's CPU; of none, not a number."""
        return self.cpu / self.pictures if self.pictures else math.nan


Slot = tuple[str, int]
"""A camera and the number of its slot on the schedule's grid."""


def slots_due(plan: Plan, opens: float) -> dict[Slot, float]:
    """The slots that healthy cameras have in the watched cycles, and their moments."""
    due = {}
    for camera in plan.healthy:
        offset = phase(camera) * plan.interval
        first = math.ceil((opens - offset) / plan.interval)
        for number in range(first, first + plan.cycles):
            due[camera, number] = number * plan.interval + offset
    return due


def served_slots(
    notes: Sequence[Note], slots: Mapping[Slot, float], interval: float
) -> dict[Slot, Note]:
    """Those slots in which a cycle began, with what came of it."""
    found = {(note.camera, slot_number(note, interval)): note for note in notes}
    return {slot: note for slot, note in found.items() if slot in slots}


def slot_number(note: Note, interval: float) -> int:
    """The slot that a cycle was for: the last one when it began."""
    return math.floor(note.began / interval - phase(note.camera) + EARLY)


def percentile(ordered: Sequence[float], part: float) -> float:
    """The smallest value that this part of all does not exceed; of none, not a number."""
    return ordered[math.ceil(part * len(ordered)) - 1] if ordered else math.nan
