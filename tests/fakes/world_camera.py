"""The world's cameras: what they answer, and pictures whose bytes tell the truth."""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason
from tests import virtual
from tests.fakes.frames import jpeg
from tests.fakes.world_audit import painted

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.seams import Clock
    from tests.fakes.world import World


@dataclass
class Source:
    """One camera as one daemon asks it."""

    world: World
    name: str
    now: Clock

    async def frame(self) -> Frame:
        """See `seams.Source`."""
        mode = self.world.modes[self.name]
        await asyncio.sleep({"slow": 12.0, "hang": 15.0, "stuck": 1e9}.get(mode, 0.2))
        match mode:
            case "fail" | "hang" | "torn" | "auth":
                word = {"torn": Reason.TORN, "auth": Reason.AUTH, "hang": Reason.TIMEOUT}
                raise CaptureError(word.get(mode, Reason.UNREACHABLE), "as planned")
            case "bug":
                raise ValueError("a mistake of ours")
            case "deep":
                raise RecursionError("a mistake of ours")
        return self._frame(mode)

    def _frame(self, mode: str) -> Frame:
        world = self.world
        body = painted(self.name, world.seconds(), world.offset)
        digest = b"the same" if mode == "frozen" else body
        return frame_of(body, digest, self.now())


@cache
def _model() -> Frame:
    return Frame.of(jpeg(), virtual.EPOCH)


def frame_of(body: bytes, digest: bytes, moment: datetime) -> Frame:
    """A frame whose bytes say what the audit must know; none behind the one door looks at them."""
    frame = copy(_model())
    for field_, value in (("body", body), ("digest", digest), ("captured_at", moment)):
        object.__setattr__(frame, field_, value)
    return frame
