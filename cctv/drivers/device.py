"""What is remembered of one device: its turn, its logins, and how its answers can be read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cctv.drivers.key import Key
from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from yarl import URL

    from cctv.model import Login

# more than any fleet has; what was not asked for the longest time is forgotten first
_REMEMBERED = 20_000
# what the other reader may be able to read
_UNREADABLE = frozenset({Reason.PROTOCOL, Reason.TORN})


@dataclass(slots=True, eq=False)
class Device:
    """One host and port; all cameras behind it, such as a recorder's channels, share it.

    `by_hand` says which reader is used next: the tolerant one after an answer the other could
    not make out, and it stays with the one that got a picture. `signature` is what the device
    last said of itself (its `Server` and the realm of its login), for telling makes apart.
    """

    retry_after: float
    now: Callable[[], float]
    by_hand: bool = False
    signature: str = ""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _keys: dict[Login, Key] = field(default_factory=dict)
    _lost: tuple[float, CaptureError] | None = None

    def key(self, login: Login) -> Key:
        """The login's history at this device."""
        return self._keys.setdefault(login, Key(login, self.retry_after, self.now))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The only request to this device at a time; others wait here.

        Raises:
            CaptureError: while this one waited, the device was found to be unreachable; asking
                again for each of a recorder's channels would make all of them late.
        """
        came = self.now()
        async with self._turn:
            if self._lost is not None and self._lost[0] > came:
                raise CaptureError(self._lost[1].reason, str(self._lost[1]))
            try:
                yield
            except CaptureError as error:
                if error.reason is Reason.UNREACHABLE:
                    self._lost = (self.now(), error)
                raise

    def heed(self, reason: Reason) -> None:
        """Learn from a failure: the other reader is next where it may make out more."""
        if reason in _UNREADABLE:
            self.by_hand = not self.by_hand


class Devices:
    """All devices by host and port."""

    def __init__(self, retry_after: float, now: Callable[[], float]) -> None:
        self._retry_after = retry_after
        self._now = now
        self._known: OrderedDict[tuple[str | None, int | None], Device] = OrderedDict()

    def at(self, url: URL) -> Device:
        """The device that `url` leads to."""
        place = (url.host, url.port)
        device = self._known.setdefault(place, Device(self._retry_after, self._now))
        self._known.move_to_end(place)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return device
