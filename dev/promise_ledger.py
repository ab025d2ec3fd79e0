"""What viewers saw: every look is noted here and judged against the promise."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from dev.promise_world import PROMISED, Phase

if TYPE_CHECKING:
    from dev.promise_world import World

# for the whole seconds in which caches reckon, and the reader's own delay
TOLERANCE = 1.0


class Kind(StrEnum):
    """What stood at an address."""

    PICTURE = "picture"
    CARD = "card"
    FOREIGN = "another camera's picture"
    TORN = "torn, or no picture of ours"
    ERROR = "HTTP error"
    SILENCE = "no answer"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an address: how old its picture was when it arrived, how long it took (s).

    `age` is None but for pictures; `detail` says more of what should not be; `hit`: it came from
    the CDN's cache.
    """

    camera: int
    kind: Kind
    took: float
    age: float | None = None
    detail: str = ""
    hit: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A look worth telling, with what was going on."""

    what: str
    camera: int
    second: float
    age: float | None
    phase: Phase
    event: str
    sick: str
    running: int

    def __str__(self) -> str:
        age = "" if self.age is None else f" {self.age:.1f} s old"
        return (
            f"{self.what}: camera {self.camera} ({self.sick}) at {self.second:.1f} s{age};"
            f" {self.phase}, {self.running} running, last event: {self.event}"
        )


@dataclass(slots=True)
class Second:
    """A row of the timeline."""

    worst: float = 0.0
    live: int = 0
    cards: int = 0
    other: int = 0
    event: str = ""


@dataclass(slots=True)
class Chapter:
    """What was seen from one event to the next: how much too old, the oldest, for how long (s)."""

    too_old: int = 0
    worst: float = 0.0
    lasted: float = 0.0


@dataclass(slots=True)
class Ledger:
    """All looks of a run. A look that took long is not blamed for its own wait."""

    world: World
    freshness: float
    kinds: Counter[Kind] = field(default_factory=Counter)
    details: Counter[str] = field(default_factory=Counter)
    ages: dict[Phase, array[float]] = field(default_factory=lambda: {p: array("d") for p in Phase})
    too_old: Counter[Phase] = field(default_factory=Counter)
    worst: dict[Phase, Finding] = field(default_factory=dict)
    violations: list[Finding] = field(default_factory=list)
    seconds: dict[int, Second] = field(default_factory=dict)
    chapters: dict[tuple[float, str], Chapter] = field(default_factory=dict)
    slowest: float = 0.0
    hits: int = 0

    def note(self, look: Look) -> None:
        """Count one look, and judge it."""
        phase = self.world.phase()
        self.kinds[look.kind] += 1
        self.hits += look.hit
        self.slowest = max(self.slowest, look.took)
        self._second(look)
        if look.detail:
            self.details[f"{look.kind}: {look.detail}"] += 1
        if look.age is not None:
            self._age(look, look.age, phase)
        if look.kind in (Kind.FOREIGN, Kind.TORN):
            self.violations.append(self._finding(look.kind.value, look, phase))

    def _age(self, look: Look, age: float, phase: Phase) -> None:
        self.ages[phase].append(age)
        if phase not in self.worst or age > (self.worst[phase].age or 0.0):
            self.worst[phase] = self._finding("oldest", look, phase)
        began, event = self.world.log[-1]
        chapter = self.chapters.setdefault((began, event), Chapter())
        chapter.worst = max(chapter.worst, age)
        if age - look.took > self.freshness + TOLERANCE:
            self.too_old[phase] += 1
            chapter.too_old += 1
            chapter.lasted = self.world.now() - began
            if phase in PROMISED:
                self.violations.append(self._finding("too old", look, phase))

    def _finding(self, what: str, look: Look, phase: Phase) -> Finding:
        world = self.world
        sick = world.sick.get(look.camera, "ok")
        running = len(world.running)
        return Finding(what, look.camera, world.now(), look.age, phase, world.event, sick, running)

    def _second(self, look: Look) -> None:
        row = self.seconds.setdefault(int(self.world.now()), Second())
        row.event = self.world.event
        row.worst = max(row.worst, look.age or 0.0)
        row.live += look.kind is Kind.PICTURE
        row.cards += look.kind is Kind.CARD
        row.other += look.kind not in (Kind.PICTURE, Kind.CARD)
