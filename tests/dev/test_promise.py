"""The run that measures the promise: that it runs, and that it sees a promise that is broken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web

from dev.promise_ledger import Chapter, Kind, Ledger, Look
from dev.promise_plan import nginx
from dev.promise_report import percentile
from dev.promise_viewers import Viewer, session
from dev.promise_world import Phase, World
from dev.stamps import Stamp, paint

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "promise.py"
FRESHNESS = 15.0
CARD = b"the card"

if nginx() is None and os.environ.get("CI"):
    raise RuntimeError("nginx is not installed, and in CI no test may be left out")


class Hour:
    """A clock of seconds that a test sets."""

    def __init__(self) -> None:
        self.second = 0.0

    def __call__(self) -> float:
        """Seconds of the run."""
        return self.second


def promise(*words: str) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it, ended."""
    command = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603 - our own program


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
def test_a_short_run_keeps_the_promise(tmp_path: Path) -> None:
    """Everything plays together: pictures and cards are seen, nothing else, and none too old."""
    figures, timeline = tmp_path / "figures.json", tmp_path / "timeline.csv"
    size = ("--cameras", "8", "--interval", "4", "--seconds", "20", "--sick", "0.25")
    files = ("--json", str(figures), "--timeline", str(timeline))
    done = promise(*size, *files, "--events", "faults,refusal")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(figures.read_text())
    assert seen["violations"] == 0
    assert seen["kinds"]["picture"] > 60
    assert seen["from_cache"] > 60
    assert seen["kinds"]["another camera's picture"] == 0
    assert seen["kinds"]["torn, or no picture of ours"] == 0
    assert 0 < seen["age_p50"] <= seen["age_p99"] <= 7
    assert seen["phases"]["the store refused"]["pictures"] > 0
    events = {row.rsplit(",", 1)[1] for row in timeline.read_text().splitlines()[1:]}
    assert "the store refuses writes" in events


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--events", "faults,flood"), "no such event: flood"),
        (("--sweep-always", "--no-sweep"), "contradict each other"),
    ],
)
def test_what_makes_no_sense_is_explained(words: tuple[str, ...], complaint: str) -> None:
    """It ends with a sentence, and nothing is started."""
    done = promise(*words)
    assert done.returncode == 2
    assert complaint in done.stderr


@pytest.mark.skipif(nginx() is None, reason="nginx is not installed")
def test_a_run_that_is_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIGTERM ends the run, and every program it has started with it."""
    words = ("--cameras", "2", "--interval", "2", "--events", "", "--folder", str(tmp_path))
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(SCRIPT), *words], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert "viewers watch" in run.stdout.readline()
        assert children_in(tmp_path)
        run.send_signal(signal.SIGTERM)
        assert run.wait(40) != 0
    assert not children_in(tmp_path)


def children_in(folder: Path) -> list[str]:
    """The processes that run in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_the_world_tells_when_the_promise_holds() -> None:
    """It holds while a daemon or the sweep is alive, the store accepts, and a while has passed."""
    hour = Hour()
    world = World(hour, recover=5)
    world.daemon(1, runs=True)
    world.begins(hour)
    assert world.phase() is Phase.ALIVE
    world.daemon(1, runs=False)
    assert world.phase() is Phase.DEAD
    hour.second = 10
    world.sweep(goes_on=True)
    assert world.phase() is Phase.RECOVERING
    hour.second = 15
    assert world.phase() is Phase.SWEPT
    world.store(refuses=True)
    assert world.phase() is Phase.REFUSED
    world.store(refuses=False)
    world.daemon(1, runs=True)
    hour.second = 21
    assert world.phase() is Phase.ALIVE


def test_an_exchange_of_daemons_leaves_no_gap() -> None:
    """While another one lives, a daemon that ends changes nothing."""
    world = World(Hour(), recover=5)
    world.daemon(1, runs=True)
    world.daemon(2, runs=True)
    world.begins(Hour())
    world.daemon(1, runs=False)
    assert world.phase() is Phase.ALIVE


@pytest.fixture
def ledger() -> Ledger:
    """An empty ledger of a world where all is well."""
    world = World(Hour(), recover=5)
    world.daemon(1, runs=True)
    world.begins(Hour())
    return Ledger(world, FRESHNESS)


@pytest.mark.parametrize(
    ("look", "found"),
    [
        (Look(1, Kind.PICTURE, 0.1, 16.0), []),
        (Look(1, Kind.PICTURE, 0.1, 16.2), ["too old"]),
        (Look(1, Kind.PICTURE, 3.0, 18.5), []),
        (Look(1, Kind.CARD, 0.1), []),
        (Look(1, Kind.FOREIGN, 0.1), ["another camera's picture"]),
        (Look(1, Kind.TORN, 0.1), ["torn, or no picture of ours"]),
        (Look(1, Kind.ERROR, 0.1, detail="HTTP 502"), []),
    ],
)
def test_a_look_is_judged(ledger: Ledger, look: Look, found: list[str]) -> None:
    """Too old, foreign and torn break the promise; a look's own wait does not make it older."""
    ledger.note(look)
    assert [each.what for each in ledger.violations] == found


def test_an_old_picture_is_excused_while_the_store_refuses(ledger: Ledger) -> None:
    """It is counted all the same, where the promise does not hold; a torn one is not excused."""
    ledger.world.store(refuses=True)
    ledger.note(Look(1, Kind.PICTURE, 0.1, 99.0))
    assert not ledger.violations
    assert ledger.too_old[Phase.REFUSED] == 1
    assert ledger.worst[Phase.REFUSED].age == 99.0
    ledger.note(Look(1, Kind.TORN, 0.1))
    assert len(ledger.violations) == 1


def test_it_is_told_for_how_long_pictures_were_too_old(ledger: Ledger) -> None:
    """Each event has a chapter of its own: how many, the oldest, and when the last was seen."""
    hour = Hour()
    ledger.world.begins(hour)
    ledger.world.happens("a daemon is killed")
    for second, age in ((3.0, 20.0), (4.0, 21.0), (5.0, 2.0)):
        hour.second = second
        ledger.note(Look(1, Kind.PICTURE, 0.1, age))
    assert ledger.chapters == {(0.0, "a daemon is killed"): Chapter(2, 21.0, 4.0)}


async def test_viewers_tell_what_they_see() -> None:
    """Each kind of thing at an address is told from the others."""
    answers = {
        "picture": (200, paint(Stamp(1, time.time_ns() // 1_000_000 - 4000))),
        "card": (200, CARD),
        "foreign": (200, paint(Stamp(2, time.time_ns() // 1_000_000))),
        "torn": (200, paint(Stamp(1, 0))[:5000]),
        "error": (404, b"nothing here"),
    }

    async def answer(request: web.Request) -> web.Response:
        status, body = answers[request.path.strip("/")]
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with session() as client:
        viewers = [Viewer(1, f"http://127.0.0.1:{port}/{name}", CARD, client) for name in answers]
        looks = [await viewer.look() for viewer in viewers]
        await runner.cleanup()
        gone = await viewers[0].look()
    assert [look.kind for look in looks] == [
        Kind.PICTURE,
        Kind.CARD,
        Kind.FOREIGN,
        Kind.TORN,
        Kind.ERROR,
    ]
    assert looks[0].age == pytest.approx(4.0, abs=3.0)
    assert looks[4].detail == "HTTP 404"
    assert gone.kind is Kind.SILENCE


def test_percentiles() -> None:
    """The age that a part of all ages does not exceed; none of none."""
    assert percentile([], 0.5) is None
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0, 2.0], 0.99) == 2.0
