"""Whether sick cameras hurt the healthy ones: slots missed and lateness, beside a well street.

The street runs in a process of its own, and so does the daemon in each run: all its parts, with
a store in memory. First nothing is sick, then a share of the cameras is; figures are of the same
healthy cameras each time. Lateness counts from the schedule's slot, not from when the cycle began,
so a held-up event loop shows. Failures bring no rest here: what hangs is asked in every cycle,
which is harder than service. Where the loop got no processor, other programs made it late: look
there before the ratios. Run it: `python dev/bench/isolation.py --cameras 1000 --sick 30`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cctv import app, config, settings_table
from cctv.daemon import Daemon, Means
from cctv.gallery import Gallery
from cctv.masking import Wheel
from cctv.schedule import utc_now
from cctv.signals import Signals
from cctv.store.memory import MemoryStore
from cctv.store.wrap import Limited, Retrying
from cctv.ways import open_ways
from cctv.witness import Witness
from cctv.wrap import Budget
from dev.bench.fleet import ROOT, Sample
from dev.bench.isolation_figures import Figures, Notebook, Pauses, Plan, Run
from dev.bench.isolation_report import WELL, report
from dev.street_login import PASSWORD, USER
from dev.street_modes import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cctv.seams import Clock
    from cctv.settings import Settings

MIXTURE = "mixture"
MIXED = ("hang_accept", "hang_mid", "blackhole", "drip_body", "wrong_password", "trunc_cl")
FIRST_OUTCOME = 60.0
PUTS_IN_FLIGHT = 64
NEVER = 1_000_000
EVERYONE = 100


def main() -> None:
    """Run with nothing sick, then once for each mode; print the table and the verdicts."""
    options = arguments()
    everyone = [str(number) for number in range(1, options.cameras + 1)]
    # seeded: always the same ones
    sick = random.Random(1).sample(everyone, round(len(everyone) * options.sick / EVERYONE))
    healthy = sorted(set(everyone) - set(sick))
    figures = {}
    for mode in (WELL, *options.mode):
        plan = Plan(options.cameras, options.interval, options.cycles, healthy, dealt(sick, mode))
        figures[mode] = Figures.of(measured(plan), plan)
    print(f"{options.cameras} cameras every {options.interval:g} s, {options.cycles} cycles;")
    print(f"slots and pictures are those of the {len(healthy)} that are healthy in every run\n")
    print(report(figures))


def dealt(sick: Sequence[str], mode: str) -> dict[str, str]:
    """Which camera is in which mode."""
    if mode == WELL:
        return {}
    modes = itertools.cycle(MIXED if mode == MIXTURE else [mode])
    return dict(zip(sick, modes, strict=False))


def measured(plan: Plan) -> Run:
    """One run, on a street of its own, by a daemon in a process of its own."""
    with (
        tempfile.TemporaryDirectory() as name,
        street(plan, Path(name)),
        ProcessPoolExecutor(1, get_context("spawn")) as processes,
    ):
        return processes.submit(run_daemon, plan, Path(name)).result()


@contextmanager
def street(plan: Plan, folder: Path) -> Iterator[None]:
    """The street, ready; its inventory is in the folder."""
    modes = (f"--mode={camera}={mode}" for camera, mode in plan.sick.items())
    words = ["--cameras", str(plan.cameras), "--csv", "street.csv", *modes]
    command = [sys.executable, str(ROOT / "dev/street.py"), *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603 - our own program
        assert program.stdout is not None  # noqa: S101 - it was asked for
        try:
            if not program.stdout.readline():
                sys.exit("the street did not open")
            yield
        finally:
            program.terminate()


def run_daemon(plan: Plan, folder: Path) -> Run:
    """Run the daemon's parts on the folder's inventory until all cycles are watched."""
    logging.basicConfig(filename=folder / "cctv.log", level=logging.INFO)
    return asyncio.run(_run(plan, folder))


async def _run(plan: Plan, folder: Path) -> Run:
    settings = _settings(plan, folder)
    now = _steady_clock()
    book, signals = Notebook(now), Signals()
    async with app.open_driver(settings) as driver, open_ways(settings.state_dir) as ways:
        wheel = Wheel(
            app.resourceful(driver, settings, ways, lambda: driver), driver.remark, driver.masks
        )
        archive = MemoryStore()
        gallery, inventory = _gallery(settings, archive, now), app.open_inventory(settings)
        witness = Witness(gallery, archive, None, "", None, str)
        means = Means(gallery, archive, inventory, lambda: wheel, book, witness)
        publisher = Daemon(settings, means)
        running = asyncio.create_task(publisher.run(signals), name="daemon")
        try:
            return await _watch(plan, book, now)
        finally:
            signals.stop.set()
            await running


async def _watch(plan: Plan, book: Notebook, now: Clock) -> Run:
    async with asyncio.timeout(FIRST_OUTCOME + plan.interval):
        await book.begun.wait()
    # an interval later every camera is on its grid
    await asyncio.sleep(plan.interval)
    pauses = Pauses()
    gc.callbacks.append(pauses)
    opens, before, samples = now().timestamp(), _waited(), [Sample.of(os.getpid())]
    for _ in range(plan.cycles):
        await asyncio.sleep(plan.interval)
        samples.append(Sample.of(os.getpid()))
    waited = _waited() - before
    # cycles end within half an interval
    await asyncio.sleep(plan.interval / 2)
    return Run(opens, book.notes, samples, waited, pauses.longest)


def _waited() -> float:
    """Seconds in which this process's loop could run and other programs had the processors."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def _settings(plan: Plan, folder: Path) -> Settings:
    env = {
        "CAMERA_USERNAME": USER,
        "CAMERA_PASSWORD": PASSWORD,
        settings_table.INVENTORY.name: str(folder / "street.csv"),
        settings_table.INTERVAL.name: str(plan.interval),
        settings_table.FAILURE_LIMIT.name: str(NEVER),
        settings_table.CAMERA_NETWORKS.name: "127.0.0.0/8",
        settings_table.STATE_DIR.name: str(folder),
        settings_table.LOG_DIR.name: str(folder),
    }
    return config.read(env, places=config.Places.NONE)


def _gallery(settings: Settings, archive: MemoryStore, now: Clock) -> Gallery:
    interval = settings.timing.interval
    deadline = Budget.of(interval, settings.fetch_timeout).put
    store = Retrying(Limited(archive, PUTS_IN_FLIGHT), deadline)
    return Gallery(store, settings.prefix, interval, settings.fallback, now)


def _steady_clock() -> Clock:
    """The wall clock as it stood at the start: setting it meanwhile moves no slot."""
    start, began = utc_now(), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--sick", type=float, default=30, metavar="PERCENT")
    parser.add_argument(
        "--mode",
        nargs="+",
        choices=sorted([MIXTURE, *MODES]),
        default=["hang_hdr", MIXTURE],
        metavar="MODE",
        help=f"a run for each: a mode of the street, or {MIXTURE} ({', '.join(MIXED)})",
    )
    parser.add_argument("--interval", type=float, default=20, metavar="SECONDS")
    parser.add_argument("--cycles", type=int, default=6)
    options = parser.parse_args()
    if not 0 < options.sick < EVERYONE:
        parser.error("--sick: some cameras must be sick, and some healthy")
    return options


if __name__ == "__main__":
    main()
