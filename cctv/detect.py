"""When a record names the wrong model: find out, slowly, as what the camera answers.

A device that is reached and says 404, or answers something that is no picture, is asked the other
models' ways, a few in each cycle. The one that gives a picture in two cycles is used from then on,
kept over restarts, and reported, so that somebody corrects the record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from cctv.frame import Frame
    from cctv.model import Camera
    from cctv.seams import Source
    from cctv.ways import Ways

log = logging.getLogger(__name__)

# what a device of another make says to a request it does not know
_SUSPECT = frozenset({Reason.NOT_FOUND, Reason.NOT_A_PICTURE, Reason.HTTP_ERROR})
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Way:
    """Another model's way of asking the same camera; `patient` asks once more after a failure."""

    model: str
    source: Source
    patient: Source


Others = Callable[[], Sequence[Way]]
"""The ways to try, the likeliest first by what is known of the device by now."""


@dataclass(frozen=True, slots=True)
class Detecting:
    """A source that asks as the record says, or as it has learned; within `deadline` s in all.

    A wrong way costs a request, so at most three others are tried in a cycle, the learned one
    among them, and each once until all have been: with a rest after repeated failures (`Timing`)
    that is slow enough. A way is learned when it gives a picture in two cycles in which the
    record's own does not, and it holds until another gives one: a device that is starting, and
    answers error pages for a while, teaches nothing wrong.
    """

    camera: Camera
    own: Source
    deadline: float
    others: Others = field(compare=False, repr=False)
    ways: Ways = field(compare=False, repr=False)
    _tried: list[str] = field(default_factory=list, compare=False, repr=False)
    _likely: list[str] = field(default_factory=list, compare=False, repr=False)

    async def frame(self) -> Frame:
        """The next whole picture; see `seams.Source`."""
        failed: list[CaptureError] = []
        try:
            async with asyncio.timeout(self.deadline):
                return await self._frame(failed)
        except TimeoutError:
            found = f"nothing within {self.deadline:g} s"
            raise (failed or [CaptureError(Reason.TIMEOUT, found)])[0].bare() from None

    async def _frame(self, failed: list[CaptureError]) -> Frame:
        learned = self.ways.of(self.camera)
        for way in [way for way in self.others() if way.model == learned] if learned else ():
            try:
                return await way.patient.frame()
            except CaptureError as error:
                self._suspect(error, failed)
        try:
            return self._right(await self.own.frame())
        except CaptureError as error:
            self._suspect(error, failed)
        return await self._other(failed[0], _TRIES + 1 - len(failed))

    def _suspect(self, error: CaptureError, failed: list[CaptureError]) -> None:
        failed.append(error.bare())
        if error.reason not in _SUSPECT:
            raise failed[-1].bare()

    async def _other(self, failed: CaptureError, tries: int) -> Frame:
        for way in self._next()[:tries]:
            self._tried.append(way.model)
            try:
                frame = await way.source.frame()
            except CaptureError as error:
                if error.reason not in _SUSPECT:
                    # a refused login or a lost device: asking on would make it worse
                    break
            else:
                return self._found(way, frame)
        raise failed.bare()

    def _next(self) -> Sequence[Way]:
        learned = self.ways.of(self.camera)
        others = [way for way in self.others() if way.model != learned]
        likely = [way for way in others if way.model in self._likely]
        fresh = [way for way in others if way.model not in self._tried]
        if not (likely or fresh):
            self._tried.clear()
        return likely + fresh or others

    def _right(self, frame: Frame) -> Frame:
        """The record is right: the camera or its record was changed since something was learned."""
        self._likely.clear()
        if self.ways.of(self.camera):
            self.ways.learn(self.camera, "")
        return frame

    def _found(self, way: Way, frame: Frame) -> Frame:
        """A picture by another way; the second time the record is to blame, not a passing fault."""
        if way.model in self._likely:
            self.ways.learn(self.camera, way.model)
            text = "record says %s, answers as %s camera=%s; correct its model"
            log.warning(text, self.camera.model, way.model.title(), self.camera.id)
        self._likely[:] = [way.model]
        return frame
