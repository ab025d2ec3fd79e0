"""A threaded HTTP server on every loopback address, that knows which one a client came to."""

from __future__ import annotations

import resource
import select
from ipaddress import ip_address
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

# only Linux has it; elsewhere a hang outlives its client
LEFT: int = getattr(select, "POLLRDHUP", 0)


def allow_many_connections() -> None:
    """As many open files as this user may have: a hanging street needs more than 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def is_local(*addresses: str) -> bool:
    """Whether all these addresses are of this machine alone."""
    return all(ip_address(address).is_loopback for address in addresses)


def has_left(connection: socket.socket, seconds: float) -> bool:
    """Waits for at most `seconds`; whether the client closed the connection meanwhile."""
    watch = select.poll()
    watch.register(connection, LEFT)
    return bool(watch.poll(seconds * 1000))


class Handler(WSGIRequestHandler):
    """Tells the application the local address as `LOCAL_ADDR`; keeps no log."""

    def make_environ(self) -> WSGIEnvironment:
        """The request, and the address it came to."""
        return super().make_environ() | {"LOCAL_ADDR": self.connection.getsockname()[0]}

    def connection_dropped(self, *_: object) -> None:
        """A request that gets no answer takes its connection with it."""
        self.close_connection = True

    def log_request(self, *_: object) -> None:
        """Nothing: a street is asked all day."""


class LoopbackServer(ThreadedWSGIServer):
    """Serves `application` to this machine only, at the addresses that `admits` agrees to."""

    request_queue_size = 1024

    def __init__(
        self, port: int, application: WSGIApplication, admits: Callable[[str], bool]
    ) -> None:
        self._admits = admits
        super().__init__("0.0.0.0", port, application, Handler)  # noqa: S104 - see verify_request

    def verify_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> bool:
        """Whether both ends are on this machine, and the near one takes the connection."""
        if isinstance(request, tuple):
            return False
        here = request.getsockname()[0]
        return is_local(client_address[0], here) and self._admits(here)
