"""Pictures that are not whole, or that end in a strange way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.street_damage import (
    grey_bottom,
    half_ended,
    noise_mid,
    progressive,
    zeros_mid,
    zeros_tail,
    zeros_tail_ended,
)
from dev.street_mode import UNSEEN, Mode, broken, leave, says, whole
from dev.street_wire import EOI, JPEG, End, half, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

_TORN = "motionEye#1437"
_WIFI = "ESP32-CAM on weak Wi-Fi, EloquentSurveillance#4"
_FAKE = "Frigate#27"


def _announced(jpeg: bytes) -> bytes:
    return reply(half(jpeg), more=len(jpeg) - len(half(jpeg)))


def _reset_after_end(jpeg: bytes) -> bytes:
    return reply(jpeg, more=4096)


async def _half_then_full(talk: Talk) -> None:
    torn, picture = half(talk.picture()), talk.picture()
    talk.served(picture)
    await talk.send(reply(torn + picture))


MODES = (
    Mode(
        "trunc_cl",
        "half a picture where the length of a whole one was announced, then a close",
        _WIFI,
        broken(_announced, End.CLOSE),
    ),
    Mode(
        "trunc_nocl",
        "half a picture without a length, then a close",
        "HTTP/1.0 cameras on bad links",
        broken(lambda jpeg: head(JPEG, version="HTTP/1.0") + half(jpeg), End.CLOSE),
    ),
    Mode(
        "trunc_consistent",
        "half a picture, the length right for that half",
        "cameras that cut it off themselves",
        broken(lambda jpeg: reply(half(jpeg))),
    ),
    Mode(
        "trunc_eoi",
        "half a picture with an end mark, the length right",
        _FAKE,
        broken(lambda jpeg: reply(half_ended(jpeg))),
    ),
    Mode(
        "trunc_eoi_progressive",
        "the same of a progressive picture",
        _FAKE,
        broken(lambda jpeg: reply(half_ended(progressive(jpeg)))),
    ),
    Mode(
        "trunc_2",
        "a picture without its end mark",
        UNSEEN,
        broken(lambda jpeg: reply(jpeg[: -len(EOI)])),
    ),
    Mode(
        "zeros_mid",
        "a picture with a fifth in its middle zeroed",
        _TORN,
        broken(lambda jpeg: reply(zeros_mid(jpeg))),
    ),
    Mode(
        "zeros_tail",
        "a picture with its last third zeroed, but for the end mark",
        _TORN,
        broken(lambda jpeg: reply(zeros_tail_ended(jpeg))),
    ),
    Mode(
        "zeros_tail_noeoi",
        "a picture with its last third zeroed, the end mark too",
        _TORN,
        broken(lambda jpeg: reply(zeros_tail(jpeg))),
    ),
    Mode(
        "noise_mid",
        "a picture with a fifth in its middle replaced by noise",
        UNSEEN,
        broken(lambda jpeg: reply(noise_mid(jpeg))),
    ),
    Mode(
        "grey_bottom",
        "a whole JPEG whose lower half is flat grey",
        "Frigate#1299; encoders that lost packets",
        broken(lambda jpeg: reply(grey_bottom(jpeg))),
    ),
    Mode("rst_before", "RST instead of an answer", UNSEEN, says(b"", End.RESET)),
    Mode("rst_mid", "half a picture, then RST", _WIFI, broken(_announced, End.RESET)),
    Mode(
        "rst_after_eoi",
        "a whole picture where more was announced, then RST",
        "Dahua, home-assistant/core#47511",
        whole(_reset_after_end, End.RESET),
    ),
    Mode("close_now", "a close instead of an answer", "cameras while they restart", leave),
    Mode(
        "half_then_full",
        "half a picture and right behind it a whole one, the length right for both",
        UNSEEN,
        _half_then_full,
    ),
)
