"""Answers that cost the reader more than they cost the camera."""

from __future__ import annotations

import asyncio
import gzip
from functools import cache
from typing import TYPE_CHECKING

from dev.street_jpegs import claimed, flat, many_scans, many_segments
from dev.street_mode import UNSEEN, Mode, broken, whole
from dev.street_wire import JPEG, SOI, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

SIDE = 12000
HUGE = 100_000_000
SEGMENTS = 1_500_000
HEADERS = 10_000
LINE = 1_000_000
_BLOCK = 65536
# more than the longest connection can take
_ENDLESS = 10**12
_HOSTILE = "a hostile device at a camera's address"
_GZIP = (JPEG, "Content-Encoding: gzip")


async def _endless_zeros(talk: Talk) -> None:
    await talk.send(head(JPEG) + SOI)
    await talk.flood(bytes(_BLOCK), _ENDLESS)


async def _endless_ff(talk: Talk) -> None:
    await talk.send(head(JPEG) + SOI)
    await talk.flood(b"\xff" * _BLOCK, _ENDLESS)


async def _endless_header(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n")
    await talk.flood(b"X-Padding: again\r\n" * 1000, _ENDLESS)


async def _huge(talk: Talk) -> None:
    picture = talk.picture()
    talk.served(picture)
    await talk.send(reply(picture, more=HUGE - len(picture)))
    times, rest = divmod(HUGE - len(picture), _BLOCK)
    await talk.flood(bytes(_BLOCK), times)
    await talk.send(bytes(rest))


@cache
def _inflating() -> bytes:
    return gzip.compress(bytes(HUGE))


async def _gzip_bomb(talk: Talk) -> None:
    bomb = await asyncio.to_thread(_inflating)  # its making takes half a second
    await talk.send(reply(bomb, *_GZIP))


def _many_headers(jpeg: bytes) -> bytes:
    return reply(jpeg, JPEG, *(f"X-Header-{number}: x" for number in range(HEADERS)))


MODES = (
    Mode(
        "endless_zeros", "the start of a picture, then zeros without end", _HOSTILE, _endless_zeros
    ),
    Mode("endless_ff", "the start of a picture, then FF bytes without end", _HOSTILE, _endless_ff),
    Mode("endless_header", "header lines without end", _HOSTILE, _endless_header),
    Mode("huge", "a picture and zeros behind it, 100 MB, honestly announced", _HOSTILE, _huge),
    Mode(
        "huge_header_line",
        "a picture under a header line of 1 MB",
        _HOSTILE,
        whole(lambda jpeg: reply(jpeg, JPEG, "X-Long: " + "x" * LINE)),
    ),
    Mode("many_headers", "a picture under 10,000 headers", _HOSTILE, whole(_many_headers)),
    Mode(
        "gzip_bomb",
        "100 KB of gzip that inflate to 100 MB",
        _HOSTILE,
        _gzip_bomb,
    ),
    Mode(
        "gzip_ok",
        "a picture, gzipped though nobody asked for it",
        UNSEEN,
        whole(lambda jpeg: reply(gzip.compress(jpeg), *_GZIP)),
    ),
    Mode(
        "bomb_px",
        "a whole JPEG of 12,000 by 12,000 pixels in 560 KB",
        _HOSTILE,
        broken(lambda _: reply(flat(SIDE, SIDE))),
    ),
    Mode(
        "bomb_px_claimed",
        "a JPEG of 1 KB that says it has 12,000 by 12,000 pixels",
        "Pillow takes 510 MB for it",
        broken(lambda _: reply(claimed(SIDE, SIDE))),
    ),
    Mode(
        "bomb_scans",
        "a whole progressive JPEG in 2,647 scans",
        "libjpeg-turbo, djpeg -maxscans",
        broken(lambda _: reply(many_scans(1440, 960))),
    ),
    Mode(
        "bomb_segments",
        "a whole picture with 1,500,000 empty segments",
        _HOSTILE,
        broken(lambda jpeg: reply(many_segments(jpeg, SEGMENTS))),
    ),
)
