"""The benchmarks: that they run, and that they see what they are there to see."""

from __future__ import annotations

import gc
import math
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cctv.errors import CaptureError, StoreError
from cctv.model import Camera, Cycle, NotStored, Outcome, Rested, Unavailable
from cctv.reasons import Reason
from cctv.schedule import phase
from dev.bench.fleet import Sample
from dev.bench.isolation_figures import (
    PUBLISHED,
    Figures,
    Note,
    Notebook,
    Pauses,
    Plan,
    Run,
    came,
    percentile,
)
from dev.bench.isolation_report import WELL, report, verdict

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "bench" / "isolation.py"
INTERVAL = 10.0
OPENS = 1000.0
PLAN = Plan(3, INTERVAL, cycles=2, healthy=["1", "2"], sick={"3": "hang_hdr"})
SAMPLES = [Sample(1.0, 50, 7, 3), Sample(2.0, 70, 9, 3), Sample(3.0, 60, 8, 3)]
SLOTS = [(name, OPENS + INTERVAL * (turn + phase(name))) for turn in (0, 1) for name in ("1", "2")]


def figures(*notes: Note) -> Figures:
    """What a run with these outcomes came to."""
    return Figures.of(Run(OPENS, notes, SAMPLES, waited=5.0, paused=0.25), PLAN)


def on_time() -> list[Note]:
    """An outcome for each slot of the healthy: begun at once, told after half a second."""
    return [Note(name, slot, slot + 0.5, PUBLISHED) for name, slot in SLOTS]


def isolation(*words: str) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it, ended."""
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own program


def test_isolation_is_measured() -> None:
    """The program runs a street well and sick, prints its table with a verdict, and ends."""
    short = ("--cameras", "30", "--interval", "1", "--cycles", "2")
    done = isolation(*short, "--mode", "mixture")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +sick: none +mixture +ratio$", done.stdout, re.MULTILINE)
    assert re.search(r"^slots due +42 +42 +1\.00$", done.stdout, re.MULTILINE)
    assert re.search(r"^mixture: the healthy are (not hurt|HURT: .+)$", done.stdout, re.MULTILINE)
    sick = re.search(r"^mixture: the sick came to (.+)$", done.stdout, re.MULTILINE)
    assert sick is not None
    assert "timeout" in sick[1]
    assert PUBLISHED not in sick[1]


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (("--sick", "100"), 2, "some healthy"),
        (("--sick", "0"), 2, "some cameras must be sick"),
        (("--mode", "dance"), 2, "invalid choice: 'dance'"),
        (("--cameras", "20001"), 1, "the street did not open"),
    ],
)
def test_isolation_explains(words: tuple[str, ...], status: int, complaint: str) -> None:
    """What makes no sense ends with a sentence; so does a street that does not open."""
    done = isolation(*words)
    assert done.returncode == status
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


CAMERA = Camera("1", "Axis", "127.0.0.1")
CYCLE = Cycle(datetime.fromtimestamp(OPENS, UTC), datetime.fromtimestamp(OPENS + INTERVAL, UTC))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Unavailable(CAMERA, CYCLE, CaptureError(Reason.TIMEOUT, "late")), "timeout"),
        (Rested(CAMERA, CYCLE, Reason.AUTH), "rest after auth"),
        (NotStored(CAMERA, CYCLE, StoreError("full")), "not stored"),
    ],
)
async def test_outcomes_are_noted(outcome: Outcome, words: str) -> None:
    """A note holds when its cycle began and when it was told, on the clock it was given."""
    told = CYCLE.due + timedelta(seconds=2)
    book = Notebook(lambda: told)
    assert not book.begun.is_set()
    book(outcome)
    assert book.begun.is_set()
    assert book.notes == [Note("1", OPENS, OPENS + 2, words)]


def test_collections_are_timed() -> None:
    """A collection of many objects takes time; a small one later does not shorten the longest."""
    pauses = Pauses()
    gc.callbacks.append(pauses)
    try:
        heap: list[list[int]] = [[] for _ in range(100_000)]
        gc.collect()
        longest = pauses.longest
        del heap
        gc.collect(0)
    finally:
        gc.callbacks.remove(pauses)
    assert 0.0001 < longest <= pauses.longest


def test_an_unknown_outcome_is_a_bug() -> None:
    """A kind of outcome that the benchmark has never heard of is not counted as anything."""
    with pytest.raises(TypeError):
        came(Outcome(CAMERA, CYCLE))


def test_all_slots_are_served() -> None:
    """Each healthy camera has one slot in each cycle; seconds count from the slot."""
    run = figures(*on_time())
    assert (run.due, run.missed, run.published) == (4, 0, 4)
    assert run.sick == {}
    assert run.ended == pytest.approx([0.5] * 4)
    assert run.begun == pytest.approx([0.0] * 4, abs=1e-9)


def test_a_skipped_slot_is_missed() -> None:
    """A slot without a cycle of its own is missed, though the one before it came to an outcome."""
    run = figures(*on_time()[:-1])
    assert (run.due, run.missed, run.published) == (4, 1, 3)


def test_a_slot_without_a_picture_is_not_missed() -> None:
    """The camera had its turn; that no picture came of it shows in the pictures."""
    first, *rest = on_time()
    run = figures(replace(first, came="timeout"), *rest)
    assert (run.missed, run.published) == (0, 3)


def test_a_held_up_beginning_counts() -> None:
    """A cycle that began late was quick only by its own clock."""
    name, slot = SLOTS[0]
    run = figures(Note(name, slot + 3, slot + 3.5, PUBLISHED), *on_time()[1:])
    assert run.missed == 0
    assert max(run.begun) == pytest.approx(3)
    assert max(run.ended) == pytest.approx(3.5)


def test_an_early_timer_serves_its_slot() -> None:
    """A cycle may begin a little before its slot, as a timer may fire early."""
    first, *rest = on_time()
    run = figures(replace(first, began=first.began - 0.05), *rest)
    assert run.missed == 0
    assert min(run.begun) == pytest.approx(-0.05)


def test_other_outcomes_do_not_count() -> None:
    """Cycles before the watched time do not, nor do those of the sick."""
    before = [replace(note, began=note.began - 30, told=note.told - 30) for note in on_time()]
    sick = Note("3", OPENS + 5, OPENS + 12, "timeout")
    run = figures(*before, sick)
    assert (run.due, run.missed, run.published, run.pictures) == (4, 4, 0, 0)
    assert run.sick == {"timeout": 1}
    assert math.isnan(run.cpu_per_picture)


def test_what_the_daemon_used() -> None:
    """CPU between the first sample and the last, the most memory, the most files."""
    run = figures(*on_time())
    assert (run.cpu, run.seconds, run.resident, run.files) == (2.0, 20.0, 70, 9)
    assert (run.waited, run.paused) == (5.0, 0.25)


def late(seconds: float) -> Figures:
    """A run whose every outcome came so late."""
    return replace(figures(*on_time()), ended=[seconds] * 4)


@pytest.mark.parametrize(
    ("sick", "words"),
    [
        (late(1.0), "not hurt"),
        (late(1.01), "HURT: p99 1.01 s instead of 0.50 s"),
        (figures(*on_time()[1:]), "HURT: 1 slots more missed, 1 pictures fewer"),
    ],
)
def test_the_verdict(sick: Figures, words: str) -> None:
    """Harm is a slot or a picture fewer, or a p99 above twice the usual."""
    assert verdict(sick, late(0.5)) == words


def test_what_nobody_notices_is_no_harm() -> None:
    """Twice next to nothing is next to nothing: below a tenth of a second p99 is no harm."""
    assert verdict(late(0.1), late(0.01)) == "not hurt"
    assert verdict(late(0.11), late(0.01)).startswith("HURT")


def test_the_report_when_nothing_was_served() -> None:
    """A run without any outcome has figures all the same."""
    lines = report({WELL: figures(), "hang_hdr": figures(*on_time())}).splitlines()
    assert re.fullmatch(r"slots missed +4 +0 +0\.00", lines[2])
    assert re.fullmatch(r"CPU per picture +nan ms +[0-9.]+ ms +nan", lines[8])
    assert lines[-1] == "hang_hdr: the healthy are not hurt"


@pytest.mark.parametrize(
    ("part", "value"), [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0.001, 1)]
)
def test_percentile(part: float, value: float) -> None:
    """The nearest rank: the smallest value that so many do not exceed."""
    assert percentile(range(1, 101), part) == value
