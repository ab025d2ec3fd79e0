"""Whether pictures are flowing: facts the daemon leaves in a file, and a judgement of them."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.model import NotStored, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cctv.aside import Wanted
    from cctv.seams import Clock

log = logging.getLogger(__name__)

FILE = "health.json"

_EVERY = 10.0
_BEAT_LIMIT = 60.0
_FLOW_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Pulse:
    """The daemon's last word: moments in seconds of the epoch, the interval in seconds.

    `flowed` is when an address was last confirmed to show what it should. `exposed` is how many
    addresses are to show the fallback image by order, and are long not confirmed to.
    """

    started: float
    beat: float
    flowed: float
    interval: float
    cameras: int
    exposed: int = 0


class Heart:
    """An observer that beats: every ten seconds it leaves a `Pulse` in the state folder."""

    def __init__(
        self,
        folder: Path,
        interval: float,
        cameras: Callable[[], int],
        now: Clock,
        exposed: Callable[[], int] = lambda: 0,
    ) -> None:
        self._file = folder / FILE
        self._interval = interval
        self._cameras = cameras
        self._exposed = exposed
        self._now = now
        self._hand = Hand(_EVERY)
        self._started = self._flowed = now().timestamp()

    def __call__(self, outcome: Outcome) -> None:
        """Note that an address shows what it should."""
        if not (isinstance(outcome, NotStored) or getattr(outcome, "not_stored", None)):
            self._flowed = self._now().timestamp()

    async def run(self) -> None:
        """Beat until cancelled; what has left leaves no pulse."""
        try:
            await self._beat()
        finally:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    async def _beat(self) -> None:
        told = False
        while True:
            pulse = self._pulse()
            try:
                await self._hand.do(partial(self._leave, pulse))
            except OSError as error:
                log.log(logging.DEBUG if told else logging.WARNING, "health not written: %s", error)
                told = True
            await asyncio.sleep(_EVERY)

    def _pulse(self) -> Pulse:
        return Pulse(
            started=self._started,
            beat=self._now().timestamp(),
            flowed=self._flowed,
            interval=self._interval,
            cameras=self._cameras(),
            exposed=self._exposed(),
        )

    def _leave(self, pulse: Pulse, _: Wanted) -> None:
        fresh = self._file.with_suffix(".new")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(asdict(pulse)), "utf-8")
        fresh.replace(self._file)


def judge(folder: Path, now: float) -> str:
    """What is wrong with the daemon that keeps its state in `folder`; empty when all is well."""
    try:
        pulse = Pulse(**json.loads((folder / FILE).read_text("utf-8")))
    except FileNotFoundError:
        return f"no daemon runs with its state in {folder}"
    except (OSError, ValueError, TypeError) as error:
        return f"{folder / FILE} cannot be read: {error}"
    if now - pulse.beat > _BEAT_LIMIT:
        return f"the daemon's last pulse is {now - pulse.beat:.0f} s old"
    silent = now - max(pulse.flowed, pulse.started)
    if pulse.cameras and silent > _FLOW_INTERVALS * pulse.interval:
        return f"no address has been brought up to date for {silent:.0f} s"
    if pulse.exposed:
        return f"{pulse.exposed} addresses must show the card and are not confirmed to"
    return ""
