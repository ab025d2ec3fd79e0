"""What a decoder does not tell of a picture's scans: zeros that it takes for data, scans missing.

A camera that loses a packet or a page of memory sends zeros instead. A decoder reads them as the
code of nothing but zero bits, again and again, and need not notice (measured on progressive
pictures: two holes in five). What that code stands for tells whether an encoder can have written
it so often: "this block is empty" it can, in a black night; anything else it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.jpeg import DHT, SOF, SOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cctv.jpeg import Extent

# of zeros in a row; sound pictures were seen with up to 14, outside flat areas
_HOLE = 64
# in the scans that refine what others sent, smooth drawings were seen with up to 117
_HOLE_IN_REFINEMENT = 160
_HEAD, _COUNTS, _AC, _LOW = 4, 16, 0x10, 0x0F
_COEFFICIENTS = 64
_NEVER_SENT = 0xFF
_EMPTY = 0


@dataclass(frozen=True, slots=True)
class _Scan:
    """A scan header: the selected components and tables, coefficients, and bits left to send."""

    components: bytes
    tables: bytes
    first: int
    last: int
    before: int
    left: int

    @classmethod
    def of(cls, content: bytes, *, progressive: bool) -> _Scan:
        selected, (first, last, bits) = content[1:-3], content[-3:]
        if not progressive:
            first, last, bits = 0, _COEFFICIENTS - 1, 0
        return cls(selected[::2], selected[1::2], first, last, bits >> 4, bits & _LOW)


def fault(data: bytes, extent: Extent) -> str:
    """What is wrong with the scans of the picture, in words; empty where nothing is."""
    # the bits of each component's coefficients that are still to be sent
    left = {each: bytearray((_NEVER_SENT,)) * _COEFFICIENTS for each in _components(data, extent)}
    codes: dict[int, int] = {}
    for segment, end in extent.parts():
        content = data[segment.start + _HEAD : segment.end]
        if segment.marker == DHT:
            codes.update(_codes_of_zeros(content))
        if segment.marker == SOS:
            scan = _Scan.of(content, progressive=extent.progressive)
            _note(left, scan)
            limit = _limit(scan, codes)
            if limit and data.find(bytes(limit), segment.end, end) >= 0:
                return "zeros in the picture data"
    return "some of its scans are missing" if any(map(any, left.values())) else ""


def _codes_of_zeros(tables: bytes) -> Iterator[tuple[int, int]]:
    """Of each table, by class and number, what its code of zero bits stands for."""
    at = 0
    while len(tables) > at + _COUNTS + 1:
        yield tables[at], tables[at + _COUNTS + 1]
        at += 1 + _COUNTS + sum(tables[at + 1 : at + _COUNTS + 1])


def _limit(scan: _Scan, codes: dict[int, int]) -> int:
    """How many zeros in a row no encoder writes in this scan; 0 where it may write any number."""
    if scan.first:
        # a progressive encoder counts empty blocks, and writes the count
        return _HOLE_IN_REFINEMENT if scan.before else _HOLE
    if scan.before:
        # the last bits of each block's average, without a code: a lost one is hardly seen
        return 0
    used = [table >> 4 for table in scan.tables]
    if scan.last:
        used = [_AC | table & _LOW for table in scan.tables]
    return 0 if all(codes.get(table, _EMPTY) == _EMPTY for table in used) else _HOLE


def _note(left: dict[int, bytearray], scan: _Scan) -> None:
    end = min(scan.last + 1, _COEFFICIENTS)
    for component in scan.components:
        if component in left:
            left[component][scan.first : end] = bytes((scan.left,)) * (end - scan.first)


def _components(data: bytes, extent: Extent) -> Iterable[int]:
    """The names the frame header gives them."""
    header = next(each for each in extent.segments if each.marker in SOF)
    return data[header.start + _HEAD + 6 : header.end : 3]
