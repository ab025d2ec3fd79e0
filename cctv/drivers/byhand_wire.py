"""One connection to a camera, as bytes that come and bytes that go."""

from __future__ import annotations

import asyncio
from typing import cast

_AHEAD = 65_536


class Wire(asyncio.Protocol):
    """Stops reading at 64 KB that nobody asked for; the rest waits where it comes from.

    Unlike asyncio's own reader it still hands out what came before a reset. asyncio hands over up
    to 256 KB at once. Its BufferedProtocol would hold less, but loses the end of a body by TLS when
    the camera closes without TLS's goodbye (Python 3.11.7).
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0
        self._over = False
        self._error: Exception | None = None
        self._news = asyncio.Event()

    def send(self, data: bytes) -> None:
        """Send `data`, as far as the connection lasts."""
        self._transport.write(data)

    async def more(self, patience: float | None = None) -> bytes:
        """The next bytes, once there are any; none when the camera closed the connection.

        Raises:
            TimeoutError: nothing came for `patience` seconds.
            OSError: the connection broke.
        """
        async with asyncio.timeout(patience):
            while not self._held and not self._over:
                self._news.clear()
                await self._news.wait()
        if self._error and not self._held:
            raise self._error
        return self._taken()

    def put_back(self, data: bytes) -> None:
        """Let `data`, which came from `more` last, be the next to come from it."""
        if data:
            self._held.insert(0, data)
            self._size += len(data)

    def cut(self) -> None:
        """End the connection at once, without a word to the camera."""
        self._transport.abort()

    def _taken(self) -> bytes:
        data = b"".join(self._held)
        self._held, self._size = [], 0
        self._transport.resume_reading()
        return data

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """So much came."""
        self._held.append(data)
        self._size += len(data)
        if self._size >= _AHEAD:
            self._transport.pause_reading()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will come; `exc` tells of a break, and is None after a close."""
        self._over, self._error = True, exc
        self._news.set()
