"""Fuzz targets: what a camera sends down a connection, for the reader and for the collector."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from multidict import CIMultiDict, CIMultiDictProxy

from cctv.drivers import byhand_body, byhand_head, collect
from cctv.drivers.answer import Answer, CutOffError
from cctv.drivers.byhand_wire import Wire
from cctv.drivers.purse import Purse
from cctv.errors import CaptureError
from cctv.jpeg import Extent, OversizeError
from cctv.reasons import Reason
from tests.fuzz.pictures import pieces, verdict
from tests.fuzz.refusals import check_refusal
from tests.virtual import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IDLE, PATIENCE = 5.0, 100.0
_STATUSES = range(200, 1000)


class End(Enum):
    """What comes behind the last byte."""

    CLOSE = auto()
    BREAK = auto()
    SILENCE = auto()


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of an answer: either a head and a body, or why there is none."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut: str = ""
    refused: str = ""

    def says(self, *names: str) -> bool:
        """Whether it has one of these headers."""
        return any(name.title() in names for name, _ in self.headers)


class Line(asyncio.Transport):
    """The near end of a connection; knows only whether it may be read on."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()

    def pause_reading(self) -> None:
        """Nothing more for now."""
        self.free.clear()

    def resume_reading(self) -> None:
        """More, please."""
        self.free.set()


def check_byhand(data: bytes) -> None:
    """However an answer comes, the reader makes the same of it, and nothing it could not know."""
    run(lambda: _check_byhand(data))


async def _check_byhand(data: bytes) -> None:
    for end in End:
        whole = await _heard([data] if data else [], end)
        assert await _heard(pieces(data), end) == whole, end
        _check_heard(data, whole, end)


async def _heard(parts: list[bytes], end: End) -> Heard:
    line = Line()
    wire = Wire()
    wire.connection_made(line)
    camera = asyncio.create_task(_send(wire, line, parts, end), name="camera")
    try:
        async with asyncio.timeout(PATIENCE):
            return await _answer(wire)
    except TimeoutError:
        assert end is End.SILENCE
        return Heard(refused="nothing more came")
    except CaptureError as error:
        check_refusal(error, Reason.TORN, Reason.PROTOCOL)
        return Heard(refused=f"{error.reason} {error}")
    finally:
        camera.cancel()
        await asyncio.wait([camera])


async def _send(wire: Wire, line: Line, parts: list[bytes], end: End) -> None:
    for part in parts:
        await line.free.wait()
        wire.data_received(part)
        await asyncio.sleep(0)
    if end is not End.SILENCE:
        wire.connection_lost(ConnectionResetError() if end is End.BREAK else None)


async def _answer(wire: Wire) -> Heard:
    head = await byhand_head.read(wire)
    body, cut = bytearray(), ""
    try:
        async for part in byhand_body.read(wire, head.headers, IDLE):
            assert part
            body += part
    except CutOffError as error:
        cut = str(error)
    return Heard(head.status, tuple(head.headers.items()), bytes(body), cut)


def _check_heard(data: bytes, heard: Heard, end: End) -> None:
    if heard.refused:
        return
    assert heard.status in _STATUSES
    for name, value in heard.headers:
        assert set("\r\n\0:").isdisjoint(name)
        assert set("\r\n\0").isdisjoint(value)
    if not heard.says("Transfer-Encoding"):
        # a length is but a hint: not one byte is lost, nor made up
        assert data.endswith(heard.body)
    assert len(heard.body) <= len(data)
    # only an end that was announced may be a silence
    assert end is not End.SILENCE or heard.cut or heard.says("Transfer-Encoding", "Content-Length")


def check_collect(data: bytes) -> None:
    """The bytes up to the end of the first whole picture, and not one is asked for behind it."""
    run(lambda: _check_collect(data))


async def _check_collect(data: bytes) -> None:
    for end in End:
        # for the first byte the caller's own deadline counts
        if data or end is not End.SILENCE:
            await _collect(data, end)


async def _collect(data: bytes, end: End) -> None:
    tap, purse = _Tap(pieces(data), end), Purse()
    answer = Answer(200, CIMultiDictProxy(CIMultiDict()), tap.chunks())
    with purse.loan() as loan:
        try:
            body: bytes | Reason = await collect.picture(answer, loan, IDLE)
        except CaptureError as error:
            body = error.reason
        assert loan.held == tap.drawn
    assert purse.lent == 0
    _check_body(data, end, body, tap)


@dataclass(slots=True)
class _Tap:
    """A body that counts what was drawn of it."""

    parts: list[bytes]
    end: End
    drawn: int = 0
    last: int = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.drawn, self.last = self.drawn + len(part), len(part)
            yield part
        if self.end is End.BREAK:
            raise CutOffError("connection lost")
        if self.end is End.SILENCE:
            await asyncio.sleep(PATIENCE)


def _check_body(data: bytes, end: End, body: bytes | Reason, tap: _Tap) -> None:
    found = verdict(data)
    if isinstance(found, Extent):
        assert body == data[: found.end]
        assert tap.drawn - tap.last < found.end <= tap.drawn
    elif found is not None:
        assert body == (Reason.TOO_BIG if found[0] is OversizeError else data[: tap.drawn])
    elif end is End.SILENCE:
        assert body is Reason.TIMEOUT
    elif data:
        assert body == data
    else:
        assert body == (Reason.TORN if end is End.BREAK else b"")
