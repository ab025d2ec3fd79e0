"""The roads that dummy cameras look at: a few scenes, painted once, by day and by night."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from dev.lights import LIGHTS, Colour, Light

SIZE = (640, 360)
SCENES = 8

Point = tuple[float, float]

# painted twice as large and reduced: that smooths every edge
FINE = (2 * SIZE[0], 2 * SIZE[1])
HORIZON = 300
EYE = FINE[1] - HORIZON
VERGE = 700
LANE = 350
YELLOW = (206, 166, 60)
WINDOWS = 0.5
CARS = 0.45
LINES = ((24 - VERGE, None), (VERGE - 24, None), (-12, YELLOW), (12, YELLOW))
CAR_COLOURS: tuple[Colour, ...] = (
    (176, 58, 46),
    (52, 94, 140),
    (208, 211, 214),
    (60, 64, 70),
    (196, 158, 66),
    (74, 120, 96),
)


@dataclass(frozen=True, slots=True)
class Easel:
    """A canvas to draw on, the light it stands in, and the point that all lines run to."""

    draw: ImageDraw.ImageDraw
    light: Light
    vanish: float

    def at(self, side: float, depth: float, lift: float = 0.0) -> Point:
        """The spot `side` of the road's middle and `lift` above it, `depth` times as far off."""
        return self.vanish + side / depth, HORIZON + (EYE - lift) / depth

    def lay(self, sides: Point, depths: Point, colour: Colour) -> None:
        """A strip that lies on the road."""
        (left, right), (near, far) = sides, depths
        ends = ((left, near), (right, near), (right, far), (left, far))
        self.draw.polygon([self.at(side, depth) for side, depth in ends], fill=colour)

    def stand(self, sides: Point, lifts: Point, depth: float, colour: Colour) -> None:
        """A board that stands upright across the road."""
        (left, right), (low, high) = sides, lifts
        corners = (self.at(left, depth, high), self.at(right, depth, low))
        self.draw.rectangle(corners, fill=colour)


def paint(number: int) -> Image.Image:
    """Scene `number`, from 0 to `SCENES` - 1: always the same road in the same light."""
    light = LIGHTS[number % len(LIGHTS)]
    canvas, glow = _land(light), Image.new("RGB", FINE)
    easel = Easel(ImageDraw.Draw(canvas), light, vanish=500.0 if number < len(LIGHTS) else 800.0)
    chance = random.Random(number)
    _town(easel, chance)
    _road(easel)
    _lamps(easel, ImageDraw.Draw(glow))
    _traffic(easel, chance)
    if light.lit:
        canvas = ImageChops.screen(canvas, glow.filter(ImageFilter.GaussianBlur(9)))
    return canvas.resize(SIZE, Image.Resampling.LANCZOS)


def _land(light: Light) -> Image.Image:
    top, bottom = (Image.new("RGB", (FINE[0], HORIZON), colour) for colour in light.sky)
    fade = Image.linear_gradient("L").resize(top.size)
    canvas = Image.new("RGB", FINE, light.grass)
    canvas.paste(Image.composite(bottom, top, fade))
    return canvas


def _town(easel: Easel, chance: random.Random) -> None:
    left = -20
    while left < FINE[0]:
        width, height = chance.randrange(44, 110), chance.randrange(34, 150)
        _house(easel, (left, HORIZON - height, left + width, HORIZON), chance)
        left += width + chance.choice((0, 0, 6, 40))


def _house(easel: Easel, box: tuple[int, int, int, int], chance: random.Random) -> None:
    left, top, right, bottom = box
    easel.draw.rectangle(box, fill=easel.light.town)
    for x in range(left + 9, right - 12, 17):
        for y in range(top + 9, bottom - 14, 18):
            if chance.random() < WINDOWS:
                easel.draw.rectangle((x, y, x + 6, y + 8), fill=easel.light.window)


def _road(easel: Easel) -> None:
    light, whole = easel.light, (0.9, 60.0)
    easel.lay((-VERGE - 90, VERGE + 90), whole, _shade(light.road, 1.2))
    easel.lay((-VERGE, VERGE), whole, light.road)
    for side, colour in LINES:
        easel.lay((side - 5, side + 5), whole, colour or light.line)
    for step in range(24):
        near = 0.9 + step * 0.8
        for side in (-LANE, LANE):
            easel.lay((side - 6, side + 6), (near, near + 0.4), light.line)


def _lamps(easel: Easel, glow: ImageDraw.ImageDraw) -> None:
    for depth in (14.0, 9.0, 6.0, 4.0, 2.7):
        for side in (-1, 1):
            x, y = _lamp(easel, side, depth)
            size = 26 / depth
            box = (x - 3 * size, y - 2 * size, x + 3 * size, y + 3 * size)
            glow.ellipse(box, fill=(255, 214, 140))


def _lamp(easel: Easel, side: int, depth: float) -> Point:
    """Draws a lamp post at the road's side; returns where its light is."""
    post, reach, lift, size = side * (VERGE + 170), side * (VERGE - 40), 800.0, 26 / depth
    foot, top = easel.at(post, depth), easel.at(post, depth, lift)
    x, y = easel.at(reach, depth, lift + 20)
    easel.draw.line((foot, top, (x, y)), fill=(70, 74, 80), width=max(2, round(16 / depth)))
    easel.draw.ellipse((x - 2 * size, y - size, x + 2 * size, y + size), fill=(92, 96, 102))
    return x, y


def _traffic(easel: Easel, chance: random.Random) -> None:
    for depth in (10.0, 6.4, 4.2, 2.9, 2.1):
        for lane in (-525, -175, 175, 525):
            if chance.random() < CARS:
                _car(easel, lane, depth, chance.choice(CAR_COLOURS))


def _car(easel: Easel, side: float, depth: float, paintwork: Colour) -> None:
    body = _shade(paintwork, 0.55 if easel.light.lit else 1.0)
    lamp = (216, 44, 36) if side > 0 else (255, 244, 214)
    shadow = _shade(easel.light.road, 0.6)
    easel.lay((side - 122, side + 122), (depth, depth * 1.06), shadow)
    for wheel in (side - 88, side + 88):
        easel.stand((wheel - 18, wheel + 18), (0, 44), depth, (18, 18, 20))
    easel.stand((side - 106, side + 106), (24, 112), depth, body)
    easel.draw.polygon(_cabin(easel, side, depth, 0), fill=_shade(body, 0.86))
    easel.draw.polygon(_cabin(easel, side, depth, 10), fill=_shade(easel.light.sky[0], 0.45))
    for edge in (side - 84, side + 84):
        easel.stand((edge - 18, edge + 18), (72, 94), depth, lamp)


def _cabin(easel: Easel, side: float, depth: float, inset: int) -> list[Point]:
    base, top = 94 - inset, 70 - inset
    corners = ((-base, 110), (base, 110), (top, 186 - inset), (-top, 186 - inset))
    return [easel.at(side + x, depth, lift) for x, lift in corners]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(part * factor)) for part in colour)
    return red, green, blue
