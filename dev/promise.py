"""The promise, measured from outside and in real time: how old are the pictures viewers see?

Dummy cameras stamp the time into every picture; the daemon publishes them to an S3 on loopback;
nginx caches them as a CDN does; viewers look at every address once a second, while cameras fall
ill, daemons are killed and the store refuses. Run it: `python dev/promise.py --timeline t.csv`.
Exit status 1 when the promise was broken, 2 when the run could not be made.
"""

from __future__ import annotations

import asyncio
import csv
import random
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.promise_children import ChildError, Helper, environment, knows_sweep
from dev.promise_edge import start_edge
from dev.promise_events import Stage, faults, script
from dev.promise_ledger import Ledger
from dev.promise_plan import Plan, plan_of
from dev.promise_report import figures, told, write_json, write_timeline
from dev.promise_viewers import PERIOD, Viewer, all_shown, session
from dev.promise_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

OK, BROKEN, NOT_MADE = 0, 1, 2

_FIRST = 60.0


def main() -> None:
    """Run as the command line says, report, and leave with the verdict."""
    plan = plan_of()
    with tempfile.TemporaryDirectory() as name:
        folder = plan.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            status = asyncio.run(_until_signal(plan, folder.resolve()))
        except* (ChildError, TimeoutError) as group:
            for error in group.exceptions:
                print(
                    f"the run could not be made: {error or 'a program takes too long'}",
                    file=sys.stderr,
                )
            status = NOT_MADE
    sys.exit(status)


async def _until_signal(plan: Plan, folder: Path) -> int:
    """The run; SIGTERM ends it as Ctrl-C does, so that nothing is left behind."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(plan, folder)


async def run(plan: Plan, folder: Path) -> int:
    """One run; the exit status."""
    async with AsyncExitStack() as stack:
        stage = await _set_up(plan, folder, stack)
        edge, address = await start_edge(stage.store.ready["direct"], folder)
        stack.push_async_callback(edge.leave)
        client = await stack.enter_async_context(session())
        card = (plan.code / "cctv" / "unavailable.jpg").read_bytes()
        viewers = [
            Viewer(number, f"{address}/image/{number}.jpg", card, client)
            for number in range(1, plan.cameras + 1)
        ]
        for number in range(1, plan.daemons + 1):
            await stage.start(number)
        await all_shown(viewers, _FIRST + 2 * plan.interval, stage.check)
        ledger = await _watched(stage, viewers)
    return _reported(ledger, plan, stage.sweeps)


async def _set_up(plan: Plan, folder: Path, stack: AsyncExitStack) -> Stage:
    slow = ("--slow", f"{0.2 * plan.interval:g}")
    words = ("--cameras", str(plan.cameras), *slow)
    cameras = await Helper.open("promise_cameras.py", *words, folder=folder)
    stack.push_async_callback(cameras.leave)
    store = await Helper.open("promise_store.py", folder=folder)
    stack.push_async_callback(store.leave)
    _write_inventory(folder / "street.csv", cameras.ready)
    stage = Stage(plan, World(_clock(), plan.recover), cameras, store, folder)
    env = environment(plan, 1, store.ready["proxy"])
    if plan.sweeps and not await knows_sweep(env, folder):
        raise ChildError("this cctv has no command `sweep`: run with --no-sweep")

    async def end_daemons() -> None:
        for daemon in stage.daemons.values():
            await daemon.leave()

    stack.push_async_callback(end_daemons)
    return stage


async def _watched(stage: Stage, viewers: list[Viewer]) -> Ledger:
    """Let viewers watch while things happen."""
    plan, world = stage.plan, stage.world
    world.begins(_clock())
    ledger = Ledger(world, plan.freshness)
    chance, moods = random.Random(plan.seed), random.Random(f"moods {plan.seed}")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                viewer.watch(ledger.note, PERIOD * place / len(viewers)),
                name=f"viewer {viewer.camera}",
            )
            for place, viewer in enumerate(viewers)
        ]
        tasks.append(group.create_task(stage.watch(), name="programs"))
        if plan.sweep_always:
            tasks.append(group.create_task(stage.sweep_on(), name="sweep"))
        if "faults" in plan.events:
            tasks.append(group.create_task(faults(stage, moods), name="faults"))
        await script(stage, chance)
        await asyncio.sleep(max(0.0, plan.seconds - world.now()))
        for task in tasks:
            task.cancel()
    return ledger


def _clock() -> Callable[[], float]:
    began = time.monotonic()
    return lambda: time.monotonic() - began


def _write_inventory(file: Path, addresses: list[str]) -> None:
    with file.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(["id", "model", "address"])
        for number, address in enumerate(addresses, 1):
            rows.writerow([number, "url", f"http://{address}/still.jpg"])


def _reported(ledger: Ledger, plan: Plan, sweeps: list[int]) -> int:
    print(told(ledger, plan, sweeps))
    if plan.json is not None:
        write_json(plan.json, figures(ledger, plan, sweeps))
    if plan.timeline is not None:
        write_timeline(plan.timeline, ledger)
    return BROKEN if ledger.violations else OK


if __name__ == "__main__":
    main()
