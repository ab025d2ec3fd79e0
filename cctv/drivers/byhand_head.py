"""The head of an answer, as cameras write it: the status and headers, with much forgiven."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multidict import CIMultiDict, CIMultiDictProxy

from cctv.drivers.wall import tls_words
from cctv.errors import CaptureError
from cctv.jpeg import SOI
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cctv.drivers.byhand_wire import Wire

_LONGEST = 65_536
_MOST_LINES = 256
_OPENINGS = (b"http/1.", b"icy ", SOI)
_STATUS_LINE = re.compile(rb"(?:http/1\.[0-9]|icy)[ \t]+([1-9][0-9]{2})(?:[ \t].*)?", re.IGNORECASE)
_BLANK = " \t"
_OK = 200
_FINAL = 200


@dataclass(frozen=True, slots=True)
class Head:
    """An answer's status and headers; duplicates are kept, in their order."""

    status: int
    headers: CIMultiDictProxy[str]


async def read(wire: Wire) -> Head:
    """The head of the one answer on `wire`, which then gives the body's bytes.

    A picture that comes without any head is HTTP/0.9. Provisional answers (1xx) are passed over.

    Raises:
        CaptureError: `torn` when the connection ends first, `tls` when TLS does, `protocol`
            when this is not HTTP or more than a head.
    """
    lines = _Lines(wire)
    if await _opening(lines) == SOI:
        head = _head(_OK, [])
    else:
        head = await _one(lines)
        while head.status < _FINAL:
            head = await _one(lines)
    wire.put_back(bytes(lines.held))
    return head


@dataclass(slots=True)
class _Lines:
    """What came of heads: taken line by line, and never searched twice."""

    wire: Wire
    held: bytearray = field(default_factory=bytearray)
    _searched: int = 0
    _taken: int = 0

    async def next(self) -> bytes:
        """The next line, without its end."""
        while (end := self.held.find(b"\n", self._searched)) < 0:
            self._searched = len(self.held)
            await self.more()
        line = bytes(self.held[:end])
        self.drop(end + 1)
        return line.rstrip(b"\r")

    async def more(self) -> None:
        """Wait until more is held."""
        if self._taken + len(self.held) >= _LONGEST:
            raise _too_long()
        try:
            data = await self.wire.more()
        except ssl.SSLError as error:
            raise CaptureError(Reason.TLS, tls_words(error)) from None
        except OSError:
            data = b""
        if not data:
            raise CaptureError(Reason.TORN, "closed the connection before any picture")
        self.held += data

    def drop(self, count: int) -> None:
        """Be done with the first `count` bytes."""
        del self.held[:count]
        self._searched = 0
        self._taken += count
        if self._taken > _LONGEST:
            raise _too_long()


async def _opening(lines: _Lines) -> bytes:
    """What the answer begins with, behind blank lines: one of the known ways."""
    while True:
        lines.drop(len(lines.held) - len(lines.held.lstrip(b"\r\n")))
        start = bytes(lines.held[: max(map(len, _OPENINGS))])
        # the picture's mark is no letters, so that lowering leaves it
        for opening in _OPENINGS:
            if start.lower().startswith(opening):
                return opening
        if not any(opening.startswith(start.lower()) for opening in _OPENINGS):
            raise _not_http()
        await lines.more()


async def _one(lines: _Lines) -> Head:
    """One answer's head, up to its blank line."""
    line = b""
    while not line:
        line = await lines.next()
    status = _STATUS_LINE.fullmatch(line)
    if status is None:
        raise _not_http()
    rest = []
    while line := await lines.next():
        # neither may stand in a header, and a blank takes its place (RFC 9110, section 5.5)
        rest.append(line.decode("utf-8", "surrogateescape").replace("\r", " ").replace("\0", " "))
        if len(rest) > _MOST_LINES:
            raise CaptureError(Reason.PROTOCOL, f"sent more than {_MOST_LINES} header lines")
    return _head(int(status[1]), rest)


def _head(status: int, lines: Iterable[str]) -> Head:
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[0] in _BLANK:
            # the last header goes on; behind none there is nothing to go on with
            pairs[-1:] = [(last, f"{begun} {line.strip(_BLANK)}") for last, begun in pairs[-1:]]
        elif colon:
            pairs.append((name.rstrip(_BLANK), value.strip(_BLANK)))
    return Head(status, CIMultiDictProxy(CIMultiDict(pairs)))


def _too_long() -> CaptureError:
    return CaptureError(Reason.PROTOCOL, f"sent more than {_LONGEST:,} bytes of headers")


def _not_http() -> CaptureError:
    return CaptureError(Reason.PROTOCOL, "answered something that is not HTTP")
