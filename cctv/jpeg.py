"""Where a JPEG picture begins and ends: a walk along its markers (ISO/IEC 10918-1, annex B)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SOI = b"\xff\xd8\xff"
DHT, EOI, SOS, COM = 0xC4, 0xD9, 0xDA, 0xFE

_SOI = 0xD8
# TEM and the restart markers stand alone, without a length behind them
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# DHT, JPG and DAC lie in the midst of the frame headers
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# baseline, extended and progressive; nothing shows the lossless, arithmetic and hierarchical ones
SOF = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = 0xC2
_COMPONENTS = frozenset({1, 3, 4})
_DEPTH = 8
_FRAME_HEADER, _SCAN_HEADER, _LENGTH = 6, 8, 2

# there is no `+` behind the FF: a run of them would cost the square of its length
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# within a scan a stuffed FF 00 and the restart markers are picture data
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

# what may stand before a picture: line ends and the headers of a part, or NULs; anything else is
# the rest of something, and the next start marker is likely to be that of a thumbnail
LEAD_IN = 65_536
_NO_TEXT, _NO_NUL = re.compile(rb"[^\t\n\r -~]"), re.compile(rb"[^\0]")
_BLANK_LINES = (b"\r\n\r\n", b"\n\n")
# the caps; the largest sensors of street cameras have 12 million pixels
SIDE = 16_384
PIXELS = 40_000_000
# more than one scan makes libjpeg hold the picture whole, at up to 8 bytes a pixel
HELD_PIXELS = 16_000_000
# libjpeg's own progressive pictures have 10 scans
SCANS = 100
# each scan runs over all pixels, even when it holds next to no bytes
WORK = 160_000_000
# a progressive picture has some dozens of scans and tables, a bomb has millions of empty segments
SEGMENTS = 5000


class NotWholeError(ValueError):
    """The walk did not arrive at the end of a picture; the text says where it stopped."""


class OversizeError(ValueError):
    """The picture asks for more than a decoder should be given; the text says of what."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A marker and what it holds: bytes `start`, at its FF, to `end`, behind its last one."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A whole picture: bytes `start` to `end` (behind the end marker), and its size in pixels.

    `segments` are those between the two, in their order; behind each start of scan lies its
    picture data, up to the next segment or the end marker.
    """

    start: int
    end: int
    width: int
    height: int
    components: int
    progressive: bool
    scans: int
    segments: tuple[Segment, ...] = field(repr=False)

    def parts(self) -> Iterator[tuple[Segment, int]]:
        """Each segment, and where the next one (or the end marker) begins."""
        nexts = [segment.start for segment in self.segments[1:]]
        return zip(self.segments, [*nexts, self.end - 2], strict=True)


@dataclass(slots=True)
class _Draft:
    """What is known of the picture that began at `start`."""

    start: int
    width: int = 0
    height: int = 0
    components: int = 0
    progressive: bool = False
    scans: int = 0
    # whether a decoder holds it whole: its first scan, or any after it, is but a part of it
    held: bool = False
    segments: list[Segment] = field(default_factory=list)


class Walk:
    """A walk along the markers of a picture whose bytes are still coming.

    `data` is kept, not copied; it may grow between two calls, never shrink. Before the start there
    may be text, or NULs. Thumbnails are stepped over with their segment, stray bytes between
    segments as libjpeg does. Where a new start marker shows that a picture broke off in a scan, or
    before a blank line (the head of a stream's next part), the walk begins again there; any other
    before the first scan is a thumbnail's, and the segment around it is lost. The pixels are not
    decoded. All calls together cost in proportion to the bytes, however those come.
    """

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self._at = 0
        self._steps = 0
        self._draft: _Draft | None = None
        self._extent: Extent | None = None

    @property
    def begun(self) -> bool:
        """Whether a start marker was found yet."""
        return self._draft is not None

    def on(self) -> Extent | None:
        """Go on as far as the bytes reach: the whole picture's extent, or None while more may come.

        Raises:
            NotWholeError: no further byte can make a picture of it.
            OversizeError: a cap is exceeded.
        """
        while self._extent is None and self._step():
            pass
        return self._extent

    def _step(self) -> bool:
        """Pass one marker; False while not all of its bytes are there."""
        if self._draft is None:
            return self._find_start()
        at = self._find_marker(_MARKER_AFTER_SCAN if self._draft.scans else _MARKER)
        if at is None:
            return False
        marker = self._data[at + 1]
        if marker == _SOI:
            return self._begin_again(self._draft, at)
        if marker == EOI:
            self._extent = _closed(self._draft, at + 2)
            return True
        return self._pass_over(at, at + 2) if marker in _BARE else self._take(self._draft, at)

    def _find_start(self) -> bool:
        lead_in = _NO_NUL if self._data.startswith(b"\0") else _NO_TEXT
        found = lead_in.search(self._data, self._at, LEAD_IN)
        self._at = at = found.start() if found else min(len(self._data), LEAD_IN)
        if at == LEAD_IN < len(self._data):
            raise NotWholeError(f"has no start within {LEAD_IN:,} bytes")
        first = self._data[at : at + len(SOI)]
        if not SOI.startswith(first):
            raise NotWholeError(f"has no start at byte {at}")
        if len(first) < len(SOI):
            return False
        self._draft = _Draft(at)
        return self._pass_over(at, at + 2)

    def _find_marker(self, pattern: re.Pattern[bytes]) -> int | None:
        found = pattern.search(self._data, self._at)
        if found is not None:
            self._at = found.start()
            return self._at
        # the last byte may be the first half of a marker
        self._at = max(self._at, len(self._data) - 1)
        return None

    def _begin_again(self, draft: _Draft, at: int) -> bool:
        third = self._data[at + 2 : at + 3]
        new = draft.scans or self._data.endswith(_BLANK_LINES, 0, at)
        if not new or (third and third != SOI[2:]):
            raise NotWholeError(f"damaged at byte {at}")
        if third:
            self._draft = _Draft(at)
            self._pass_over(at, at + 2)
        return bool(third)

    def _take(self, draft: _Draft, at: int) -> bool:
        """Take in the segment at `at`, once all of it is there."""
        length = self._data[at + 2 : at + 4]
        end = at + 2 + int.from_bytes(length, "big")
        if len(length) < _LENGTH:
            return False
        if end < at + 4:
            raise NotWholeError(f"damaged at byte {at}")
        if end > len(self._data):
            return False
        segment = Segment(self._data[at + 1], at, end)
        _note(draft, segment, bytes(self._data[at + 4 : min(end, at + 4 + _FRAME_HEADER)]))
        return self._pass_over(at, end)

    def _pass_over(self, at: int, end: int) -> bool:
        self._steps += 1
        if self._steps > SEGMENTS:
            raise OversizeError(f"has more than {SEGMENTS:,} segments in {at:,} bytes")
        self._at = end
        return True


def walk(data: bytes) -> Extent:
    """The extent of the first picture in `data` that does not break off.

    Raises:
        NotWholeError: there is none.
        OversizeError: a cap is exceeded.
    """
    extent = Walk(data).on()
    if extent is None:
        raise NotWholeError(f"cut off after {len(data)} bytes")
    return extent


def _note(draft: _Draft, segment: Segment, content: bytes) -> None:
    draft.segments.append(segment)
    if segment.marker in _FRAMES:
        _note_frame(draft, segment, content)
    elif segment.marker == SOS:
        _note_scan(draft, segment, content)


def _note_frame(draft: _Draft, segment: Segment, content: bytes) -> None:
    if draft.width or len(content) < _FRAME_HEADER:
        raise NotWholeError(f"damaged at byte {segment.start}")
    if segment.marker not in SOF or content[0] != _DEPTH or content[5] not in _COMPONENTS:
        raise NotWholeError(f"is of a kind that no viewer shows (0x{segment.marker:02X})")
    height, width = int.from_bytes(content[1:3], "big"), int.from_bytes(content[3:5], "big")
    if not (width and height):
        raise NotWholeError(f"has a frame of {width} by {height} pixels")
    if max(width, height) > SIDE:
        raise OversizeError(f"has {width:,} by {height:,} pixels, a side over {SIDE:,}")
    if width * height > PIXELS:
        raise OversizeError(f"has {width * height:,} pixels, more than {PIXELS:,}")
    draft.width, draft.height, draft.components = width, height, content[5]
    draft.progressive = segment.marker == _PROGRESSIVE


def _note_scan(draft: _Draft, segment: Segment, content: bytes) -> None:
    content = content or b"\0"
    if not draft.width or segment.end - segment.start != _SCAN_HEADER + 2 * content[0]:
        raise NotWholeError(f"damaged at byte {segment.start}")
    draft.scans += 1
    pixels = draft.width * draft.height
    draft.held |= draft.progressive or content[0] < draft.components
    if draft.held and pixels > HELD_PIXELS:
        raise OversizeError(f"has {pixels:,} pixels in several scans, more than {HELD_PIXELS:,}")
    if draft.scans > SCANS:
        raise OversizeError(f"has more than {SCANS} scans")
    if draft.held and pixels * draft.scans > WORK:
        raise OversizeError(
            f"has {draft.scans} scans of {pixels:,} pixels, more than {WORK:,} in all"
        )


def _closed(draft: _Draft, end: int) -> Extent:
    if not draft.scans:
        raise NotWholeError("ended before any picture data")
    return Extent(
        draft.start,
        end,
        draft.width,
        draft.height,
        draft.components,
        draft.progressive,
        draft.scans,
        tuple(draft.segments),
    )
