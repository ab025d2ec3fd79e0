"""The tolerant reader: HTTP/1 as cameras speak it, where a library's parser refuses."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohappyeyeballs import start_connection

from cctv.drivers import byhand_body, byhand_head
from cctv.drivers.answer import Answer
from cctv.drivers.byhand_wire import Wire
from cctv.drivers.guard import RefusedAddressError
from cctv.drivers.wall import CONNECT_DEADLINE, not_connected, tls_words
from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohappyeyeballs import AddrInfoType
    from yarl import URL

    from cctv.drivers.answer import Question
    from cctv.drivers.guard import Guard
    from cctv.names import Names

# so soon another address of the same name is tried beside one that does not answer (RFC 8305)
_NEXT_ADDRESS = 0.25
_TARGET = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class ByHand:
    """A Reader that forgives what cameras are known to get wrong; see `answer.Reader`.

    `connect` bounds the connection, its name's lookup and its TLS handshake included; `idle` is
    the silence that cuts off a body which has begun. Both are seconds.
    """

    guard: Guard
    names: Names
    connect: float = CONNECT_DEADLINE
    idle: float = 5.0

    @asynccontextmanager
    async def __call__(self, question: Question) -> AsyncIterator[Answer]:
        """Ask, once; leaving closes the connection without waiting for the camera.

        Raises:
            CaptureError: there is no answer to read.
            ValueError: the question cannot be put in HTTP, or https has no `tls`: a bug.
        """
        data = request(question)
        wire = await self._connected(question)
        try:
            wire.send(data)
            head = await byhand_head.read(wire)
            body = byhand_body.read(wire, head.headers, self.idle)
            async with aclosing(body) as chunks:
                yield Answer(head.status, head.headers, chunks)
        finally:
            wire.cut()

    async def _connected(self, question: Question) -> Wire:
        until = asyncio.get_running_loop().time() + self.connect
        host = question.url.raw_host or ""
        addresses = await self._addresses(question.url, until)
        connection = await self._connection(host, addresses, until)
        secure = question.tls if question.url.scheme == "https" else None
        return await self._wire(connection, host, secure, until)

    async def _addresses(self, url: URL, until: float) -> list[AddrInfoType]:
        host, port = url.raw_host or "", url.port or 0
        if _is_literal(host):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return [_info(family, host, port)]
        try:
            async with asyncio.timeout_at(until):
                found = await self.names.resolve(host, port, socket.AF_UNSPEC)
        except (OSError, UnicodeError):
            raise CaptureError(Reason.UNREACHABLE, f"the name {host} is not known") from None
        return [_info(each["family"], each["host"], each["port"]) for each in found]

    async def _connection(
        self, host: str, addresses: list[AddrInfoType], until: float
    ) -> socket.socket:
        try:
            async with asyncio.timeout_at(until):
                return await start_connection(
                    addresses, happy_eyeballs_delay=_NEXT_ADDRESS, socket_factory=self.guard.open
                )
        except RefusedAddressError as error:
            raise CaptureError(Reason.REFUSED_ADDRESS, f"{host} {error}") from None
        except TimeoutError:
            found = f"no connection within {self.connect:g} s"
            raise CaptureError(Reason.UNREACHABLE, found) from None
        except OSError as error:
            raise not_connected(error) from None

    async def _wire(
        self, connection: socket.socket, host: str, secure: ssl.SSLContext | None, until: float
    ) -> Wire:
        loop = asyncio.get_running_loop()
        # a name's last dot stands in no certificate
        name = host.removesuffix(".") if secure else None
        try:
            async with asyncio.timeout_at(until):
                _, wire = await loop.create_connection(
                    Wire, sock=connection, ssl=secure, server_hostname=name
                )
        except TimeoutError:
            found = f"no TLS handshake within {self.connect:g} s"
            raise CaptureError(Reason.TLS, found) from None
        except ssl.SSLError as error:
            raise CaptureError(Reason.TLS, tls_words(error)) from None
        except OSError:
            raise CaptureError(Reason.TLS, "TLS failed: broken off") from None
        return wire


def request(question: Question) -> bytes:
    """The one GET, with all values in UTF-8, as aiohttp sends them.

    Raises:
        ValueError: a value would begin another line, or https has no `tls`; it is not repeated.
    """
    url = question.url
    if url.scheme == "https" and question.tls is None:
        raise ValueError("https without a TLS context")
    if not _TARGET.fullmatch(url.raw_path_qs):
        raise ValueError("a path that is not encoded")
    headers = {"Host": url.host_port_subcomponent, **question.headers, "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise ValueError("a header with a line end in it")
    return "\r\n".join([f"GET {url.raw_path_qs} HTTP/1.1", *lines, "", ""]).encode()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _info(family: socket.AddressFamily | int, host: str, port: int) -> AddrInfoType:
    target = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", target
