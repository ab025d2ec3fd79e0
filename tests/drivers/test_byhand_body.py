"""Bodies as cameras send them: lengths that lie, chunks that break, ends of every kind."""

from __future__ import annotations

import asyncio
import time

import pytest

from cctv.drivers.answer import CutOffError
from tests.fakes.byhand import Got, by_hand, dripped, got, question
from tests.fakes.camera import PICTURE, Answer, Link, head, scripted

CHUNKED = head("Transfer-Encoding: chunked")
HALF = len(PICTURE) // 2
CLOSED, SILENT, LOST = "closed before its end", "fell silent", "connection lost"


def lengths(*values: object) -> bytes:
    """A head that announces these lengths."""
    return head(*(f"Content-Length: {value}" for value in values))


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A body in chunks, as it should be."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


def whole(answer: Got) -> bool:
    """Whether this is just the picture."""
    return (answer.body, answer.cut) == (PICTURE, "")


@pytest.mark.parametrize(
    "values",
    [
        (),
        (len(PICTURE),),
        (len(PICTURE) - 48,),
        (0,),
        (len(PICTURE), len(PICTURE)),
        (len(PICTURE), 5),
        (f"{len(PICTURE)}, {len(PICTURE)}",),
        ("-1", len(PICTURE)),
        ("-1",),
        ("+5",),
        ("many",),
        ("",),
        ("\xb2",),
        ("9" * 5000,),
    ],
)
async def test_lengths(values: tuple[object, ...]) -> None:
    """The close ends a body: a length that is too short, contradicts itself or is none is moot."""
    assert whole(await got((lengths(*values) + PICTURE, Link.CLOSE)))


async def test_a_length_that_is_too_long() -> None:
    """All that came is given, and then that it was less than announced."""
    answer = await got((lengths(len(PICTURE) + 48) + PICTURE, Link.CLOSE))
    assert (answer.body, answer.cut) == (PICTURE, CLOSED)


async def test_a_connection_that_is_kept() -> None:
    """Behind the announced length a second of silence ends the body."""
    started = time.monotonic()
    assert whole(await got((lengths(len(PICTURE)) + PICTURE, Link.HANG)))
    assert 0.9 < time.monotonic() - started < 3


async def test_a_reset_behind_the_announced_length() -> None:
    """It harms nothing: everything had come."""
    assert whole(await got((lengths(len(PICTURE)) + PICTURE, Link.RESET)))


@pytest.mark.parametrize("opening", [head(), lengths(9999), CHUNKED + b"999\r\n", b""])
@pytest.mark.parametrize(("end", "cut"), [(Link.RESET, LOST), (Link.HANG, SILENT)])
async def test_cut_off(opening: bytes, end: Link, cut: str) -> None:
    """A reset, or a silence within a body that has begun, is told after all that came."""
    answer = await got((opening + PICTURE, end), idle=0.2)
    assert (answer.body, answer.cut) == (PICTURE, cut)


@pytest.mark.parametrize("opening", [head(), lengths(9), CHUNKED])
@pytest.mark.parametrize(("end", "cut"), [(Link.CLOSE, CLOSED), (Link.RESET, LOST)])
async def test_no_body(opening: bytes, end: Link, cut: str) -> None:
    """A head and nothing behind it; only without any announcement a close is an end."""
    answer = await got((opening, end))
    unannounced = end is Link.CLOSE and opening != lengths(9)
    assert (answer.body, answer.cut) == (b"", "" if unannounced else cut)


async def test_a_body_may_take_its_time_to_begin() -> None:
    """A head at once and the picture when it is taken (Bosch: 6 to 10 s) is no silence."""
    begin = asyncio.Event()
    async with (
        scripted((head(), begin, PICTURE, Link.CLOSE)) as camera,
        by_hand(idle=0.1)(question(camera.address)) as answer,
    ):
        first = asyncio.ensure_future(anext(answer.chunks))
        assert not (await asyncio.wait([first], timeout=0.4))[0]
        begin.set()
        assert await first == PICTURE


FIRST, SECOND = PICTURE[:HALF], PICTURE[HALF:]
SIZE, REST = b"%x" % HALF, b"%X" % len(SECOND)
IN_CHUNKS = {
    "as it should be": chunks(FIRST, SECOND),
    "trailers": chunks(FIRST, SECOND, end=b"0\r\nX: y\r\n\r\n"),
    "no last chunk": chunks(FIRST, SECOND, end=b""),
    "no end of the last chunk": chunks(FIRST, SECOND)[:-2],
    "LF only": SIZE + b"\n" + FIRST + b"\n" + REST + b"\n" + SECOND + b"\n0\n\n",
    "extensions": SIZE + b";a=b\r\n" + FIRST + b"\r\n" + REST + b" ;c\r\n" + SECOND + b"\r\n0\r\n",
    "blanks": b" " + SIZE + b" \r\n" + FIRST + b"\r\n\t" + REST + b"\t\r\n" + SECOND + b"\r\n",
    "zeros": b"0000" + SIZE + b"\r\n" + FIRST + b"\r\n" + REST + b"\r\n" + SECOND + b"\r\n000\r\n",
    "blank lines": b"\r\n\r\n" + SIZE + b"\r\n" + FIRST + b"\n\r\n\n" + REST + b"\n" + SECOND,
    "nothing between": SIZE + b"\r\n" + FIRST + REST + b"\r\n" + SECOND + b"0\r\n\r\n",
    "single bytes": chunks(*(bytes([byte]) for byte in PICTURE)),
    "in truth no chunks": PICTURE,
}


@pytest.mark.parametrize("body", IN_CHUNKS.values(), ids=IN_CHUNKS)
@pytest.mark.parametrize("more", [(), ("Content-Length: 7",)])
async def test_chunks(body: bytes, more: tuple[str, ...]) -> None:
    """Chunks are put together, whatever a length beside them says."""
    opening = head(*more, "transfer-encoding: gzip, Chunked")
    assert whole(await got((opening + body, Link.CLOSE)))


@pytest.mark.parametrize("body", IN_CHUNKS.values(), ids=IN_CHUNKS)
async def test_chunks_byte_by_byte(body: bytes) -> None:
    """Where the network cuts changes nothing."""
    assert whole(await got((CHUNKED, *dripped(body), Link.CLOSE)))


async def test_the_last_chunk_ends_the_body() -> None:
    """Nothing is awaited behind it."""
    assert whole(await got((CHUNKED + chunks(PICTURE), Link.HANG)))


@pytest.mark.parametrize(
    ("broken", "cut"),
    [
        (b"xyz\r\n", "a chunk without a size"),
        (b"-5\r\nabc", "a chunk without a size"),
        (b"12345678901234567\r\n", "a chunk without a size"),
        (b";" * 2000, "a chunk without a size"),
        (b"5", CLOSED),
        (b"5\r\nabc", CLOSED),
    ],
)
async def test_broken_chunks(broken: bytes, cut: str) -> None:
    """What came before is given, with as much of the chunk as there is."""
    answer = await got((CHUNKED + chunks(PICTURE, end=b"") + broken, Link.CLOSE))
    assert (answer.body.removesuffix(b"abc"), answer.cut) == (PICTURE, cut)


@pytest.mark.parametrize("start", [b"5", b"\r\n", b"12;a=b"])
@pytest.mark.parametrize(
    ("end", "cut"), [(Link.CLOSE, CLOSED), (Link.RESET, LOST), (Link.HANG, SILENT)]
)
async def test_ended_within_the_first_size(start: bytes, end: Link, cut: str) -> None:
    """There is no body then, and no waiting either; blank lines before a close are nothing."""
    answer = await got((CHUNKED + start, end), idle=0.2)
    nothing = start == b"\r\n" and end is Link.CLOSE
    assert (answer.body, answer.cut) == (b"", "" if nothing else cut)


@pytest.mark.parametrize("length", [1, 1023, 1024, 5000])
async def test_what_never_becomes_a_size(length: int) -> None:
    """Blank lines and digits without an end are a body without chunks, once they are too many."""
    data = b"\n" * length + PICTURE
    assert (await got((CHUNKED + data, Link.CLOSE))).body == data


async def test_tiny_chunks_without_end() -> None:
    """A megabyte of sizes around single bytes is enough."""
    tiny: Answer = (CHUNKED, b"1\r\nx\r\n" * 300_000, Link.HANG)
    started = time.process_time()
    answer = await got(tiny)
    assert answer.cut == "chunks too small to be a picture's"
    assert set(answer.body) == set(b"x")
    assert time.process_time() - started < 3


async def test_what_came_is_given_before_the_error() -> None:
    """Piece by piece: nothing waits for the end."""
    async with (
        scripted((CHUNKED, b"3\r\nabc\r\n", Link.HANG)) as camera,
        by_hand(idle=0.2)(question(camera.address)) as answer,
    ):
        assert await anext(answer.chunks) == b"abc"
        with pytest.raises(CutOffError, match=SILENT):
            await anext(answer.chunks)
