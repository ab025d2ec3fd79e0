"""Blank, green, cut off below: what is one, and what only looks a little like it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from cctv import pixels
from cctv.looks import blank, flat_tail, grid
from dev.scenes import SCENES
from tests.fakes.photos import jpeg_of, road

GREY, BLACK, WHITE, GREEN = (128, 128, 128), (0, 0, 0), (255, 255, 255), (0, 135, 0)


def tail(image: Image.Image, quality: int = 75) -> float:
    """The flat tail of `image` as a JPEG."""
    return flat_tail(grid(pixels.reduced(jpeg_of(image, quality=quality))))


def is_blank(image: Image.Image, quality: int = 75) -> bool:
    """Whether `image` as a JPEG is blank."""
    return blank(grid(pixels.reduced(jpeg_of(image, quality=quality))))


def torn(number: int, share: float, colour: tuple[int, int, int]) -> Image.Image:
    """A road whose lower `share` was lost, encoded anew by the camera."""
    image = road(number).copy()
    image.paste(colour, (0, round(image.height * (1 - share)), *image.size))
    return image


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("number", range(SCENES))
def test_road_is_neither(number: int, quality: int) -> None:
    """By day, at dusk, by night, in rain."""
    assert not is_blank(road(number), quality)
    assert tail(road(number), quality) == 0


LOST = [GREY, (126, 126, 125), (132, 132, 132), GREEN, (178, 0, 225)]


@pytest.mark.parametrize("colour", LOST)
@pytest.mark.parametrize("share", [0.26, 0.5, 0.9])
@pytest.mark.parametrize("number", [0, 3])
def test_lost_lower_part_is_a_tail(number: int, share: float, colour: tuple[int, int, int]) -> None:
    """By day and by night: the grey of no data, the green and the pink of an empty buffer."""
    assert tail(torn(number, share, colour)) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize(
    "colour",
    [
        *(BLACK, (16, 16, 16), WHITE, (235, 235, 235)),
        *((90, 90, 90), (120, 120, 120), (136, 136, 136), (128, 128, 140)),
        *((0, 0, 90), (0, 0, 200), (135, 170, 225), (60, 70, 60)),
    ],
)
@pytest.mark.parametrize("share", [0.26, 0.5, 0.9])
@pytest.mark.parametrize("number", [0, 3])
def test_other_flat_lower_part_is_no_tail(
    number: int, share: float, colour: tuple[int, int, int]
) -> None:
    """A caption's bar, a camera's own mask, half a quad view, night, snow, sky, no signal."""
    assert tail(torn(number, share, colour)) == 0


@pytest.mark.parametrize("colour", LOST)
@pytest.mark.parametrize("corner", [(8, 330), (400, 330), (8, 190)])
def test_clock_drawn_on_it_does_not_hide_a_lost_part(
    colour: tuple[int, int, int], corner: tuple[int, int]
) -> None:
    """The camera writes it into what it has, in whatever corner."""
    image = torn(0, 0.5, colour)
    ImageDraw.Draw(image).text(corner, "2026-03-01 23:59:59 CAM 12", WHITE, font_size=16)
    assert tail(image) == pytest.approx(0.5, abs=0.06)


def test_clock_on_nothing_but_lost_data_is_all_tail() -> None:
    """The letters vary enough for a picture that is not blank."""
    image = Image.new("RGB", (640, 360), GREY)
    ImageDraw.Draw(image).text((8, 8), "2026-03-01 23:59:59 CAM 12", WHITE, font_size=24)
    assert not is_blank(image)
    assert tail(image) > 0.9


def test_grey_with_much_in_it_is_no_tail() -> None:
    """A grey wall with something on a sixth of it."""
    image = torn(0, 0.5, GREY)
    image.paste(road(0).crop((0, 0, 220, 180)), (0, 180))
    assert tail(image) == 0


def test_less_than_a_quarter_is_no_tail() -> None:
    """A bar for a caption is not a lost part."""
    assert tail(torn(0, 0.2, GREY)) == 0


def test_tail_may_begin_within_a_row_of_blocks() -> None:
    """The last row of blocks that came breaks off somewhere to the right."""
    image = torn(0, 0.5, GREY)
    image.paste(GREY, (300, 176, 640, 192))
    assert tail(image) > 0.45


def test_fading_into_grey_is_no_tail() -> None:
    """Fog, which a camera's exposure makes as grey as lost data: there is no line above it."""
    slope = Image.linear_gradient("L").resize((640, 240)).transpose(Image.Transpose.ROTATE_180)
    mask = Image.new("L", (640, 360))
    mask.paste(slope, (0, 0))
    image = Image.composite(road(0), Image.new("RGB", (640, 360), GREY), mask)
    assert tail(image) == 0


def test_caption_on_a_dark_night_is_no_picture_cut_off() -> None:
    """Letters above nothing, however wide."""
    image = Image.new("RGB", (640, 360))
    ImageDraw.Draw(image).text((10, 10), "CAMERA 12  2026-03-01 23:59:59", WHITE, font_size=40)
    assert tail(image) == 0


def test_thick_fog_is_no_tail() -> None:
    """Nothing but shades: the lower part has some of its own."""
    image = road(0).filter(ImageFilter.GaussianBlur(60))
    fog = Image.blend(image, Image.new("RGB", image.size, (190, 192, 194)), 0.85)
    assert tail(fog) == 0
    assert not is_blank(fog)


@pytest.mark.parametrize("size", [(640, 360), (64, 36), (3, 2), (1, 1)])
@pytest.mark.parametrize("colour", [GREY, GREEN, BLACK, WHITE])
def test_one_colour_is_blank_and_no_tail(
    colour: tuple[int, int, int], size: tuple[int, int]
) -> None:
    """A covered lens or no light at all: whole, but nothing to see."""
    image = Image.new("RGB", size, colour)
    assert is_blank(image)
    assert tail(image) == 0


def test_sensor_noise_does_not_hide_a_blank_picture() -> None:
    """It averages out in the cells."""
    noise = Image.effect_noise((640, 360), 8).convert("RGB")
    assert is_blank(noise, 95)


def yuv(luma: Image.Image, chroma: int) -> Image.Image:
    """A picture whose colour planes were lost."""
    plane = Image.new("L", luma.size, chroma)
    return Image.merge("YCbCr", (luma, plane, plane)).convert("RGB")


@pytest.mark.parametrize("chroma", [0, 255])
def test_lost_colour_planes_are_blank(chroma: int) -> None:
    """Zeros make all green, ones all pink, though the road is still there."""
    assert is_blank(yuv(road(0).convert("L"), chroma))


def test_green_fields_are_not_blank() -> None:
    """Grass all over is far from the green of a lost plane."""
    grass = Image.blend(road(0), Image.new("RGB", (640, 360), (70, 120, 50)), 0.8)
    assert not is_blank(grass)


def test_picture_of_a_few_pixels_is_judged() -> None:
    """One cell a pixel; no division by nothing."""
    image = Image.effect_noise((5, 4), 90).convert("RGB")
    cells = grid(np.asarray(image))
    assert cells.shape == (4, 5, 3)
    assert not blank(cells)
    assert flat_tail(cells) == 0


def test_cells_are_means() -> None:
    """Of all the pixels they stand for."""
    image = Image.open(io.BytesIO(jpeg_of(road(2)))).convert("RGB")
    cells = grid(np.asarray(image))
    assert cells.shape == (36, 64, 3)
    block = np.asarray(image)[:10, :10].reshape(-1, 3).mean(axis=0)
    assert np.abs(cells[0, 0] - block).max() <= 1
