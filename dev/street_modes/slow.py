"""Cameras that take their time, for ever if need be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dev.street_mode import Door, Mode, broken, leave, ok, says
from dev.street_wire import JPEG, End, half, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk


def _half_announced(jpeg: bytes) -> bytes:
    return reply(half(jpeg), more=len(jpeg) - len(half(jpeg)))


async def _drip_head(talk: Talk) -> None:
    await talk.drip(reply(talk.picture()))


async def _drip_body(talk: Talk) -> None:
    picture = talk.picture()
    await talk.send(head(JPEG, f"Content-Length: {len(picture)}"))
    await talk.drip(picture)


async def _slow(talk: Talk) -> None:
    await asyncio.sleep(3.0)
    await ok(talk)


async def _half_open(talk: Talk) -> None:
    await talk.send(_half_announced(talk.picture()))
    await talk.freeze()


MODES = (
    Mode(
        "hang_accept", "takes the request, never answers", "any hung firmware", says(b"", End.HANG)
    ),
    Mode(
        "hang_hdr", "a head, then silence", "aiohttp#11740", says(reply(b"", more=30000), End.HANG)
    ),
    Mode(
        "hang_mid",
        "half a picture, then silence",
        "links that die",
        broken(_half_announced, End.HANG),
    ),
    Mode("drip_hdr", "the head at a byte each 0.2 s", "any hung firmware", _drip_head),
    Mode("drip_body", "a head, then the picture at a byte each 0.2 s", "GPRS modems", _drip_body),
    Mode("slow_3s", "a picture, after 3 s", "Yi 3 s, Dahua 6 MP, scrypted#28", _slow),
    Mode(
        "blackhole",
        "no connection is ever made",
        "cameras behind a dropped route",
        leave,
        door=Door.STUCK,
    ),
    Mode(
        "refused",
        "connections are refused",
        "cameras whose web server is off",
        leave,
        door=Door.SHUT,
    ),
    Mode(
        "halfopen",
        "half a picture; then neither reads, writes nor closes, whatever the client does",
        "power loss behind a switch",
        _half_open,
    ),
)
