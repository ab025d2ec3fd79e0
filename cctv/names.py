"""Looking up hosts' names, in threads of their own: dead DNS must not hold up anybody else."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aiohttp.abc import AbstractResolver, ResolveResult

from cctv.aside import Hand

if TYPE_CHECKING:
    from cctv.aside import Wanted

_AT_ONCE = 100
_DEADLINE = 5.0


class Names(AbstractResolver):
    """At most a hundred lookups at once, each within five seconds (OSError after that).

    asyncio's own threads are few and everybody's: six names whose server is silent would stop all
    lookups, and the exit. A lookup that hangs keeps its place until the system ends it.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`."""
        async with asyncio.timeout(_DEADLINE):
            await self._places.acquire()
        loop = asyncio.get_running_loop()
        hand = Hand(_DEADLINE)
        try:
            return await hand.do(partial(self._look_up, loop, host, port, family))
        finally:
            if not hand.begun:
                self._places.release()

    async def close(self) -> None:
        """Nothing to close."""

    def _look_up(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        family: socket.AddressFamily,
        _: Wanted,
    ) -> list[ResolveResult]:
        try:
            return _addresses(host, port, family)
        finally:
            # RuntimeError: the loop is closed, nobody waits for the place
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._places.release)


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    )
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return [
        ResolveResult(
            hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=flags
        )
        for kind, _type, proto, _name, address in found
    ]
