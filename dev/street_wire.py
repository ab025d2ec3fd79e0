"""What goes over the wire: the bytes of heads and answers, and the ways in which they end."""

from __future__ import annotations

from enum import Enum, auto

JPEG = "Content-Type: image/jpeg"
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


class End(Enum):
    """What becomes of a connection after an answer."""

    KEEP = auto()
    """it waits for the next request, unless the client wants it closed"""
    CLOSE = auto()
    """it ends politely"""
    RESET = auto()
    """it ends with RST"""
    HANG = auto()
    """nothing more comes, until the client leaves"""


def head(
    *headers: str, status: str = "200 OK", version: str = "HTTP/1.1", line: str = "\r\n"
) -> bytes:
    """The head of an answer with just these headers."""
    return "".join(f"{text}{line}" for text in (f"{version} {status}", *headers, "")).encode(
        "latin-1"
    )


def reply(body: bytes, *headers: str, status: str = "200 OK", more: int = 0) -> bytes:
    """A whole answer, a JPEG unless `headers` say otherwise; it announces `more` than it has."""
    return head(*(headers or (JPEG,)), f"Content-Length: {len(body) + more}", status=status) + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; the empty one is its end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def half(data: bytes) -> bytes:
    """Its first half."""
    return data[: len(data) // 2]
