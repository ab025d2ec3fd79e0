"""JPEGs that no camera takes: small to send, valid, and dear to decode."""

from __future__ import annotations

from functools import cache
from itertools import product

from dev.street_damage import segment
from dev.street_wire import EOI, SOI

BASELINE, PROGRESSIVE = 0xC0, 0xC2
_DHT, _SOS, _DQT, _COM = 0xC4, 0xDA, 0xDB, 0xFE
_GREY, _COLOURS = (1,), (1, 2, 3)
_DC, _AC = 0x00, 0x10
_BLOCK, _COEFFICIENTS, _DEEPEST = 64, range(1, 64), 13


def flat(width: int, height: int) -> bytes:
    """A whole grey picture of so many pixels, multiples of 8: two bits for each 64 of them.

    Its tables give the shortest code to the only symbols it needs (no change, end of block).
    """
    blocks = width * height // _BLOCK
    tables = _table(_DC, 0) + _table(_AC, 0)
    scan = bytes(-(-blocks * 2 // 8))
    return _head(BASELINE, width, height, _GREY) + tables + _scan(_GREY, 0, 63, 0) + scan + EOI


def claimed(width: int, height: int) -> bytes:
    """A picture of so many pixels that ends after a few of them."""
    tables = _table(_DC, 0) + _table(_AC, 0)
    return (
        _head(BASELINE, width, height, _GREY) + tables + _scan(_GREY, 0, 63, 0) + bytes(600) + EOI
    )


@cache
def many_scans(width: int, height: int) -> bytes:
    """A whole progressive picture in 2,647 scans: each coefficient bit by bit, all of them zero.

    `width` and `height` are multiples of 8; there are 2 to 32,767 blocks of 8 by 8 pixels.
    """
    blocks = width * height // _BLOCK
    bits = blocks.bit_length() - 1
    run = _table(_AC, bits << 4)
    nothing = _padded("0" + f"{blocks - (1 << bits):0{bits}b}")
    first = _scan(_COLOURS, 0, 0, 0) + bytes(-(-blocks * 3 // 8))
    rest = (
        _scan((colour,), place, place, _step(low)) + nothing
        for low, place, colour in product(range(_DEEPEST, -1, -1), _COEFFICIENTS, _COLOURS)
    )
    start = _head(PROGRESSIVE, width, height, _COLOURS) + _table(_DC, 0)
    return b"".join((start, run, first, *rest, EOI))


def many_segments(jpeg: bytes, count: int) -> bytes:
    """The picture with `count` empty comments behind its beginning."""
    return jpeg[:2] + segment(_COM, b"") * count + jpeg[2:]


def _step(low: int) -> int:
    """How a scan names its bit: the first of all alone, the others with the one before."""
    return low if low == _DEEPEST else (low + 1) << 4 | low


def _head(kind: int, width: int, height: int, colours: tuple[int, ...]) -> bytes:
    size = bytes((8,)) + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    parts = b"".join(bytes((colour, 0x11, 0)) for colour in colours)
    quantization = segment(_DQT, bytes((0,)) + bytes((1,)) * _BLOCK)
    return SOI + quantization + segment(kind, size + bytes((len(colours),)) + parts)


def _table(kind: int, symbol: int) -> bytes:
    """A Huffman table in which the code 0 means `symbol`, the only one there is."""
    return segment(_DHT, bytes((kind, 1)) + bytes(15) + bytes((symbol,)))


def _scan(colours: tuple[int, ...], first: int, last: int, bits: int) -> bytes:
    chosen = b"".join(bytes((colour, 0)) for colour in colours)
    return segment(_SOS, bytes((len(colours),)) + chosen + bytes((first, last, bits)))


def _padded(bits: str) -> bytes:
    """Bits as picture data: filled up with ones, a zero byte behind each FF."""
    whole = bits + "1" * (-len(bits) % 8)
    data = bytes(int(whole[place : place + 8], 2) for place in range(0, len(whole), 8))
    return data.replace(b"\xff", b"\xff\0")
