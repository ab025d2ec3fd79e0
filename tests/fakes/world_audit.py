"""Who watches every public address of the world, and by what the daemon is bound."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.world_machine import BUDGET, CARD, FRESHNESS, PREFIX, REFRESH, TIMING

if TYPE_CHECKING:
    from cctv.model import Shelved
    from tests.fakes.world import World

# seconds. Timers and the way to the store
SLACK = 1.0
# a store that takes again: a PUT is begun every four to six seconds, and a store that was given up
# is tried by one of them each second
RECOVERY = 13.0
# what the first look at the store after a start takes
START = 5.0
# where the list is denied, or the clock was wrong: the first cycle puts it right
BLIND = TIMING.interval / 5 + BUDGET.capture + BUDGET.put
# a store that did not tell what it holds is asked again
AGAIN = 33.0
# a hold is looked for every three seconds, and waits two for an upload that it breaks off
HOLD = 3.0 + 2.0
# a list that has lost much is believed when it comes twice
LIST = 2 * REFRESH


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the world knows it: whose, when it was truly taken, by a clock how wrong."""

    owner: str
    taken: float
    offset: float
    landed: float

    @classmethod
    def of(cls, body: bytes, landed: float) -> Shown | None:
        """What this body shows; None for the fallback image."""
        if body == CARD:
            return None
        owner, taken, offset = body.decode().split()
        return cls(owner, float(taken), float(offset), landed)


def painted(owner: str, taken: float, offset: float) -> bytes:
    """The body of a picture that the audit can read."""
    return f"{owner} {taken!r} {offset!r}".encode()


@dataclass
class Auditor:
    """Finds what must never be seen; `violations` are sentences."""

    world: World
    violations: list[str] = field(default_factory=list)
    worst: float = 0.0
    looks: int = 0
    shown: dict[str, Shown | None] = field(default_factory=dict)
    _excused: float = -math.inf
    _frozen: float = -math.inf
    _denied: float = -math.inf
    _forbidden: dict[str, float] = field(default_factory=dict)
    _alive: float | None = None
    _swept: float | None = None
    _older: dict[str, float] = field(default_factory=dict)

    def changed(self, key: str, shelved: Shelved) -> None:
        """Look at what has just come to stand in the store."""
        name = key.removeprefix(PREFIX).removesuffix(".jpg")
        if not key.startswith(PREFIX):
            return
        now = _monotonic()
        shown, before = Shown.of(shelved.thing.body, now), self.shown.get(name)
        if shown is not None and shown.owner != name:
            self._found(name, f"shows a picture of {shown.owner}")
        self._older.pop(name, None)
        if shown and before and shown.taken < before.taken:
            self._older[name] = now
        self.shown[name] = shown

    def froze(self) -> None:
        """All processes stood still: they need a moment to find out."""
        self._frozen = _monotonic()

    async def run(self, every: float) -> None:
        """Look at every address every few seconds, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(every)

    def look(self) -> None:
        """Look at every address now."""
        self.looks += 1
        self._note_excuses()
        for name, shown in self.shown.items():
            self._judge_order(name, shown)
            if shown is not None:
                self._judge_age(name, shown)
                self._judge_sequence(name)

    def _note_excuses(self) -> None:
        world, now = self.world, _monotonic()
        if not world.store.well:
            self._excused = now
        self._excused = max(self._excused, world.store.troubled)
        if world.store.deny:
            self._denied = now
        alive = [machine.since for machine in world.machines]
        self._alive = min(alive, default=None)
        if not world.sweeping:
            self._swept = None
        elif self._swept is None:
            self._swept = now
        for machine in world.machines:
            if machine.failed:
                self._found("the daemon", f"ended by itself: {machine.failed!r}")
                machine.failed.clear()

    def _judge_age(self, name: str, shown: Shown) -> None:
        world, now = self.world, _monotonic()
        overdue = world.seconds() - shown.taken - FRESHNESS
        if world.guarded and self._excused + RECOVERY < now:
            self.worst = max(self.worst, overdue + FRESHNESS)
        if overdue <= SLACK:
            return
        limit = min(
            self._daemon_limit(name, shown, now - overdue), self._sweep_limit(shown, now - overdue)
        )
        if now > limit + SLACK:
            said = f"shows a picture {overdue + FRESHNESS:.0f} s old"
            self._found(name, f"{said}, {now - limit:.0f} s longer than it may")

    def _daemon_limit(self, name: str, shown: Shown, due: float) -> float:
        if self._alive is None:
            return math.inf
        blind = self._denied >= self._alive - START or shown.offset != self.world.offset
        unseen = self._alive >= shown.landed
        began = self._alive + (BLIND if blind and unseen else START)
        if not self.world.listed(name):
            # what no list names can only be seen in the store
            began = max(began, self._denied + AGAIN, self._excused + AGAIN)
        return max(due, began, self._excused + RECOVERY, self._frozen + START)

    def _sweep_limit(self, shown: Shown, due: float) -> float:
        world = self.world
        if self._swept is None or shown.offset != world.offset:
            return math.inf
        begun = max(due, self._swept, self._excused, self._denied, self._frozen)
        return begun + world.sweep_every + START

    def _judge_order(self, name: str, shown: Shown | None) -> None:
        world, now = self.world, _monotonic()
        bound = world.forbidden(name)
        if bound is None:
            self._forbidden.pop(name, None)
            return
        since = self._forbidden.setdefault(name, now)
        if shown is None or self._alive is None:
            return
        begun = max(
            since, self._alive + START, self._excused + RECOVERY, self._frozen, self._denied
        )
        limit = max(begun + bound, world.store.late_until)
        if now > limit + SLACK:
            self._found(name, f"shows a picture {now - limit:.0f} s longer than ordered")

    def _judge_sequence(self, name: str) -> None:
        now, since = _monotonic(), self._older.get(name)
        if since is None or self._alive is None:
            return
        begun = max(since, self.world.touched, self._excused, self._alive)
        if now > begun + TIMING.interval + BLIND:
            self._found(name, "shows a picture older than the one before it")

    def _found(self, name: str, what: str) -> None:
        at = f"{_monotonic():.0f} s"
        known = f"{name} {what.partition(' a picture ')[0]}"
        if not any(known in each for each in self.violations[-3:]):
            self.violations.append(f"at {at}: {name} {what}")


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
