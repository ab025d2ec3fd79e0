"""The wall: where the errors of aiohttp, sockets and TLS end and become ours."""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp

from cctv.drivers.guard import RefusedAddressError
from cctv.errors import CaptureError
from cctv.reasons import Reason
from cctv.sockets import is_out_of_files

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_DEADLINE = 5.0
"""Seconds for a connection, its TLS included."""


@contextmanager
def wall(*, tls: bool = False) -> Iterator[None]:
    """Errors of asking become a CaptureError; the words never hold a URL or a login.

    `tls` tells that the connection includes its handshake.
    """
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        found = f"no connection{', TLS included,' * tls} within {CONNECT_DEADLINE:g} s"
        raise CaptureError(Reason.UNREACHABLE, found) from None
    except aiohttp.ClientConnectorError as error:
        raise _not_connected(error) from None
    except ssl.SSLError as error:
        raise CaptureError(Reason.TLS, tls_words(error)) from None
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL):
        raise CaptureError(Reason.PROTOCOL, "answered something that is not HTTP") from None
    except TimeoutError:
        # the deadline of the whole, which only its owner can name
        raise
    except (aiohttp.ClientError, OSError):
        raise CaptureError(Reason.TORN, "closed the connection before any picture") from None


def _not_connected(error: aiohttp.ClientConnectorError) -> CaptureError:
    cause = error.os_error
    if isinstance(cause, RefusedAddressError):
        return CaptureError(Reason.REFUSED_ADDRESS, f"{error.host} {cause}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return CaptureError(Reason.UNREACHABLE, f"the name {error.host} is not known")
    if isinstance(cause, ssl.SSLError):
        return CaptureError(Reason.TLS, tls_words(cause))
    if isinstance(cause, ConnectionResetError) and not cause.errno:
        # asyncio's own words for a peer that leaves in the middle of the handshake
        return CaptureError(Reason.TLS, "TLS failed: broken off")
    return not_connected(cause)


def not_connected(error: OSError) -> CaptureError:
    """What kept a connection from being made."""
    if is_out_of_files(error):
        found = "this machine has no open files left for a connection"
        return CaptureError(Reason.OUT_OF_FILES, found, asked=False)
    # a name's several addresses may have failed differently: then there is no number
    why = os.strerror(error.errno) if error.errno else "none of its addresses answered"
    return CaptureError(Reason.UNREACHABLE, f"connection failed: {why}")


def tls_words(error: ssl.SSLError) -> str:
    """What failed in the handshake, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    found = (error.reason or "broken off").replace("_", " ").lower()
    hint = "; it may speak plain http" if found == "wrong version number" else ""
    return f"TLS failed: {found}{hint}"
