"""One connection to a camera: its requests are read, noted, and played to as the mode says."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.street_wire import End

if TYPE_CHECKING:
    from dev.street_camera import Device

LONGEST = 600.0
"""Seconds after which every connection ends, an endless one too."""
FLUSH = 10.0
"""Seconds that a client has to read what was sent before the connection ended."""


class LeftError(ConnectionError):
    """The connection is over."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `at` is monotonic seconds, `connection` counts from 1 for each device.

    Names of headers are lower case, repeated ones are joined with a comma. A connection that is
    met before it asks (a TLS handshake that hangs) stands here with an empty target.
    """

    at: float
    target: str
    headers: dict[str, str]
    connection: int
    method: str = "GET"


def parsed(raw: bytes, connection: int) -> Request:
    """The request with this head; what makes no sense in it is left out."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines if line):
        key = name.strip().lower()
        headers[key] = ", ".join(filter(None, (headers.get(key), value.strip())))
    return Request(time.monotonic(), rest.rpartition(" ")[0], headers, connection, method)


class Talk:
    """What a mode may do on one connection, about one `request` to one `camera`."""

    def __init__(
        self,
        device: Device,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: int,
    ) -> None:
        self.device = device
        self.camera = device.cameras[0]
        self.request = Request(time.monotonic(), "", {}, connection)
        self._reader = reader
        self._writer = writer

    async def run(self) -> None:
        """Answers until either side ends it; that is no error."""
        try:
            with contextlib.suppress(
                OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                async with asyncio.timeout(LONGEST):
                    await self._converse()
        finally:
            await self._hang_up()

    async def _converse(self) -> None:
        if (meets := self.camera.spell.mode.meets) is not None:
            self.camera.note(self.request)
            await meets(self)
        while True:
            raw = await self._reader.readuntil(b"\r\n\r\n")
            self.request = parsed(raw, self.request.connection)
            self.camera = self.device.asked_for(self.request.target)
            self.camera.note(self.request)
            await self.device.answer(self)
            if self.request.headers.get("connection", "").lower() == "close":
                return

    async def _hang_up(self) -> None:
        self._writer.close()
        try:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(FLUSH):
                    await self._writer.wait_closed()
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the connection and what was not sent yet."""
        self._writer.transport.abort()

    def picture(self) -> bytes:
        """A new whole picture of the camera."""
        return self.camera.picture()

    def served(self, picture: bytes) -> None:
        """Note that this picture goes out whole; before it is sent, so that no client is first."""
        self.camera.serve(picture)

    async def send(self, data: bytes) -> None:
        """Send this, as fast as the client takes it."""
        self._writer.write(data)
        await self._writer.drain()

    async def flood(self, data: bytes, times: int) -> None:
        """Send this again and again; the other cameras get their turns."""
        for _ in range(times):
            await self.send(data)
            await asyncio.sleep(0)

    async def drip(self, data: bytes, seconds: float = 0.2) -> None:
        """Send a byte each so many seconds."""
        for place in range(len(data)):
            await self.send(data[place : place + 1])
            await asyncio.sleep(seconds)

    async def listen(self) -> bytes:
        """Some bytes that the client sent, none when it left."""
        return await self._reader.read(65536)

    async def freeze(self) -> None:
        """Neither reads nor writes any more, whatever the client does."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(LONGEST)

    async def end(self, end: End) -> None:
        """Do so to the connection.

        Raises:
            LeftError: it is over; always, but for KEEP.
        """
        if end is End.KEEP:
            return
        if end is End.RESET:
            linger = struct.pack("ii", 1, 0)
            link = self._writer.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.abort()
        while end is End.HANG and await self.listen():
            pass
        raise LeftError
