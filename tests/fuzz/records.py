"""Fuzz targets: what people write in records, and where it may lead."""

from __future__ import annotations

import ipaddress
import re
import ssl
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yarl import URL

from cctv import address, trust
from cctv.drivers import URL as ANY_URL
from cctv.drivers.answer import Question
from cctv.drivers.byhand import request
from cctv.drivers.guard import Guard
from cctv.model import Camera, Login, Secret
from tests.fuzz.refusals import CANARY, check_refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CAMERA = Camera("7", "any", "10.1.2.3", channel=2)
LOGIN = Login("the viewer/ü", Secret(f"p&a=s #s/{CANARY}"))
STRICT = Guard()
EVERYTHING = Guard((ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")))
# loopback, and what no list of networks can allow: link-local, metadata, nobody, everybody
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("169.254.0.0/16", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
        *("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255"),
    )
)
_PIN = re.compile(r"[0-9a-f]{64}")


def check_address(data: bytes) -> None:
    """What is accepted is an address by others' measure too, and can be asked."""
    text = data.decode("utf-8", "surrogateescape")
    address.shown(text)
    if plain := _parsed(address.parse, text):
        _check_base(plain if "://" in plain else f"http://{plain}")
        check_request(URL(f"http://{plain.rpartition('/')[2]}/x", encoded=True))
    if whole := _parsed(address.parse_url, text):
        _check_base(whole)
        check_request(URL(ANY_URL.filled(whole, CAMERA, LOGIN)))


def _parsed(parse: Callable[[str], str], text: str) -> str:
    try:
        parsed = parse(text)
    except ValueError as error:
        check_refusal(error)
        return ""
    assert parse(f" {parsed}\n") == parsed
    return parsed


def _check_base(text: str) -> None:
    """The host is the same by two libraries, and no login stands before it."""
    parts, url = urlsplit(text), URL(text)
    assert parts.scheme == url.scheme
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert _spelled(parts.hostname) == _spelled(url.raw_host or "")
    assert (parts.username, url.user, url.password) == (None, None, None)
    assert url.port in range(1, 65536)


def _spelled(host: str) -> str:
    """The host in the one way of writing an IPv6 address."""
    return str(ipaddress.ip_address(host)) if ":" in host else host


def check_request(url: URL) -> None:
    """Nothing of a record or a file can begin a second line, or a second request."""
    data = request(Question(url, {}, _tls()))
    lines = data.split(b"\r\n")
    assert len(lines) == 5
    assert lines[0].count(b" ") == 2
    assert lines[1].startswith(b"Host: ")
    assert not re.search(rb"[\0-\x1f\x7f]", b"".join(lines))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def check_trust(data: bytes) -> None:
    """Words about TLS are understood or refused; nothing odd is taken for trust."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        said = trust.parse(text)
    except ValueError as error:
        check_refusal(error)
        return
    assert not said.pin or _PIN.fullmatch(said.pin)
    assert not (said.pin and said.insecure)
    words = text.lower()
    assert said.insecure == ("insecure" in words)
    assert said.legacy == ("legacy" in words)
    assert bool(said.pin) == ("pin:" in words)


def check_guard(data: bytes) -> None:
    """No way of writing an address opens what is closed to the address itself.

    The bytes are a text, and the beginning of an IPv4 and of an IPv6 address.
    """
    inner = ipaddress.IPv4Address(data[:4].ljust(4, b"\0"))
    for text in (str(inner), *written(inner)):
        _check_permits(text, inner)
    outer = ipaddress.IPv6Address(data[:16].ljust(16, b"\0"))
    for text in (str(outer), outer.exploded, outer.exploded.upper(), f"{outer}%eth0"):
        assert STRICT.permits(text) == STRICT.permits(str(outer))
        assert EVERYTHING.permits(text) >= STRICT.permits(text)
    _check_text(data.decode("latin-1"))


def written(inner: ipaddress.IPv4Address) -> Iterator[str]:
    """Every IPv6 way of writing, or of reaching, an IPv4 address, in several spellings."""
    number = int(inner)
    for outer in (
        number,  # IPv4-compatible
        0xFFFF << 32 | number,  # IPv4-mapped
        0xFFFF << 48 | number,  # IPv4-translated
        0x64_FF9B << 96 | number,  # NAT64
        0x2002 << 112 | number << 80 | 9,  # 6to4
        0x2001 << 112 | 0x0808_0808 << 64 | number ^ 0xFFFF_FFFF,  # Teredo
    ):
        full = ipaddress.IPv6Address(outer)
        if outer > 1:  # the two lowest are IPv6's own nobody and loopback
            yield from (str(full), full.exploded.upper(), f"{full}%eth0")
    yield f"::ffff:{inner}"


def _check_permits(text: str, inner: ipaddress.IPv4Address) -> None:
    if any(inner in network for network in NEVER):
        assert not EVERYTHING.permits(text), text
    if inner in LOOPBACK or not EVERYTHING.permits(text):
        assert not STRICT.permits(text), text
    assert STRICT.permits(text) == STRICT.permits(str(inner)), text


def _check_text(text: str) -> None:
    """A text is judged, or is no address."""
    try:
        allowed = STRICT.permits(text)
    except ValueError:
        return
    assert not allowed or EVERYTHING.permits(text)
