"""What a whole device does: recorders, other makes than the inventory says, their headers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from dev.dummy_models import MODELS
from dev.street_mode import Mode, Play, ok, whole
from dev.street_modes.types import BUSY, HTML, PAGE
from dev.street_wire import JPEG, End, reply

if TYPE_CHECKING:
    from dev.dummy_models import Model
    from dev.street_talk import Talk

CAPTURE = 0.1
"""Seconds that a recorder needs for a picture."""
NOT_FOUND = reply(b"Not Found\n", "Content-Type: text/plain", status="404 Not Found")


async def _recorder(talk: Talk) -> None:
    if talk.device.capturing:
        await talk.send(BUSY)
        await talk.end(End.CLOSE)
    talk.device.capturing += 1
    try:
        await asyncio.sleep(CAPTURE)
    finally:
        talk.device.capturing -= 1
    await ok(talk)


def _only(model: Model, otherwise: bytes) -> Play:
    """A picture at this make's own path, at every other one `otherwise`."""

    async def play(talk: Talk) -> None:
        asked = urlsplit(talk.request.target)
        if model.serves(asked.path, dict(parse_qsl(asked.query))):
            await ok(talk)
        else:
            await talk.send(otherwise)

    return play


def _others(prefix: str, words: str, seen: str, otherwise: bytes) -> tuple[Mode, ...]:
    """A mode for each make, `prefix:make`."""
    return tuple(
        Mode(
            f"{prefix}:{model.name.lower().replace(' ', '_')}",
            words.format(model.name),
            seen,
            _only(model, otherwise),
        )
        for model in MODELS
        if model.name != "url"
    )


MODES = (
    Mode(
        "nvr",
        "a picture after 0.1 s; deviceBusy and a close to whoever asks meanwhile",
        "evercam-server#1098, Hikvision NVR",
        _recorder,
    ),
    Mode(
        "server_header",
        "a picture under headers that name the device",
        "Hikvision's App-webs",
        whole(
            lambda jpeg: reply(
                jpeg,
                JPEG,
                "Server: App-webs/",
                "X-Frame-Options: SAMEORIGIN",
                "Set-Cookie: WebSession=4711; path=/; HttpOnly",
            )
        ),
    ),
    *_others(
        "wrong_model",
        "a camera of the make {}: 404 at every path but its own",
        "wrong inventories, atd-data-tech#9594",
        NOT_FOUND,
    ),
    *_others(
        "wrong_model_html",
        "a camera of the make {}: its start page at every path but its own",
        "wrong inventories, GoAhead",
        reply(PAGE, HTML),
    ),
)
