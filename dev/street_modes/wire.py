"""HTTP that is not quite HTTP; the pictures in it are whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dev.street_mode import UNSEEN, Mode, Play, leave, whole
from dev.street_wire import JPEG, End, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

SSH = b"SSH-2.0-dropbear_2012.55\r\n"
_OEM = "cheap OEM web servers"


def _under(
    *headers: str, status: str = "200 OK", version: str = "HTTP/1.1", line: str = "\r\n"
) -> Play:
    """A picture under a head like this; {} is its length."""

    def make(jpeg: bytes) -> bytes:
        lines = (header.format(len(jpeg)) for header in headers)
        return head(*lines, status=status, version=version, line=line) + jpeg

    return whole(make)


def _behind(before: bytes) -> Play:
    """A right answer behind these bytes."""
    return whole(lambda jpeg: before + reply(jpeg))


async def _banner(talk: Talk) -> None:
    await talk.send(SSH)


async def _garbage(talk: Talk) -> None:
    await talk.send(b"\x80" + os.urandom(999))
    await talk.end(End.CLOSE)


LENGTH = "Content-Length: {}"
MODES = (
    Mode(
        "http09",
        "a bare picture, no head at all, then a close",
        UNSEEN,
        whole(bytes, End.CLOSE),
    ),
    Mode("icy", "ICY 200 OK", UNSEEN, _under(JPEG, LENGTH, version="ICY")),
    Mode(
        "bad_header",
        "a header line without a colon",
        "GoAhead, home-assistant/core#14960",
        _under("Sat Jan 01 00:00:00 2000", JPEG, LENGTH),
    ),
    Mode(
        "space_header",
        "a blank before the colons",
        _OEM,
        _under("Content-Type : image/jpeg", "Content-Length : {}"),
    ),
    Mode("lf_only", "lines that end with LF", "GoAhead", _under(JPEG, LENGTH, line="\n")),
    Mode("no_reason", "a status without words", UNSEEN, _under(JPEG, LENGTH, status="200")),
    Mode(
        "nonascii_header",
        "a header with Latin-1 letters",
        UNSEEN,
        _under("Server: Kamera-Gerät", JPEG, LENGTH),
    ),
    Mode(
        "folded_header",
        "a header that goes on in the next line",
        UNSEEN,
        _under("X-Note: one\r\n  two", JPEG, LENGTH),
    ),
    Mode("lower_http", "http/1.1 in lower case", UNSEEN, _under(JPEG, LENGTH, version="http/1.1")),
    Mode("junk_before_status", "two empty lines before the status", UNSEEN, _behind(b"\r\n\r\n")),
    Mode("garbage", "1,000 random bytes, then a close", UNSEEN, _garbage),
    Mode(
        "ssh_banner",
        "an SSH banner as soon as one connects",
        UNSEEN,
        leave,
        meets=_banner,
    ),
    Mode(
        "status_999",
        "a picture with status 999",
        UNSEEN,
        _under(JPEG, LENGTH, status="999 Odd"),
    ),
    Mode(
        "continue_100",
        "100 Continue, then a picture",
        UNSEEN,
        _behind(head(status="100 Continue")),
    ),
    Mode(
        "early_hints",
        "103 Early Hints, then a picture",
        UNSEEN,
        _behind(head("Link: </style.css>; rel=preload", status="103 Early Hints")),
    ),
)
