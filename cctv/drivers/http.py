"""The mechanism: one picture by one HTTP GET, logged in as the camera asks; nothing is followed."""

from __future__ import annotations

import asyncio
import difflib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from cctv.drivers import UNKNOWN, login, model_key
from cctv.drivers.wall import wall
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.names import Names
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from cctv.drivers.guard import Guard
    from cctv.drivers.still import Still
    from cctv.model import Camera, Login
    from cctv.seams import Clock

_CONNECT_DEADLINE = 5.0
# a recorder's channels share one address; the device, not we, is the narrow place
_PER_DEVICE = 2
_BODY_LIMIT = 8_000_000
_CHALLENGED = 401
_UNKNOWN_WAY = "/jpeg?id=2"
# how long more is awaited behind a picture's end mark, in case the announced length was too long
_LINGER = 1.0
_END, _TRAILER = b"\xff\xd9", 64
_HEADERS = {
    "Accept": "image/jpeg,*/*;q=0.1",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache",
}
_STATUSES = {
    401: Reason.AUTH,
    403: Reason.AUTH,
    404: Reason.NOT_FOUND,
    410: Reason.NOT_FOUND,
    503: Reason.BUSY,
}


@dataclass(frozen=True, slots=True)
class HttpSource:
    """One camera over HTTP. Two are equal when they would ask the same thing the same way.

    `timeout` bounds one `frame()`, both requests of a login included, in seconds.
    """

    camera: Camera
    still: Still
    login: Login | None
    timeout: float
    session: aiohttp.ClientSession = field(repr=False, compare=False)
    now: Clock = field(repr=False, compare=False)

    async def frame(self) -> Frame:
        """The picture the camera has now; see `seams.Source`."""
        with wall(self.timeout, _CONNECT_DEADLINE):
            async with asyncio.timeout(self.timeout):
                body = await self._body()
        for telltale in self.still.telltales:
            if telltale.matches(body):
                found = "answered a refusal instead of a picture"
                raise CaptureError(telltale.reason, found)
        return Frame.of(body, self.now())

    async def _body(self) -> bytes:
        url = self._url()
        async with self._get(url) as response:
            authorization = self._authorization(response, url)
            if authorization is None:
                return await self._judged(response)
        async with self._get(url, Authorization=authorization) as response:
            return await _read(response)

    async def _judged(self, response: aiohttp.ClientResponse) -> bytes:
        """The answer to a request without a login."""
        if response.status == _CHALLENGED and self.login is None:
            raise CaptureError(Reason.AUTH, "HTTP 401 Unauthorized, and no login is set for it")
        return await _read(response)

    def _url(self) -> URL:
        address = self.camera.address
        base = address if "://" in address else f"http://{address}"
        if self.still.path:
            return URL(base + self.still.target(self.camera, self.login), encoded=True)
        return URL(self.still.filled(base, self.camera, self.login))

    def _get(self, url: URL, **headers: str) -> aiohttp.client._RequestContextManager:
        return self.session.get(url, headers=headers, allow_redirects=False)

    def _authorization(self, response: aiohttp.ClientResponse, url: URL) -> str | None:
        """What to send the second time; None when the first answer is the one to judge."""
        challenged = response.status == _CHALLENGED and self.still.auth == "challenge"
        if not challenged or self.login is None:
            return None
        offers = response.headers.getall("WWW-Authenticate", [])
        return login.answer(offers, self.login, "GET", url.raw_path_qs)


@dataclass(frozen=True, slots=True)
class HttpDriver:
    """From a camera to its source: the table of models, the logins, and one shared session."""

    table: Mapping[str, Still]
    logins: Mapping[str, Login]
    timeout: float
    session: aiohttp.ClientSession
    now: Clock

    def __call__(self, camera: Camera) -> HttpSource:
        """The source of `camera`; opening it does no I/O."""
        still = self.table.get(model_key(camera.model), UNKNOWN)
        return HttpSource(
            camera, still, self._login(camera, still), self.timeout, self.session, self.now
        )

    def remark(self, camera: Camera) -> str:
        """What is odd about the camera's model; empty when the table has it."""
        key = model_key(camera.model)
        if key in self.table:
            return ""
        near = difflib.get_close_matches(key, self.table, n=1)
        hint = f"is {near[0]} meant?" if near else "describe it in CCTV_DRIVERS"
        return f"unknown model {camera.model}, asked with {_UNKNOWN_WAY}; {hint}"

    def _login(self, camera: Camera, still: Still) -> Login | None:
        """The login of its own model, else of the make it speaks like, else the one for all."""
        if still.auth == "none":
            return None
        names = (env_name(camera.model), env_name(still.name), "CAMERA")
        return next((self.logins[name] for name in names if name in self.logins), None)


@asynccontextmanager
async def open_session(guard: Guard) -> AsyncIterator[aiohttp.ClientSession]:
    """The session all cameras share: no cookies, no proxies, no decompression, no pool limit.

    Each request has its own connection: cameras close theirs without saying so.
    """
    connector = aiohttp.TCPConnector(
        limit=0,
        limit_per_host=_PER_DEVICE,
        force_close=True,
        ttl_dns_cache=300,
        resolver=Names(),
        socket_factory=guard.open,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_DEADLINE),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers=_HEADERS,
    ) as session:
        # aiohttp would ask a second time by itself, which locks accounts twice as fast
        session._retry_connection = False  # noqa: SLF001 - there is no public way; a test pins it
        yield session


def env_name(model: str) -> str:
    """A model as the name of a setting: `Spectra Enhanced` is `SPECTRA_ENHANCED`."""
    return "".join(letter if letter.isalnum() else "_" for letter in model_key(model)).upper()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """What came of the picture.

    A lost connection ends it as a close does: wrong lengths are common (Dahua: up to 48 bytes
    too many), and the picture itself tells whether it is whole.
    """
    if response.status != HTTPStatus.OK:
        reason = _STATUSES.get(response.status, Reason.HTTP_ERROR)
        raise CaptureError(reason, _status_words(response.status))
    body = bytearray()
    try:
        while chunk := await _more(response.content, body):
            body += chunk
            if len(body) > _BODY_LIMIT:
                raise CaptureError(Reason.TOO_BIG, f"more than {_BODY_LIMIT:,} bytes")
    except (aiohttp.ClientError, OSError):
        if not body:
            raise
    return bytes(body)


async def _more(content: aiohttp.StreamReader, body: bytearray) -> bytes:
    """The next bytes; TimeoutError when none come behind what looks like a picture's end."""
    async with asyncio.timeout(_LINGER if _END in body[-_TRAILER:] else None):
        return await content.readany()


def _status_words(status: int) -> str:
    """The standard's words; those of the camera could repeat the request, a login in it."""
    known = status in {each.value for each in HTTPStatus}
    return f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"
