"""The mechanism: one picture by HTTP, asked for and logged in as the model's entry says."""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from yarl import URL

from cctv.drivers import UNKNOWN, model_key
from cctv.drivers.byhand import ByHand
from cctv.drivers.bylibrary import open_library
from cctv.drivers.device import Devices
from cctv.drivers.gate import LoosePage
from cctv.drivers.purse import Purse
from cctv.drivers.still import LOGIN_PLACEHOLDERS, placeholders
from cctv.drivers.tls import Contexts
from cctv.drivers.visit import Visit
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.maskbook import MaskBook
from cctv.names import Names
from cctv.reasons import Reason
from cctv.retouch import Retouch
from cctv.trust import parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cctv.drivers.answer import Reader
    from cctv.drivers.device import Device, Pages
    from cctv.drivers.guard import Guard
    from cctv.drivers.key import Key
    from cctv.drivers.purse import Loan
    from cctv.drivers.still import Still
    from cctv.model import Camera, Login
    from cctv.seams import Clock
    from cctv.trust import Trust

_UNKNOWN_WAY = "/jpeg?id=2"
_UNKNOWN_MASK = "the file of masks has faults, and this camera is not known without one"

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


# what the other reader may be able to read; the library bounds neither framing nor 1xx answers
_UNREADABLE = frozenset({Reason.PROTOCOL, Reason.TORN, Reason.TIMEOUT})


@dataclass(slots=True)
class Reading:
    """Which reader a camera needs: the tolerant one after what the library could not make out.

    It stays with the one that got a picture; a picture that is torn either way is no reason to
    keep to one.
    """

    by_hand: bool = False

    def heed(self, reason: Reason) -> None:
        """Learn from a failure."""
        self.by_hand = reason is not Reason.TORN if self.by_hand else reason in _UNREADABLE


@dataclass(frozen=True, slots=True)
class HttpSource:
    """One camera over HTTP. Two are equal when they would ask the same thing the same way.

    `timeout` bounds one visit in seconds, counted from this camera's turn at its device. A `guess`
    asks another model's way: it sends no login where the device takes it in the right way, and no
    `strange` one, of another make, but as a digest. Without a `retouch`, what must be hidden is not
    known, and nothing is asked.
    """

    camera: Camera
    still: Still
    login: Login | None
    trust: Trust
    retouch: Retouch | None
    timeout: float
    kit: Kit = field(repr=False, compare=False)
    guess: bool = False
    strange: bool = False
    _reading: Reading = field(default_factory=Reading, repr=False, compare=False)

    async def frame(self) -> Frame:
        """The picture the camera has now; see `seams.Source`."""
        if self.retouch is None:
            raise CaptureError(Reason.UNMASKED, _UNKNOWN_MASK, asked=False)
        url = self._url()
        device = self.kit.devices.at(url)
        with self.kit.purse.loan() as loan:
            try:
                async with device.turn():
                    body = await self._visit(url, device, loan)
                    captured_at = self.kit.now()
                return await self.kit.develop(body, captured_at, self.retouch)
            except CaptureError as error:
                self._reading.heed(error.reason)
                raise

    def signature(self) -> str:
        """What the device last said of itself; blank before it was asked."""
        return self.kit.devices.at(self._url()).signature

    async def _visit(self, url: URL, device: Device, loan: Loan) -> bytes:
        visit = Visit(
            url=url,
            device=device,
            read=self.kit.by_hand if self._reading.by_hand else self.kit.by_library,
            loan=loan,
            key=self._key(device),
            in_query=self.still.auth == "query" or self._spells_login,
            basic=not self.strange,
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
        if self.login is None:
            return None
        key = device.key(self.login)
        # one refused guess more, and the device's own cameras would be shut out
        return None if self.guess and key.taken else key

    @property
    def _spells_login(self) -> bool:
        """Whether the record's own URL holds the login."""
        return not self.still.path and bool(placeholders(self.camera.address) & LOGIN_PLACEHOLDERS)

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

    `timeout` is for one visit, in seconds. `masks` tells what is hidden of each camera;
    pictures wider than `max_width` pixels are shrunk.
    """

    table: Mapping[str, Still]
    logins: Mapping[str, Login]
    timeout: float
    kit: Kit
    masks: MaskBook = field(default_factory=lambda: MaskBook(None, Path()))
    max_width: int = 0

    def __call__(self, camera: Camera) -> HttpSource:
        """The source of `camera`; opening it does no I/O."""
        return self._source(camera, self.table.get(model_key(camera.model), UNKNOWN))

    def others(self, camera: Camera) -> dict[str, HttpSource]:
        """The other models' ways of asking `camera`, by model, the likeliest first.

        Models that take their login in the query only are left out: whatever device hangs there
        would be given the password, and write it into its log. There are none for a camera with
        a channel: a way that the device does not heed would show its first channel, which is
        another camera.
        """
        own = self.table.get(model_key(camera.model), UNKNOWN)
        if not own.path or camera.channel:
            return {}
        asked = own.path, own.query
        polite = [each for each in self._stills() if (each.path, each.query) != asked]
        signature = self(camera).signature()
        polite.sort(key=lambda still: not still.recognises(signature))
        return {
            still.name: self._guess(camera, still, signature)
            for still in polite
            if still.auth != "query"
        }

    def all_ways(self, camera: Camera) -> Iterator[tuple[str, HttpSource]]:
        """Every model's way of asking `camera`, each made when its turn comes.

        Those that take the login in the query are asked without one; their refusal tells enough.
        """
        for still in self._stills():
            source = self._guess(camera, still, self(camera).signature())
            login = None if still.auth == "query" else source.login
            yield still.name, replace(source, login=login, guess=False)

    def _guess(self, camera: Camera, still: Still, signature: str) -> HttpSource:
        """Another model's way, with the record's login; its make's own where the device says so."""
        own = self._login(camera, self.table.get(model_key(camera.model), UNKNOWN))
        login = self._login(camera, still) if still.recognises(signature) else own
        source = self._source(camera, still)
        return replace(source, login=login, guess=True, strange=login != own)

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
        shapes = self.masks.of(camera.id)
        retouch = None if shapes is None else Retouch(shapes, self.max_width)
        login = self._login(camera, still)
        trust = parse(camera.tls)
        return HttpSource(camera, still, login, trust, retouch, self.timeout, self.kit)

    def _login(self, camera: Camera, still: Still) -> Login | None:
        """The login of its own model, else of the make it speaks like, else the one for all."""
        if still.auth == "none":
            return None
        names = (env_name(camera.model), env_name(still.name), "CAMERA")
        return next((self.logins[name] for name in names if name in self.logins), None)


def _loose(*_: object) -> LoosePage:
    return LoosePage()


@asynccontextmanager
async def open_kit(
    guard: Guard, develop: Develop, now: Clock, retry_after: float, pages: Pages = _loose
) -> AsyncIterator[Kit]:
    """What all sources share, with one session.

    `retry_after` (s) is for refused logins, whose counts stand on `pages`: in memory, unless those
    of `refusals` are given.
    """
    names = Names()
    async with open_library(guard, names) as by_library:
        devices = Devices(retry_after, time.monotonic, pages)
        yield Kit(by_library, ByHand(guard, names), devices, develop, now)


def env_name(model: str) -> str:
    """A model as the name of a setting: `Spectra Enhanced` is `SPECTRA_ENHANCED`."""
    return "".join(letter if letter.isalnum() else "_" for letter in model_key(model)).upper()
