"""A way of asking for a still picture, as data: what to ask, and how to log in."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cctv.model import Camera, Login
    from cctv.reasons import Reason

AUTHS = ("challenge", "query", "none")
LOGIN_PLACEHOLDERS = frozenset({"username", "password"})

# what is written in a path or a query stays so; only what no URL can hold is encoded
_AS_WRITTEN = "/%:@!$'()*+,;=?~"


@dataclass(frozen=True, slots=True)
class Telltale:
    """A text by which a model says with HTTP 200 that it gives no picture."""

    pattern: bytes
    reason: Reason

    def matches(self, body: bytes) -> bool:
        """Whether the beginning of an answer says so."""
        return re.search(self.pattern, body[:500]) is not None


@dataclass(frozen=True, slots=True)
class Still:
    """How a make of camera is asked for one JPEG over HTTP.

    `path` and the values of `query` may hold `{channel}`, `{id}`, `{username}`, `{password}`
    and `{random}` (another one each time). The device calls its first channel `first_channel`;
    when a record names none, query parameters with `{channel}` are left out unless
    `always_channel`. Without a login its query parameters are left out, because a blank one
    would count as a wrong attempt. `auth` is "challenge" (follow what the camera asks for: Digest
    or Basic), "query" (the login stands in the query, because the device takes it nowhere else)
    or "none". `path` is empty for the model whose address is a whole URL. `signature` is a pattern
    for the `Server` header and the login's realm of this make.
    """

    name: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    auth: str = "challenge"
    first_channel: int = 1
    always_channel: bool = False
    telltales: tuple[Telltale, ...] = ()
    signature: str = ""

    def recognises(self, said: str) -> bool:
        """Whether `said`, what a device says of itself, is the manner of this make."""
        return bool(self.signature) and re.search(self.signature, said) is not None

    def target(self, camera: Camera, login: Login | None) -> str:
        """The path and query to ask `camera` for, percent-encoded; may hold the login."""
        values = self._values(camera, login)
        asked = [
            pair for pair in self.query if not placeholders(pair[1]) & self._blank(camera, login)
        ]
        query = "&".join(f"{quote(name)}={_fill(text, values)}" for name, text in asked)
        return _fill(self.path, values) + (f"?{query}" if query else "")

    def filled(self, url: str, camera: Camera, login: Login | None) -> str:
        """A whole URL with its placeholders filled in; may hold the login."""
        values = self._values(camera, login)
        return url.format_map({name: quote(text, safe="") for name, text in values.items()})

    def _values(self, camera: Camera, login: Login | None) -> dict[str, str]:
        return {
            "id": camera.id,
            "channel": str((camera.channel or 1) - 1 + self.first_channel),
            "random": secrets.token_hex(8),
            "username": login.username if login else "",
            "password": login.password.reveal() if login else "",
        }

    def _blank(self, camera: Camera, login: Login | None) -> set[str]:
        """The placeholders for which there is nothing to say."""
        channel = set() if self.always_channel or camera.channel else {"channel"}
        return channel if login else channel | LOGIN_PLACEHOLDERS


def placeholders(text: str) -> set[str]:
    """The names in braces.

    Raises:
        ValueError: the braces do not pair up, or hold more than a name.
    """
    fields = [field for field in Formatter().parse(text) if field[1] is not None]
    if any(spec or conversion for _, _, spec, conversion in fields):
        raise ValueError("more than a name in braces")
    return {name for _, name, _, _ in fields if name is not None}


def _fill(text: str, values: Mapping[str, str]) -> str:
    return "".join(
        quote(literal, safe=_AS_WRITTEN) + ("" if name is None else quote(values[name], safe=""))
        for literal, name, _, _ in Formatter().parse(text)
    )
