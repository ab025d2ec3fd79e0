"""The tolerant reader's connection: it ends with the asker, and holds little meanwhile."""

from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from cctv.drivers.answer import CutOffError
from cctv.drivers.tls import Contexts
from cctv.trust import Trust
from tests.fakes.byhand import Turn, address_of, ask, by_hand, gone, mute, question
from tests.fakes.camera import PICTURE, Answer, Link, head, scripted, self_signed

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

LONG = bytes(range(256)) * 6000
INSECURE = Contexts().of(Trust(insecure=True))
ENDLESS: list[Answer] = [
    (head(), Link.FLOOD),
    (head("Content-Length: 9"), Link.FLOOD),
    (head(), PICTURE, Link.HANG),
    (head("Transfer-Encoding: chunked") + b"fffffff\r\n", Link.FLOOD),
]


@pytest.mark.parametrize("answer", ENDLESS)
@pytest.mark.parametrize("secure", [False, True])
async def test_leaving_ends_the_connection(answer: Answer, tmp_path: Path, *, secure: bool) -> None:
    """At once and on both ends, also in the middle of a body without an end."""
    server = self_signed(tmp_path) if secure else None
    async with scripted(answer, tls=server) as camera, asyncio.timeout(5):
        asked = question(camera.address, tls=INSECURE if secure else None)
        async with by_hand()(asked) as opened:
            assert await anext(opened.chunks)
            left = time.monotonic()
        await camera.left.wait()
        assert time.monotonic() - left < 0.5


@pytest.mark.parametrize("answer", [(Link.HANG,), (head()[:9], Link.HANG), *ENDLESS])
@pytest.mark.parametrize("secure", [False, True])
async def test_cancelling_ends_the_connection(
    answer: Answer, tmp_path: Path, *, secure: bool
) -> None:
    """The same wherever the reader was waiting, or while the asker was busy elsewhere."""
    server = self_signed(tmp_path) if secure else None
    async with scripted(answer, tls=server) as camera, asyncio.timeout(5):
        asked = question(camera.address, tls=INSECURE if secure else None)
        task = asyncio.ensure_future(ask(asked))
        await camera.asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await camera.left.wait()


@pytest.mark.parametrize("tls", [None, INSECURE])
async def test_cancelling_before_the_answer(tls: ssl.SSLContext | None) -> None:
    """Within a handshake, or before any byte of a head."""
    with mute() as listener:
        task = asyncio.ensure_future(ask(question(address_of(listener), tls=tls)))
        await asyncio.wait([task], timeout=0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(listener)


async def test_the_callers_deadline_passes_through() -> None:
    """The whole is the caller's to bound; its TimeoutError is not mistaken for anything else."""
    with mute() as listener, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await ask(question(address_of(listener)))


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("lengths", [(), (f"Content-Length: {len(LONG)}",)])
async def test_nothing_is_lost_at_the_close(
    lengths: tuple[str, ...], tmp_path: Path, *, secure: bool
) -> None:
    """A close right behind a long body, while the asker is slow to take it."""
    server = self_signed(tmp_path) if secure else None
    body = b""
    async with (
        scripted((head(*lengths), LONG, Link.CLOSE), tls=server) as camera,
        by_hand()(question(camera.address, tls=INSECURE if secure else None)) as answer,
    ):
        async for chunk in answer.chunks:
            body += chunk
            await Turn().wait()
    assert body == LONG


def hang_up(listener: socket.socket, server: ssl.SSLContext) -> None:
    """Send a long body to one client, and close without TLS's goodbye, as devices do."""
    connection, _ = listener.accept()
    with server.wrap_socket(connection, server_side=True) as camera:
        camera.recv(65536)
        camera.sendall(head(f"Content-Length: {len(LONG)}") + LONG)


async def test_nothing_is_lost_at_a_close_without_goodbye(tmp_path: Path) -> None:
    """What came by TLS before the connection's plain end is the whole body."""
    server = self_signed(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        camera = asyncio.create_task(asyncio.to_thread(hang_up, listener, server))
        answer = await ask(question(address_of(listener), tls=INSECURE))
        assert (answer.body, answer.cut) == (LONG, "")
        await camera


async def test_what_came_before_a_reset_is_not_lost() -> None:
    """Also when the asker was busy until after the reset."""
    async with (
        scripted((head(), PICTURE, Link.RESET)) as camera,
        by_hand()(question(camera.address)) as answer,
    ):
        for _ in range(50):
            await Turn().wait()
        assert await anext(answer.chunks) == PICTURE
        with pytest.raises(CutOffError, match="connection lost"):
            await anext(answer.chunks)


@pytest.mark.parametrize("secure", [False, True])
async def test_a_flood_that_nobody_reads_stays_outside(tmp_path: Path, *, secure: bool) -> None:
    """What the asker does not take is not taken from the camera: little waits here."""
    server = self_signed(tmp_path) if secure else None
    async with (
        scripted((head(), Link.FLOOD), tls=server) as camera,
        by_hand()(question(camera.address, tls=INSECURE if secure else None)) as answer,
    ):
        await anext(answer.chunks)
        tracemalloc.start()
        # that nothing happens can only be seen by giving it time
        await asyncio.sleep(0.3)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # the camera's own buffers are in here too
        assert held < 1_000_000
        assert len(await anext(answer.chunks)) <= 65_536 + 2 * 262_144
