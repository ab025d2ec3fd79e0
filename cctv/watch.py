"""Whether a whole picture is also a live one: blank and frozen pictures, and what is done then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cctv.frame import Frame
    from cctv.seams import Source


# a cycle is not on time to the millisecond, and should not wait for another on that account
_JITTER = 0.005


class Policy(StrEnum):
    """What becomes of a picture that is whole and still shows nothing new."""

    FLAG = "flag"
    """It is public, with the reason as `warning` in its metadata."""

    UNAVAILABLE = "unavailable"
    """The fallback image is shown instead."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What blank and frozen pictures lead to, and when a picture counts as frozen.

    Frozen is the same picture, byte for byte without its device metadata and before it was
    retouched, in `frozen_cycles` cycles in a row or more, the last of them `frozen_after` seconds
    or more after the first, give or take a two-hundredth. A sensor never repeats itself, unless it
    sees nothing: a black night is the same picture every time, so a blank one is not frozen, and
    ends a spell. A cache within a camera repeats for some seconds. Cycles without a picture do not
    count, and do not end a spell either.
    """

    blank: Policy = Policy.FLAG
    frozen: Policy = Policy.UNAVAILABLE
    frozen_cycles: int = 3
    frozen_after: float = 900.0


@dataclass(slots=True)
class Sameness:
    """How long a camera has been sending the same picture, in monotonic seconds.

    A wall clock that is set would end the spell of a frozen picture, or make one of a cache.
    """

    digest: bytes = b""
    since: float = 0.0
    cycles: int = 0

    def heed(self, frame: Frame, now: float) -> float:
        """Count this frame; the seconds since its picture was first seen, 0 if it is blank."""
        if Reason.BLANK in frame.warnings:
            self.digest, self.cycles = b"", 0
            return 0.0
        if frame.digest != self.digest:
            self.digest, self.since, self.cycles = frame.digest, now, 0
        self.cycles += 1
        return now - self.since


@dataclass(frozen=True, slots=True)
class Watched:
    """A source whose blank and frozen pictures are flagged, or refused; asked once a cycle."""

    source: Source
    rules: Rules = Rules()
    _same: Sameness = field(default_factory=Sameness, compare=False, repr=False)

    async def frame(self) -> Frame:
        """The next whole picture; see `seams.Source`."""
        frame = await self.source.frame()
        for reason, found in self._remarks(frame).items():
            if self._policies[reason] is Policy.UNAVAILABLE:
                raise CaptureError(reason, found)
            frame = frame.flagged(reason)
        return frame

    @property
    def _policies(self) -> Mapping[Reason, Policy]:
        return {Reason.BLANK: self.rules.blank, Reason.FROZEN: self.rules.frozen}

    def _remarks(self, frame: Frame) -> Mapping[Reason, str]:
        same_for = self._same.heed(frame, asyncio.get_running_loop().time())
        found = dict.fromkeys(frame.warnings, "the picture shows nothing")
        lasting = same_for >= self.rules.frozen_after * (1 - _JITTER)
        if lasting and self._same.cycles >= self.rules.frozen_cycles:
            found[Reason.FROZEN] = f"the same picture for {same_for / 60:.0f} min"
        return found
