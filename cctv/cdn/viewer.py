"""What a viewer gets at a public address; aiohttp's errors end at `_trouble`."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import aiohttp
from yarl import URL

from cctv import PUBLISHER
from cctv.gallery import CARD
from cctv.names import Names
from cctv.proof import Sight, is_off_air

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from cctv.gallery import Gallery
    from cctv.proof import Viewer

_STATE = "x-amz-meta-state"
_OK = 200
_GONE = {403, 404, 410}
_ELSEWHERE = {301, 302, 303, 307, 308}
_SECONDS = re.compile(r'(?:^|[\s,])(?:s-maxage|max-age)\s*=\s*"?([0-9]+)', re.IGNORECASE)
# far enough for any cache, near enough for any calendar
_LONGEST = 10 * 365 * 86_400


@asynccontextmanager
async def open_viewer(
    public_url: str, gallery: Gallery, *, deadline: float = 10.0
) -> AsyncIterator[Viewer]:
    """A viewer of the addresses under `public_url`, which has no slash at its end.

    Each look takes at most `deadline` seconds. It sends no cookies, follows nothing, and never
    gets round a cache: it must see what viewers see.
    """
    async with aiohttp.ClientSession(
        # who looks says how many at once; the resolver: see `names`
        connector=aiohttp.TCPConnector(limit=0, resolver=Names()),
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": PUBLISHER},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield _Viewer(session, URL(public_url), gallery, deadline)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back; `body` holds one byte more than the card at most."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Viewer:
    session: aiohttp.ClientSession = field(repr=False)
    public: URL = field(repr=False)
    gallery: Gallery = field(repr=False)
    deadline: float

    async def see(self, name: str) -> Sight:
        """See `proof.Viewer`."""
        try:
            async with asyncio.timeout(self.deadline):
                return await self._seen(name)
        except (aiohttp.ClientError, OSError) as error:
            return Sight(picture=True, trouble=_trouble(error))

    async def _seen(self, name: str) -> Sight:
        address = self._address(name)
        answer = await self._get(address)
        if answer.status == _OK:
            return self._judged(answer)
        if answer.status in _GONE:
            return await self._gone(answer.status)
        if answer.status in _ELSEWHERE:
            return self._sent(answer, address)
        return Sight(picture=True, trouble=f"answered HTTP {answer.status}")

    def _judged(self, answer: _Answer) -> Sight:
        state = answer.headers.get(_STATE)
        if answer.body == self.gallery.fallback or is_off_air({"state": state or ""}):
            return Sight(picture=False)
        if not answer.headers.get("Content-Type", "image/").startswith("image/"):
            return Sight(picture=True, trouble="answered something that is no image")
        return Sight(picture=True, until=_kept_until(answer.headers, self.gallery.now()))

    async def _gone(self, status: int) -> Sight:
        """Nothing stands there, unless the CDN refuses this viewer everything and others nothing.

        Firewalls do so to who asks much, and CloudFront answers even that with the card and 404.
        """
        card = await self._get(self._address(CARD))
        if card.status == _OK and card.body == self.gallery.fallback:
            return Sight(picture=False)
        found = f"answered HTTP {status}, and does not show the card at its own address either"
        return Sight(picture=True, trouble=found)

    def _sent(self, answer: _Answer, address: URL) -> Sight:
        """The edge function sends viewers of a picture that is too old to the card."""
        try:
            target = address.join(URL(answer.headers.get("Location", "")))
        except ValueError:
            target = address
        if target.host == address.host and target.path.endswith(f"/{CARD}.jpg"):
            return Sight(picture=False)
        found = f"HTTP {answer.status} sends elsewhere: check CCTV_PUBLIC_URL"
        return Sight(picture=True, trouble=found)

    def _address(self, name: str) -> URL:
        return self.public.joinpath(quote(self.gallery.key(name)), encoded=True)

    async def _get(self, address: URL) -> _Answer:
        async with self.session.get(address, allow_redirects=False) as response:
            # one byte more shows that it is not the card; the rest of a picture is of no use
            body = await _at_most(response.content, len(self.gallery.fallback) + 1)
            return _Answer(response.status, response.headers, body)


async def _at_most(content: aiohttp.StreamReader, size: int) -> bytes:
    try:
        return await content.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial


def _kept_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The latest moment that any cache may take out of these headers."""
    ages = [int(digits[:12]) for digits in _SECONDS.findall(headers.get("Cache-Control", ""))]
    moments = [_moment(headers.get("Expires", ""))]
    if ages:
        age = headers.get("Age", "").strip()
        gone = int(age[:12]) if age.isascii() and age.isdigit() else 0
        moments.append(now + timedelta(seconds=min(max(max(ages) - gone, 0), _LONGEST)))
    return max((moment for moment in moments if moment), default=None)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        # a date without a zone is one of `-0000`, which is UTC
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_NOT_CONNECTED = "connection failed: none of its addresses answered"
# the first that fits; no foreign text: it may hold a URL with a login
_TROUBLES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no answer in time"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is refused"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ClientConnectorDNSError, "its name is not known"),
    (aiohttp.ClientPayloadError, "the answer was cut off"),
    (aiohttp.ClientResponseError, "answered something that is not HTTP"),
    (aiohttp.InvalidURL, "no address: check CCTV_PUBLIC_URL"),
)


def _trouble(error: Exception) -> str:
    for kind, words in _TROUBLES:
        if isinstance(error, kind):
            return words
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"connection failed: {os.strerror(number)}" if number else _NOT_CONNECTED
    return "the connection was closed without an answer"
