"""The verdict on real cameras' pictures, and on what was made of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctv import pixels
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.jpeg import walk
from cctv.reasons import Reason

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "images"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# size in pixels, and whether nothing is to be seen on it
PUBLISHED = {
    "austin_22nd_st_day.jpg": (960, 491, ()),
    "derived_1x1.jpg": (1, 1, (Reason.BLANK,)),
    "derived_leading_crlf.jpg": (704, 576, ()),
    "derived_progressive.jpg": (704, 576, ()),
    "derived_solid_black.jpg": (704, 576, (Reason.BLANK,)),
    "derived_trailing_garbage.jpg": (704, 576, ()),
    "derived_trailing_nul_padding.jpg": (704, 576, ()),
    "digitraffic_1image.jpg": (704, 576, ()),
    "digitraffic_2image.jpg": (704, 576, ()),
    "digitraffic_3image.jpg": (704, 576, ()),
    # by night, in infrared light
    "digitraffic_exif.jpg": (1280, 720, ()),
    "digitraffic_noexif.jpg": (1280, 720, ()),
    # in fog
    "drivebc_228.jpg": (800, 450, ()),
    "munster_north_church_lamberti.jpg": (1280, 720, ()),
    "munster_south_cityhall.jpg": (1280, 720, ()),
    # green all over
    "pillow_broken_exif_dpi.jpg": (100, 100, (Reason.BLANK,)),
    "pillow_hopper_gray.jpg": (128, 128, ()),
    "pillow_jpeg_ff00_header.jpg": (300, 225, ()),
    "pillow_junk_jpeg_header.jpg": (1024, 768, ()),
    "pillow_pil_sample_cmyk.jpg": (100, 100, ()),
}
REFUSED = {
    "derived_bitflips.jpg": (Reason.TORN, "damaged: stray bytes in the picture data"),
    "derived_empty.jpg": (Reason.NOT_A_PICTURE, "answered nothing (0 bytes)"),
    "derived_gray_bottom_half.jpg": (Reason.TORN, "the lower 50 % is one flat colour"),
    "derived_html_200.jpg": (Reason.NOT_A_PICTURE, "answered an HTML page (82 bytes)"),
    "derived_truncated_50pct.jpg": (Reason.TORN, "cut off after 32015 bytes"),
    "derived_truncated_no_eoi.jpg": (Reason.TORN, "cut off after 64029 bytes"),
    "derived_zero_hole.jpg": (Reason.TORN, "damaged: zeros in the picture data"),
    "pillow_truncated_jpeg.jpg": (Reason.TORN, "cut off after 6698 bytes"),
}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the real pictures are not on this machine"
)


def test_every_picture_has_a_verdict() -> None:
    """A new one in the folder is to be judged by a person first."""
    there = {file.name for file in FOLDER.iterdir()}
    assert there == PUBLISHED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_good_picture_is_published(name: str) -> None:
    """No false refusal, and no false warning by night or in fog."""
    width, height, warnings = PUBLISHED[name]
    frame = Frame.of((FOLDER / name).read_bytes(), NOON)
    assert (frame.width, frame.height, frame.warnings) == (width, height, warnings)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_bytes_are_clean(name: str) -> None:
    """They walk, decode without a warning, hold no metadata, and pass again as they are."""
    body = Frame.of((FOLDER / name).read_bytes(), NOON).body
    extent = walk(body)
    assert (extent.start, extent.end) == (0, len(body))
    assert pixels.reduced(body).size
    assert not {0xE1, 0xFE} & {each.marker for each in extent.segments}
    assert Frame.of(body, NOON).body is body


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_pixels_are_the_cameras(name: str) -> None:
    """Another library sees the same picture before and after."""
    data = (FOLDER / name).read_bytes()
    body = Frame.of(data, NOON).body
    before, after = (
        Image.open(io.BytesIO(data[data.index(b"\xff\xd8") :])),
        Image.open(io.BytesIO(body)),
    )
    assert before.mode == after.mode
    assert np.array_equal(np.asarray(before), np.asarray(after))


@pytest.mark.parametrize("name", REFUSED)
def test_bad_picture_is_refused(name: str) -> None:
    """For the right reason, in words that say what was found."""
    reason, words = REFUSED[name]
    with pytest.raises(CaptureError) as caught:
        Frame.of((FOLDER / name).read_bytes(), NOON)
    assert caught.value.reason is reason
    assert words in str(caught.value)
