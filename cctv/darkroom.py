"""Where pictures are judged: a few threads beside the event loop, which they would hold up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason
from cctv.retouch import PLAIN

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.aside import Wanted
    from cctv.retouch import Retouch

_HANDS = 2
# the largest picture that the caps allow takes a second or two
_DEADLINE = 10.0


class Darkroom:
    """Makes Frames in threads of its own, two at a time; nothing is to be opened or closed.

    Whoever comes while both are busy waits; how many do, and how many bytes they hold, is bounded
    by their callers. Who is cancelled meanwhile leaves the queue. A thread that does not come
    back holds up neither the process's exit nor the other thread.
    """

    def __init__(self, deadline: float = _DEADLINE) -> None:
        self._deadline = deadline
        self._hands: asyncio.Queue[Hand] = asyncio.Queue()
        for _ in range(_HANDS):
            self._hands.put_nowait(Hand(deadline))

    async def develop(self, data: bytes, captured_at: datetime, retouch: Retouch = PLAIN) -> Frame:
        """The Frame of `data`; see `Frame.of`.

        Raises:
            CaptureError: as `Frame.of` does; `too-big` when it takes longer than the deadline,
                in seconds; `internal` when there is no thread to do it in.
        """
        hand = await self._hands.get()
        try:
            return await self._by(hand, data, captured_at, retouch)
        except OSError as error:
            raise CaptureError(Reason.INTERNAL, f"not judged: {error.strerror}") from None
        finally:
            self._hands.put_nowait(hand)

    async def _by(self, hand: Hand, data: bytes, captured_at: datetime, retouch: Retouch) -> Frame:
        begun = False

        def work(_: Wanted) -> Frame:
            nonlocal begun
            begun = True
            return Frame.of(data, captured_at, retouch)

        try:
            return await hand.do(work)
        except TimeoutError:
            if not begun:
                found = "its thread is held up by an earlier picture"
                raise CaptureError(Reason.INTERNAL, f"not judged: {found}") from None
            found = f"JPEG takes more than {self._deadline:g} s to judge"
            raise CaptureError(Reason.TOO_BIG, found) from None
