"""The body of an answer, as cameras send it: until the close, by a wrong length, in chunks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cctv.drivers.answer import CutOffError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from multidict import CIMultiDictProxy

    from cctv.drivers.byhand_wire import Wire

# how long more is awaited behind the announced length, which may have been too short
_LINGER = 1.0
_LENGTH = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(rb"[\r\n]*[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_SIZE_BEGUN = re.compile(rb"[\r\n]*[ \t]*[0-9A-Fa-f]{0,16}[ \t]*(?:;[^\n]*)?\r?")
_LONGEST_SIZE = 1024
# a picture in chunks of one byte would keep the whole program busy
_MOST_FRAMING = 1_000_000


class Body(Protocol):
    """Makes a body of the bytes behind a head."""

    @property
    def whole(self) -> bool:
        """Whether as much came as was announced; more may follow."""

    @property
    def may_end(self) -> bool:
        """Whether a close here is no accident."""

    @property
    def ended(self) -> bool:
        """Whether nothing can follow."""

    @property
    def fault(self) -> str:
        """What makes the bytes behind those already taken senseless; empty as a rule."""

    def take(self, data: bytes) -> bytes:
        """What `data` adds to the body."""


async def read(
    wire: Wire, headers: CIMultiDictProxy[str], idle: float
) -> AsyncGenerator[bytes, None]:
    """The body's bytes as they come; a silence of `idle` seconds cuts off one that has begun.

    Raises:
        CutOffError: it did not arrive as announced; all that came is given before.
    """
    body, begun = await _announced(wire, headers, idle), False
    while not body.ended:
        data = await _next(wire, body, idle if begun else None)
        if not data:
            return
        begun = True
        if part := body.take(data):
            yield part
        if body.fault:
            raise CutOffError(body.fault)


async def _announced(wire: Wire, headers: CIMultiDictProxy[str], idle: float) -> Body:
    """The body the headers speak of; chunks only where the first bytes may be a chunk's size."""
    codings = ",".join(headers.getall("Transfer-Encoding", [])).lower()
    if "chunked" not in codings:
        return _Plain(_length(headers))
    body, held = _Chunked(), b""
    while _undecided(held) and (data := await _next(wire, body, idle if held else None)):
        held += data
    wire.put_back(held)
    return body if _SIZE.match(held) or _undecided(held) else _Plain(_length(headers))


def _undecided(held: bytes | bytearray) -> bool:
    """Whether this may become a chunk's size."""
    return len(held) < _LONGEST_SIZE and _SIZE_BEGUN.fullmatch(held) is not None


def _length(headers: CIMultiDictProxy[str]) -> int | None:
    values = ",".join(headers.getall("Content-Length", [])).split(",")
    numbers = (value.strip() for value in values)
    return next((int(number) for number in numbers if _LENGTH.fullmatch(number)), None)


async def _next(wire: Wire, body: Body, patience: float | None) -> bytes:
    """The next bytes; none where the body ended."""
    try:
        data = await wire.more(_LINGER if body.whole else patience)
    except OSError as error:
        if body.whole:
            return b""
        silent = isinstance(error, TimeoutError)
        raise CutOffError("fell silent" if silent else "connection lost") from None
    if not data and not body.may_end:
        raise CutOffError("closed before its end")
    return data


@dataclass(slots=True)
class _Plain:
    """Bytes as they are. Their announced length is a hint: Dahua's is up to 48 bytes wrong."""

    length: int | None
    ended: bool = False
    fault: str = ""
    _count: int = 0

    @property
    def whole(self) -> bool:
        return self.length is not None and self._count >= self.length

    @property
    def may_end(self) -> bool:
        return self.length is None or self.whole

    def take(self, data: bytes) -> bytes:
        self._count += len(data)
        return data


@dataclass(slots=True)
class _Chunked:
    """Chunks, each behind a line with its size."""

    whole: bool = False
    ended: bool = False
    fault: str = ""
    _held: bytearray = field(default_factory=bytearray)
    _left: int = 0
    _framing: int = 0

    @property
    def may_end(self) -> bool:
        # without a last chunk: Uniview's refusals come so
        return not self._left and not self._held.strip(b"\r\n")

    def take(self, data: bytes) -> bytes:
        self._held += data
        parts = []
        while self._held and (self._left or self._open_chunk()):
            part = self._held[: self._left]
            del self._held[: self._left]
            self._left -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _open_chunk(self) -> bool:
        """Step over the next chunk's size; False when there is none, or none yet."""
        size = _SIZE.match(self._held)
        if size is None:
            self.fault = "" if _undecided(self._held) else "a chunk without a size"
            return False
        self._left, self._framing = int(size[1], 16), self._framing + size.end()
        del self._held[: size.end()]
        self.ended = not self._left
        if self._framing > _MOST_FRAMING:
            self.fault, self._left = "chunks too small to be a picture's", 0
        return self._left > 0
