"""The whole program as a process: started as a user starts it, watched through what it shows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dev.dummy_api import Street

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "cctv" / "process_images.py"
PATIENCE = 40.0


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """An environment of `env` and nothing of ours but where programs are."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **env}


def settings_of(street: Street) -> dict[str, str]:
    """Settings for the street in `street.csv` and a folder store: no cloud at all."""
    return {
        "CCTV_INVENTORY": "street.csv",
        "CCTV_STORE": "store",
        "CCTV_HTTP": "127.0.0.1:0",
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
        "CCTV_INTERVAL": "4",
        "CCTV_LOG_DIR": "log",
        "CAMERA_USERNAME": street.login.username,
        "CAMERA_PASSWORD": street.login.password,
    }


def await_(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """What `look` finds, as soon as it finds something true; AssertionError after `patience` s."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {patience} s: {what}")


def command(*words: str, env: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run `cctv WORDS` in `folder`: its exit status, and what it printed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "cctv", *words],
        env=clean({"PYTHONPATH": str(ROOT), **env}),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode()


class Daemon:
    """`cctv/process_images.py` running in `folder` with just these settings."""

    def __init__(self, env: Mapping[str, str], folder: Path, *words: str) -> None:
        self.output: list[str] = []
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [SCRIPT, *words],
            env=clean(env),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def says(self, words: str) -> str:
        """The first line with `words`, once it comes."""
        return await_(lambda: self._line(words), f"a line with {words!r} in {self.output}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def leave(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to go: the exit status, and the seconds it took."""
        began = time.monotonic()
        self.send(number)
        status = self.wait()
        return status, time.monotonic() - began

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        status = self._process.wait(PATIENCE)
        self._reader.join()
        return status

    def _line(self, words: str) -> str:
        return next((line for line in self.output if words in line), "")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            self.output.extend(lines)
