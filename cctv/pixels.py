"""The wall around simplejpeg: libjpeg-turbo with its warnings as errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    """Rows of pixels of 3 parts (RGB) or of 1 (grey)."""

Colours = Literal["RGB", "GRAY"]

# as much as the statistics look at; libjpeg reduces while it decodes, down to an eighth
REDUCED = (64, 36)
_QUALITY = 85
_PADDED = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x([0-9a-f]{2})")
# libjpeg's own sentences hold numbers out of the picture; these do not
_WORDS = (
    ("premature end", "the picture data ends too early"),
    ("Premature end", "the picture data ends too early"),
    ("bad Huffman code", "bad Huffman code"),
    ("extraneous bytes", "stray bytes in the picture data"),
    ("instead of RST", "a restart marker is out of order"),
)
_OTHER = "the decoder refuses it"


class DamagedError(ValueError):
    """libjpeg met something wrong; the text is one of a few fixed sentences."""


class PaddedError(DamagedError):
    """`count` bytes too many before a `marker`: all is there, if they are padding."""

    def __init__(self, count: int, marker: int) -> None:
        self.count, self.marker = count, marker
        super().__init__("stray bytes in the picture data")


def reduced(data: bytes) -> Pixels:
    """The picture in RGB, reduced as far as `REDUCED` lets it; all its data is read and judged.

    It gives the colours too, and costs a sixth less than a full grey decode (dev/bench/checks.py).

    Raises:
        PaddedError: there are bytes between the end of a scan and the next marker.
        DamagedError: anything else that libjpeg so much as warns of.
    """
    return _decoded(data, "RGB", REDUCED)


def decoded(data: bytes, colours: Colours, least: tuple[int, int] = (0, 0)) -> Pixels:
    """The picture at its full size; reduced, where a `least` width and height are given.

    Raises:
        DamagedError: as for `reduced`.
    """
    return _decoded(data, colours, least)


def encoded(pixels: Pixels, colours: Colours) -> bytes:
    """A JFIF picture of `pixels`, whose first is the upper left."""
    subsampling = "420" if colours == "RGB" else "Gray"
    data: bytes = simplejpeg.encode_jpeg(
        pixels, quality=_QUALITY, colorspace=colours, colorsubsampling=subsampling
    )
    return data


def _decoded(data: bytes, colours: Colours, least: tuple[int, int]) -> Pixels:
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, colorspace=colours, min_width=least[0], min_height=least[1], strict=True
        )
    except ValueError as error:
        text = str(error)
    else:
        return pixels
    if padded := _PADDED.fullmatch(text):
        raise PaddedError(int(padded[1]), int(padded[2], 16))
    raise DamagedError(next((words for found, words in _WORDS if found in text), _OTHER))
