"""Exit statuses and words of the command line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from cctv import app, cli
from cctv.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Good settings in an empty folder, and the root logger put back afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cameras.csv").write_text("id,model,address\n")
    for name, text in {
        "CCTV_INVENTORY": "cameras.csv",
        "CCTV_STORE": "store",
        "CCTV_LOG_DIR": "log",
        "CAMERA_USERNAME": "viewer",
        "CAMERA_PASSWORD": "c4nary",
    }.items():
        monkeypatch.setenv(name, text)
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)
    logging.raiseExceptions = True


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError("c4nary"), 70), (StoreError("c4nary"), 1)]
)
def test_failure_of_the_program_and_of_a_command(
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """70 for what is a bug, 1 for what went wrong outside; no secret in either's words."""

    async def broken(_: object) -> None:
        raise error

    monkeypatch.setattr(app, "run", broken)
    assert cli.main(["run"]) == status
    told = capsys.readouterr()
    assert "c4nary" not in told.out + told.err
    assert "***" in told.out + told.err


def test_timeout_flag_is_checked_like_its_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """`-t` means CCTV_FETCH_TIMEOUT, in its faults too."""
    assert cli.main(["run", "-t", "soon"]) == 2
    assert "CCTV_FETCH_TIMEOUT=soon is not a number of seconds" in capsys.readouterr().err


def test_faults_of_environment_and_driver_file_come_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One start shows all of them."""
    (tmp_path / "own.toml").write_text("[acme]\npath = 7\n")
    monkeypatch.setenv("CCTV_DRIVERS", "own.toml")
    monkeypatch.setenv("CCTV_INTERVAL", "x")
    monkeypatch.setenv("CCTV_FAILURE_LIMIT", "x")
    assert cli.main(["check"]) == 2
    told = capsys.readouterr().err
    for word in ("CCTV_INTERVAL=x", "CCTV_FAILURE_LIMIT=x", "CCTV_DRIVERS=own.toml: [acme] path"):
        assert word in told


def test_missing_env_file_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, in a sentence."""
    assert cli.main(["run", "--env-file", "gone"]) == 2
    assert "--env-file gone: is not a file that exists" in capsys.readouterr().err


def test_check_says_that_the_settings_are_to_blame(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A store folder that cannot be made: the daemon exits 2, the check tells it with the rest."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CCTV_STORE", "file/store")
    assert cli.main(["run"]) == 2
    assert "CCTV_STORE=file/store: cannot be written" in capsys.readouterr().err
    assert cli.main(["check"]) == 1
    told = capsys.readouterr().out
    assert "folders    ok: log" in told
    assert "store      FAILED: CCTV_STORE=file/store: cannot be written" in told
    assert "inventory  FAILED: it lists no camera" in told


def test_check_tells_of_a_log_folder_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Before the daemon runs for a month without a log and without a memory."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CCTV_LOG_DIR", "file/log")
    assert cli.main(["check"]) == 1
    assert "folders    FAILED: file/log: Not a directory" in capsys.readouterr().out


def test_command_that_cannot_write_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is not there is told in a sentence, with status 1."""
    (tmp_path / "cameras.csv").write_text("id,model,address\n1,Axis,10.0.0.1\n")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CCTV_STATE_DIR", "file/state")
    assert cli.main(["list", "--accept"]) == 1
    assert "cctv: file/state" in capsys.readouterr().err


def test_empty_list_is_not_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    """What the daemon never believes cannot be vouched for."""
    assert cli.main(["list", "--accept"]) == 1
    assert "an empty list is never believed" in capsys.readouterr().out


def test_login_in_a_record_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a camera or an odd record: what stands behind `?` and before `@` is left out."""
    rows = ["1,url,http://10.0.0.1/?usr=admin&pwd=unkn0wn", "2,Axis,http://u:unkn0?wn@10.0.0.2/"]
    (tmp_path / "cameras.csv").write_text("\n".join(["id,model,address", *rows]))
    assert cli.main(["list"]) == 0
    told = capsys.readouterr().out
    assert "http://10.0.0.1/…" in told
    assert "unkn0wn" not in told
