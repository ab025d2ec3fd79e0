"""A fleet over a store in memory, in virtual time; everything that happens is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cctv.fleet import Fleet
from cctv.gallery import Gallery
from cctv.model import Camera, Outcome, Published
from cctv.observers import tell_all
from cctv.roster import Roster
from cctv.schedule import Timing
from cctv.store.memory import MemoryStore
from tests.fakes.frames import ScriptedSource, jpeg
from tests.virtual import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cctv.reasons import Reason

CARD = jpeg(1, (32, 24))
TIMING = Timing(interval=300)


def camera(name: str, model: str = "Axis") -> Camera:
    """A camera."""
    return Camera(name, model, f"10.0.0.{name}")


@dataclass
class Town:
    """A fleet over a store in memory, with a script for each camera; everything is remembered."""

    scripts: dict[str, Sequence[bytes | Exception | float]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now)
        self.sources: dict[Camera, ScriptedSource] = {}
        gallery = Gallery(self.store, "image/", TIMING.interval, CARD, now)
        tell = tell_all([self.outcomes.append])
        self.fleet = Fleet(gallery, TIMING, self.drive, tell, self.confirmed.append)

    def drive(self, camera: Camera) -> ScriptedSource:
        """The camera's one source, as long as its record stays the same."""
        script = self.scripts.get(camera.id, [jpeg()])
        return self.sources.setdefault(camera, ScriptedSource(script, now))

    async def publish(self, *cameras: Camera, withdrawn: dict[str, Reason] | None = None) -> None:
        """Work by a roster of these."""
        await self.fleet.apply(Roster({one.id: one for one in cameras}, withdrawn or {}))

    def states(self) -> dict[str, str]:
        """How each address stands, in doubt where a question mark says so."""
        found = self.fleet.standings().items()
        return {name: at.state.value + ("" if at.confirmed else "?") for name, at in found}

    def state(self, name: str) -> str:
        """What the public sees."""
        return self.store.objects[f"image/{name}.jpg"].thing.metadata["state"]

    def reason(self, name: str) -> str:
        """Why the public sees the fallback image."""
        return self.store.objects[f"image/{name}.jpg"].thing.metadata["reason"]

    def published(self, name: str) -> int:
        """How many frames of a camera became public."""
        return sum(
            isinstance(outcome, Published) and outcome.camera.id == name
            for outcome in self.outcomes
        )
