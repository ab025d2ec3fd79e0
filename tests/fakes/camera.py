"""A camera on loopback that plays a script: bytes, pauses, and the ways in which a link ends."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from ipaddress import ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from PIL import Image

from cctv.darkroom import Darkroom
from cctv.drivers import TABLE
from cctv.drivers.guard import Guard
from cctv.drivers.http import HttpDriver, open_kit
from cctv.model import Camera

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from cctv.drivers.still import Still
    from cctv.frame import Frame
    from cctv.model import Login

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DECADES = timedelta(days=9999)
LOOPBACK = Guard((ip_network("127.0.0.0/8"),))


def _picture() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(file, "JPEG")
    return file.getvalue()


PICTURE = _picture()


class Link(Enum):
    """What may become of a connection, beside bytes."""

    CLOSE = "it ends politely"
    RESET = "it ends with RST"
    HANG = "nothing more comes until the client leaves"
    FLOOD = "zeros come until the client leaves"


Answer = tuple[bytes | asyncio.Event | Link, ...]
"""What is done about one request, step by step; an event is waited for.

A connection whose script ends without a link's end is kept, and reads another request.
"""


def head(*headers: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """The head of an answer with just these headers."""
    return "".join(f"{line}\r\n" for line in (f"{version} {status}", *headers, "")).encode(
        "latin-1"
    )


def reply(*headers: str, body: bytes = PICTURE, status: str = "200 OK", more: int = 0) -> bytes:
    """A whole answer; it announces `more` bytes than it has."""
    return head(*headers, f"Content-Length: {len(body) + more}", status=status) + body


def refusal(*challenges: str) -> bytes:
    """A 401 with these challenges, each in a header of its own."""
    headers = (f"WWW-Authenticate: {challenge}" for challenge in challenges)
    return reply(*headers, body=b"no", status="401 Unauthorized")


@dataclass(slots=True)
class ScriptedCamera:
    """Plays `answers` one for each request, the last one for ever; `requests` are raw heads.

    With a `greeting` it speaks first, as no HTTP server does.
    """

    answers: list[Answer]
    address: str = ""
    greeting: bytes = b""
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def asked(self, count: int) -> None:
        """Wait until `count` requests came."""
        while len(self.requests) < count:
            self._news.clear()
            await self._news.wait()

    def header(self, request: int, name: str) -> str | None:
        """A header's value in one of the requests, or None."""
        lines = (line.partition(": ") for line in self.requests[request].splitlines())
        return next((value for key, _, value in lines if key.lower() == name.lower()), None)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play to one connection until it ends."""
        self.connections += 1
        writer.write(self.greeting)
        try:
            while not writer.is_closing():
                request = await reader.readuntil(b"\r\n\r\n")
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append(request.decode("latin-1"))
                self._news.set()
                for step in answer:
                    await self._play(step, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    async def _play(
        self,
        step: bytes | asyncio.Event | Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, asyncio.Event):
            await step.wait()
        elif step is Link.HANG:
            await reader.readexactly(1)
        elif step is Link.FLOOD:
            await _flood(writer)
        else:
            _end(writer, step)


async def _flood(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(65536))
        await writer.drain()


def _end(writer: asyncio.StreamWriter, step: Link) -> None:
    if step is Link.RESET:
        linger = struct.pack("ii", 1, 0)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    writer.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    """What a camera speaks TLS with as it comes out of the box: a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    lasting = made.not_valid_before(NOW - DECADES).not_valid_after(NOW + DECADES)
    certificate = lasting.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "camera.pem").write_bytes(certificate + secret)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "camera.pem")
    return context


@asynccontextmanager
async def scripted(
    *answers: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedCamera]:
    """A camera on a free port; its connections end with it."""
    camera = ScriptedCamera(list(answers))
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(camera.serve(reader, writer), name="scripted camera"))

    server = await asyncio.start_server(talk, host, 0, ssl=tls)
    camera.address = f"{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield camera
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


@asynccontextmanager
async def opened_driver(
    logins: Mapping[str, Login] | None = None,
    *,
    guard: Guard = LOOPBACK,
    seconds: float = 5.0,
    table: Mapping[str, Still] = TABLE,
) -> AsyncIterator[HttpDriver]:
    """A driver with a session of its own, that may ask loopback."""
    async with open_kit(guard, Darkroom().develop, lambda: NOW, 1800) as kit:
        yield HttpDriver(table, logins or {}, seconds, kit)


async def shot(
    address: str,
    login: Login | None = None,
    *,
    model: str = "axis",
    guard: Guard = LOOPBACK,
    seconds: float = 5.0,
) -> Frame:
    """The picture that one `frame()` of a new driver gets from `address`."""
    logins = {"CAMERA": login} if login else {}
    async with opened_driver(logins, guard=guard, seconds=seconds) as driver:
        return await driver(Camera("7", model, address)).frame()
