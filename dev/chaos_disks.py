"""Disks that are full: a small one where root may mount it, else a quota."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dev.chaos_scene import wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dev.chaos_scene import Scene

_SIZE = "2m"
_BLOCK = bytes(4096)
_LOG_QUOTA = 300_000
# less than a picture or the card has, more than any file of the state folder
_STORE_QUOTA = 4_000


def full_log(scene: Scene) -> str:
    """The disk with the log and the state: pictures go on, and both are written again after."""
    log = scene.folder / "log"
    mounted = _mounted(scene, log)
    file = log / "cctv.log"
    if not mounted:
        file.write_bytes(b"-" * (_LOG_QUOTA - 1) + b"\n")
    scene.begin()
    give_room = _fill(log) if mounted else _quota(scene, _LOG_QUOTA)
    for _ in range(3):
        scene.recover("with a full log")
    size = file.stat().st_size
    give_room()
    scene.send(signal.SIGHUP)
    again = wait(lambda: file.stat().st_size > size, "the log is written again")
    if not mounted:
        return f"the log went on after {again:.1f} s (no root: a quota on the log alone)"
    beat = (log / "state" / "health.json").stat().st_mtime
    wait(lambda: (log / "state" / "health.json").stat().st_mtime > beat, "the state is written")
    return f"pictures went on, the log {again:.1f} s after there was room, and the state"


def full_store(scene: Scene) -> str:
    """The store's disk: what is due, picture or card, comes when there is room."""
    store = scene.folder / "store"
    mounted = _mounted(scene, store)
    scene.begin()
    # nothing can be replaced meanwhile, whatever the daemon does
    scene.watch.alive = None
    give_room = _fill(store) if mounted else _quota(scene, _STORE_QUOTA)
    scene.set_mode("1", "hang_accept")
    wait(lambda: "store does not take objects" in scene.printed(), "the log says so")
    wait(lambda: all(one.fresh_until < time.time() for one in scene.heads().values()), "all old")
    give_room()
    scene.watch.alive = time.time()
    card = wait(lambda: scene.heads()["1"].state == "unavailable", "the card")
    scene.set_mode("1", "ok")
    pictures = scene.recover("with room again")
    how = "" if mounted else " (no root: a quota on files)"
    return f"the card came {card:.1f} s after there was room, all pictures {pictures:.1f} s on{how}"


def _mounted(scene: Scene, folder: Path) -> bool:
    """Whether `folder` is a small disk of its own now."""
    folder.mkdir()
    if os.geteuid():
        return False
    words = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "chaos", str(folder)]
    if subprocess.run(words, check=False, capture_output=True).returncode:  # noqa: S603 - our own words
        return False
    scene.undo.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
    return True


def _fill(folder: Path) -> Callable[[], None]:
    """Leave no room in a small disk; what gives it back."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(_BLOCK)
    return ballast.unlink


def _quota(scene: Scene, size: int) -> Callable[[], None]:
    """No file of the daemon may grow beyond this; what takes that back."""
    pid, what = scene.daemon.pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (size, before[1]))
    return lambda: _allow(pid, before)


def _allow(pid: int, before: tuple[int, int]) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
