"""What an inventory may write as a camera's address."""

from __future__ import annotations

import ipaddress
import re

_SHAPE = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_URL = re.compile(r"(?P<base>https?://[^/?#]+)(?P<rest>[/?][^#\s]*)?")
_PORTS = range(1, 65536)


def parse(text: str) -> str:
    """`host`, `host:port` or `http(s)://host[:port]` with the surrounding blanks forgiven.

    Raises:
        ValueError: it is none of them; the text says what is accepted.
    """
    shape = _SHAPE.fullmatch(text.strip().rstrip("/"))
    if shape is None or not _sound(shape):
        raise ValueError("is not host, host:port or http(s)://host[:port]")
    scheme, host, port = shape.group("scheme", "host", "port")
    return (f"{scheme}://" if scheme else "") + host.lower() + (f":{port}" if port else "")


def parse_url(text: str) -> str:
    """A whole `http(s)://host[:port]/path?query`, for the model `url`; no login in it.

    Raises:
        ValueError: it is none.
    """
    url = _URL.fullmatch(text.strip())
    if url is None:
        raise ValueError("is not http(s)://host[:port]/path")
    return parse(url["base"]) + (url["rest"] or "/")


def _sound(shape: re.Match[str]) -> bool:
    host, port = shape.group("host", "port")
    if port is not None and int(port) not in _PORTS:
        return False
    if host.startswith("["):
        return _is_ip(host[1:-1])
    return _is_ip(host) or not re.fullmatch(r"[0-9.]+", host)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
