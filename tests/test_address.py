"""What an inventory may write as an address, and what becomes of it."""

from __future__ import annotations

import re
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from cctv import address

GOOD = {
    "10.1.2.3": "10.1.2.3",
    " 10.1.2.3\t\n": "10.1.2.3",
    "10.1.2.3:8080": "10.1.2.3:8080",
    "10.1.2.3:00080": "10.1.2.3:80",
    "http://10.1.2.3": "http://10.1.2.3",
    "https://10.1.2.3/": "https://10.1.2.3",
    "https://10.1.2.3:8443/": "https://10.1.2.3:8443",
    "HTTP://Cam-1.Example:81": "http://cam-1.example:81",
    "cam_1": "cam_1",
    "cam.example.": "cam.example.",
    "[2001:DB8::1]": "[2001:db8::1]",
    "http://[2001:db8::1]:81": "http://[2001:db8::1]:81",
    "1.2.3.example": "1.2.3.example",
}

BAD = [
    "",
    " ",
    "/",
    "://",
    "http://",
    "http:///",
    "ftp://10.1.2.3",
    "rtsp://10.1.2.3",
    "10.1.2.3/jpeg",
    "10.1.2.3//",
    "10.1.2.3?x",
    "10.1.2.3#x",
    "user:pass@10.1.2.3",
    "http://user:pass@10.1.2.3",
    "user@10.1.2.3",
    "10.1.2",
    "10.1.2.3.4",
    "10.1.2.256",
    "010.1.2.3",
    "2130706433",
    "10.1.2.3:",
    "10.1.2.3:0",
    "10.1.2.3:65536",
    "10.1.2.3:80:80",
    "10.1.2.3:http",
    "10.1.2.3:\uff18\uff10",
    "10.1.2.3 10.1.2.4",
    "10.1.2.3\r\nX: y",
    "10.1.2.3\x00",
    "10,1,2,3",
    "::1",
    "[10.1.2.3]",
    "[::1",
    "[fe80::1%eth0]",
    "[fe80::1%25eth0]",
    "[2001:db8::1]x",
    "[]",
    "-cam",
    ".cam",
    "cam..example",
    "cam.example..",
    f"{'a' * 64}.example",
    ".".join(["a" * 63] * 4) + ".example",
    "münchen.example",
    "cam example",
    "{channel}.example",
]

GOOD_URLS = {
    "http://10.1.2.3/image.jpg": "http://10.1.2.3/image.jpg",
    " https://Cam.Example:81/A/b.jpg?Size=1&x=%20 ": "https://cam.example:81/A/b.jpg?Size=1&x=%20",
    "http://10.1.2.3": "http://10.1.2.3/",
    "http://10.1.2.3?x=1": "http://10.1.2.3?x=1",
    "http://10.1.2.3/{channel}.jpg": "http://10.1.2.3/{channel}.jpg",
}

BAD_URLS = [
    "",
    "10.1.2.3",
    "10.1.2.3/image.jpg",
    "//10.1.2.3/image.jpg",
    "ftp://10.1.2.3/image.jpg",
    "http:///image.jpg",
    "http://user:pass@10.1.2.3/image.jpg",
    "http://10.1.2.3:0/image.jpg",
    "http://10.1.2.3/image.jpg#top",
    "http://10.1.2.3/two words.jpg",
    "http://10.1.2.3/a\r\nX: y",
    "http://cam..example/image.jpg",
    "http://{channel}.example/image.jpg",
]


@pytest.mark.parametrize(("text", "read"), GOOD.items())
def test_good(text: str, read: str) -> None:
    """Blanks, a last slash, capitals and a port's zeros are forgiven."""
    assert address.parse(text) == read


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """Anything else is refused in words that repeat nothing of it."""
    words = r"^is not host, host:port or http\(s\)://host\[:port\]$"
    with pytest.raises(ValueError, match=words):
        address.parse(text)


@pytest.mark.parametrize(("text", "read"), GOOD_URLS.items())
def test_good_url(text: str, read: str) -> None:
    """A whole URL keeps its path and query letter by letter."""
    assert address.parse_url(text) == read


@pytest.mark.parametrize("text", BAD_URLS)
def test_bad_url(text: str) -> None:
    """What is no whole URL, or holds a login, is refused in words that repeat nothing of it."""
    words = r"^is not http\(s\)://host\[:port\]/path without a login$"
    with pytest.raises(ValueError, match=words):
        address.parse_url(text)


def label() -> st.SearchStrategy[str]:
    """A part of a host name that ends in a letter, so that it is no number."""
    return st.from_regex(r"[a-z0-9_][a-z0-9_-]{0,20}[a-z]", fullmatch=True)


def hosts() -> st.SearchStrategy[str]:
    """Names and literals."""
    names = st.lists(label(), min_size=1, max_size=4).map(".".join)
    literals = st.ip_addresses(v=6).map(lambda ip: f"[{ip}]")
    return names | st.ip_addresses(v=4).map(str) | literals


@settings(deadline=None)
@given(
    scheme=st.sampled_from(["", "http://", "https://"]),
    host=hosts(),
    port=st.none() | st.integers(1, 65535),
    blanks=st.tuples(st.text(" \t\r\n"), st.text(" \t\r\n")),
    slash=st.sampled_from(["", "/"]),
)
def test_round_trip(
    scheme: str, host: str, port: int | None, blanks: tuple[str, str], slash: str
) -> None:
    """Every address in good shape comes out as it is, and is the same when it is read again."""
    plain = scheme + host + ("" if port is None else f":{port}")
    assert address.parse(blanks[0] + plain + slash + blanks[1]) == plain
    assert address.parse(plain) == plain


@settings(deadline=None)
@given(st.text(max_size=80) | st.text("htps:/.[]0123aA_-%@ ", max_size=80))
def test_any_text(text: str) -> None:
    """Any text is refused, or becomes an address that the libraries take without an error."""
    try:
        read = address.parse(text)
    except ValueError:
        return
    assert address.parse(read) == read
    host = URL(read if "://" in read else f"http://{read}", encoded=True).raw_host or ""
    assert host.encode("idna") if ":" not in host else socket.inet_pton(socket.AF_INET6, host)


@settings(deadline=None)
@given(st.text(max_size=80).map("http://10.1.2.3/".__add__))
def test_any_path(text: str) -> None:
    """Any path is refused, or becomes a URL without blanks, line ends or a fragment."""
    try:
        read = address.parse_url(text)
    except ValueError:
        assert re.search(r"[\s#{}]", text)
    else:
        assert URL(read).raw_path_qs.isascii()
        assert not re.search(r"[\s#]", URL(read).raw_path_qs)
