"""Heads as cameras write them: what is forgiven, what is refused, and by which word."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from cctv.errors import CaptureError
from cctv.reasons import Reason
from tests.fakes.byhand import Got, dripped, got
from tests.fakes.camera import PICTURE, Answer, Link, head

OPENINGS = [
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200\r\n\r\n",
    b"HTTP/1.1 200 \r\n\r\n",
    b"http/1.1 200 ok\r\n\r\n",
    b"HTTP/1.1\t 200  Fine \xe9\r\n\r\n",
    b"ICY 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 200 OK\r\n\n",
    b"HTTP/1.1 200 OK\r\r\n\r\r\n",
    b"\r\n\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nA: 1\r\n\r\n\r\nHTTP/1.1 102\n\nHTTP/1.1 200 OK\r\n\r\n",
    b"",
    b"\r\n",
]


async def refused(*steps: Answer) -> tuple[Reason, str]:
    """The reason and the words with which a camera that answers so is refused."""
    with pytest.raises(CaptureError) as caught:
        await got(*steps)
    return caught.value.reason, str(caught.value)


async def with_head(*lines: bytes) -> Got:
    """What comes of a head with these lines."""
    return await got((b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", PICTURE]), Link.CLOSE))


@pytest.mark.parametrize("opening", OPENINGS)
async def test_openings(opening: bytes) -> None:
    """Every way in which an answer may begin, no head at all (HTTP/0.9) among them."""
    answer = await got((opening + PICTURE, Link.CLOSE))
    assert (answer.status, answer.body, answer.cut) == (200, PICTURE, "")
    assert not answer.headers


@pytest.mark.parametrize("opening", OPENINGS)
async def test_openings_byte_by_byte(opening: bytes) -> None:
    """Where the network cuts changes nothing."""
    answer = await got((*dripped(opening + PICTURE[:40]), PICTURE[40:], Link.CLOSE))
    assert (answer.status, answer.body, answer.cut) == (200, PICTURE, "")


@pytest.mark.parametrize("status", [204, 206, 301, 401, 404, 503, 599, 999])
async def test_statuses(status: int) -> None:
    """Any status comes through; what it means is for the one who asked."""
    assert (await got((head(status=str(status)), Link.CLOSE))).status == status


@pytest.mark.parametrize(
    ("lines", "name", "values"),
    [
        ([b"Server: GoAhead"], "server", ["GoAhead"]),
        ([b"Server : GoAhead"], "Server", ["GoAhead"]),
        ([b"Server:GoAhead\t "], "Server", ["GoAhead"]),
        ([b"Server:"], "Server", [""]),
        ([b"Sun Jan  4 2026", b"Server: x"], "Server", ["x"]),
        ([b"Server: x", b"no colon here"], "Server", ["x"]),
        ([b"Server: a", b"  b", b"\tc\xa0 "], "Server", ["a b c\udca0"]),
        ([b" of nothing", b"Server: x"], "Server", ["x"]),
        ([b"Server: caf\xe9\xa0"], "Server", ["caf\udce9\udca0"]),
        ([b"A: 1", b"B: 2", b"a: 3"], "A", ["1", "3"]),
        ([b'WWW-Authenticate: Digest realm="a:b"'], "WWW-Authenticate", ['Digest realm="a:b"']),
    ],
)
async def test_header_lines(lines: list[bytes], name: str, values: list[str]) -> None:
    """Blanks, folds, eight bits, duplicates, and lines that are no headers."""
    answer = await with_head(*lines)
    assert answer.headers.getall(name) == values
    assert answer.body == PICTURE


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-dropbear\r\n",
        b"\x15\x03\x01\x00\x02\x02\x50",
        b"RTSP/1.0 400 Bad Request\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"<html>",
        b"\xff\xd8\x00",
        b"\x00",
        b"HTTP/1.1 100 Continue\r\n\r\nnonsense\r\n",
    ],
)
async def test_what_is_not_http(garbage: bytes) -> None:
    """It is told at once, without waiting for a line's end or a close."""
    found = "answered something that is not HTTP"
    assert await refused((garbage, Link.HANG)) == (Reason.PROTOCOL, found)


@pytest.mark.parametrize(
    "start", [b"", b"\r\n", b"HT", b"\xff\xd8", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nA: 1\r\n"]
)
@pytest.mark.parametrize("end", [Link.CLOSE, Link.RESET])
async def test_ended_within_the_head(start: bytes, end: Link) -> None:
    """A connection that ends before the body is `torn`."""
    found = "closed the connection before any picture"
    assert await refused((start, end)) == (Reason.TORN, found)


async def test_as_many_header_lines_as_may_be() -> None:
    """256 header lines are read, one more is `protocol`."""
    most = [b"A: %d" % number for number in range(256)]
    assert len((await with_head(*most)).headers) == 256
    one_more = b"\r\n".join([b"HTTP/1.1 200 OK", *most, b"A: 256", b"", b""])
    assert await refused((one_more,)) == (Reason.PROTOCOL, "sent more than 256 header lines")


TOO_LONG = (Reason.PROTOCOL, "sent more than 65,536 bytes of headers")


async def test_as_long_a_head_as_may_be() -> None:
    """64 KB of head are read, one more byte is `protocol`; the body does not count."""
    frame = len(b"HTTP/1.1 200 OK\r\nA: \r\n\r\n")
    longest = b"x" * (65_536 - frame)
    assert (await with_head(b"A: " + longest)).headers["A"] == longest.decode()
    one_more = b"HTTP/1.1 200 OK\r\nA: x" + longest + b"\r\n\r\n"
    assert await refused((one_more, PICTURE, Link.HANG)) == TOO_LONG


@pytest.mark.parametrize(
    "endless",
    [
        b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 1000,
    ],
)
async def test_heads_without_end(endless: bytes) -> None:
    """Blank lines, provisional answers and lines that never end are `protocol` too."""
    assert await refused((endless * (70_000 // len(endless)), Link.HANG)) == TOO_LONG


@pytest.mark.parametrize(
    "worst",
    [
        b"HTTP/1.1" + b" " * 65_000 + b"x\n",
        b"HTTP/1.1 200 " + b"\t \r" * 21_000 + b"\n",
        b"HTTP/1.1 100\n\n" * 4_600,
        b"HTTP/1.1 200 OK\nA: 1\n" + (b" " + b"x" * 250 + b"\n") * 255,
        b"HTTP/1.1 200 OK\n" + (b":" * 255 + b"\n") * 255,
    ],
)
async def test_the_worst_heads_cost_little(worst: bytes) -> None:
    """No head of 64 KB keeps the program from its other cameras for a tenth of a second."""
    started = time.process_time()
    with suppress(CaptureError):
        await got((worst + b"\n", Link.CLOSE))
    assert time.process_time() - started < 0.1
