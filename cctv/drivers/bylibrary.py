"""The first reader: aiohttp, told to follow nothing, retry nothing and inflate nothing."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from cctv.drivers.answer import Answer, CutOffError
from cctv.drivers.wall import CONNECT_DEADLINE, wall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cctv.drivers.answer import Question
    from cctv.drivers.guard import Guard
    from cctv.names import Names


@dataclass(frozen=True, slots=True)
class ByLibrary:
    """Reads what is HTTP as aiohttp knows it; see `answer.Reader`."""

    session: aiohttp.ClientSession = field(repr=False)

    @asynccontextmanager
    async def __call__(self, question: Question) -> AsyncIterator[Answer]:
        """Ask, and give what comes back."""
        with wall(tls=question.tls is not None):
            response = await self.session.get(
                question.url,
                headers=question.headers,
                ssl=question.tls or True,
                allow_redirects=False,
            )
        async with response:
            yield Answer(response.status, response.headers, _chunks(response))


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError):
        raise CutOffError from None


@asynccontextmanager
async def open_library(guard: Guard, names: Names) -> AsyncIterator[ByLibrary]:
    """The reader with its session: no cookies, no proxies, no pool limit.

    Each request has its own connection, because cameras close theirs without saying so; how many
    go to one device is for `Device.turn` to say.
    """
    connector = aiohttp.TCPConnector(
        limit=0,
        force_close=True,
        ttl_dns_cache=300,
        resolver=names,
        socket_factory=guard.open,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_DEADLINE),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        # aiohttp would ask a second time by itself, which locks accounts twice as fast
        session._retry_connection = False  # noqa: SLF001 - there is no public way; a test pins it
        yield ByLibrary(session)
