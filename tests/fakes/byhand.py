"""The tolerant reader put to scripted cameras, and what it made of them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yarl import URL

from cctv.drivers.answer import CutOffError, Question
from cctv.drivers.byhand import ByHand
from cctv.names import Names
from tests.fakes.camera import LOOPBACK, Answer, scripted

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    import pytest
    from multidict import CIMultiDictProxy


@dataclass(frozen=True, slots=True)
class Got:
    """An answer read to its end; `cut` is how it broke off, blank when it did not."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    cut: str = ""


class Turn(asyncio.Event):
    """A step that lets everybody else have a turn, the camera's reader among them."""

    async def wait(self) -> bool:  # type: ignore[override]  # typeshed promises a literal True
        """Wait one turn of the loop."""
        await asyncio.sleep(0)
        return True


def dripped(data: bytes) -> Answer:
    """Steps that send `data` so that each byte arrives alone."""
    return tuple(step for byte in data for step in (bytes([byte]), Turn()))


def question(address: str, path: str = "/picture", tls: ssl.SSLContext | None = None) -> Question:
    """What is asked of the camera at `address`."""
    base = f"{'https' if tls else 'http'}://{address}"
    return Question(URL(base + path, encoded=True), {"Authorization": "Basic Y2FuYXJ5"}, tls)


def by_hand(*, connect: float = 5.0, idle: float = 5.0) -> ByHand:
    """A reader that may ask loopback."""
    return ByHand(LOOPBACK, Names(), connect, idle)


async def ask(asked: Question, reader: ByHand | None = None) -> Got:
    """The whole answer to one question; raises what the reader raises before there is one."""
    body, cut = bytearray(), ""
    async with (reader or by_hand())(asked) as answer:
        try:
            async for chunk in answer.chunks:
                body += chunk
        except CutOffError as error:
            cut = str(error)
    return Got(answer.status, answer.headers, bytes(body), cut)


async def got(*steps: Answer, idle: float = 5.0) -> Got:
    """What comes of a camera that answers so."""
    async with scripted(*steps) as camera:
        return await ask(question(camera.address), by_hand(idle=idle))


@contextmanager
def mute(backlog: int = 5) -> Iterator[socket.socket]:
    """A device whose system takes connections, and whose program never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        listener.settimeout(0)
        yield listener


def address_of(listener: socket.socket) -> str:
    """Where it listens."""
    return f"127.0.0.1:{listener.getsockname()[1]}"


async def gone(listener: socket.socket) -> bool:
    """Whether the next client has hung up, once all it sent is read."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        client, _ = await loop.sock_accept(listener)
        with client:
            while await loop.sock_recv(client, 65536):
                pass
    return True


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to `addresses`."""

    def resolve(_host: str, port: int, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
