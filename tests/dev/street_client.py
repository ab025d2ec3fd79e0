"""A client that takes an answer as it comes over the wire, however little it is HTTP."""

from __future__ import annotations

import hashlib
import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such

from dev.street_login import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev.street import Street

PATIENCE = 10.0
SILENCE = 0.2
ENOUGH = 300_000


@dataclass(frozen=True, slots=True)
class Heard:
    """What came: all bytes, and how it ended (closed, reset, or cut short because it was enough).

    `served` is the whole picture that the camera says it sent.
    """

    raw: bytes
    end: str
    served: bytes

    @property
    def head(self) -> str:
        """The first head, in Latin-1."""
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        """What stands behind the first head."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def length(self) -> int:
        """What the head announces; the first time it does."""
        return int(self.values("Content-Length")[0])

    @property
    def status(self) -> int:
        """The status, of an orderly first line."""
        return int(self.head.split(" ", 2)[1])

    def values(self, name: str) -> list[str]:
        """The values of a header."""
        return re.findall(rf"(?im)^{name}: *(.*?)\r?$", self.head)


@contextmanager
def asking(
    street: Street, camera: str = "1", target: str = "/x.jpg", *headers: str
) -> Iterator[socket.socket]:
    """A connection to a camera, a request sent."""
    where = urlsplit(f"//{street.address(camera).removeprefix('https://')}")
    with socket.create_connection((where.hostname, where.port), PATIENCE) as connection:
        send(connection, target, *headers)
        yield connection


def send(connection: socket.socket, target: str = "/x.jpg", *headers: str) -> None:
    """One more request."""
    lines = (f"GET {target} HTTP/1.1", "Host: camera", *headers, "", "")
    connection.sendall("\r\n".join(lines).encode())


def hear(
    street: Street, *headers: str, camera: str = "1", target: str = "/x.jpg", most: int = ENOUGH
) -> Heard:
    """All that a camera says to one request, `most` bytes or somewhat more."""
    with asking(street, camera, target, "Connection: close", *headers) as connection:
        raw, end = _read(connection, most)
    return Heard(raw, end, street.served(camera).last)


def _read(connection: socket.socket, most: int) -> tuple[bytes, str]:
    raw = bytearray()
    while len(raw) < most:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            return bytes(raw), "reset"
        if not data:
            return bytes(raw), "closed"
        raw += data
    return bytes(raw), "enough"


def exactly(connection: socket.socket, size: int) -> bytes:
    """The next `size` bytes."""
    raw = bytearray()
    while len(raw) < size:
        data = connection.recv(size - len(raw))
        assert data, f"ended after {len(raw)} bytes"
        raw += data
    return bytes(raw)


def head_of(connection: socket.socket) -> Heard:
    """The head that comes next."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        raw += exactly(connection, 1)
    return Heard(raw, "", b"")


def silent(connection: socket.socket) -> bool:
    """Whether nothing comes for a while, and the connection stays."""
    connection.settimeout(SILENCE)
    try:
        return connection.recv(1) == b"more"  # anything, an end too, is no silence
    except TimeoutError:
        return True


def strict(jpeg: bytes) -> bool:
    """Whether a strict decoder finds nothing to complain of."""
    try:
        simplejpeg.decode_jpeg(jpeg, strict=True)
    except ValueError:
        return False
    return True


def digest(challenge: str, target: str = "/x.jpg", *, nc: int = 1, **change: str) -> str:
    """The Authorization header that answers a challenge; `change` alters its parts."""
    said = {
        name.lower(): quoted or bare
        for name, quoted, bare in re.findall(r'(\w+) *= *(?:"([^"]*)"|([^\s,]+))', challenge)
    }
    algorithm = said.get("algorithm", "MD5")
    parts = {
        "username": USER,
        "realm": said["realm"],
        "nonce": said["nonce"],
        "uri": target,
        "algorithm": algorithm,
    }
    if said.get("qop"):
        parts |= {"qop": "auth", "nc": f"{nc:08x}", "cnonce": "c0ffee"}
    parts |= {name: text for name, text in change.items() if name != "password"}
    parts["response"] = _response(algorithm, parts, change.get("password", PASSWORD))
    return "Authorization: Digest " + ", ".join(f'{name}="{text}"' for name, text in parts.items())


def _response(algorithm: str, parts: dict[str, str], password: str) -> str:
    def hashed(text: str) -> str:
        kind = "sha256" if algorithm.startswith("SHA-256") else "md5"
        return hashlib.new(kind, text.encode()).hexdigest()

    ours = hashed(f"{parts['username']}:{parts['realm']}:{password}")
    if algorithm.endswith("-sess"):
        ours = hashed(f"{ours}:{parts['nonce']}:{parts['cnonce']}")
    asked = hashed(f"GET:{parts['uri']}")
    middle = f"{parts['nc']}:{parts['cnonce']}:{parts['qop']}:" if "qop" in parts else ""
    return hashed(f"{ours}:{parts['nonce']}:{middle}{asked}")
