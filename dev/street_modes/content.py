"""What is in the picture: frozen, blank, odd, or just dark. All are whole JPEGs."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageEnhance

from dev.street_damage import with_segment
from dev.street_exif import exif
from dev.street_mode import UNSEEN, Mode, Play
from dev.street_modes.plain import cached
from dev.street_pictures import encoded, huge_picture, labelled, scene, stamp
from dev.street_wire import reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.street_talk import Talk

SIZE = (640, 360)
BLACK, GREEN, GREY = (0, 0, 0), (0, 135, 0), (128, 128, 128)
PINK = (255, 90, 190)
_OVERCAST, _NIGHT = 2, 3
_APP1, _COMMENT = 0xE1, 0xFE
_seconds = itertools.count()


def _shows(make: Callable[[int], bytes]) -> Play:
    """Answers what `make` makes for the camera's number."""

    async def play(talk: Talk) -> None:
        picture = make(talk.camera.number)
        talk.served(picture)
        await talk.send(reply(picture))

    return play


def _flat(colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Play:
    """One colour all over; the bytes differ by a comment, for the colour is all there is."""
    plain = encoded(Image.new("RGB", size, colour))
    return _shows(lambda number: with_segment(plain, _COMMENT, stamp(number).encode()))


def _night(number: int) -> bytes:
    return encoded(labelled(ImageEnhance.Brightness(scene(_NIGHT)).enhance(0.4), number))


def _fog(number: int) -> bytes:
    white = Image.new("RGB", SIZE, (200, 202, 204))
    return encoded(labelled(Image.blend(scene(_OVERCAST), white, 0.85), number))


def _pink(number: int) -> bytes:
    tint = Image.new("RGB", SIZE, PINK)
    return encoded(labelled(ImageChops.multiply(scene(number), tint), number))


def _progressive(number: int) -> bytes:
    return encoded(labelled(scene(number), number), progressive=True)


def _portrait(number: int) -> bytes:
    return encoded(labelled(scene(number).transpose(Image.Transpose.ROTATE_90), number))


def _as(space: str) -> Callable[[int], bytes]:
    """The picture in another colour space."""
    return lambda number: encoded(labelled(scene(number).convert(space), number))


async def _frozen_with_time(talk: Talk) -> None:
    spell = talk.camera.spell
    spell.picture = spell.picture or talk.picture()
    moment = datetime.now(UTC) + timedelta(seconds=next(_seconds))
    picture = with_segment(spell.picture, _APP1, exif(f"{moment:%Y:%m:%d %H:%M:%S}"))
    talk.served(picture)
    await talk.send(reply(picture))


MODES = (
    Mode("frozen", "the same bytes every time", "yi-hack-Allwinner#35", cached(math.inf)),
    Mode(
        "frozen_exif",
        "the same picture every time, only the time in its EXIF goes on",
        "yi-hack-Allwinner#46",
        _frozen_with_time,
    ),
    Mode("cache_2s", "the same bytes for 2 s", "UniFi Protect, unifiprotect#88", cached(2.0)),
    Mode("black", "black all over", "a covered lens", _flat(BLACK)),
    Mode("green", "green all over", "a decoder without data", _flat(GREEN)),
    Mode("grey_flat", "grey all over", "homebridge-camera-ffmpeg#389", _flat(GREY)),
    Mode("pink", "a real picture with a pink cast", "a stuck infrared filter", _shows(_pink)),
    Mode("night", "dark, but a real picture", "any road at night", _shows(_night)),
    Mode("fog", "hardly any contrast, but a real picture", "any road in fog", _shows(_fog)),
    Mode("progressive", "a progressive JPEG", UNSEEN, _shows(_progressive)),
    Mode("grey_scale", "a JPEG without colours", UNSEEN, _shows(_as("L"))),
    Mode("cmyk", "a JPEG of four colours", UNSEEN, _shows(_as("CMYK"))),
    Mode("portrait", "360 by 640 pixels", UNSEEN, _shows(_portrait)),
    Mode("tiny_1x1", "a picture of one pixel", UNSEEN, _flat(GREY, (1, 1))),
    Mode("uhd", "3840 by 2160 pixels", "8 MP cameras", _shows(huge_picture)),
)
