"""The dummy street as a program: its command line, its end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dev.dummy_modes import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "dummy_api.py"


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program as a user starts it, and the line that it says when ready."""
    command = [sys.executable, str(SCRIPT), "--port", "0", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        try:
            yield program, program.stdout.readline()
        finally:
            program.kill()


def rest_of(program: subprocess.Popen[str]) -> tuple[str, str]:
    """What the program still says on stdout and stderr; it must end within ten seconds."""
    program.wait(timeout=10)
    assert program.stdout is not None
    assert program.stderr is not None
    return program.stdout.read(), program.stderr.read()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_program_ends_at_once(tmp_path: Path, end: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it quietly, also while a client hangs; its inventory is written."""
    file = tmp_path / "street.csv"
    with running("--cameras", "4", "--sick", "4=hang", "--inventory", str(file)) as (program, line):
        ready = re.fullmatch(
            r"4 cameras on 127\.0\.1\.1-127\.0\.1\.4:(\d+); "
            r"control: http://127\.0\.0\.1:\1/street\n",
            line,
        )
        assert ready is not None
        with socket.create_connection(("127.0.1.4", int(ready[1])), timeout=5) as connection:
            connection.sendall(b"GET /jpeg?id=2 HTTP/1.1\r\nHost: camera\r\n\r\n")
            program.send_signal(end)
            assert rest_of(program) == ("", "")
        assert program.returncode == 0
    assert file.read_text().splitlines()[4].startswith(f"4,Sarix,127.0.1.4:{ready[1]},")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--sick", "99=hang"), "no camera 99"),
        (("--sick", "1=dance"), "'dance' is no mode"),
        (("--sick", "1"), "is no mode"),
        (("--cameras", "0"), "from 1 to"),
    ],
)
def test_the_command_line_explains(arguments: tuple[str, ...], complaint: str) -> None:
    """A command line that makes no sense ends with status 2 and a sentence."""
    with running(*arguments) as (program, _):
        said = rest_of(program)[1]
    assert program.returncode == 2
    assert complaint in said


def test_help_knows_every_mode() -> None:
    """`--help` lists the modes with what they mean."""
    with running("--help") as (program, first):
        said = rest_of(program)[0]
    assert first.startswith("usage:")
    assert all(f"  {word}" in said and mode.means in said for word, mode in MODES.items())
