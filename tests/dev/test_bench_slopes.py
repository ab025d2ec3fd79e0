"""The long benchmarks: their lines through points, their words, and that they run at all."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from dev.bench import cycles, promise_days, soak
from dev.bench.fleet import Sample
from dev.bench.slopes import settled, slope
from tests.fakes.world_plan import Event, Plan

ROOT = Path(__file__).resolve().parents[2]


def test_a_line_is_found() -> None:
    """Points on a line have its rise, and leave no doubt."""
    found = slope([0.0, 1.0, 2.0, 3.0], [5.0, 7.0, 9.0, 11.0])
    assert found.rise == pytest.approx(2.0)
    assert found.error == pytest.approx(0.0, abs=1e-12)


def test_a_line_through_noise_has_an_error() -> None:
    """Known figures: the rise 0.6 with the standard error 0.4243."""
    found = slope([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 5.0, 3.0])
    assert found.rise == pytest.approx(0.6)
    assert found.error == pytest.approx(math.sqrt(5.2 / 3 / 10))
    assert str(found) == "+0.6 ± 0.42"


@pytest.mark.parametrize(
    ("at", "values", "rise"), [([], [], 0.0), ([1.0], [4.0], 0.0), ([0.0, 2.0], [1.0, 5.0], 2.0)]
)
def test_few_points_are_sure_of_nothing(at: list[float], values: list[float], rise: float) -> None:
    """A line through two points is no finding; one point is no line."""
    found = slope(at, values)
    assert found.rise == pytest.approx(rise)
    assert found.error == math.inf


def test_points_that_do_not_pair_are_a_mistake() -> None:
    """A value too few is not made up for."""
    with pytest.raises(ValueError, match="zip"):
        slope([1.0, 2.0, 3.0], [1.0, 2.0])


def test_the_warm_up_is_left_out() -> None:
    """A third of the values, rounded up."""
    assert settled([1, 2, 3, 4, 5, 6, 7]) == [4, 5, 6, 7]
    assert settled([]) == []


def test_words_are_understood() -> None:
    """The defaults are those of the documented runs."""
    assert cycles.arguments([]).cycles == 1_000_000
    assert soak.arguments([]).seconds == 1800
    assert soak.arguments(["--store", "s3", "--csv", "a.csv"]).csv == Path("a.csv")
    assert promise_days.arguments(["--examples", "7"]).examples == 7


def test_what_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A store that nobody knows."""
    with pytest.raises(SystemExit):
        soak.arguments(["--store", "tape"])
    assert "invalid choice: 'tape'" in capsys.readouterr().err


def test_log_lines_are_sorted_by_kind() -> None:
    """Numbers, ids and quotes make no kind of their own."""
    one = soak.kind('camera unavailable camera=12 reason=torn found="cut off after 9 bytes"')
    other = soak.kind("camera unavailable camera=7 reason=torn found=half")
    assert one == other == "camera unavailable … reason=torn"


def test_a_soak_is_reported(tmp_path: Path) -> None:
    """Growth counts after the warm-up; the log's pictures, lags and errors are counted."""
    lines = [
        "2026-01-01T00:00:00+00:00 INFO cctv.journal: fleet live=3 cycles_published=40",
        "2026-01-01T00:00:01+00:00 WARNING cctv.watchdog: the loop was held up for 1.5 s cpu=1.0s",
        "2026-01-01T00:00:02+00:00 INFO cctv.journal: fleet live=3 cycles_published=2",
    ]
    (tmp_path / "cctv.log").write_text("\n".join(lines))
    samples = [(10.0 * n, Sample(n / 10, 1000 if n < 3 else 2000 + n, 7, 3)) for n in range(9)]
    told = list(soak.report(samples, soak.Orders({}, tmp_path), tmp_path))
    assert told[0] == "80 s; CPU 1.0 % of one core"
    assert told[2].split()[:5] == ["resident", "1,000", "2,003", "2,008", "2,008"]
    assert "+360" in told[2]
    assert any(line.endswith("last summary in the log: 42") for line in told)
    assert any(line.endswith("longest 1.5 s") for line in told)
    assert told[-1].split(maxsplit=1)[0] == "1"


def test_cycles_run() -> None:
    """A short run of the real program: all lines of its table, and no task left over."""
    script = str(ROOT / "dev" / "bench" / "cycles.py")
    words = [sys.executable, script, "--cycles", "2000", "--cameras", "100"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own program
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()[3:]}
    assert int(rows["tasks"][3].replace(",", "")) <= 100 + 3
    assert "us CPU per cycle" in done.stdout


def test_plans_are_drawn_by_their_seed() -> None:
    """The same seed is the same plan; its time is about what was asked for."""
    plan = promise_days.drawn(3, 5000.0)
    assert plan == promise_days.drawn(3, 5000.0)
    assert plan != promise_days.drawn(4, 5000.0)
    assert 5000 <= sum(event.after for event in plan.events) < 6000


def test_a_plan_is_shortened() -> None:
    """What did not break the promise is left out, and its time kept where it must pass."""
    idle = Event(5.0, "camera: slow", 3)
    plan = Plan((Event(700.0, "sweep: off"), idle, Event(5.0, "forge: foreign"), idle))
    short = promise_days.shortened(plan)
    assert [event.what for event in short.events] == ["forge: foreign"]


def test_days_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """One short plan, its sum, and its status."""
    status = promise_days.main(["--examples", "1", "--days", "0.001", "--whole"])
    out = capsys.readouterr().out
    assert "1 plans, 0." in out
    assert status == (0 if "0 plans broke" in out else 1)
