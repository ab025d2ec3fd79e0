"""Cameras that are well, each in its way."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dev.street_mode import Mode, Play, ok, whole
from dev.street_wire import JPEG, End, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk


def _http10(jpeg: bytes) -> bytes:
    return head(JPEG, version="HTTP/1.0") + jpeg


def _kept_alive(jpeg: bytes) -> bytes:
    return reply(jpeg, JPEG, "Connection: keep-alive", "Keep-Alive: timeout=60")


async def _slow(talk: Talk) -> None:
    await asyncio.sleep(1.0)
    await ok(talk)


def cached(seconds: float) -> Play:
    """Answers one picture for so long, then takes another."""

    async def play(talk: Talk) -> None:
        spell, now = talk.camera.spell, time.monotonic()
        if not spell.picture or now - spell.taken >= seconds:
            spell.picture, spell.taken = talk.picture(), now
        talk.served(spell.picture)
        await talk.send(reply(spell.picture))

    return play


MODES = (
    Mode("ok", "a new picture at every request", "every good camera", ok),
    Mode(
        "ok_http10",
        "HTTP/1.0 without a length; the close ends the picture",
        "Vivotek VS8102, Sony SNC",
        whole(_http10, End.CLOSE),
    ),
    Mode(
        "ok_keepalive",
        "a picture, and says that the connection may be used again",
        "Axis, Hikvision",
        whole(_kept_alive),
    ),
    Mode("ok_slow", "a picture, its first byte after 1 s", "Dahua 6 MP, scrypted#1295", _slow),
    Mode(
        "ok_2frames_per_s",
        "a picture that changes twice a second only",
        "any encoder set to 2 frames per second",
        cached(0.5),
    ),
)
