"""The log: bounded, redacted, one line each, and no burden to anybody."""

from __future__ import annotations

import base64
import logging
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from cctv.logs import LOG_FILE, Outlet, Redactor, logging_to
from cctv.model import Login, Secret
from tests.fakes.daemon import await_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UTC = ZoneInfo("UTC")
CANARY = "S3cr3t-c@nary #1"
REDACT = Redactor([Login("viewer", Secret(CANARY))], [Secret("knack-key")])
log = logging.getLogger("cctv.test")


@pytest.fixture(autouse=True)
def _undisturbed() -> Iterator[None]:
    """Leave the root logger as pytest wants it."""
    root, before = logging.getLogger(), logging.getLogger().level
    yield
    root.setLevel(before)
    logging.raiseExceptions = True


def lines(folder: Path) -> list[str]:
    """What the file holds."""
    return (folder / LOG_FILE).read_text("utf-8").splitlines()


def test_line_has_zone_level_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same line on stdout and in the file, with the operator's offset."""
    with logging_to(tmp_path, logging.INFO, ZoneInfo("America/Chicago"), REDACT):
        log.info("camera unavailable %s", "camera=12")
    (line,) = lines(tmp_path)
    assert line.endswith("INFO cctv.test: camera unavailable camera=12")
    assert line[19:25] in {"-06:00", "-05:00"}
    assert capsys.readouterr().out.strip() == line


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        quote(CANARY, safe=""),
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"viewer:{CANARY}".encode()).decode(),
        "knack-key",
    ],
)
def test_secret_never_reaches_the_log(tmp_path: Path, text: str) -> None:
    """In a message, in an argument and in a traceback; plain, percent-encoded and in base64."""
    with logging_to(tmp_path, logging.INFO, UTC, REDACT):
        log.info("plain %s here", text)
        try:
            raise ValueError(f"http://10.0.0.1/?pwd={text}")  # noqa: TRY301 - for its traceback
        except ValueError:
            log.exception("broken")
    whole = "\n".join(lines(tmp_path))
    assert text not in whole
    assert whole.count("***") == 2


def test_camera_cannot_forge_a_line(tmp_path: Path) -> None:
    """Line ends and control characters in what a device says are made visible."""
    with logging_to(tmp_path, logging.INFO, UTC, REDACT):
        log.info("found=%s", "x\n2026-01-01 ERROR cctv: forged\x1b[31m")
    (line,) = lines(tmp_path)
    assert "\\n2026-01-01" in line
    assert "\x1b" not in line


def test_folder_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log goes on on stdout."""
    (tmp_path / "file").write_text("")
    with logging_to(tmp_path / "file", logging.INFO, UTC, REDACT):
        log.info("still here")
    out = capsys.readouterr().out
    assert out.count("log file not writable, stdout only") == 1
    assert "still here" in out


def test_full_disk_is_told_on_stdout_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a technician reads there says why the file has stopped; the lines go on."""
    (tmp_path / LOG_FILE).symlink_to("/dev/full")
    words = "log file not written, stdout goes on: No space left on device"
    shown = [""]

    def out() -> str:
        shown[0] += capsys.readouterr().out
        return shown[0]

    with logging_to(tmp_path, logging.INFO, UTC, REDACT):
        log.info("line 0")
        # the file's own thread tells it
        await_(lambda: words in out(), "the line about the disk")
        for number in range(1, 5):
            log.info("line %d", number)
    assert out().count(words) == 1
    assert out().count("line ") == 5
    assert capsys.readouterr().err == ""


def test_file_is_rotated_at_a_megabyte(tmp_path: Path) -> None:
    """1 MB and ten old ones: the disk cannot fill."""
    with logging_to(tmp_path, logging.INFO, UTC, REDACT):
        for turn in range(13):
            for _ in range(1050):
                log.info("%d %s", turn, "x" * 950)
            drain()
    sizes = sorted(file.stat().st_size for file in tmp_path.iterdir())
    assert len(sizes) == 11
    assert sizes[-1] <= 1_000_000


def drain() -> None:
    """Wait until every outlet has written what it has."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Outlet):
            handler.flushed()


class Stuck(logging.Handler):
    """A disk that hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.taken: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Hang, then take it."""
        self.go.wait(30)
        self.taken.append(record.getMessage())


def test_hanging_disk_delays_nobody_and_drops_are_counted() -> None:
    """Twice as many lines as the queue holds return at once; the loss is told afterwards."""
    stuck = Stuck()
    outlet = Outlet(stuck)
    for number in range(20_000):
        outlet.emit(logging.LogRecord("cctv", logging.INFO, "", 0, "line %d", (number,), None))
    assert outlet.dropped >= 9_990
    stuck.go.set()
    outlet.flushed()
    outlet.close()
    assert any("log lines dropped count=" in line for line in stuck.taken)


def test_close_does_not_wait_for_a_hanging_disk() -> None:
    """The process leaves in time, whatever its disk does."""
    stuck = Stuck()
    outlet = Outlet(stuck)
    outlet.emit(logging.LogRecord("cctv", logging.INFO, "", 0, "line", (), None))
    outlet.close()
    assert stuck.taken == []
    stuck.go.set()
