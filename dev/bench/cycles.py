"""A million cycles in virtual time: what they cost, and whether anything grows meanwhile.

The real fleet with its public images, policies and observers over a store in memory; 15 % of the
cameras have trouble of every kind, and the store refuses now and then. Pictures are not decoded:
the cost of a cycle is that of the program around the picture. Run it: `python dev/bench/cycles.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
import time
import tracemalloc
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cctv.errors import CaptureError, StoreError  # noqa: E402 - after the path
from cctv.fleet import Fleet  # noqa: E402
from cctv.frame import Frame  # noqa: E402
from cctv.gallery import Gallery  # noqa: E402
from cctv.journal import Journal  # noqa: E402
from cctv.model import Camera, NotStored, Outcome, Published  # noqa: E402
from cctv.observers import tell_all  # noqa: E402
from cctv.reasons import Reason  # noqa: E402
from cctv.roster import Roster  # noqa: E402
from cctv.schedule import Timing  # noqa: E402
from cctv.store.breaker import Breaker  # noqa: E402
from cctv.store.memory import MemoryStore  # noqa: E402
from cctv.store.wrap import GivenUp, Limited, Retrying, Timely  # noqa: E402
from cctv.watch import Rules, Watched  # noqa: E402
from cctv.web.board import Board  # noqa: E402
from cctv.wrap import Budget, Patient  # noqa: E402
from dev.bench.fleet import Sample  # noqa: E402
from dev.bench.slopes import settled, slope  # noqa: E402
from tests import virtual  # noqa: E402
from tests.fakes.frames import jpeg  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cctv.model import StoredObject
    from cctv.seams import Store

TIMING = Timing(interval=300.0)
FRESHNESS = 450.0
BUDGET = Budget.of(TIMING.interval, 15.0, FRESHNESS)
TROUBLES = (
    "refused",
    "unreachable",
    "hangs",
    "stuck",
    "torn",
    "bug",
    "deep",
    "frozen",
    "now and then",
)
_STORM_EVERY, _STORM = 40, 120.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the process; `cycles` had been done by then."""

    cycles: int
    resident: int
    traced: int
    objects: int
    tasks: int
    threads: int
    files: int


@dataclass
class Trouble:
    """A camera that answers as `kind` says; blank: a fresh picture each time."""

    name: str
    kind: str
    _turn: int = 0

    async def frame(self) -> Frame:
        """See `seams.Source`."""
        self._turn += 1
        await asyncio.sleep({"hangs": 15.0, "stuck": 1e6}.get(self.kind, 0.3))
        match self.kind:
            case "refused":
                raise CaptureError(Reason.AUTH, "HTTP 401 Unauthorized")
            case "unreachable" | "hangs":
                raise CaptureError(Reason.UNREACHABLE, "no route to host")
            case "torn":
                raise CaptureError(Reason.TORN, f"JPEG cut off after {self._turn} bytes")
            case "bug":
                raise ValueError(f"a mistake of ours, the {self._turn}th")
            case "deep":
                raise RecursionError("a mistake of ours")
            case "now and then" if self._turn % 3:
                raise CaptureError(Reason.BUSY, "HTTP 503")
        return _picture(
            b"the same" if self.kind == "frozen" else f"{self.name} {self._turn}".encode()
        )


@dataclass
class Refusing:
    """A store that refuses while it is told to; each time with an error of its own.

    The store in memory raises the same one again and again, and that keeps every stack.
    """

    store: Store
    refuses: bool = False

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        await asyncio.sleep(0)
        if self.refuses:
            raise StoreError("HTTP 503 SlowDown")
        await self.store.put(key, thing)


@dataclass
class Town:
    """Cameras, of which a part has trouble, and the fleet that publishes them."""

    cameras: int
    faulty: float
    looks: list[Look] = field(default_factory=list)
    cycles: int = 0
    published: int = 0
    unstored: int = 0

    def __post_init__(self) -> None:
        self.store = Refusing(MemoryStore(virtual.now))
        given_up = GivenUp()
        limited = Limited(Timely(self.store, virtual.now), 64)
        store = Breaker(Retrying(limited, BUDGET.put, given_up.note), BUDGET.put)
        gallery = Gallery(
            store=store,
            prefix="image/",
            interval=TIMING.interval,
            fallback=b"card",
            now=virtual.now,
            freshness=FRESHNESS,
            upload=BUDGET.put,
            given_up=given_up.last,
        )
        self.journal = Journal(virtual.now)
        tell = tell_all([self.journal, Board(), self._count])
        self.fleet = Fleet(gallery, TIMING, self._drive, tell, lambda _: None)
        self._sources: dict[str, Watched] = {}

    async def run(self, wanted: int) -> None:
        """Publish until so many cycles are done; look thirty times in between."""
        names = [str(number) for number in range(1, self.cameras + 1)]
        cameras = {name: Camera(name, "Axis", f"10.0.0.{name}") for name in names}
        await self.fleet.apply(Roster(cameras))
        watch = asyncio.create_task(self.fleet.watch(), name="supervisor")
        interval, turn = 0, 0
        while self.cycles < wanted:
            await asyncio.sleep(TIMING.interval)
            interval += 1
            if interval % _STORM_EVERY == 0:
                await self._storm()
            if self.cycles >= wanted * turn / 30:
                turn += 1
                self.looks.append(look(self.cycles))
        watch.cancel()
        await self.fleet.stop(5.0)

    async def _storm(self) -> None:
        self.store.refuses = True
        await asyncio.sleep(_STORM)
        self.store.refuses = False

    def _drive(self, camera: Camera) -> Watched:
        number = int(camera.id)
        faulty = number % 100 < 100 * self.faulty
        kind = TROUBLES[number % len(TROUBLES)] if faulty else ""
        source = Watched(Patient(Trouble(camera.id, kind), BUDGET.capture), Rules())
        return self._sources.setdefault(camera.id, source)

    def _count(self, outcome: Outcome) -> None:
        self.cycles += 1
        self.published += isinstance(outcome, Published)
        self.unstored += isinstance(outcome, NotStored)


def look(cycles: int) -> Look:
    """What the process holds now, after a collection."""
    gc.collect()
    seen = Sample.of(os.getpid())
    return Look(
        cycles=cycles,
        resident=seen.resident,
        traced=tracemalloc.get_traced_memory()[0],
        objects=len(gc.get_objects()),
        tasks=len(asyncio.all_tasks()),
        threads=seen.threads,
        files=seen.files,
    )


_MODEL = Frame.of(jpeg(), virtual.EPOCH)


def _picture(digest: bytes) -> Frame:
    """A frame taken now; none behind the one door looks at its bytes again."""
    frame = copy(_MODEL)
    for name, value in (("digest", digest), ("captured_at", virtual.now())):
        object.__setattr__(frame, name, value)
    return frame


def report(town: Town, wall: float, cpu: float) -> Iterator[str]:
    """The figures, line by line; the lines are laid through what comes after the warm-up."""
    yield f"{town.cycles} cycles of {town.cameras} cameras, {100 * town.faulty:.0f} % with trouble"
    yield f"published {town.published}, not stored {town.unstored}"
    yield f"wall {wall:.0f} s, CPU {cpu:.0f} s, {1e6 * cpu / town.cycles:.0f} us CPU per cycle"
    yield f"{'':12}{'first':>12}{'warm':>12}{'last':>12}   growth in a million cycles"
    warm = settled(town.looks)
    at = [each.cycles / 1e6 for each in warm]
    for name in ("resident", "traced", "objects", "tasks", "threads", "files"):
        values = [getattr(each, name) for each in warm]
        ends = getattr(town.looks[0], name), values[0], values[-1]
        yield f"{name:12}" + "".join(f"{each:12,}" for each in ends) + f"   {slope(at, values)}"


def main(words: Sequence[str] | None = None) -> None:
    """Run, and print."""
    options = arguments(words)
    logging.disable(logging.CRITICAL)
    if options.trace:
        tracemalloc.start()
    town = Town(options.cameras, options.faulty / 100)
    began, cpu = time.monotonic(), time.process_time()
    virtual.run(lambda: town.run(options.cycles))
    for line in report(town, time.monotonic() - began, time.process_time() - cpu):
        print(line)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1_000_000)
    parser.add_argument("--cameras", type=int, default=1500)
    parser.add_argument("--faulty", type=float, default=15.0, help="percent")
    parser.add_argument("--trace", action="store_true", help="tracemalloc too: five times as slow")
    return parser.parse_args(words)


if __name__ == "__main__":
    main()
