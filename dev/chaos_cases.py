"""What is done to a daemon, case by case; each tells in a few words what came of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.chaos_clock import Clock
from dev.chaos_disks import full_log, full_store
from dev.chaos_scene import FEW, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.chaos_scene import Scene

HOUR = 3600
PAUSE_INTERVALS = 4
_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "street")


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is done: its name, a line of words, and the doing.

    `act` raises BrokenError, or NotAllowedError where it cannot be done here.
    """

    name: str
    words: str
    act: Callable[[Scene], str]


def _kill(scene: Scene) -> str:
    scene.begin()
    scene.send(signal.SIGKILL)
    scene.daemon.wait()
    wait(lambda: all(_is_old(scene)), "all pictures grow old")
    scene.start_daemon()
    return f"new pictures {scene.recover('after the start'):.1f} s after the start"


def _is_old(scene: Scene) -> list[bool]:
    return [one.fresh_until < time.time() for one in scene.heads().values()]


def _stop(scene: Scene) -> str:
    scene.begin()
    scene.send(signal.SIGSTOP)
    time.sleep(PAUSE_INTERVALS * scene.interval)
    scene.send(signal.SIGCONT)
    return f"new pictures {scene.recover('after SIGCONT'):.1f} s after SIGCONT"


def _network(scene: Scene) -> str:
    if not _may_have_networks():
        return _deaf_street(scene)
    scene.start_street(*_NETWORK)
    within = ("nsenter", f"--net=/proc/{scene.street.pid}/ns/net")
    scene.prefix = within
    scene.start_daemon()
    scene.recover("at the start")
    _run(*within, "ip", "link", "set", "lo", "down")
    cards = _cards_come(scene)
    _run(*within, "ip", "link", "set", "lo", "up")
    return f"{cards}; new pictures {scene.recover('on the mended network'):.1f} s after its mending"


def _deaf_street(scene: Scene) -> str:
    scene.begin()
    scene.street.send_signal(signal.SIGSTOP)
    cards = _cards_come(scene)
    scene.street.send_signal(signal.SIGCONT)
    seconds = scene.recover("of a street that goes on")
    return f"{cards}; new pictures {seconds:.1f} s later (no root: the street was stopped instead)"


def _cards_come(scene: Scene) -> str:
    def look() -> bool:
        scene.lives()
        return all(one.state == "unavailable" for one in scene.heads().values())

    return f"cards everywhere after {wait(look, 'the card at every address'):.1f} s"


def _may_have_networks() -> bool:
    programs = ("unshare", "nsenter", "ip")
    if os.geteuid() or not all(map(shutil.which, programs)):
        return False
    return subprocess.run(["unshare", "--net", "true"], check=False).returncode == 0  # noqa: S607 - found on the path just now


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def _ahead(scene: Scene) -> str:
    return _jump(scene, HOUR)


def _back(scene: Scene) -> str:
    return _jump(scene, -HOUR)


def _jump(scene: Scene, seconds: int) -> str:
    clock = Clock(scene.folder)
    scene.more = dict(clock.environment)
    scene.begin()
    scene.watch.by_kernel = True
    clock.set(seconds)
    kept = [_kept_up(scene) for _ in range(3)]
    claimed = max(one.fresh_until for one in scene.heads().values()) - time.time()
    clock.set(0)
    again = scene.recover("by the right clock")
    wait(lambda: _is_dated_right(scene), "dates by the right clock")
    scene.watch.by_kernel = False
    words = f"{kept[-1]} by the wrong clock too, claimed to be fresh for {claimed:.0f} s"
    return f"{words}; right pictures {again:.1f} s after it was right again"


def _kept_up(scene: Scene) -> str:
    """Wait until every address was written anew; what they show."""
    began = time.time()

    def look() -> bool:
        scene.lives()
        return all(one.written > began for one in scene.heads().values())

    wait(look, "every address is kept up by the wrong clock")
    live = sum(one.live for one in scene.heads().values())
    return f"{live} of {len(scene.names)} with pictures"


def _is_dated_right(scene: Scene) -> bool:
    now = time.time()
    heads = scene.heads().values()
    return all(one.live and now < one.fresh_until < now + scene.fresh + FEW for one in heads)


CASES = (
    Case("kill", "kill -9, and a new one once all pictures are old", _kill),
    Case("stop", "SIGSTOP for four intervals, then SIGCONT", _stop),
    Case("network", "the way to the cameras is cut until all show the card, then mended", _network),
    Case("ahead", "the wall clock jumps an hour ahead, and back again", _ahead),
    Case("back", "the wall clock jumps an hour back, and ahead again", _back),
    Case("full-log", "the disk of the log and the state is full, then has room again", full_log),
    Case("full-store", "the disk of the store is full, then has room again", full_store),
)
