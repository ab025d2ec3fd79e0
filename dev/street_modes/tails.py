"""Bytes before and behind a whole picture, and segments within it that are none of ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dev.street_damage import padded, with_segment, without_tables
from dev.street_exif import exif
from dev.street_mode import UNSEEN, Mode, Play, whole
from dev.street_wire import reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.street_talk import Talk

MEGABYTE = 1_000_000
_APP1, _APP4, _COMMENT = 0xE1, 0xE4, 0xFE
_DAHUA = "Dahua doorbell, rroller/dahua#658"


def _around(before: bytes = b"", behind: bytes = b"") -> Play:
    return whole(lambda jpeg: reply(before + jpeg + behind))


def _changed(change: Callable[[bytes], bytes]) -> Play:
    """A whole picture that was changed so."""

    async def play(talk: Talk) -> None:
        picture = change(talk.picture())
        talk.served(picture)
        await talk.send(reply(picture))

    return play


async def _two(talk: Talk) -> None:
    first = talk.picture()
    talk.served(first)
    await talk.send(reply(first + talk.picture()))


def _with_exif(jpeg: bytes) -> bytes:
    told = with_segment(jpeg, _COMMENT, b"made by the street")
    return with_segment(told, _APP1, exif(datetime.now(UTC).strftime("%Y:%m:%d %H:%M:%S")))


def _with_junk(jpeg: bytes) -> bytes:
    return with_segment(jpeg, _APP4, b"\xff\xd9\xff\xd8\xff" * 1000)


MODES = (
    Mode(
        "trail_dhav",
        "`dhav` and 4 bytes behind the picture",
        _DAHUA,
        _around(behind=b"dhav\x90\x52\0\0"),
    ),
    Mode(
        "trail_1mb",
        "1 MB of junk behind the picture",
        UNSEEN,
        _around(behind=b"\xa5" * MEGABYTE),
    ),
    Mode(
        "trail_nul",
        "512 zero bytes behind the picture",
        UNSEEN,
        _around(behind=bytes(512)),
    ),
    Mode("lead_crlf", "an empty line before the picture", UNSEEN, _around(b"\r\n")),
    Mode("lead_nul", "two zero bytes before the picture", "motionEye#1437", _around(bytes(2))),
    Mode("two_pictures", "two whole pictures in one body; the first counts", UNSEEN, _two),
    Mode(
        "extraneous",
        "8 zero bytes before the end mark",
        "Motion, JWRN_EXTRANEOUS_DATA",
        _changed(padded),
    ),
    Mode(
        "no_dht",
        "a picture without Huffman tables",
        "AVI1 frames, AlexxIT/go2rtc",
        _changed(without_tables),
    ),
    Mode(
        "exif",
        "a serial number, a place, a thumbnail and a comment in the picture",
        "Mobotix, Axis",
        _changed(_with_exif),
    ),
    Mode(
        "app_junk",
        "a segment full of end marks in the picture",
        UNSEEN,
        _changed(_with_junk),
    ),
)
