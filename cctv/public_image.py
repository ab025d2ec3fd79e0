"""One public address: it shows a fresh frame or the fallback image, and nothing else, ever."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cctv.errors import StoreError, TooLateError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cctv.frame import Frame
    from cctv.gallery import Gallery
    from cctv.model import StoredObject

log = logging.getLogger(__name__)

_HEAL_CYCLES = 6
# a frame on its way to the store has this long before a fallback image breaks it off
_STEP_ASIDE = 2.0
# a PUT that was given up may land late, over what was put meanwhile: seconds after which the
# fallback image is put once more
_ECHOES, _BREATH = (3.0, 15.0, 60.0), 0.1
_AGAIN, _AGAIN_LONGEST, _JITTER = 0.5, 2.0, (0.8, 1.2)
# the bulkhead around the camera tries sooner
_AFTER_BUG = 60.0
# nobody knows what stands there, or since when
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


class PublicImage:
    """The address of one camera, with two verbs: `show` a fresh frame, or `show_fallback`.

    One PUT is in flight at a time, in the order of the calls; a fallback image waits two seconds
    for a frame and then breaks it off. A caller that is cancelled does not break its PUT off:
    `settled` waits for it. Each raises StoreError when the store did not confirm; what is public
    is then unknown.

    Between the calls it keeps the promise by itself. A picture whose time runs out gives way to
    the fallback image. One that was not confirmed is put again every few seconds until it is;
    and a few times more in the minute after a PUT was given up, for that one may land late.
    `told` hears what came of it: the reason, and what the store said when it failed. `close` ends
    all that.
    """

    def __init__(
        self,
        gallery: Gallery,
        camera_id: str,
        told: Callable[[Reason, StoreError | None], None] = lambda *_: None,
    ) -> None:
        self._gallery = gallery
        self._id = camera_id
        self._told = told
        self._turn = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()
        self._since: datetime | None = None
        self._standing: tuple[Reason, datetime] | None = None
        self._stood = asyncio.Event()
        self._wanted: Reason | None = None
        # the oldest picture that may be public is fresh until then; None: there is none
        self._until: datetime | None = _UNKNOWN
        # a process before this one may have left a PUT on its way
        self._given_up = _monotonic()
        self._expected = -math.inf
        self._failures = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._minder: asyncio.Task[None] | None = None
        self._closed = False
        self._told_bug = ""

    async def show(self, frame: Frame, next_due: datetime) -> None:
        """Make a fresh frame public; the next is due at `next_due`.

        Raises:
            StoreError: not confirmed.
            TooLateError: its time was over before that; it is for the caller to fall back.
        """
        self._since = self._wanted = None
        thing = self._gallery.live(self._id, frame, next_due)
        await self._write(thing, None)

    async def show_fallback(self, reason: Reason, since: datetime) -> None:
        """Make the fallback image public, unless it is known to stand there for this reason.

        `since` counts when this is the first time after a frame. It is written again every six
        cycles all the same: an object that somebody else has deleted or overwritten comes back.
        """
        self._since = self._since or since
        if self._stands(reason, self._gallery.now()):
            return
        self._wanted = reason
        await self._clear_the_way()
        await self._fall_back(reason)

    async def stood(self, within: float) -> bool:
        """Whether the fallback image comes to be confirmed within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._stood.wait()
        except TimeoutError:
            return False
        return True

    def expect(self, within: float) -> None:
        """A picture is to come: what may stand there from before goes within so many seconds.

        A fallback image that is still owed goes up all the same, not for its old reason.
        """
        if self._wanted is not None:
            self._wanted = Reason.NO_PICTURE
        elif self._until is _UNKNOWN:
            self._expected = _monotonic() + within
            self._arm(within)

    def look_again(self) -> None:
        """The clock may have jumped: a picture may be older than the timer knows."""
        if self._alarm is not None and self._until not in (None, _UNKNOWN):
            self._arm(min(self._left(), self._alarm.when() - _monotonic()))

    def rest(self) -> None:
        """Put nothing again by itself until the next verb: the object was removed."""
        self._wanted = None
        self._disarm()

    async def room(self) -> bool:
        """Whether the store takes enough for another picture to be fetched: waits one upload."""
        return await self._gallery.backlog.room(self._gallery.upload)

    async def settled(self) -> None:
        """Wait until no PUT of this address is in flight, however it ends."""
        if self._writes:
            await asyncio.wait(self._writes)

    def break_off(self) -> None:
        """Cancel what is in flight: the process is about to end."""
        for write in self._writes:
            write.cancel()

    def close(self) -> None:
        """Do nothing by itself any more; what is in flight may finish."""
        self._closed = True
        self._disarm()
        if self._minder is not None:
            self._minder.cancel()

    def _stands(self, reason: Reason, now: datetime) -> bool:
        if self._standing is None:
            return False
        shown, at = self._standing
        heal = timedelta(seconds=self._gallery.interval * (_HEAL_CYCLES - 0.5))
        return shown is reason and abs(now - at) < heal

    async def _clear_the_way(self) -> None:
        """A fallback image does not wait behind a slow upload of what it is to hide."""
        if self._writes:
            _, slow = await asyncio.wait(self._writes, timeout=_STEP_ASIDE)
            for write in slow:
                write.cancel()

    async def _fall_back(self, reason: Reason) -> None:
        since = self._since or self._gallery.now()
        await self._write(self._gallery.card(self._id, reason, since), reason)

    async def _write(self, thing: StoredObject, reason: Reason | None) -> None:
        self._standing = None
        self._stood.clear()
        write = asyncio.create_task(self._put(thing, reason), name=f"put {self._id}")
        self._writes.add(write)
        write.add_done_callback(self._written)
        await asyncio.shield(write)

    async def _put(self, thing: StoredObject, reason: Reason | None) -> None:
        # the fallback image's bytes are there once for all
        size = len(thing.body) if reason is None else 0
        with self._gallery.backlog.holding(size):
            async with self._turn:
                await self._put_now(thing, reason)

    async def _put_now(self, thing: StoredObject, reason: Reason | None) -> None:
        confirmed, ours = False, True
        try:
            await self._gallery.store.put(self._gallery.key(self._id), thing)
            confirmed = True
        except (StoreError, TooLateError, asyncio.CancelledError):
            ours = False
            raise
        finally:
            if confirmed:
                self._confirm(thing.not_after, reason)
            else:
                self._doubt(thing.not_after, ours=ours)

    def _confirm(self, until: datetime | None, reason: Reason | None) -> None:
        """The store has it: nothing else is public, unless something lands late."""
        self._until = until
        self._failures = 0
        if reason is None:
            # a fallback image that was confirmed while this one waited its turn stands no more
            self._standing = None
            self._stood.clear()
            self._arm(self._left())
            return
        self._standing = (reason, self._gallery.now())
        self._stood.set()
        # one of the attempts within this PUT, or the last one, may have been given up
        given_up = max(self._given_up, self._gallery.given_up(self._gallery.key(self._id)))
        since = _monotonic() - given_up
        # a timer that rings a breath early must not ring for the same echo again
        echo = next((echo - since for echo in _ECHOES if echo > since + _BREATH), None)
        self._wanted = None if echo is None else reason
        self._disarm() if echo is None else self._arm(echo)

    def _doubt(self, until: datetime | None, *, ours: bool) -> None:
        """The store may have it, or what stood there before; the mistake may be `ours`."""
        self._given_up = _monotonic()
        if until is not None:
            self._until = until if self._until is None else min(until, self._until)
        self._failures += 1
        pause = min(_AGAIN * 2 ** min(self._failures, 4), _AGAIN_LONGEST)
        pause = _AFTER_BUG if ours else pause
        pause *= random.uniform(*_JITTER)  # noqa: S311 - no secret
        self._arm(pause if self._wanted else max(self._left(), pause))

    def _left(self) -> float:
        """Seconds until an upload of the fallback image must begin."""
        if self._until is _UNKNOWN:
            # what stands there from before is judged by who can read it
            return self._expected - _monotonic()
        if self._until is None:
            return 0.0
        left = (self._until - self._gallery.now()).total_seconds()
        return left - self._gallery.upload

    def _arm(self, delay: float) -> None:
        self._disarm()
        if not self._closed:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0.0, delay), self._ring)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self) -> None:
        self._alarm = None
        # the end of what is in flight sets the next alarm
        if not self._writes:
            self._minder = asyncio.create_task(self._mind(), name=f"mind {self._id}")
            self._minder.add_done_callback(self._minded)

    async def _mind(self) -> None:
        self._since = self._since or self._gallery.now()
        self._wanted = wanted = self._wanted or Reason.STALE
        try:
            await self._fall_back(wanted)
        except StoreError as error:
            self._told(wanted, error)
        else:
            self._told(wanted, None)

    def _minded(self, minder: asyncio.Task[None]) -> None:
        """A mistake of ours is told, and the next alarm is set already."""
        if not minder.cancelled() and (error := minder.exception()):
            level = logging.DEBUG if repr(error) == self._told_bug else logging.ERROR
            self._told_bug = repr(error)
            log.log(level, "camera failed inside the program camera=%s", self._id, exc_info=error)

    def _written(self, write: asyncio.Task[None]) -> None:
        self._writes.discard(write)
        # a caller that was cancelled no longer fetches the error; nobody needs it then
        if not write.cancelled():
            write.exception()


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
