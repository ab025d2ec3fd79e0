"""One public address: it shows a fresh frame or the fallback image, and nothing else, ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.model import StoredObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cctv.frame import Frame
    from cctv.reasons import Reason
    from cctv.seams import Clock, Store

# no max-age: it would count from each cache's own fetch, `Expires` is the same moment everywhere
CACHE_CONTROL = "public, must-revalidate, stale-if-error=0, no-transform"

_GRACE_LIMIT = 15.0
_GRACE_PART = 0.2
_FRESH_INTERVALS = 1.5
_FALLBACK_LIMIT = 60.0
_HEAL_CYCLES = 6


@dataclass(frozen=True, slots=True)
class Gallery:
    """What all public addresses have in common.

    `interval` is the time between pictures in seconds; `fallback` is the fallback image's bytes;
    `prefix` stands before every key, with its slash.
    """

    store: Store
    prefix: str
    interval: float
    fallback: bytes
    now: Clock

    def key(self, name: str) -> str:
        """The key of a camera's object, or of the fallback's own for `unavailable`."""
        return f"{self.prefix}{name}.jpg"

    def fresh_until(self, captured_at: datetime) -> datetime:
        """Until when a picture may be shown as current."""
        return captured_at + timedelta(seconds=self.interval * _FRESH_INTERVALS)

    def live(self, camera_id: str, frame: Frame, next_due: datetime) -> StoredObject:
        """The object for a fresh frame; caches keep it until the next one is due and a grace."""
        grace = min(_GRACE_LIMIT, self.interval * _GRACE_PART)
        fresh = self.fresh_until(frame.captured_at)
        return StoredObject(
            body=frame.body,
            expires=min(next_due + timedelta(seconds=grace), fresh),
            cache_control=CACHE_CONTROL,
            metadata={
                "state": "live",
                "captured-at": rfc3339(frame.captured_at),
                "fresh-until": rfc3339(fresh),
                "camera": camera_id,
                "publisher": PUBLISHER,
                **_warning(frame),
            },
        )

    def unavailable(self, name: str, why: Mapping[str, str]) -> StoredObject:
        """The object for the fallback image; `why` is added to its metadata."""
        ahead = min(_FALLBACK_LIMIT, self.interval)
        return StoredObject(
            body=self.fallback,
            expires=self.now() + timedelta(seconds=ahead),
            cache_control=CACHE_CONTROL,
            metadata={"state": "unavailable", **why, "camera": name, "publisher": PUBLISHER},
        )


class PublicImage:
    """The address of one camera, with two verbs: `show` a fresh frame, or `show_fallback`.

    One PUT is in flight at a time, in the order of the calls, and a caller that is cancelled
    does not break its PUT off: `settled` waits for it. Each raises StoreError when the store
    did not confirm; what is public is then unknown, and the next call writes again.
    """

    def __init__(self, gallery: Gallery, camera_id: str) -> None:
        self._gallery = gallery
        self._id = camera_id
        self._turn = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._since: datetime | None = None
        self._standing: tuple[Reason, datetime] | None = None

    async def show(self, frame: Frame, next_due: datetime) -> None:
        """Make a fresh frame public; the next is due at `next_due`."""
        self._since = None
        await self._write(self._gallery.live(self._id, frame, next_due))

    async def show_fallback(self, reason: Reason, since: datetime) -> None:
        """Make the fallback image public, unless it is known to stand there for this reason.

        `since` counts when this is the first time after a frame. It is written again every six
        cycles all the same: an object that somebody else has deleted or overwritten comes back.
        """
        now = self._gallery.now()
        self._since = self._since or since
        if self._stands(reason, now):
            return
        why = {"reason": reason.value, "since": rfc3339(self._since)}
        await self._write(self._gallery.unavailable(self._id, why))
        self._standing = (reason, now)

    async def settled(self) -> None:
        """Wait until no PUT of this address is in flight, however it ends."""
        if self._writes:
            await asyncio.wait(self._writes)

    def break_off(self) -> None:
        """Cancel what is in flight: the process is about to end."""
        for write in self._writes:
            write.cancel()

    def _stands(self, reason: Reason, now: datetime) -> bool:
        if self._standing is None:
            return False
        shown, at = self._standing
        heal = timedelta(seconds=self._gallery.interval * (_HEAL_CYCLES - 0.5))
        return shown is reason and abs(now - at) < heal

    async def _write(self, thing: StoredObject) -> None:
        self._standing = None
        write = asyncio.create_task(self._put(thing), name=f"put {self._id}")
        self._writes.add(write)
        write.add_done_callback(self._written)
        await asyncio.shield(write)

    async def _put(self, thing: StoredObject) -> None:
        async with self._turn:
            await self._gallery.store.put(self._gallery.key(self._id), thing)

    def _written(self, write: asyncio.Task[None]) -> None:
        self._writes.discard(write)
        # a caller that was cancelled no longer fetches the error; nobody needs it then
        if not write.cancelled():
            write.exception()


def _warning(frame: Frame) -> dict[str, str]:
    """What is odd about a picture that is shown all the same; several with blanks between."""
    return {"warning": " ".join(frame.warnings)} if frame.warnings else {}


def rfc3339(moment: datetime) -> str:
    """A moment as metadata holds it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
