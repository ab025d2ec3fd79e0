"""The machine's own limits of sockets: how many, and how long one may hold what nobody takes."""

from __future__ import annotations

import errno
import resource
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

_NOBODY_READS = 20_000
_FILES = 65_536


def bounded(info: AddrInfoType) -> socket.socket:
    """A socket whose connection the kernel ends when its peer takes nothing for 20 s.

    An upload that is broken off leaves its bytes to be sent; a peer that is gone or no longer
    reads would keep them, and the socket, for as long as the kernel probes.
    """
    family, kind, protocol, _, _ = info
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _NOBODY_READS)
    return made


def allow_many() -> None:
    """Have as many open files as the system lets this process have, up to 65,536."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def is_out_of_files(error: OSError) -> bool:
    """Whether this machine, and nobody else, is to blame: it has no file for a socket left."""
    return error.errno in {errno.EMFILE, errno.ENFILE}
