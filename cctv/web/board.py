"""What is known of each camera's picture: facts kept from outcomes, for the pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cctv.model import Expired, Outcome, Published, Rested, Unavailable, by_number
from cctv.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.model import Camera


@dataclass(frozen=True, slots=True)
class Fact:
    """One camera's state: live with the time of its picture, or unavailable for a reason.

    `warnings` is what is odd about a picture that is live.
    """

    camera: Camera
    captured_at: datetime | None = None
    reason: Reason | None = None
    since: datetime | None = None
    warnings: tuple[Reason, ...] = ()


@dataclass(slots=True)
class Board:
    """An observer that remembers the last fact of each camera, never a frame."""

    _facts: dict[str, Fact] = field(default_factory=dict)

    def __call__(self, outcome: Outcome) -> None:
        """Remember what this outcome tells."""
        camera = outcome.camera
        match outcome:
            case Published(frame=frame):
                self._facts[camera.id] = Fact(
                    camera, captured_at=frame.captured_at, warnings=frame.warnings
                )
            case Unavailable(error=error):
                self._down(outcome, error.reason)
            case Rested(reason=reason):
                self._down(outcome, reason)
            case Expired():
                self._down(outcome, Reason.STALE)

    def facts(self, cameras: list[Camera]) -> list[Fact]:
        """One fact for each of `cameras`, in the order of their ids as people count."""
        known = (self._facts.get(camera.id, Fact(camera)) for camera in cameras)
        return sorted(known, key=lambda fact: by_number(fact.camera.id))

    def _down(self, outcome: Outcome, reason: Reason) -> None:
        before = self._facts.get(outcome.camera.id)
        since = before.since if before and before.since else outcome.cycle.due
        self._facts[outcome.camera.id] = Fact(outcome.camera, reason=reason, since=since)
