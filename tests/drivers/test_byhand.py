"""The tolerant reader: what it sends, how it connects, and what it raises."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from cctv.drivers.answer import Question
from cctv.drivers.byhand import ByHand, request
from cctv.drivers.guard import Guard
from cctv.drivers.tls import Contexts
from cctv.errors import CaptureError
from cctv.names import Names
from cctv.reasons import Reason
from cctv.trust import Trust
from tests.fakes.byhand import address_of, ask, by_hand, gone, got, leads_to, mute, question
from tests.fakes.camera import PICTURE, Link, reply, scripted

INSECURE = Contexts().of(Trust(insecure=True))


@pytest.mark.parametrize("path", ["/", "/a%20b/%2F?c=%C3%A9&d='e'", "//x?y=1?2"])
async def test_the_request(path: str) -> None:
    """One GET on one connection; path and query as they are encoded, headers as they are given."""
    async with scripted((reply(), Link.CLOSE)) as camera:
        assert (await ask(question(camera.address, path))).body == PICTURE
        lines = [f"GET {path} HTTP/1.1", f"Host: {camera.address}"]
        lines += ["Authorization: Basic Y2FuYXJ5", "Connection: close", "", ""]
        assert camera.requests == ["\r\n".join(lines)]
        assert camera.connections == 1


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("http://camera.example", "camera.example"),
        ("http://camera.example.:80", "camera.example"),
        ("https://camera.example:443", "camera.example"),
        ("http://camera.example:443", "camera.example:443"),
        ("https://camera.example:8443", "camera.example:8443"),
        ("http://[fd00::1]", "[fd00::1]"),
        ("http://[fd00::1]:81", "[fd00::1]:81"),
    ],
)
def test_the_host_header(base: str, host: str) -> None:
    """The port only where it is not the scheme's own, IPv6 in brackets."""
    assert f"\r\nHost: {host}\r\n".encode() in request(Question(URL(base), {}, INSECURE))


def test_headers_are_utf_8() -> None:
    """A user name with an umlaut goes as aiohttp sends it."""
    assert "\r\nA: M\xfcller\r\n".encode() in request(Question(URL("http://x"), {"A": "M\xfcller"}))


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1/", {"A": "canary\r\nB: c"}),
        ("http://127.0.0.1/", {"A": "canary\n"}),
        ("http://127.0.0.1/", {"A": "canary\r"}),
        ("http://127.0.0.1/", {"A": "canary\0"}),
        ("http://127.0.0.1/", {"A\r\nB": "canary"}),
        ("http://127.0.0.1/canary b", {}),
        ("http://127.0.0.1/canary\x0b", {}),
        ("http://127.0.0.1/canary\xe9", {}),
        ("https://127.0.0.1/canary", {}),
    ],
)
async def test_no_second_request_fits_in_the_first(url: str, headers: dict[str, str]) -> None:
    """A line end in a value is a bug of ours; nothing is sent, and the value is not repeated."""
    with pytest.raises(ValueError, match=r"^[a-zA-Z ]+$") as caught:
        await ask(Question(URL(url, encoded=True), headers))
    assert "canary" not in str(caught.value)


async def refused(asked: Question, reader: ByHand | None = None) -> tuple[Reason, str]:
    """The reason and the words with which there is no answer."""
    with pytest.raises(CaptureError) as caught:
        await ask(asked, reader)
    return caught.value.reason, str(caught.value)


async def test_nobody_listens() -> None:
    """The system's own words."""
    with mute() as listener:
        address = address_of(listener)
    found = "connection failed: Connection refused"
    assert await refused(question(address)) == (Reason.UNREACHABLE, found)


async def test_no_connection_in_time() -> None:
    """A device that takes no more connections is `unreachable` at the deadline."""
    with mute(backlog=0) as listener, ExitStack() as others:
        for _ in range(2):
            other = others.enter_context(socket.socket())
            other.settimeout(0)
            other.connect_ex(listener.getsockname())
        found = "no connection within 0.2 s"
        asked = question(address_of(listener))
        assert await refused(asked, by_hand(connect=0.2)) == (Reason.UNREACHABLE, found)


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 64 + ".invalid", "a..b"])
async def test_an_unknown_name(name: str) -> None:
    """Also one that cannot be a name."""
    found = (Reason.UNREACHABLE, f"the name {name} is not known")
    assert await refused(question(name)) == found


async def test_a_name_whose_server_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup is within the connection's deadline."""
    held = socket.socketpair()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: held[0].recv(1))
    found = (Reason.UNREACHABLE, "the name cam.example is not known")
    assert await refused(question("cam.example"), by_hand(connect=0.1)) == found
    for end in held[::-1]:
        end.close()


@pytest.mark.parametrize(
    "addresses", [("127.0.0.1",), ("::1", "127.0.0.1"), ("169.254.169.254", "fd00:ec2::254")]
)
async def test_a_name_that_leads_astray(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address of a name is judged as it is connected to."""
    leads_to(monkeypatch, *addresses)
    found = (Reason.REFUSED_ADDRESS, "cam.example may not be asked")
    assert await refused(question("cam.example"), ByHand(Guard(), Names())) == found


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "169.254.169.254"]
)
async def test_an_address_that_is_refused(host: str) -> None:
    """No notation gets around the guard, and no packet arrives."""
    async with scripted((reply(), Link.CLOSE)) as camera:
        port = camera.address.rpartition(":")[2]
        reason, found = await refused(question(f"{host}:{port}"), ByHand(Guard(), Names()))
        assert (reason, found) == (Reason.REFUSED_ADDRESS, f"{host.strip('[]')} may not be asked")
        await ask(question(camera.address))
        assert camera.connections == 1


async def test_every_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name's addresses the one that answers is taken; where none does, that is said."""
    async with scripted((reply(), Link.CLOSE)) as camera:
        leads_to(monkeypatch, "169.254.169.254", "127.0.0.2", "::1", "127.0.0.1")
        asked = question("cam.example:" + camera.address.rpartition(":")[2])
        assert (await ask(asked)).body == PICTURE
    found = (Reason.UNREACHABLE, "connection failed: none of its addresses answered")
    assert await refused(asked) == found


async def test_a_handshake_that_hangs() -> None:
    """It is `tls`, with words of its own, and the connection ends."""
    with mute() as listener:
        asked = question(address_of(listener), tls=INSECURE)
        found = (Reason.TLS, "no TLS handshake within 0.2 s")
        assert await refused(asked, by_hand(connect=0.2)) == found
        assert await gone(listener)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"SSH-2.0-x\r\n", "TLS failed: wrong version number; it may speak plain http"),
        (b"", "TLS failed: broken off"),
    ],
)
async def test_no_tls_there(greeting: bytes, words: str) -> None:
    """A camera that speaks something else behind an https address, or hangs up."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = address_of(server.sockets[0])
        assert await refused(question(address, tls=INSECURE)) == (Reason.TLS, words)


PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"ICY 200 OK\n",
        b"\r\n",
        b"\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b" folded\r\n",
        b"no colon\n",
        b":",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"\xff\xd8\xff",
        PICTURE,
    ]
)
ENDS = st.sampled_from([Link.CLOSE, Link.RESET])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=40), max_size=12), ENDS)
def test_any_bytes_at_all(pieces: list[bytes], end: Link) -> None:
    """They are an answer, whole or cut off, or one of two reasons; and a body is what was sent."""
    try:
        answer = asyncio.run(got((*pieces, end)))
    except CaptureError as error:
        reason = error.reason
    else:
        assert "Transfer-Encoding" in answer.headers or answer.body in b"".join(pieces)
        return
    assert reason in {Reason.TORN, Reason.PROTOCOL}
