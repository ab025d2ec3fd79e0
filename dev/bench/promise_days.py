"""Days of the promise in virtual time, with random faults of every kind, one upon another.

Each plan is a life of a store, five cameras, people and up to two daemons (tests/fakes/world.py);
the audit watches every address. What breaks the promise is printed with the plan that did it, as
short as it can be made, ready for tests/test_promise.py. Exit status 1 when something did.
Run it: `python dev/bench/promise_days.py --examples 1000`.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.fakes.world import lived  # noqa: E402 - after the path
from tests.fakes.world_plan import KINDS, Event, Plan, Result  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAY = 86_400.0
_AFTER = (0.0, 0.1, 1.0, 3.0, 7.0, 20.0, 45.0, 90.0, 200.0, 300.0, 450.0, 900.0)
_MUCH = {
    "store: late": (1.0, 5.0, 18.0, 30.0, 50.0),
    "store: stutter": (1.0, 5.0, 18.0, 30.0, 50.0),
    "store: slow": (0.01, 1.0, 5.0, 12.0, 18.0),
    "hold": (0.0, 0.0, 60.0, 600.0),
    "clock": (3600.0, -3600.0, 60.0, -60.0),
    "freeze": (5.0, 60.0, 600.0, 3600.0),
}
_SHOWN = 3


@dataclass
class Sum:
    """What all plans came to."""

    plans: int = 0
    seconds: float = 0.0
    cycles: int = 0
    published: int = 0
    looks: int = 0
    broken: list[int] = field(default_factory=list)

    def add(self, seed: int, result: Result) -> None:
        """One more."""
        self.plans += 1
        self.seconds += result.seconds
        self.cycles += result.cycles
        self.published += result.published
        self.looks += result.looks
        if result.violations:
            self.broken.append(seed)

    def __str__(self) -> str:
        return (
            f"{self.plans} plans, {self.seconds / DAY:.1f} virtual days, {self.cycles} cycles, "
            f"{self.published} pictures, {self.looks} looks at all addresses: "
            f"{len(self.broken)} plans broke the promise"
        )


def drawn(seed: int, seconds: float) -> Plan:
    """A plan of about so many seconds; the same for the same seed."""
    dice = random.Random(seed)
    events: list[Event] = []
    left = seconds
    while left > 0:
        after = dice.choice(_AFTER) * dice.choice((1.0, 1.0, dice.random()))
        kind = dice.choice(KINDS)
        much = dice.choice(_MUCH.get(kind, (0.0,)))
        events.append(Event(round(after, 2), kind, dice.randrange(5), much))
        left -= after
    return Plan(tuple(events), dice.choice((False, True)))


def shortened(plan: Plan) -> Plan:
    """The plan without what it does not need to break the promise; large parts go first."""
    size = len(plan.events)
    while size:
        position = 0
        while position < len(plan.events):
            tries = _without(plan, position, size)
            shorter = next((each for each in tries if lived(each).violations), None)
            plan = shorter or plan
            position += 0 if shorter else size
        size //= 2
    return plan


def _without(plan: Plan, position: int, size: int) -> Iterator[Plan]:
    """The plan without some events: their time passes all the same, or not."""
    before, behind = plan.events[:position], plan.events[position + size :]
    gone = sum(event.after for event in plan.events[position : position + size])
    if behind and gone:
        later = replace(behind[0], after=behind[0].after + gone)
        yield replace(plan, events=(*before, later, *behind[1:]))
    yield replace(plan, events=(*before, *behind))


def main(words: Sequence[str] | None = None) -> int:
    """Live through all plans; 1 when the promise was broken."""
    options = arguments(words)
    total, began = Sum(), time.monotonic()
    for seed in range(options.seed, options.seed + options.examples):
        plan = drawn(seed, options.days * DAY)
        result = lived(plan)
        total.add(seed, result)
        if result.violations and len(total.broken) <= _SHOWN:
            tell(seed, plan if options.whole else shortened(plan))
    print(f"{total}; {time.monotonic() - began:.0f} s")
    if total.broken:
        print("seeds:", *total.broken)
    return 1 if total.broken else 0


def tell(seed: int, plan: Plan) -> None:
    """Print what breaks the promise."""
    print(f"seed {seed}, corrected={plan.corrected}:")
    for event in plan.events:
        print(f"    E({event.after:g}, {event.what!r}, {event.who}, {event.much:g}),")
    for violation in lived(plan).violations[:_SHOWN]:
        print(f"  {violation}", flush=True)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--days", type=float, default=0.1, help="of each plan; a calm hour follows")
    parser.add_argument("--seed", type=int, default=0, help="of the first plan")
    parser.add_argument("--whole", action="store_true", help="plans are printed as they are")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
