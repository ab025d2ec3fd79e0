"""What an inventory may write as a camera's address."""

from __future__ import annotations

import ipaddress
import re

_SHAPE = re.compile(
    r"(?:(?P<scheme>(?i:https?))://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]{0,252})"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")
_URL = re.compile(r"(?P<base>(?i:https?)://[^/?#]+)(?P<rest>[/?][^#\s]*)?")
_BRACES = re.compile(r"\{([^{}]*)\}")
_PORTS = range(1, 65536)

PLACEHOLDERS = frozenset({"id", "channel", "username", "password", "random"})
"""What may stand in braces, in a URL or in a driver, to be filled in when the camera is asked."""


def parse(text: str) -> str:
    """`host`, `host:port` or `http(s)://host[:port]` with the surrounding blanks forgiven.

    Raises:
        ValueError: it is none of them; the text says what is accepted.
    """
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None or not _sound(shape):
        raise ValueError("is not host, host:port or http(s)://host[:port]")
    scheme, host, port = shape.group("scheme", "host", "port")
    start, end = f"{scheme}://" if scheme else "", f":{int(port)}" if port else ""
    return (start + host).lower() + end


def parse_url(text: str) -> str:
    """A whole `http(s)://host[:port]/path?query`, for the model `url`.

    A login, where the camera takes it in the query, is written `{username}` and `{password}`.

    Raises:
        ValueError: it is none.
    """
    url = _URL.fullmatch(text.strip())
    try:
        base = parse(url["base"] if url else "")
    except ValueError:
        raise ValueError("is not http(s)://host[:port]/path without a login") from None
    rest = (url["rest"] if url else None) or "/"
    bare = _BRACES.sub("", rest)
    if set(_BRACES.findall(rest)) - PLACEHOLDERS or "{" in bare or "}" in bare:
        raise ValueError(f"has braces around something else than {', '.join(sorted(PLACEHOLDERS))}")
    return base + rest


def shown(text: str) -> str:
    """An address as people may see it: what a login may stand in is left out."""
    start, _, rest = text.strip().rpartition("@")
    head = re.split(r"[?;#]", rest, maxsplit=1)[0]
    return ("…@" if start else "") + head + ("…" if head != rest else "")


def _sound(shape: re.Match[str]) -> bool:
    host, port = shape.group("host", "port")
    if port is not None and int(port) not in _PORTS:
        return False
    if host.startswith("["):
        return _is_ip(host[1:-1], 6)
    named = all(map(_is_label, host.removesuffix(".").split(".")))
    return _is_ip(host, 4) or (named and not re.fullmatch(r"[0-9.]+", host))


def _is_label(text: str) -> bool:
    try:
        # a label that pretends to be of another script and is not breaks libraries later
        return _LABEL.fullmatch(text) is not None and bool(text.encode().decode("idna"))
    except UnicodeError:
        return False


def _is_ip(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
