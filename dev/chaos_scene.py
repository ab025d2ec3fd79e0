"""A street, a daemon and a folder store that something is done to, and who watches the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0
FRESH_INTERVALS = 1.5
FEW = 5.0
_LOOK = 0.2
_LAST = 8


class BrokenError(Exception):
    """The daemon did not do what it must."""


class NotAllowedError(Exception):
    """This machine, or this user, cannot have this done."""


def wait(look: Callable[[], T], what: str, patience: float = PATIENCE) -> float:
    """The seconds until `look` finds something true.

    Raises:
        BrokenError: it did not, within `patience` seconds.
    """
    began = time.monotonic()
    while not look():
        if time.monotonic() > began + patience:
            raise BrokenError(f"not within {patience:g} s: {what}")
        time.sleep(_LOOK)
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands at an address; `written` by the kernel's clock, which nobody fakes."""

    state: str
    reason: str
    fresh_until: float
    written: float

    @property
    def live(self) -> bool:
        """Whether it is a camera's picture."""
        return self.state == "live"


NOTHING = Shown("", "", 0.0, 0.0)


def shown(file: Path) -> Shown:
    """What stands in this file of the store; nothing while it cannot be read."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4096).partition(b"\n\n")[0].decode("ascii", "replace")
            written = os.fstat(opened.fileno()).st_mtime
    except OSError:
        return NOTHING
    pairs = (line.partition(": ") for line in head.splitlines())
    meta = {name.lower().removeprefix("x-amz-meta-"): value for name, _, value in pairs}
    until = meta.get("fresh-until")
    moment = datetime.fromisoformat(until).timestamp() if until else 0.0
    return Shown(meta.get("state", ""), meta.get("reason", ""), moment, written)


@dataclass(slots=True)
class Watch:
    """Looks at the store all the time: no picture may stay up that is long out of date.

    Only while `alive` says since when the daemon could do something about it. Where `by_kernel`,
    a picture's age counts from when it was written, for its own dates are of a faked clock.
    """

    look: Callable[[], Mapping[str, Shown]]
    fresh: float
    alive: float | None = None
    by_kernel: bool = False
    worst: float = 0.0
    broken: str = ""
    rounds: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="watch")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_LOOK):
            for name, thing in self.look().items():
                self._judge(name, thing)
            self.rounds += 1

    def _judge(self, name: str, thing: Shown) -> None:
        # read once: the case changes it
        alive = self.alive
        if alive is None or not thing.live:
            return
        until = thing.written + self.fresh if self.by_kernel else thing.fresh_until
        overdue = time.time() - max(until, alive)
        self.worst = max(self.worst, overdue)
        if overdue > self.fresh + FEW:
            self.broken = f"camera {name} showed a picture {overdue:.0f} s after its time"


class Scene:
    """One street, one daemon and its store in a folder; `begin` starts them, its end ends them.

    `prefix` is a program that starts the daemon, `more` are settings of its own; `undo` is undone
    when both have ended.
    """

    def __init__(self, folder: Path, cameras: int, interval: float) -> None:
        self.folder = folder
        self.interval = interval
        self.fresh = interval * FRESH_INTERVALS
        self.watch = Watch(self.heads, self.fresh)
        self.names = [str(number) for number in range(1, cameras + 1)]
        self.street: subprocess.Popen[bytes]
        self.daemon: subprocess.Popen[bytes]
        self.prefix: tuple[str, ...] = ()
        self.more: dict[str, str] = {}
        self.undo = ExitStack()

    def __enter__(self) -> Self:
        self.undo.enter_context(self.watch)
        return self

    def __exit__(self, *_: object) -> None:
        for process in (getattr(self, "daemon", None), getattr(self, "street", None)):
            if process is not None:
                process.kill()
                process.wait()
        self.undo.close()

    def begin(self) -> None:
        """Start both, and wait until all is well."""
        self.start_street()
        self.start_daemon()
        self.recover("at the start")

    def start_street(self, *before: str) -> None:
        """The street, `before` it a program that starts it; returns once it stands."""
        words = ["--cameras", str(len(self.names)), "--csv", "street.csv", "--control", "0"]
        command = [*before, sys.executable, str(ROOT / "dev" / "street.py"), *words]
        with (self.folder / "street.out").open("wb") as out:
            self.street = subprocess.Popen(command, cwd=self.folder, stdout=out)  # noqa: S603 - our own program
        wait(lambda: (self.folder / "street.out").stat().st_size, "the street stands")

    def set_mode(self, camera: str, mode: str) -> None:
        """Let one camera behave so."""
        told = (self.folder / "street.out").read_text()
        address = told.rpartition("control: ")[2].strip()
        opener = build_opener(ProxyHandler({}))
        ask = Request(f"{address}cameras/{camera}", mode.encode(), method="PUT")  # noqa: S310 - our own street
        opener.open(ask, timeout=PATIENCE).close()

    def start_daemon(self) -> None:
        """The daemon, with all that is left of one before it; what it prints is kept."""
        command = [*self.prefix, str(ROOT / "cctv" / "process_images.py")]
        with (self.folder / "daemon.out").open("ab") as out:
            self.daemon = subprocess.Popen(  # noqa: S603 - our own program
                command, cwd=self.folder, env=self._environment(), stdout=out, stderr=out
            )
        self.watch.alive = time.time()

    def send(self, number: signal.Signals) -> None:
        """Send the daemon a signal; one that stops it is none of its own failures."""
        if number in {signal.SIGKILL, signal.SIGSTOP}:
            self.watch.alive = None
        self.daemon.send_signal(number)
        if number is signal.SIGCONT:
            self.watch.alive = time.time()

    def recover(self, when: str) -> float:
        """The seconds until every camera has shown a picture put up from now on.

        Raises:
            BrokenError: it did not come to that, or the daemon has ended.
        """
        began = time.time()

        def well() -> bool:
            self.lives()
            heads = self.heads().values()
            return all(one.live and one.written > began for one in heads)

        return wait(well, f"new pictures of all cameras {when}")

    def lives(self) -> None:
        """BrokenError when the daemon has ended."""
        if (status := self.daemon.poll()) is not None:
            raise BrokenError(f"the daemon ended with status {status}")

    def heads(self) -> dict[str, Shown]:
        """What every address shows."""
        image = self.folder / "store" / "image"
        return {name: shown(image / f"{name}.jpg.http") for name in self.names}

    def judge(self) -> None:
        """BrokenError where the watch has seen something it must not, or the end is not orderly."""
        if self.watch.broken:
            raise BrokenError(self.watch.broken)
        self.lives()
        self.watch.alive = None
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(PATIENCE)
        if status != 0:
            raise BrokenError(f"SIGTERM at the end: status {status}")

    def printed(self) -> str:
        """All that the daemon has printed."""
        try:
            return (self.folder / "daemon.out").read_text("utf-8", "replace")
        except OSError:
            return ""

    def last_words(self) -> list[str]:
        """The last lines that the daemon printed."""
        return self.printed().splitlines()[-_LAST:]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CCTV_INVENTORY": "street.csv",
            "CCTV_STORE": "store",
            "CCTV_HTTP": "127.0.0.1:0",
            "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
            "CCTV_INTERVAL": f"{self.interval:g}",
            "CCTV_RETRY_AFTER": f"{self.interval:g}",
            "CCTV_LOG_DIR": "log",
            **self.more,
        }
