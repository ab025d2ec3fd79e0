"""The one door: only a whole picture becomes a Frame."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self, TypeVar

from cctv import looks, pixels, repair, scans
from cctv.errors import CaptureError
from cctv.jpeg import EOI, SOI, SOS, NotWholeError, OversizeError, Walk
from cctv.reasons import Reason
from cctv.retouch import PLAIN, retouched

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.jpeg import Extent
    from cctv.pixels import Pixels
    from cctv.retouch import Retouch

_FOREIGN = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML text"),
    (b"<", "a page of markup"),
    (b"{", "a JSON text"),
    (b"[", "a JSON text"),
    (b"\x89png", "a PNG picture"),
    (b"gif8", "a GIF picture"),
    (b"riff", "a RIFF file"),
    (b"bm", "a BMP picture"),
    (b"ii*\0", "a TIFF picture"),
    (b"mm\0*", "a TIFF picture"),
    (b"%pdf", "a PDF document"),
    (b"pk\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "something compressed"),
)
_STREAM = (b"--", "a multipart stream")
# ISO/IEC 14496-12: MP4, HEIC and their kin begin with the length of a box of this name
_BOX, _BOX_AT = b"ftyp", 4
_BLANKS, _BYTE_ORDER_MARK = b"\r\n\t ", b"\xef\xbb\xbf"
_END = bytes((0xFF, EOI))
# sequential pictures end in one padding, or in one for each colour
_PADDINGS = 4

_Kind = TypeVar("_Kind", bound="Frame")


@dataclass(frozen=True, slots=True, init=False)
class Frame:
    """A whole JPEG picture, `width` by `height` pixels; `captured_at` is our receive time, UTC.

    A Frame that exists is whole: nobody downstream checks again, or changes a byte of `body`.
    `digest` (16 bytes) tells the camera's picture from any other one: it is taken of the cleaned
    bytes before they are retouched, for what a mask leaves may be the same all night. `warnings`
    say what is odd about a whole picture; what comes of it is decided elsewhere.
    """

    body: bytes = field(repr=False)
    captured_at: datetime
    width: int
    height: int
    digest: bytes = field(repr=False)
    warnings: tuple[Reason, ...]

    def __init__(self) -> None:
        raise TypeError("a Frame is made by Frame.of")

    @classmethod
    def of(cls, data: bytes, captured_at: datetime, retouch: Retouch = PLAIN) -> Self:
        """The first whole picture in `data`, cleaned and retouched; the only way to get a Frame.

        Takes CPU, so that it belongs in a thread (`darkroom`); all data of the picture is decoded.

        Raises:
            CaptureError: `not-a-picture` when it does not begin as a JPEG, `torn` when it does
                and is not whole, `too-big` for more than a decoder should be given, `unmasked`
                when a mask could not be drawn.
        """
        body, extent, seen = _sound(data)
        cells = looks.grid(seen)
        if tail := looks.flat_tail(cells):
            raise CaptureError(Reason.TORN, f"the lower {tail * 100:.0f} % is one flat colour")
        warnings = (Reason.BLANK,) if looks.blank(cells) else ()
        digest = hashlib.blake2b(body, digest_size=16).digest()
        body, extent = retouched(body, extent, retouch)
        return _made(cls, body, captured_at, extent.width, extent.height, digest, warnings)

    def flagged(self, reason: Reason) -> Self:
        """The same picture with one more warning."""
        if reason in self.warnings:
            return self
        values = [getattr(self, each.name) for each in fields(self)[:-1]]
        return _made(type(self), *values, (*self.warnings, reason))


def whole(data: bytes) -> None:
    """Make sure that an operator's own picture is whole, from its first byte on.

    However it looks; what follows its end is not looked at.

    Raises:
        CaptureError: for the reasons of `Frame.of`.
    """
    if not data.startswith(SOI):
        raise CaptureError(Reason.NOT_A_PICTURE, f"is {_kind(data)}")
    _sound(data)


def _made(kind: type[_Kind], *values: object) -> _Kind:
    frame = object.__new__(kind)
    for each, value in zip(fields(kind), values, strict=True):
        object.__setattr__(frame, each.name, value)
    return frame


def _sound(data: bytes) -> tuple[bytes, Extent, Pixels]:
    """The first whole picture in `data`, cleaned; its extent, and a reduction of it."""
    extent = _extent(data)
    body = repair.cleaned(data, extent)
    if found := scans.fault(body, _extent(body)):
        raise CaptureError(Reason.TORN, f"JPEG damaged: {found}")
    try:
        return _decoded(body, _PADDINGS)
    except pixels.DamagedError as error:
        raise CaptureError(Reason.TORN, f"JPEG damaged: {error}") from None


def _decoded(body: bytes, paddings: int) -> tuple[bytes, Extent, Pixels]:
    """A picture with all its pixels; paddings are taken out, for libjpeg tells of one at a time."""
    extent = _extent(body)
    try:
        return body, extent, pixels.reduced(body)
    except pixels.PaddedError as error:
        left = repair.unpadded(body, extent, error.marker, error.count) if paddings else None
        if left is None:
            raise
    return _decoded(left, paddings - 1)


def _extent(data: bytes) -> Extent:
    """Where the picture lies; what stands before it is nothing of another kind."""
    path = Walk(data)
    try:
        extent = path.on()
    except OversizeError as error:
        raise CaptureError(Reason.TOO_BIG, f"JPEG {error}") from None
    except NotWholeError as error:
        raise _refusal(data, f"JPEG {error}", begun=path.begun) from None
    if extent is None:
        raise _refusal(data, f"JPEG cut off after {len(data)} bytes", begun=path.begun)
    if extent.start and _known(data, _FOREIGN):
        raise CaptureError(Reason.NOT_A_PICTURE, f"answered {_kind(data)}")
    if _thumbnail(data, extent):
        raise CaptureError(Reason.TORN, "JPEG damaged: only its thumbnail is left")
    return extent


def _refusal(data: bytes, found: str, *, begun: bool) -> CaptureError:
    if begun and not _known(data, _FOREIGN):
        return CaptureError(Reason.TORN, found)
    return CaptureError(Reason.NOT_A_PICTURE, f"answered {_kind(data)}")


def _thumbnail(data: bytes, extent: Extent) -> bool:
    """Whether a segment of a wrong length ends amid a small picture, and the walk went on there.

    The rest of the small picture's own segment then lies behind it, as stray bytes.
    """
    return any(
        data[segment.end : end].strip(b"\xff")
        and data.rfind(SOI, segment.start, segment.end + 2)
        > data.rfind(_END, segment.start, segment.end)
        for segment, end in extent.parts()
        if segment.marker != SOS
    )


def _kind(data: bytes) -> str:
    if not data:
        return "nothing (0 bytes)"
    kind = _known(data, (*_FOREIGN, _STREAM)) or "something that is no JPEG"
    return f"{kind} ({len(data)} bytes)"


def _known(data: bytes, table: tuple[tuple[bytes, str], ...]) -> str:
    start = data[:256].removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANKS)[:20].lower()
    if data.startswith(_BOX, _BOX_AT):
        return "a film or a picture of another kind"
    return next((kind for prefix, kind in table if start.startswith(prefix)), "")
