"""What is wrong with an order is told all at once, and orders nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from cctv import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INVENTORY = """\
id,model,address,area,publish
1,Axis,10.0.0.1,NORTH,yes
2,Axis,10.0.0.2,North,yes
3,Axis,10.0.0.3,SOUTH,yes
4,Axis,10.0.0.4,SOUTH,no
"""


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder with four cameras, and the root logger put back afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cameras.csv").write_text(INVENTORY)
    monkeypatch.setenv("CCTV_INVENTORY", "cameras.csv")
    monkeypatch.setenv("CCTV_STORE", "store")
    monkeypatch.setenv("CCTV_LOG_DIR", "log")
    monkeypatch.setenv("CCTV_NEVER_PUBLISH", "612")
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)
    logging.raiseExceptions = True


SLIPS = [
    ([], ["no camera is named", "--reason is blank"]),
    (["--all", "--area", "NORTH", "--reason", "x"], ["--all means every camera"]),
    (["--all", "--camera", "", "--reason", "x"], ["--camera is blank", "--all means"]),
    (["--area", "NORTH", "--camera", " ", "--reason", "x"], ["--camera is blank"]),
    (["--camera", "1,99,9/9", "--reason", "x"], ["99 is not in the", "9/9 is no id"]),
    (["--area", "EAST", "--reason", "x"], ["--area EAST is in no record; areas are North, SOUTH"]),
    (["--area", "NORTH", "--area", "SOUTH", "--reason", "x"], ["--area is there 2 times"]),
    (["--near", "91,0,1", "--reason", "x"], ["--near 91,0,1 is not LAT,LON,KM"]),
    (["--near", "nan,0,1", "--reason", "x"], ["--near nan,0,1 is not LAT,LON,KM"]),
    (["--all", "--from", "whenever", "--until", "10/11", "--reason", "x"], ["--from", "--until"]),
    (
        ["--all", "--from", "+3h", "--until", "+2h", "--reason", "x"],
        ["which is not after its begin"],
    ),
    (["--all", "--until", "2020-01-01 10:00", "--reason", "x"], ["which is not after its begin"]),
    (["--all", "--from", "+1h", "--wait", "--reason", "x"], ["--wait proves what is in force"]),
    (["--all", "--by", "\t", "--reason", " \n "], ["--by is blank", "--reason is blank"]),
    (["--all", "--reason", "x" * 501], ["--reason has 501 characters"]),
    (["--all", "--by", "x" * 101, "--reason", "x"], ["--by has 101 characters"]),
]


@pytest.mark.parametrize(("words", "sentences"), SLIPS, ids=lambda part: " ".join(part)[:40])
def test_slips_are_told_all_at_once_and_order_nothing(
    words: list[str], sentences: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit status 2, one sentence for each, and nothing in the store or the audit log."""
    assert cli.main(["hold", *words]) == cli.MISUSED
    said = capsys.readouterr().err
    assert said.startswith("cctv: nothing was ordered:\n")
    assert [sentence for sentence in sentences if sentence not in said] == [], said
    assert len(said.splitlines()) == 1 + len(sentences), said
    assert not list((tmp_path / "store").rglob("*.json*"))
    assert not (tmp_path / "log" / "audit.log").exists()


GOOD = [
    (["--all"], "all cameras", "3 of 3"),
    (["--camera", "3, 1", "--camera", "1"], "camera 1, 3", "2 of 3"),
    (["--camera", "4,612"], "camera 4, 612", "0 of 3"),
    (["--area", " south "], "area south", "1 of 3"),
    (["--area", "NORTH", "--camera", "3"], "camera 3 and area NORTH", "3 of 3"),
]


@pytest.mark.parametrize(("words", "cameras", "meant"), GOOD, ids=lambda part: "".join(part)[:40])
def test_good_orders_are_said_back(
    words: list[str], cameras: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which cameras, and how many that means; one that is not published may be held, too."""
    assert cli.main(["hold", *words, "--reason", "x"]) == cli.OK
    said = capsys.readouterr().out
    assert f"  cameras: {cameras}\n" in said
    assert f"That means {meant} cameras.\n" in said


def test_a_list_that_is_old_refuses_nobody(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An inventory that cannot be read may know a camera by now: it is held, and that is said."""
    (tmp_path / "cameras.csv").write_text("no,list\n\x00")
    assert cli.main(["hold", "--camera", "77", "--reason", "x"]) == cli.OK
    said = capsys.readouterr().out
    assert "The inventory cannot be read" in said
    assert "Which cameras that means is not known here" in said
    assert cli.main(["hold", "--area", "EAST", "--reason", "x", "--wait"]) == cli.FAILED
    assert "NOT proved: which cameras it means is not known here." in capsys.readouterr().out


def test_an_audit_log_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The order stands all the same, and the line that is missing there is on the screen."""
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("CCTV_LOG_DIR", "no-folder/log")
    assert cli.main(["hold", "--all", "--reason", "a visit"]) == cli.OK
    said = capsys.readouterr().out
    assert "is ordered, and in force now" in said
    assert "audit log not written" in said
    assert '"what": "hold ordered"' in said
