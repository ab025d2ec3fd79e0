"""Promises that hold for any bytes: on drawn inputs, and on those that once were of interest."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev import fuzz
from tests.fuzz.strategies import STRATEGIES
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(file for file in CORPUS.glob("*/*") if file.is_file())
# what the whole corpus may weigh in the repository, in bytes
WEIGHT = 300_000


@pytest.mark.parametrize("target", TARGETS)
@settings(
    # the same inputs in every run: what is new is sought by dev/fuzz.py
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(draw=st.data())
def test_promises_hold(target: str, draw: st.DataObject) -> None:
    """Each target, on a hundred inputs that are shaped for it."""
    TARGETS[target](draw.draw(STRATEGIES[target]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_corpus(file: Path) -> None:
    """What was found, or was hard to reach, keeps its promise."""
    TARGETS[file.parent.name](file.read_bytes())


def test_everything_is_fuzzed() -> None:
    """Each target has inputs to draw and a corpus; the corpus stays small."""
    assert STRATEGIES.keys() == TARGETS.keys()
    assert {file.parent.name for file in FILES} == TARGETS.keys()
    assert sum(file.stat().st_size for file in FILES) < WEIGHT


# what a pattern that goes back would stumble over: a beginning, a run, an end
RUNS = {
    "walk": [(b"", b"\xff", b""), (b"\xff\xd8\xff\xe0\0\2", b"\xff", b""), (b"", b"\xff\xd8", b"")],
    "repair": [(b"", b"\xff\xd8\xff", b""), (b"\xff\xd8\xff\xe0\0\2", b"\0", b"\xff\xd9")],
    "byhand": [
        (b"HTTP/1.1 200", b" ", b"x"),
        (b"HTTP/1.1 200 OK\r\nA: ", b"\r \t", b"\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b" ", b"x"),
    ],
    "login": [
        *((b"Digest realm=", unit, b"") for unit in (b'"\\', b"'", b'"', b'a="', b" ", b"=", b",")),
        *((b"", unit, b"=") for unit in (b"a", b"a ", b"a,", b"Basic ", b"-")),
    ],
    "drivers": [
        (b"[a]\npath = '/", b"{", b"'"),
        (b"", b"[", b""),
        (b"[a]\npath='/", b"{id}", b"'"),
    ],
    "masks": [(b"1 = ", b"[", b""), (b"1 = [[", b"[0, 0], ", b"]]")],
    "address": [
        *((b"http://", unit, b"") for unit in (b"a.", b"1", b"[", b"@", b":", b" ")),
        (b"http://h/", b"{", b""),
        (b"http://h/", b"{id}", b""),
    ],
    "trust": [(b"pin:", b"a", b""), (b"", b"pin: ", b""), (b"", b" ,", b"")],
    "guard": [(b"", b":", b""), (b"", b"1.", b""), (b"::1%", b"%", b"")],
}


@pytest.mark.parametrize(
    ("target", "run"), [(target, run) for target, runs in RUNS.items() for run in runs]
)
def test_cost_grows_with_the_length(target: str, run: tuple[bytes, bytes, bytes]) -> None:
    """Ten times the input costs about ten times, not a hundred."""
    start, unit, end = run
    count = 6000 // len(unit)
    small, large = (_seconds(target, start + unit * n + end) for n in (count, 10 * count))
    # what is done in a moment may double by chance
    assert large < 30 * max(small, 0.002)


def _seconds(target: str, data: bytes) -> float:
    """The least of three: processor time that nothing else took."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        TARGETS[target](data)
        taken.append(time.process_time() - begun)
    return min(taken)


def test_runner_names_the_targets(capsys: pytest.CaptureFixture[str]) -> None:
    """One on each line, and nothing is fuzzed."""
    assert fuzz.main(["--list"]) == 0
    assert capsys.readouterr().out.split() == list(TARGETS)


def test_runner_wants_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one it says what it takes."""
    with pytest.raises(SystemExit, match=r"^2$"):
        fuzz.main([])
    assert "name a target, or --list them" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("atheris") is not None, reason="atheris is installed")
def test_runner_misses_atheris(capsys: pytest.CaptureFixture[str]) -> None:
    """It says so in one sentence."""
    assert fuzz.main(["walk"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
