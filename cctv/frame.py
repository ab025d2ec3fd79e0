"""The one door: only a whole picture becomes a Frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cctv.errors import CaptureError
from cctv.jpeg import SOI, NotWholeError, walk
from cctv.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

_FOREIGN = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML text"),
    (b"<", "a page of markup"),
    (b"{", "a JSON text"),
    (b"[", "a JSON text"),
    (b"--", "a multipart stream"),
    (b"\x89png", "a PNG picture"),
    (b"gif8", "a GIF picture"),
    (b"riff", "a RIFF file"),
)


@dataclass(frozen=True, slots=True, init=False)
class Frame:
    """A whole JPEG picture, `width` by `height` pixels; `captured_at` is our receive time, UTC.

    A Frame that exists is whole: nobody downstream checks again, or changes a byte of `body`.
    """

    body: bytes = field(repr=False)
    captured_at: datetime
    width: int
    height: int

    def __init__(self) -> None:
        raise TypeError("a Frame is made by Frame.of")

    @classmethod
    def of(cls, data: bytes, captured_at: datetime) -> Self:
        """The picture in `data`, without what surrounds it; the only way to get a Frame.

        Raises:
            CaptureError: `not-a-picture` when it does not begin as a JPEG, `torn` when it does
                and is not whole.
        """
        picture = data.lstrip(b"\r\n\t ")
        if not picture.startswith(SOI):
            raise CaptureError(Reason.NOT_A_PICTURE, f"answered {_kind(picture)}")
        try:
            extent = walk(picture)
        except NotWholeError as error:
            raise CaptureError(Reason.TORN, f"JPEG {error}") from None
        frame = object.__new__(cls)
        values = (picture[: extent.end], captured_at, extent.width, extent.height)
        for name, value in zip(cls.__slots__, values, strict=True):
            object.__setattr__(frame, name, value)
        return frame


def _kind(data: bytes) -> str:
    if not data:
        return "nothing (0 bytes)"
    start = data[:20].lower()
    known = (kind for prefix, kind in _FOREIGN if start.startswith(prefix))
    return f"{next(known, 'something that is no JPEG')} ({len(data)} bytes)"
