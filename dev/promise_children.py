"""The programs that a run of the promise is made of, as processes that end with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence

    from dev.promise_plan import Plan

ROOT = Path(__file__).resolve().parents[1]

_READY, _LEAVES = 60.0, 15.0
_SWEEP = 60.0


class ChildError(Exception):
    """A program did not start, or ended by itself."""


@dataclass(slots=True)
class Child:
    """A running program."""

    name: str
    process: Process

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path
    ) -> Self:
        """Start a program whose output goes to `NAME.out` in `folder`, where it runs."""
        with (folder / f"{name}.out").open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *command, env=env, cwd=folder, stdin=DEVNULL, stdout=out, stderr=STDOUT
            )
        return cls(name, process)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.returncode is None

    async def leave(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait until it is gone; one that stays is killed."""
        if not self.alive():
            return
        self.process.send_signal(number)
        try:
            await asyncio.wait_for(self.process.wait(), _LEAVES)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@dataclass(slots=True)
class Helper(Child):
    """A program of ours that says a line of JSON when it is ready, and listens on stdin."""

    ready: Any = None

    @classmethod
    async def open(cls, script: str, *words: str, folder: Path) -> Self:
        """Start `dev/SCRIPT`; ChildError when it does not get ready."""
        with (folder / f"{script}.out").open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "dev" / script),
                *words,
                stdin=PIPE,
                stdout=PIPE,
                stderr=out,
            )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        line = await asyncio.wait_for(process.stdout.readline(), _READY)
        if not line:
            raise ChildError(f"{script} did not start: {last_words(folder / f'{script}.out')}")
        return cls(script, process, json.loads(line))

    def tell(self, line: str) -> None:
        """Say one line to it."""
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        self.process.stdin.write(f"{line}\n".encode())


def environment(plan: Plan, number: int, endpoint: str) -> dict[str, str]:
    """What daemon `number` and the sweep are told; nothing of the user's own settings is left."""
    fresh = {"CCTV_FRESHNESS": f"{plan.told_freshness:g}"} if plan.told_freshness else {}
    return fresh | {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(plan.code),
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_DEFAULT_REGION": "us-east-2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "BUCKET": "public-images",
        "CCTV_INVENTORY": "street.csv",
        "CCTV_INTERVAL": f"{plan.interval:g}",
        # a camera that was sick comes back within the run
        "CCTV_RETRY_AFTER": f"{3 * plan.interval:g}",
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
        "CCTV_LOG_DIR": f"log-{number}",
    }


async def start_daemon(env: Mapping[str, str], number: int, folder: Path) -> Child:
    """Daemon `number`, just started."""
    command = [sys.executable, "-m", "cctv", "run"]
    return await Child.start(f"daemon-{number}", command, env, folder)


async def sweep(env: Mapping[str, str], folder: Path) -> int:
    """Sweep once; its exit status, 124 when it took more than a minute."""
    # far: it is shortened to what leaves healthy pictures alone
    command = [sys.executable, "-m", "cctv", "sweep", "--ahead", "60"]
    child = await Child.start("sweep", command, env, folder)
    try:
        return await asyncio.wait_for(child.process.wait(), _SWEEP)
    except TimeoutError:
        return 124
    finally:
        await child.leave(signal.SIGKILL)


async def knows_sweep(env: Mapping[str, str], folder: Path) -> bool:
    """Whether this cctv has the command `sweep`."""
    command = [sys.executable, "-m", "cctv", "sweep", "--help"]
    child = await Child.start("sweep-help", command, env, folder)
    return await asyncio.wait_for(child.process.wait(), _READY) == 0


def last_words(out: Path) -> str:
    """The last line that a program has written into its file."""
    lines = out.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "without a word"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
