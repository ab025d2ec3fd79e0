"""The fuzz target for the one door: bytes that are a whole picture, or are refused by name."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such
from PIL import Image

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.jpeg import walk
from cctv.reasons import Reason
from cctv.retouch import PLAIN, Retouch
from tests.fuzz.pictures import COMPARED, check_parts
from tests.fuzz.refusals import check_refusal

if TYPE_CHECKING:
    from cctv.jpeg import Extent

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
COVERED = Retouch(masks=(SQUARE,), max_width=24)

_ORIENTATION = 0x0112


def check_frame(data: bytes) -> None:
    """A frame is one whole clean picture that another decoder takes too; anything else is named."""
    frame = _frame(data)
    if frame is None:
        return
    extent = walk(frame.body)
    assert (extent.start, extent.end) == (0, len(frame.body))
    assert (extent.width, extent.height) == (frame.width, frame.height)
    check_parts(frame.body, extent)
    _check_loads(frame, extent)
    # a frame gives itself again, whatever of an answer stands around it
    for again in (frame.body, b"\r\n" + frame.body + b"\r\n--frame--"):
        assert Frame.of(again, NOW) == frame
    _check_covered(data)


def _frame(data: bytes, retouch: Retouch = PLAIN) -> Frame | None:
    try:
        return Frame.of(data, NOW, retouch)
    except CaptureError as error:
        check_refusal(error, Reason.NOT_A_PICTURE, Reason.TORN, Reason.TOO_BIG)
    return None


def _check_loads(frame: Frame, extent: Extent) -> None:
    """Pillow, which has its own way through a JPEG, finds the picture and little else."""
    if frame.width * frame.height > COMPARED:
        return
    with Image.open(io.BytesIO(frame.body)) as image:
        image.load()
        assert image.size == (extent.width, extent.height)
        assert set(image.getexif()) <= {_ORIENTATION}
        assert "comment" not in image.info


def _check_covered(data: bytes) -> None:
    """A mask over everything leaves nothing of the picture."""
    frame = _frame(data, COVERED)
    assert frame is not None
    assert frame.width <= COVERED.max_width
    grey = simplejpeg.decode_jpeg(frame.body, colorspace="GRAY", strict=True)
    assert grey.min() >= 126
    assert grey.max() <= 130
