"""The life of one camera: ask, show, tell, wait; a part that cannot fail and a part that may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cctv.errors import CaptureError, StoreError, TooLateError
from cctv.model import NotStored, Outcome, Published, Rested, Unavailable
from cctv.reasons import Reason

if TYPE_CHECKING:
    from cctv.model import Camera, Cycle
    from cctv.public_image import PublicImage
    from cctv.schedule import Schedule
    from cctv.seams import Observer, Source


_NO_ROOM = "not asked for a picture: too many wait for the store"


class Publisher:
    """Publishes one camera; remembers why its fallback stands while the camera is left alone."""

    def __init__(self, camera: Camera, source: Source, image: PublicImage) -> None:
        self._camera = camera
        self._source = source
        self._image = image
        self._reason: Reason | None = None

    async def run(self, schedule: Schedule, tell: Observer) -> None:
        """Publish until cancelled."""
        async for cycle in schedule:
            outcome = await self.cycle(cycle)
            schedule.heed(outcome)
            tell(outcome)

    async def cycle(self, cycle: Cycle) -> Outcome:
        """One cycle: a fresh frame goes public, or else the fallback image."""
        if not cycle.ask and self._reason is not None:
            not_stored = await self._fall_back(self._reason, cycle)
            return Rested(self._camera, cycle, self._reason, not_stored)
        if not await self._image.room():
            return NotStored(self._camera, cycle, StoreError(_NO_ROOM))
        try:
            frame = await self._source.frame()
        except CaptureError as error:
            not_stored = await self._fall_back(error.reason, cycle)
            return Unavailable(self._camera, cycle, error.bare(), not_stored)
        try:
            await self._image.show(frame, cycle.next_due)
        except StoreError as error:
            return NotStored(self._camera, cycle, error)
        except TooLateError as error:
            # the camera did its part
            late = CaptureError(Reason.STALE, str(error), asked=False)
            return Unavailable(self._camera, cycle, late, await self._fall_back(late.reason, cycle))
        return Published(self._camera, cycle, frame)

    async def _fall_back(self, reason: Reason, cycle: Cycle) -> StoreError | None:
        self._reason = reason
        try:
            await self._image.show_fallback(reason, since=cycle.due)
        except StoreError as error:
            return error
        return None
