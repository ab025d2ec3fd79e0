"""Looking up cameras' names, in threads of their own: dead DNS must not hold up anybody else."""

from __future__ import annotations

import socket
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

    asyncio's own threads are few and shared with the store's lookups: six names whose server is
    silent would stop them all. A lookup that hangs keeps its thread until the system ends it.
    """

    def __init__(self) -> None:
        self._hands = [Hand(_DEADLINE) for _ in range(_AT_ONCE)]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`."""
        hand = next((hand for hand in self._hands if not hand.busy), self._hands[0])
        return await hand.do(partial(_look_up, host, port, family))

    async def close(self) -> None:
        """Nothing to close."""


def _look_up(host: str, port: int, family: socket.AddressFamily, _: Wanted) -> list[ResolveResult]:
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
