"""Where one address is worked on: its order, its image, the task at work, and how it stands."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cctv.model import Cycle, Expired
from cctv.public_image import PublicImage
from cctv.reasons import Reason
from cctv.state import Standing, State, state_for

if TYPE_CHECKING:
    from cctv.errors import StoreError
    from cctv.gallery import Gallery
    from cctv.model import Camera, Outcome
    from cctv.seams import Observer, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    """The order to publish a camera; a changed record, driver or mask is another order."""

    camera: Camera
    source: Source
    hidden: object = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order to show the fallback image instead of a camera."""

    reason: Reason


Order = Live | Withdrawn


class Berth:
    """One address; its image outlives a change of orders.

    `heard` is when its task last gave a sign of life, in the loop's time.
    """

    def __init__(self, gallery: Gallery, name: str, tell: Observer) -> None:
        self.name = name
        self.image = PublicImage(gallery, name, self._minded)
        self.standing = Standing(State.UNAVAILABLE, gallery.now(), Reason.NO_PICTURE)
        self.order: Order | None = None
        self.task: asyncio.Task[None] | None = None
        self.heard = 0.0
        self._now = gallery.now
        self._tell = tell

    def sign(self) -> None:
        """The task is alive."""
        self.heard = asyncio.get_running_loop().time()

    def told(self, outcome: Outcome) -> None:
        """Take what a cycle came to, and pass it on."""
        self.sign()
        self.standing = self.standing.heeded(outcome, self._now())
        self._tell(outcome)

    def failed(self) -> None:
        """After a mistake of ours it is not known what the address shows."""
        self.sign()
        self.standing = replace(self.standing, confirmed=False)

    def fell(self, reason: Reason, *, shown: bool) -> None:
        """After a mistake of ours the fallback image was put up; `shown`: it is confirmed."""
        if isinstance(self.order, Live):
            self.standing = self.standing.fallen(reason, self._now(), confirmed=shown)

    def covered(self) -> None:
        """The fallback image is confirmed."""
        self.standing = self.standing.settled()

    async def end(self, patience: float) -> asyncio.Task[None] | None:
        """End the work; the task, when it has not ended within `patience` seconds."""
        self.order, task = None, self.task
        if task is None:
            return None
        task.cancel()
        _, hung = await asyncio.wait([task], timeout=patience)
        self.task = None
        return task if hung else None

    def _minded(self, reason: Reason, trouble: StoreError | None) -> None:
        """The image has put up the fallback image by itself."""
        standing, order = self.standing, self.order
        known = standing.reason is reason
        if trouble is None and state_for(reason) is standing.state:
            self.covered()
        if reason is Reason.STALE and isinstance(order, Live) and not known:
            now = self._now()
            cycle = Cycle(now, standing.next_due or now)
            self.standing = standing.heeded(Expired(order.camera, cycle, trouble), now)
            self._tell(Expired(order.camera, cycle, trouble))
