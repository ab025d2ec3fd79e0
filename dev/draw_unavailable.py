"""Draws `cctv/unavailable.jpg`, the card that stands in for a picture that is not there.

python dev/draw_unavailable.py            draw it anew
python dev/draw_unavailable.py --check    exit status 1 unless the file shows what is drawn here
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

CARD = Path(__file__).resolve().parents[1] / "cctv" / "unavailable.jpg"
SIZE = (640, 360)

SLATE = (31, 41, 51)
MUTED = (148, 163, 178)
SOFT = (203, 213, 224)
WHITE = (245, 247, 250)

# painted four times as large and reduced: that smooths every edge
FINE = 4
# libjpeg and FreeType may round differently from one release to the next, never by this much
TOLERANCE = 40


def jpeg() -> bytes:
    """The card as a baseline JPEG without metadata; the same bytes from the same Pillow."""
    file = io.BytesIO()
    draw().save(file, "JPEG", quality=86, optimize=True)
    return file.getvalue()


def draw() -> Image.Image:
    """The card: a crossed-out camera above two lines of words."""
    card = Image.new("RGB", SIZE, SLATE)
    card.paste(_pictogram().resize(SIZE, Image.Resampling.LANCZOS))
    pen, middle = ImageDraw.Draw(card), SIZE[0] / 2
    large, small = ImageFont.load_default(46), ImageFont.load_default(25)
    pen.text((middle, 248), "Camera image unavailable", WHITE, large, anchor="mm")
    pen.text((middle, 300), "No current picture from this camera", SOFT, small, anchor="mm")
    return card


def _pictogram() -> Image.Image:
    canvas = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), SLATE)
    pen = ImageDraw.Draw(canvas)
    pen.rounded_rectangle(_fine(244, 84, 344, 160), 14 * FINE, MUTED)
    pen.polygon(_fine(356, 112, 396, 90, 396, 154, 356, 132), MUTED)
    _stroke(pen, SLATE, 22)
    _stroke(pen, WHITE, 9)
    return canvas


def _stroke(pen: ImageDraw.ImageDraw, colour: tuple[int, int, int], width: int) -> None:
    """The stroke through the camera, with round ends."""
    ends = (_fine(258, 60), _fine(382, 184))
    pen.line([*ends[0], *ends[1]], colour, width * FINE)
    for x, y in ends:
        pen.circle((x, y), width * FINE / 2, colour)


def _fine(*numbers: int) -> list[int]:
    return [number * FINE for number in numbers]


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same, but for what codecs round."""
    if (one.size, one.mode) != (other.size, other.mode):
        return False
    bands = ImageStat.Stat(ImageChops.difference(one, other)).extrema
    return all(most <= TOLERANCE for _, most in bands)


def check(path: Path) -> bool:
    """Whether the file at `path` shows the card as it is drawn here."""
    with Image.open(path) as stored, Image.open(io.BytesIO(jpeg())) as drawn:
        return same(stored, drawn)


def main() -> None:
    """Draw the card, or check it."""
    parser = argparse.ArgumentParser(description="Draws the card for a missing picture.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--file", type=Path, default=CARD, help="default: cctv/unavailable.jpg")
    asked = parser.parse_args()
    if not asked.check:
        asked.file.write_bytes(jpeg())
    elif not check(asked.file):
        sys.exit(f"{asked.file} does not show what is drawn here: run dev/draw_unavailable.py")


if __name__ == "__main__":
    main()
