"""The program that does a bad week to a daemon: it starts, it judges, and one quick thing of it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.chaos_cases import CASES
from dev.chaos_scene import FEW, NOTHING, BrokenError, Shown, Watch, shown, wait

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "chaos.py"


def chaos(*words: str) -> tuple[int, str]:
    """Its exit status, and what it printed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(SCRIPT), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def test_list_names_all_it_can_do() -> None:
    """Each case is a line, its name first."""
    status, text = chaos("--list")
    assert status == 0
    assert [line.split()[0] for line in text.splitlines()] == [case.name for case in CASES]


def test_a_stopped_daemon_recovers() -> None:
    """The quickest case from its start to its verdict."""
    status, text = chaos("--only", "stop", "--cameras", "3", "--interval", "2")
    assert status == 0, text
    assert text.startswith("OK      stop")
    assert len(text.splitlines()) == 1


def judged(until: float, alive: float | None, *, written: float = 0.0, kernel: bool = False) -> str:
    """What a watch finds wrong with a picture that is fresh until then; times from now."""
    now = time.time()
    picture = Shown("live", "", now + until, now + written)
    watch = Watch(lambda: {"7": picture}, fresh=3.0, by_kernel=kernel)
    watch.alive = None if alive is None else now + alive
    with watch:
        wait(lambda: watch.rounds > 1, "a look")
    return watch.broken


def test_the_watch_sees_a_picture_that_stays_too_long() -> None:
    """Freshness and a few seconds after its time, counted from when somebody could act."""
    assert judged(-20, -30) == "camera 7 showed a picture 20 s after its time"
    assert judged(-20, -1) == ""
    assert judged(-20, None) == ""
    assert judged(-3 - FEW + 2, -30) == ""


def test_the_watch_may_go_by_when_a_picture_was_written() -> None:
    """While the daemon's clock is wrong its dates say nothing."""
    assert judged(3600, -30, written=-20, kernel=True).startswith("camera 7 showed a picture 17")
    assert judged(-3600, -30, written=-1, kernel=True) == ""


def test_an_object_is_read_from_its_file(tmp_path: Path) -> None:
    """Its headers; and nothing while there is none."""
    file = tmp_path / "7.jpg.http"
    assert shown(file) == NOTHING
    head = "x-amz-meta-state: live\nx-amz-meta-fresh-until: 2026-03-01T12:00:00.000Z\n\n"
    file.write_bytes(head.encode() + b"\xff\xd8")
    found = shown(file)
    assert (found.live, found.fresh_until) == (True, 1772366400.0)


def test_waiting_ends_with_a_sentence() -> None:
    """What did not come is named."""
    with pytest.raises(BrokenError, match="not within 0 s: the moon"):
        wait(lambda: False, "the moon", patience=0)
