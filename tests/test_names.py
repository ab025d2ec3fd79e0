"""Looking up names: in threads of their own, bounded, and never in asyncio's."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cctv.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A DNS server that never answers, for every name that begins with `dead`."""
    answered, real = threading.Event(), socket.getaddrinfo

    def look_up(host: str, *rest: Any, **more: Any) -> object:  # noqa: ANN401 - passed on
        if host.startswith("dead"):
            answered.wait(30)
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield
    answered.set()


async def test_a_name_is_looked_up() -> None:
    """The answer is what the connector expects: addresses, with the name they belong to."""
    (found, *_) = await Names().resolve("localhost", 8081)
    assert (found["hostname"], found["host"], found["port"]) == ("localhost", "127.0.0.1", 8081)


async def test_an_unknown_name_is_an_os_error() -> None:
    """As aiohttp takes it from any resolver."""
    with pytest.raises(OSError, match="not known"):
        await Names().resolve("no-such-name.invalid", 80)


@pytest.mark.usefixtures("silent")
async def test_silent_dns_holds_up_nobody_else() -> None:
    """Sixty names hang; the others, and asyncio's own lookups, go on."""
    names = Names()
    dead = [asyncio.create_task(names.resolve(f"dead{number}", 80)) for number in range(60)]
    async with asyncio.timeout(10):
        for _ in range(200):
            assert await names.resolve("localhost", 80)
        assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    for task in dead:
        task.cancel()
    await asyncio.wait(dead)


async def test_a_place_that_is_freed_is_taken_by_whoever_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand slow names and a hundred places: all are answered, none waits for one place."""
    real, slowly = socket.getaddrinfo, threading.Event()

    def look_up(_: str, *rest: Any, **more: Any) -> object:  # noqa: ANN401 - passed on
        slowly.wait(0.02)
        return real("localhost", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    names = Names()
    found = await asyncio.gather(*(names.resolve(f"camera{number}", 80) for number in range(1000)))
    assert all(found)


@pytest.mark.usefixtures("silent")
async def test_threads_are_bounded() -> None:
    """A thousand dead names asked again and again: a hundred threads at the most."""
    names, before = Names(), threading.active_count()
    dead = [asyncio.create_task(names.resolve(f"dead{number}", 80)) for number in range(1000)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert threading.active_count() - before <= 100
    for task in dead:
        task.cancel()
    await asyncio.wait(dead)
