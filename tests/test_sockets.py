"""The machine's limits: open files, and connections nobody reads from."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import sys

import pytest

from cctv.drivers.wall import not_connected
from cctv.errors import CaptureError
from cctv.reasons import Reason
from cctv.sockets import bounded

LOOPBACK = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 0))


def test_a_peer_that_takes_nothing_is_given_up_by_the_kernel() -> None:
    """Twenty seconds, also for what was left to be sent when we broke off."""
    with bounded(LOOPBACK) as made:
        limit = made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert limit == 20_000
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_what_an_upload_leaves_unsent_goes_with_its_socket() -> None:
    """The real kernel, with a second in the place of twenty: the peer reads nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    with server, bounded(LOOPBACK) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)
        made.setblocking(False)  # noqa: FBT003 - the library's signature
        await asyncio.get_running_loop().sock_connect(made, server.getsockname())
        _, writer = await asyncio.open_connection(sock=made.dup())
        writer.write(bytes(20_000_000))
        writer.close()
        with pytest.raises(OSError, match="timed out"):
            async with asyncio.timeout(30):
                await writer.wait_closed()


def test_as_many_files_as_the_system_allows() -> None:
    """The soft limit is raised to the hard one, and never lowered."""
    code = (
        "import resource; from cctv.sockets import allow_many;"
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard)); allow_many();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert int(done.stdout) == min(hard, 65_536)


@pytest.mark.parametrize("number", [23, 24])
def test_a_machine_without_files_does_not_blame_the_camera(number: int) -> None:
    """ENFILE and EMFILE are ours; the camera is neither down nor counted as failing."""
    error = not_connected(OSError(number, "Too many open files"))
    assert isinstance(error, CaptureError)
    assert (error.reason, error.asked) == (Reason.OUT_OF_FILES, False)
