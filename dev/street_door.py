"""The door of a device: a port where connections are taken, refused, or left waiting."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from dev.street_mode import Door
from dev.street_tls import context

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
BACKLOG = 128
# Linux takes one connection into a queue of none; the others wait like everybody's
FILLERS = 3


class Doorway:
    """One port, the same for as long as it stands; `port` 0 becomes the one it got."""

    def __init__(
        self, port: int, welcome: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
    ) -> None:
        self.port = port
        self._welcome = welcome
        self._stands: tuple[Door, str] | None = None
        self._server: asyncio.Server | None = None
        self._sockets: list[socket.socket] = []

    async def stand(self, door: Door, certificate: str) -> None:
        """Stand so from now on; with a certificate, connections begin with a TLS handshake.

        Raises:
            OSError: the port is not to be had.
        """
        if self._stands == (door, certificate):
            return
        self.remove()
        here = self._bound()
        if door is Door.OPEN:
            here.listen(BACKLOG)
            tls = context(certificate) if certificate else None
            self._server = await asyncio.start_server(self._welcome, sock=here, ssl=tls)
        else:
            self._sockets = [here]
        if door is Door.STUCK:
            here.listen(0)
            self._sockets += [self._filler() for _ in range(FILLERS)]
        self._stands = (door, certificate)

    def remove(self) -> None:
        """Take it down; connections that are there stay."""
        if self._server is not None:
            self._server.close()
        for held in self._sockets:
            held.close()
        self._server, self._sockets, self._stands = None, [], None

    def _bound(self) -> socket.socket:
        """A socket at the port, which refuses connections until it listens."""
        here = socket.socket()
        try:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            here.bind((HOST, self.port))
        except OSError:
            here.close()
            raise
        here.settimeout(0)
        self.port = here.getsockname()[1]
        return here

    def _filler(self) -> socket.socket:
        client = socket.socket()
        client.settimeout(0)
        client.connect_ex((HOST, self.port))
        return client
