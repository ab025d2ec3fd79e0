"""Streams where a still picture was asked for; all are endless, with ten pictures a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from dev.street_damage import without_tables
from dev.street_mode import UNSEEN, Mode, Play
from dev.street_wire import JPEG, half, head

if TYPE_CHECKING:
    from dev.street_talk import Talk

PACE = 0.1
Wrap = Callable[[bytes], bytes]


def _multipart(boundary: str) -> str:
    return f"Content-Type: multipart/x-mixed-replace; boundary={boundary}"


def _part(mark: str, *, sized: bool = True) -> Wrap:
    """Wraps a picture as a part behind this mark."""

    def wrap(jpeg: bytes) -> bytes:
        length = [f"Content-Length: {len(jpeg)}"] * sized
        lines = "\r\n".join((mark, JPEG, *length, "", ""))
        return lines.encode() + jpeg + b"\r\n"

    return wrap


def _stream(
    opening: str,
    wrap: Wrap,
    change: Wrap = bytes,
    *,
    torn: bool = False,
) -> Play:
    """Sends pictures, changed so and wrapped so, until the client leaves."""

    async def play(talk: Talk) -> None:
        await talk.send(head(opening))
        if torn:
            await talk.send(wrap(half(talk.picture())))
        first = change(talk.picture())
        talk.served(first)
        await talk.send(wrap(first))
        while True:
            await asyncio.sleep(PACE)
            await talk.send(wrap(change(talk.picture())))

    return play


MODES = (
    Mode(
        "mjpeg",
        "multipart parts with lengths",
        "Axis and most others at a stream's path",
        _stream(_multipart("frame"), _part("--frame")),
    ),
    Mode(
        "mjpeg_nolen",
        "multipart parts without lengths",
        "Sony SNC server push",
        _stream(_multipart("--myboundary"), _part("--myboundary", sized=False)),
    ),
    Mode(
        "mjpeg_wrong_boundary",
        "multipart parts behind another boundary than announced",
        "AlexxIT/go2rtc, mpjpeg reader",
        _stream(_multipart("frame"), _part("--ipcamera")),
    ),
    Mode(
        "mjpeg_double_dash",
        "multipart parts whose boundary has its dashes announced already",
        "Foscam G2, AlexxIT/go2rtc#1258",
        _stream(_multipart("--frame"), _part("--frame")),
    ),
    Mode(
        "mjpeg_first_torn",
        "multipart, half a picture in the first part, whole ones in the others",
        UNSEEN,
        _stream(_multipart("frame"), _part("--frame"), torn=True),
    ),
    Mode(
        "mjpeg_raw",
        "bare pictures one behind the other, as image/jpeg",
        UNSEEN,
        _stream(JPEG, bytes),
    ),
    Mode(
        "mjpeg_avi1",
        "multipart, pictures without Huffman tables",
        "USB cameras, AlexxIT/go2rtc",
        _stream(_multipart("frame"), _part("--frame"), without_tables),
    ),
)
