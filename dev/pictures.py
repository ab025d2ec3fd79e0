"""What a dummy camera sees: a pre-drawn road with the camera's name and the time stamped in."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from dev.scenes import SCENES, SIZE, paint

if TYPE_CHECKING:
    from datetime import datetime

BAR = 48
INK = (255, 255, 255)
EDGE = 14
FONT = ImageFont.load_default(30)


def picture(camera: str, model: str, moment: datetime) -> bytes:
    """The JPEG that `camera` takes at `moment` (UTC): the same bytes all through one second."""
    return _stamped(camera, model, moment.strftime("%Y-%m-%d %H:%M:%S UTC"))


@lru_cache(maxsize=256)
def _stamped(camera: str, model: str, time: str) -> bytes:
    canvas = _scene(sum(camera.encode()) % SCENES).copy()
    draw = ImageDraw.Draw(canvas)
    middle = BAR / 2
    draw.text((EDGE, middle), f"CAMERA {camera}", INK, FONT, anchor="lm")
    draw.text((SIZE[0] - EDGE, middle), model, INK, FONT, anchor="rm")
    draw.text((EDGE, SIZE[1] - middle), time, INK, FONT, anchor="lm")
    return _jpeg(canvas)


@cache
def _scene(number: int) -> Image.Image:
    canvas = paint(number)
    for top in (0, SIZE[1] - BAR):
        box = (0, top, SIZE[0], top + BAR)
        canvas.paste(canvas.crop(box).point(_darker), box)
    return canvas


def _darker(part: int) -> int:
    return part // 4


def _jpeg(canvas: Image.Image) -> bytes:
    file = io.BytesIO()
    canvas.save(file, "JPEG", quality=82)
    return file.getvalue()
