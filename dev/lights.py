"""The light a dummy camera's road lies in, from noon to night: colours, red green blue."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Light:
    """One time of day: the colours everything is painted in; `lit` switches the lamps on."""

    sky: tuple[Colour, Colour]
    town: Colour
    window: Colour
    grass: Colour
    road: Colour
    line: Colour
    lit: bool


LIGHTS = (
    Light(
        sky=((92, 152, 214), (206, 226, 240)),
        town=(136, 152, 170),
        window=(164, 180, 196),
        grass=(112, 142, 84),
        road=(96, 99, 104),
        line=(236, 236, 230),
        lit=False,
    ),
    Light(
        sky=((44, 46, 92), (240, 150, 92)),
        town=(58, 50, 78),
        window=(250, 204, 120),
        grass=(60, 62, 58),
        road=(62, 60, 68),
        line=(214, 200, 186),
        lit=True,
    ),
    Light(
        sky=((150, 158, 166), (206, 210, 212)),
        town=(128, 134, 140),
        window=(188, 192, 186),
        grass=(108, 122, 98),
        road=(84, 88, 92),
        line=(222, 224, 222),
        lit=False,
    ),
    Light(
        sky=((8, 12, 28), (34, 42, 66)),
        town=(20, 25, 42),
        window=(236, 196, 110),
        grass=(24, 32, 32),
        road=(42, 45, 52),
        line=(178, 180, 176),
        lit=True,
    ),
)
