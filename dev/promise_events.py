"""What happens in a run: cameras fall ill, daemons are stopped and killed, the store refuses."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dev.promise_cameras import SICK, Mode
from dev.promise_children import (
    Child,
    ChildError,
    environment,
    last_words,
    start_daemon,
    sweep,
)

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from dev.promise_children import Helper
    from dev.promise_plan import Plan
    from dev.promise_world import World

# when, in parts of the run, and how much the seed may move it
_TERM, _KILL, _DEATH, _REFUSAL = 0.10, 0.24, 0.38, 0.64
_MOVES = 0.02
_REFUSES = 0.2
# how long the daemon is dead: in intervals, and in freshness limits
_KILLED, _DEAD = 0.6, 2.5
_HEALS = 0.3
_CHECK = 0.2


@dataclass(slots=True)
class Stage:
    """Where things are made to happen."""

    plan: Plan
    world: World
    cameras: Helper
    store: Helper
    folder: Path
    daemons: dict[int, Child] = field(default_factory=dict)
    sweeps: list[int] = field(default_factory=list)

    async def start(self, number: int) -> None:
        """Start a daemon, for the first time or again."""
        env = environment(self.plan, number, self.store.ready["proxy"])
        self.daemons[number] = await start_daemon(env, number, self.folder)
        self.world.daemon(number, runs=True)

    async def end(self, number: int, how: signal.Signals) -> None:
        """Stop a daemon; it counts as alive until its process has ended."""
        daemon = self.daemons.pop(number)
        await daemon.leave(how)
        self.world.daemon(number, runs=False)

    def check(self) -> None:
        """ChildError when a program has ended that nobody stopped."""
        for child in (self.cameras, self.store, *self.daemons.values()):
            if not child.alive():
                status = child.process.returncode
                said = last_words(self.folder / f"{child.name}.out")
                raise ChildError(f"{child.name} ended by itself, status {status}: {said}")

    async def watch(self) -> None:
        """Look after the programs until cancelled; ChildError as in `check`."""
        while True:
            self.check()
            await asyncio.sleep(_CHECK)

    async def sweep_on(self) -> None:
        """Sweep again and again until cancelled."""
        env = environment(self.plan, 1, self.store.ready["proxy"])
        self.world.sweep(goes_on=True)
        try:
            while True:
                self.sweeps.append(await sweep(env, self.folder))
                await asyncio.sleep(self.plan.sweep_every)
        finally:
            self.world.sweep(goes_on=False)

    def set_mode(self, camera: int, mode: Mode) -> None:
        """Let a camera fall ill, or heal."""
        self.cameras.tell(f"{camera} {mode}")
        if mode is Mode.OK:
            self.world.sick.pop(camera, None)
        else:
            self.world.sick[camera] = mode.value


async def faults(stage: Stage, chance: random.Random) -> None:
    """Keep a part of the cameras sick, not always the same ones, until cancelled."""
    plan = stage.plan
    wanted = round(plan.sick * plan.cameras)
    while True:
        for camera in sorted(stage.world.sick):
            if chance.random() < _HEALS:
                stage.set_mode(camera, Mode.OK)
        healthy = [n for n in range(1, plan.cameras + 1) if n not in stage.world.sick]
        for camera in chance.sample(healthy, max(0, wanted - len(stage.world.sick))):
            stage.set_mode(camera, chance.choice(SICK))
        await asyncio.sleep(plan.interval / 2)


async def script(stage: Stage, chance: random.Random) -> None:
    """The great events, one after the other; returns after the last."""
    acts = {
        "term": (_TERM, _term),
        "kill": (_KILL, _kill),
        "death": (_DEATH, _death),
        "refusal": (_REFUSAL, _refusal),
    }
    for name, (part, act) in acts.items():
        moment = (part + chance.uniform(-_MOVES, _MOVES)) * stage.plan.seconds
        if name in stage.plan.events:
            await asyncio.sleep(max(0.0, moment - stage.world.now()))
            await act(stage)


async def _term(stage: Stage) -> None:
    stage.world.happens("daemon 1 gets SIGTERM")
    await stage.end(1, signal.SIGTERM)
    await stage.start(1)
    stage.world.happens("daemon 1 started again after SIGTERM")


async def _kill(stage: Stage) -> None:
    stage.world.happens("daemon 1 killed, for less than an interval")
    await stage.end(1, signal.SIGKILL)
    await asyncio.sleep(_KILLED * stage.plan.interval)
    await stage.start(1)
    stage.world.happens("daemon 1 started again after a kill")


async def _death(stage: Stage) -> None:
    alone = stage.plan.sweep and not stage.world.sweeping
    how = "the sweep goes on" if stage.plan.sweep else "nobody sweeps"
    stage.world.happens(f"daemon 1 killed, for longer than freshness, {how}")
    async with asyncio.TaskGroup() as group:
        sweeper = group.create_task(stage.sweep_on(), name="sweep") if alone else None
        await asyncio.sleep(0)  # the sweeper begins before the daemon ends
        await stage.end(1, signal.SIGKILL)
        await asyncio.sleep(_DEAD * stage.plan.freshness)
        await stage.start(1)
        if sweeper is not None:
            sweeper.cancel()
    stage.world.happens("daemon 1 started again after its death")


async def _refusal(stage: Stage) -> None:
    stage.store.tell("refuse")
    stage.world.store(refuses=True)
    stage.world.happens("the store refuses writes")
    await asyncio.sleep(_REFUSES * stage.plan.seconds)
    stage.store.tell("accept")
    stage.world.store(refuses=False)
    stage.world.happens("the store accepts writes again")
