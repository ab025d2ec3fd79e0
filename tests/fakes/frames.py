"""Real pictures and a source that plays a script: frames, errors, bugs, pauses."""

from __future__ import annotations

import asyncio
import io
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING

from PIL import Image

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@cache
def jpeg(shade: int = 90, size: tuple[int, int] = (64, 48), *, progressive: bool = False) -> bytes:
    """A small whole JPEG with some detail."""
    image = Image.effect_noise(size, 40).point(lambda value: (value + shade) % 256)
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", progressive=progressive)
    return file.getvalue()


def refused() -> CaptureError:
    """A wrong password."""
    return CaptureError(Reason.AUTH, "HTTP 401 Unauthorized")


def hung() -> CaptureError:
    """No answer."""
    return CaptureError(Reason.TIMEOUT, "no whole answer within 15 s")


@dataclass
class ScriptedSource:
    """Plays `script` over and over; a number in it is a pause in seconds before what follows."""

    script: Iterable[bytes | Exception | float]
    now: Callable[[], datetime]
    asked: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._steps: Iterator[bytes | Exception | float] = cycle(self.script)

    async def frame(self) -> Frame:
        """The next picture of the script; see `seams.Source`."""
        self.asked.append(self.now())
        step = next(self._steps)
        while isinstance(step, float):
            await asyncio.sleep(step)
            step = next(self._steps)
        if isinstance(step, Exception):
            raise step
        return _taken(step, self.now())


def _taken(body: bytes, moment: datetime) -> Frame:
    """The frame of `body` at `moment`; each picture is judged once, since virtual time is short."""
    frame = copy(_judged(body))
    object.__setattr__(frame, "captured_at", moment)
    return frame


@cache
def _judged(body: bytes) -> Frame:
    return Frame.of(body, datetime.min.replace(tzinfo=UTC))
