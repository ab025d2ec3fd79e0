"""Pictures that carry within themselves which camera took them and when, readable by machine.

The stamp is made of black and white blocks, so that it outlives every honest change of the file:
cleaned headers, another quality, another chroma. A checksum tells it from anything else.
"""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Canvas = npt.NDArray[np.int16]

WIDTH, HEIGHT = 320, 180
QUALITY = 80

_BLOCK = 16
_COLUMNS, _ROWS = WIDTH // _BLOCK, 6
_BLACK, _WHITE = 24, 232
# a block between these is neither
_DARK, _BRIGHT = 96, 160
# the middle of a block, where its neighbours do not reach
_INNER = slice(4, 12)
_FIELDS = struct.Struct(">QH")
_CHECK = struct.Struct(">I")
# a device's sensor never repeats itself; a larger sheet of noise is laid on at a random place
_NOISE, _SPARE = 6.0, 64


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which camera, 0 to 65535, and when: milliseconds of the epoch."""

    camera: int
    millis: int

    @property
    def seconds(self) -> float:
        """When, in seconds of the epoch."""
        return self.millis / 1000


def paint(stamp: Stamp, quality: int = QUALITY) -> bytes:
    """A JPEG of 320 by 180 pixels with this stamp: a grey street, and noise that never repeats."""
    blocks = np.where(_bits(stamp), _WHITE, _BLACK).repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    canvas = _street().copy()
    canvas[: _ROWS * _BLOCK] = blocks
    left, top = random.randrange(_SPARE), random.randrange(_SPARE)
    canvas += _noise()[top : top + HEIGHT, left : left + WIDTH]
    return encoded(np.clip(canvas, 0, 255).astype(np.uint8), quality)


def encoded(grey: Pixels, quality: int = QUALITY) -> bytes:
    """A colour JPEG of grey pixels."""
    colours = np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))
    data: bytes = simplejpeg.encode_jpeg(
        colours, quality=quality, colorspace="RGB", colorsubsampling="420"
    )
    return data


def decoded(jpeg: bytes) -> Pixels | None:
    """The greys of a JPEG that is whole to its last byte, else None."""
    try:
        grey: Pixels = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY", strict=True)
    except ValueError:
        return None
    return grey[..., 0]


def read(jpeg: bytes) -> Stamp | None:
    """The stamp in a picture; None when it is torn, or no picture of ours."""
    grey = decoded(jpeg)
    if grey is None or grey.shape != (HEIGHT, WIDTH):
        return None
    cells = grey[: _ROWS * _BLOCK].reshape(_ROWS, _BLOCK, _COLUMNS, _BLOCK)
    means = cells[:, _INNER, :, _INNER].mean(axis=(1, 3))
    if bool(((means > _DARK) & (means < _BRIGHT)).any()):
        return None
    return _stamp(np.packbits(means >= _BRIGHT).tobytes())


def _bits(stamp: Stamp) -> npt.NDArray[np.uint8]:
    said = _FIELDS.pack(stamp.millis, stamp.camera)
    data = (said + _CHECK.pack(zlib.crc32(said))).ljust(_ROWS * _COLUMNS // 8, b"\0")
    return np.unpackbits(np.frombuffer(data, np.uint8)).reshape(_ROWS, _COLUMNS)


def _stamp(data: bytes) -> Stamp | None:
    said, check = data[: _FIELDS.size], data[_FIELDS.size : _FIELDS.size + _CHECK.size]
    if _CHECK.unpack(check)[0] != zlib.crc32(said):
        return None
    millis, camera = _FIELDS.unpack(said)
    return Stamp(camera, millis)


@cache
def _street() -> Canvas:
    shades = np.linspace(210, 60, HEIGHT).astype(np.int16)
    return np.repeat(shades[:, None], WIDTH, axis=1)


@cache
def _noise() -> Canvas:
    size = (HEIGHT + _SPARE, WIDTH + _SPARE)
    return np.random.default_rng().normal(0, _NOISE, size).round().astype(np.int16)
