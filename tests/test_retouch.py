"""Masks hide what they cover, all of it; large pictures are shrunk; the rest stays."""

from __future__ import annotations

import io
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from cctv import retouch as retouch_module
from cctv.errors import CaptureError
from cctv.jpeg import Extent, walk
from cctv.reasons import Reason
from cctv.repair import cleaned
from cctv.retouch import PLAIN, Point, Polygon, Retouch, masked, retouched
from tests.fakes.photos import KINDS, jpeg_of, photo, road, segment, with_segments

MIDDLE: Polygon = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
CORNER: Polygon = ((0, 0), (0.5, 0), (0, 0.5))
WHITE = Image.new("RGB", (640, 360), (255, 255, 255))
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
QUADRANTS = Image.new("RGB", (640, 360))
QUADRANTS.paste((250, 250, 250), (0, 0, 320, 180))


def done(data: bytes, retouch: Retouch) -> tuple[Image.Image, Extent]:
    """The retouched picture, decoded by another library, and what is said of its size."""
    clean = cleaned(data, walk(data))
    body, extent = retouched(clean, walk(clean), retouch)
    assert extent == walk(body)
    image = Image.open(io.BytesIO(body))
    image.load()
    assert image.size == (extent.width, extent.height)
    return image, extent


def turned(image: Image.Image, turn: int) -> bytes:
    """A JPEG whose EXIF tells viewers to turn it."""
    tags = Image.Exif()
    tags[0x0112] = turn
    return with_segments(jpeg_of(image), segment(0xE1, tags.tobytes()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "retouch", [PLAIN, Retouch(max_width=640), Retouch(max_width=4000), Retouch(max_width=-1)]
)
def test_picture_without_work_is_the_same_object(kind: str, retouch: Retouch) -> None:
    """Nothing is encoded anew without need."""
    data = photo(kind)
    assert retouched(data, walk(data), retouch)[0] is data


@pytest.mark.parametrize("kind", KINDS)
def test_masked_area_is_grey_and_the_rest_is_not(kind: str) -> None:
    """And the picture keeps its size."""
    image, _ = done(photo(kind), Retouch((MIDDLE,)))
    seen, sound = np.asarray(image).astype(int), np.asarray(road(0)).astype(int)
    # what is left within a block of the edge is the wave that coding adds to any edge
    assert np.abs(seen[90:270, 160:480] - 128).max() < 24
    assert np.abs(seen[106:254, 176:464] - 128).max() <= 1
    assert np.abs(seen[:80] - sound[:80]).mean() < 4


PARTS = st.sampled_from([0, 2500, 10_000]) | st.integers(0, 10_000)
CORNERS = st.builds(lambda across, down: (across / 10_000, down / 10_000), PARTS, PARTS)
SHAPES = st.lists(CORNERS, min_size=3, max_size=6, unique=True).map(tuple)


@given(SHAPES)
@settings(max_examples=300, deadline=None)
@example(((0.09, 0.23), (0, 0.09), (0.09, 0), (0.3, 1)))
@example(((0.96, 0.87), (0.4, 1), (0, 0.09), (0.275, 0), (0.415, 0.027), (1, 0.38)))
def test_no_pixel_that_a_mask_touches_remains(mask: Polygon) -> None:
    """By the rule of even and odd, for any shape, on a picture so small that edges count."""
    left = np.asarray(masked(Image.new("L", (40, 30), 255), (mask,)))
    corners = [(x * 40, y * 30) for x, y in mask]
    for y, x in np.argwhere(left != 128):
        assert not inside(x + 0.5, y + 0.5, corners)
        assert not any(enters(x, y, *edge) for edge in edges(corners))


def edges(corners: list[Point]) -> list[tuple[Point, Point]]:
    """From each corner to the next."""
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def inside(x: float, y: float, corners: list[Point]) -> bool:
    """Whether a ray to the right crosses the outline an odd number of times."""
    odd = False
    for (x1, y1), (x2, y2) in edges(corners):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def enters(left: float, top: float, start: Point, end: Point) -> bool:
    """Whether an edge comes into a pixel, and not only along its border."""
    first, last = 0.0, 1.0
    for low, at, to in ((left, start[0], end[0]), (top, start[1], end[1])):
        if at == to:
            if not low < at < low + 1:
                return False
        else:
            one, other = (low - at) / (to - at), (low + 1 - at) / (to - at)
            first, last = max(first, min(one, other)), min(last, max(one, other))
    return last - first > 1e-9


@pytest.mark.parametrize("edge", [160, 161, 165, 479])
def test_every_pixel_an_edge_touches_is_covered(edge: int) -> None:
    """Also where it lies between two pixels."""
    for part in (0.0, 0.3, 0.5, 0.7):
        left = (edge + part) / 640
        image = masked(WHITE.copy(), (((left, 0), (1, 0), (1, 1), (left, 1)),))
        assert np.asarray(image)[:, edge + 1 :].max() == 128
        assert part >= 0.999 or np.asarray(image)[:, edge].max() == 128


def test_whole_picture_can_be_masked() -> None:
    """From corner to corner, the last row and column included."""
    image = masked(WHITE.copy(), (((0, 0), (1, 0), (1, 1), (0, 1)),))
    assert np.asarray(image).max() == np.asarray(image).min() == 128


def test_mask_comes_before_shrinking() -> None:
    """Nothing covered shines through at the mask's edge: a white area leaves no bright rim."""
    canvas = Image.new("RGB", (1600, 900), (128, 128, 128))
    canvas.paste((255, 255, 255), (400, 225, 1200, 675))
    image, _ = done(jpeg_of(canvas, quality=95), Retouch((MIDDLE,), 400))
    assert image.size == (400, 225)
    assert np.asarray(image).max() < 150


@pytest.mark.parametrize(("width", "size"), [(320, (320, 180)), (639, (639, 359)), (1, (1, 1))])
def test_wide_picture_is_shrunk(width: int, size: tuple[int, int]) -> None:
    """In proportion, to at least a pixel."""
    assert done(photo(), Retouch(max_width=width))[0].size == size


def test_shrunk_picture_looks_like_a_good_filter_made_it() -> None:
    """Decoding at a smaller scale first changes next to nothing."""
    large = road(0).resize((1920, 1080), Image.Resampling.BICUBIC)
    image, _ = done(jpeg_of(large, quality=90), Retouch(max_width=640))
    assert np.abs(np.asarray(image).astype(int) - np.asarray(road(0))).mean() < 4


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_ink_pictures_are_masked(mode: str) -> None:
    """They come out grey and in three colours, with the right brightness."""
    image, extent = done(jpeg_of(road(0).convert(mode)), Retouch((CORNER,), 320))
    assert (image.mode, extent.components) == (("L", 1) if mode == "L" else ("RGB", 3))
    grey = np.asarray(image.convert("L")).astype(int)
    assert np.abs(grey[:40, :40] - 128).max() < 12
    sound = np.asarray(road(0).convert("L").resize(image.size)).astype(int)
    assert np.abs(grey[100:] - sound[100:]).mean() < 8


@pytest.mark.parametrize("retouch", [Retouch((MIDDLE,)), Retouch(max_width=320)])
def test_colour_profile_stays(retouch: Retouch) -> None:
    """Without it the colours of some cameras change."""
    image, _ = done(jpeg_of(road(0), icc_profile=PROFILE), retouch)
    assert image.info["icc_profile"] == PROFILE


def test_profile_of_four_inks_does_not_stay() -> None:
    """It would be wrong for the three colours they became."""
    image, _ = done(jpeg_of(road(0).convert("CMYK"), icc_profile=PROFILE), Retouch((MIDDLE,)))
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("turn", range(1, 9))
def test_mask_lies_where_a_viewer_sees_it(turn: int) -> None:
    """It is drawn on the picture as EXIF turns it, which then needs no turning any more."""
    data = turned(QUADRANTS, turn)
    upright = np.asarray(transposed(data).convert("L")).astype(int)
    image, _ = done(data, Retouch((CORNER,)))
    assert not image.getexif()
    seen = np.asarray(image.convert("L")).astype(int)
    assert seen.shape == upright.shape
    height, width = seen.shape
    assert np.abs(seen[: height // 6, : width // 6] - 128).max() < 12
    assert np.abs(seen - upright)[height // 2 + 8 :].max() < 40


def transposed(data: bytes) -> Image.Image:
    """What a viewer sees."""
    image = Image.open(io.BytesIO(data))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    turn = turns.get(image.getexif().get(0x0112, 1))
    return image if turn is None else image.transpose(Image.Transpose(turn))


@pytest.mark.parametrize("turn", [1, 6])
def test_width_is_that_of_the_upright_picture(turn: int) -> None:
    """A picture to be turned by a quarter is as wide as it is stored high."""
    image, _ = done(turned(road(0), turn), Retouch(max_width=200))
    assert image.width == 200
    data = turned(road(0), 6)
    clean = cleaned(data, walk(data))
    assert retouched(clean, walk(clean), Retouch(max_width=400))[0] is clean


@pytest.mark.parametrize(
    "mask",
    [
        (),
        ((0.1, 0.1), (0.9, 0.9)),
        ((0.1, 0.1), (0.9, 0.9), (1.1, 0.1)),
        ((0.1, 0.1), (0.9, 0.9), (-0.1, 0.1)),
        ((0.1, 0.1), (0.9, 0.9), (math.nan, 0.1)),
        ((0.1, 0.1), (0.9, 0.9), (math.inf, 0.1)),
        ((0.1, 0.1), (0.9, 0.9), (0.1,)),
        ((0.1, 0.1), (0.9, 0.9), ("0.1", 0.1)),
    ],
)
def test_no_mask_no_picture(mask: Polygon) -> None:
    """A shape that cannot be drawn refuses the picture, in words without the shape."""
    data = photo()
    with pytest.raises(CaptureError, match=r"^masks not drawn") as caught:
        retouched(data, walk(data), Retouch((MIDDLE, mask)))
    assert caught.value.reason is Reason.UNMASKED


def test_picture_that_does_not_decode_is_not_shown_unmasked() -> None:
    """It cannot come this far; if it does, nothing of it is shown."""
    data = photo()[:3000] + b"\xff\xd9"
    with pytest.raises(CaptureError) as caught:
        retouched(data, walk(data), Retouch((MIDDLE,)))
    assert caught.value.reason is Reason.UNMASKED
    with pytest.raises(ValueError, match="ends too early"):
        retouched(data, walk(data), Retouch(max_width=100))


def test_retouch_is_compared_by_what_it_holds() -> None:
    """Two readings of the same settings are one and the same."""
    assert Retouch((MIDDLE,), 640) == Retouch((MIDDLE,), 640)
    assert Retouch() == PLAIN


def test_large_pictures_take_turns() -> None:
    """Two at the cap at once would not fit into the memory that a container has."""
    file = io.BytesIO()
    Image.new("RGB", (4000, 2600), (90, 120, 90)).save(file, "JPEG")
    large, small = file.getvalue(), jpeg_of(WHITE)
    wanted = Retouch((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),), 320)
    with ThreadPoolExecutor(2) as hands:
        with retouch_module._large:  # noqa: SLF001 - as if another were being changed
            waiting = hands.submit(retouched, large, walk(large), wanted)
            assert hands.submit(retouched, small, walk(small), wanted).result(30)[1].width == 320
            with pytest.raises(TimeoutError):
                waiting.result(2)
        assert waiting.result(30)[1].width == 320
