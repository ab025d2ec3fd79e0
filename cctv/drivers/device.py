"""What is remembered of one device: its turn, its logins, and what it says of itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cctv.drivers.gate import LoosePage, Page
from cctv.drivers.key import Key
from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL

    from cctv.model import Login

Place = tuple[str, int | None]
"""A device's host and port."""

Pages = Callable[[Place, "Login"], Page]
"""Where the refusals of a login at a place are written down; `Refusals.page`."""

# more than any fleet has; what was not asked for the longest time is forgotten first
_REMEMBERED = 20_000


@dataclass(slots=True, eq=False)
class Device:
    """One host and port; all cameras behind it, such as a recorder's channels, share it.

    `signature` is what the device last said of itself (its `Server` and the realm of its login),
    for telling makes apart.
    """

    retry_after: float
    now: Callable[[], float]
    signature: str = ""
    page: Callable[[Login], Page] = lambda _: LoosePage()
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _keys: dict[Login, Key] = field(default_factory=dict)
    _lost: tuple[float, CaptureError] | None = None

    def key(self, login: Login) -> Key:
        """The login's history at this device."""
        if login not in self._keys:
            self._keys[login] = Key(login, self.retry_after, self.now, self.page(login))
        return self._keys[login]

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


class Devices:
    """All devices by host and port; what their logins were refused stands on `pages`."""

    def __init__(
        self,
        retry_after: float,
        now: Callable[[], float],
        pages: Pages = lambda *_: LoosePage(),
    ) -> None:
        self._retry_after = retry_after
        self._now = now
        self._pages = pages
        self._known: OrderedDict[Place, Device] = OrderedDict()

    def at(self, url: URL) -> Device:
        """The device that `url` leads to."""
        place = (_one_name(url.raw_host or ""), url.port)
        if place not in self._known:
            page = partial(self._pages, place)
            self._known[place] = Device(self._retry_after, self._now, page=page)
        device = self._known[place]
        self._known.move_to_end(place)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return device


def _one_name(host: str) -> str:
    """One way of writing a host that has several."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower().removesuffix(".")
    return str(getattr(address, "ipv4_mapped", None) or address)
