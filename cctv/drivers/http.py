"""The mechanism: one picture by HTTP, asked for and logged in as the model's entry says."""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from yarl import URL

from cctv.drivers import UNKNOWN, model_key
from cctv.drivers.byhand import ByHand
from cctv.drivers.bylibrary import open_library
from cctv.drivers.device import Devices
from cctv.drivers.purse import Purse
from cctv.drivers.tls import Contexts
from cctv.drivers.visit import Visit
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.model import Camera
from cctv.names import Names
from cctv.reasons import Reason
from cctv.retouch import PLAIN, Retouch
from cctv.trust import parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cctv.drivers.answer import Reader
    from cctv.drivers.device import Device
    from cctv.drivers.guard import Guard
    from cctv.drivers.key import Key
    from cctv.drivers.purse import Loan
    from cctv.drivers.still import Still
    from cctv.model import Login
    from cctv.seams import Clock
    from cctv.trust import Trust

_UNKNOWN_WAY = "/jpeg?id=2"

Develop = Callable[[bytes, datetime, Retouch], Awaitable[Frame]]
"""From what a camera sent to a Frame; `Darkroom.develop`."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What all sources share: two readers, the devices, room for bytes, and the darkroom."""

    by_library: Reader
    by_hand: Reader
    devices: Devices
    develop: Develop
    now: Clock
    purse: Purse = field(default_factory=Purse)
    contexts: Contexts = field(default_factory=Contexts)


@dataclass(frozen=True, slots=True)
class HttpSource:
    """One camera over HTTP. Two are equal when they would ask the same thing the same way.

    `timeout` bounds one visit in seconds, counted from this camera's turn at its device.
    """

    camera: Camera
    still: Still
    login: Login | None
    trust: Trust
    retouch: Retouch
    timeout: float
    kit: Kit = field(repr=False, compare=False)

    async def frame(self) -> Frame:
        """The picture the camera has now; see `seams.Source`."""
        url = self._url()
        device = self.kit.devices.at(url)
        with self.kit.purse.loan() as loan:
            try:
                async with device.turn():
                    body = await self._visit(url, device, loan)
                    captured_at = self.kit.now()
                return await self.kit.develop(body, captured_at, self.retouch)
            except CaptureError as error:
                device.heed(error.reason)
                raise

    def signature(self) -> str:
        """What the device last said of itself; blank before it was asked."""
        return self.kit.devices.at(self._url()).signature

    async def _visit(self, url: URL, device: Device, loan: Loan) -> bytes:
        visit = Visit(
            url=url,
            device=device,
            read=self.kit.by_hand if device.by_hand else self.kit.by_library,
            loan=loan,
            key=self._key(device),
            in_query=self.still.auth == "query",
            tls=self.kit.contexts.of(self.trust) if url.scheme == "https" else None,
            telltales=self.still.telltales,
        )
        try:
            async with asyncio.timeout(self.timeout):
                return await visit.body()
        except TimeoutError:
            found = f"no whole answer within {self.timeout:g} s"
            raise CaptureError(Reason.TIMEOUT, found) from None

    def _key(self, device: Device) -> Key | None:
        return device.key(self.login) if self.login else None

    def _url(self) -> URL:
        """Where to ask; it may hold the login."""
        address = self.camera.address
        base = address if "://" in address else f"http://{address}"
        if self.still.path:
            return URL(base + self.still.target(self.camera, self.login), encoded=True)
        return URL(self.still.filled(base, self.camera, self.login))


@dataclass(frozen=True, slots=True)
class HttpDriver:
    """From a camera to its source: the table of models, the logins, the masks.

    `timeout` is for one visit, in seconds; pictures wider than `max_width` pixels are shrunk.
    """

    table: Mapping[str, Still]
    logins: Mapping[str, Login]
    timeout: float
    kit: Kit
    masks: Mapping[str, Retouch] = field(default_factory=dict)
    retouch: Retouch = PLAIN

    def __call__(self, camera: Camera) -> HttpSource:
        """The source of `camera`; opening it does no I/O."""
        return self._source(camera, self.table.get(model_key(camera.model), UNKNOWN))

    def others(self, camera: Camera) -> dict[str, HttpSource]:
        """The other models' ways of asking `camera`, by model, the likeliest first.

        Models that take their login in the query only are left out: whatever device hangs there
        would be given the password, and write it into its log.
        """
        own = self.table.get(model_key(camera.model), UNKNOWN)
        if not own.path:
            return {}
        signature = self(camera).signature()
        polite = [still for still in self._stills() if still.auth != "query" and still != own]
        if camera.channel:
            # a way that knows no channels would show another camera's picture
            polite = [still for still in polite if still.has_channels]
        polite.sort(key=lambda still: not still.recognises(signature))
        return {still.name: self._source(camera, still) for still in polite}

    def all_ways(self, address: str, channel: int | None, tls: str) -> dict[str, HttpSource]:
        """Every model's way of asking what is at `address`, each with its own model's login.

        Those that take the login in the query are asked without one; their refusal tells enough.
        """
        ways = {}
        for still in self._stills():
            camera = Camera("probe", still.name, address, channel=channel, tls=tls)
            source = self._source(camera, still)
            ways[still.name] = source if still.auth != "query" else replace(source, login=None)
        return ways

    def _stills(self) -> list[Still]:
        """Each way of asking once, without the one whose address is a whole URL."""
        return list({still.name: still for still in self.table.values() if still.path}.values())

    def remark(self, camera: Camera) -> str:
        """What is odd about the camera's model; empty when the table has it."""
        key = model_key(camera.model)
        if key in self.table:
            return ""
        near = difflib.get_close_matches(key, self.table, n=1)
        hint = f"is {near[0]} meant?" if near else "describe it in CCTV_DRIVERS"
        return f"unknown model {camera.model}, asked with {_UNKNOWN_WAY}; {hint}"

    def _source(self, camera: Camera, still: Still) -> HttpSource:
        retouch = self.masks.get(camera.id, self.retouch)
        login = self._login(camera, still)
        trust = parse(camera.tls)
        return HttpSource(camera, still, login, trust, retouch, self.timeout, self.kit)

    def _login(self, camera: Camera, still: Still) -> Login | None:
        """The login of its own model, else of the make it speaks like, else the one for all."""
        if still.auth == "none":
            return None
        names = (env_name(camera.model), env_name(still.name), "CAMERA")
        return next((self.logins[name] for name in names if name in self.logins), None)


@asynccontextmanager
async def open_kit(
    guard: Guard, develop: Develop, now: Clock, retry_after: float
) -> AsyncIterator[Kit]:
    """What all sources share, with one session; `retry_after` (s) is for refused logins."""
    names = Names()
    async with open_library(guard, names) as by_library:
        devices = Devices(retry_after, time.monotonic)
        yield Kit(by_library, ByHand(guard, names), devices, develop, now)


def env_name(model: str) -> str:
    """A model as the name of a setting: `Spectra Enhanced` is `SPECTRA_ENHANCED`."""
    return "".join(letter if letter.isalnum() else "_" for letter in model_key(model)).upper()
