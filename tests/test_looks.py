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


@pytest.mark.parametrize("colour", [GREY, GREEN, BLACK, WHITE, (16, 16, 16)])
@pytest.mark.parametrize("share", [0.26, 0.5, 0.9])
def test_lost_lower_part_by_day_is_a_tail(share: float, colour: tuple[int, int, int]) -> None:
    """Whatever colour the camera's memory had there."""
    assert tail(torn(0, share, colour)) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("colour", [GREY, GREEN, WHITE])
def test_lost_lower_part_by_night_is_a_tail(colour: tuple[int, int, int]) -> None:
    """Black on black is left alone: nobody can tell."""
    assert tail(torn(3, 0.5, colour)) == pytest.approx(0.5, abs=0.06)


def test_less_than_a_quarter_is_no_tail() -> None:
    """A bar for a caption is not a lost part."""
    assert tail(torn(0, 0.2, GREY)) == 0


def test_tail_may_begin_within_a_row_of_blocks() -> None:
    """The last row of blocks that came breaks off somewhere to the right."""
    image = torn(0, 0.5, GREY)
    image.paste(GREY, (300, 176, 640, 192))
    assert tail(image) > 0.45


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_fading_into_black_or_white_is_no_tail(colour: tuple[int, int, int]) -> None:
    """A foreground that no lamp reaches, or that the sun blinds out."""
    slope = Image.linear_gradient("L").resize((640, 240)).transpose(Image.Transpose.ROTATE_180)
    mask = Image.new("L", (640, 360))
    mask.paste(slope, (0, 0))
    image = Image.composite(road(0), Image.new("RGB", (640, 360), colour), mask)
    assert tail(image) == 0


def test_caption_on_a_dark_night_is_no_edge() -> None:
    """Letters above nothing: not the straight line that a lost part has."""
    image = Image.new("RGB", (640, 360))
    ImageDraw.Draw(image).text((10, 10), "CAMERA 12  2026-03-01 23:59:59", WHITE, font_size=30)
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
