"""What the tests of scripts and deployment share: copies of the tree, programs, and patience."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"
NO_CACHES = shutil.ignore_patterns("__pycache__", "_log", "bench", "decisions")
PATIENCE = 60.0


def copy_tree(target: Path, *names: str) -> Path:
    """A copy of these files and folders of the project in `target`; gives `target`."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=NO_CACHES)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def surroundings(home: Path, *first: Path, **more: str) -> dict[str, str]:
    """An environment with nothing of this process's own but what programs need to be found."""
    path = os.pathsep.join([*map(str, first), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", **more}


def run(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; gives its status and its words."""
    return subprocess.run(  # noqa: S603 - our own programs
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@contextmanager
def running(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path = ROOT,
    out: IO[str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs meanwhile, its words going to `out`."""
    words = out or subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 - our own programs
        command, cwd=folder, env=environment, stdout=words, stderr=words
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def wait_until(condition: Callable[[], object], words: str) -> None:
    """Ask again and again, for a minute at most."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {words}"
        time.sleep(0.05)


def get(address: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of what is at an HTTP address; status 0 where nobody answers."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


def is_live_jpeg(address: str) -> bool:
    """Whether a fresh picture of a camera is at this address, not the fallback image."""
    status, headers, body = get(address)
    whole = body.startswith(b"\xff\xd8") and body.endswith(b"\xff\xd9")
    return status == 200 and headers.get("x-amz-meta-state") == "live" and whole


def processes_in(folder: Path) -> list[str]:
    """The command lines of the processes whose working directory is in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [line for line in found if line]
