"""What damage gets past the checks: random faults in drawn pictures, published or refused.

A fault counts as seen when more than 1 % of the published pixels are off by more than 20 levels.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from cctv.errors import CaptureError
from cctv.frame import Frame
from dev.pictures import picture

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEVELS, PART = 20, 0.01

Fault = Callable[[bytes, int, bytes], bytes]
"""A picture, a place in its data, and another picture to take bytes from: a damaged picture."""


def _flipped(data: bytes, at: int, _: bytes) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def _lost(count: int) -> Fault:
    return lambda data, at, _: data[:at] + data[at + count :]


def _zeroed(count: int) -> Fault:
    return lambda data, at, _: data[:at] + bytes(count) + data[at + count :]


def _replaced(count: int) -> Fault:
    return lambda data, at, other: data[:at] + other[at : at + count] + data[at + count :]


def _continued(data: bytes, at: int, other: bytes) -> bytes:
    return data[:at] + other[at:]


def _closed(data: bytes, at: int, _: bytes) -> bytes:
    return data[:at] + data[-2:]


FAULTS: dict[str, Fault] = {
    "one bit flipped": _flipped,
    "1 byte lost": _lost(1),
    "64 bytes lost": _lost(64),
    "1,460 bytes lost": _lost(1460),
    "64 bytes zeroed": _zeroed(64),
    "1,460 bytes zeroed": _zeroed(1460),
    "64 bytes of another picture": _replaced(64),
    "1,460 bytes of another picture": _replaced(1460),
    "continued with another picture": _continued,
    "cut off, and an end mark": _closed,
}


def main() -> None:
    """Print a table of what was published, and what of that is seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--places", type=int, default=60, metavar="N", help="for each picture: 60")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    pictures = [picture(str(number), "bench", MOMENT) for number in range(9)]
    print(f"{len(pictures)} pictures of 640x360, {asked.places} places each")
    print(f"{'fault':32}{'published':>10}{'seen':>7}")
    for name, fault in FAULTS.items():
        came = Counter[str]()
        for number, data in enumerate(pictures):
            other = pictures[number - 1]
            for _ in range(asked.places):
                at = chance.randrange(len(data) // 20, min(len(data), len(other)) - 1500)
                came[_verdict(data, fault(data, at, other))] += 1
        sums = came.total()
        published = came["seen"] + came["unseen"]
        print(f"{name:32}{published / sums:>9.1%}{came['seen'] / sums:>7.1%}")


def _verdict(whole: bytes, damaged: bytes) -> str:
    try:
        frame = Frame.of(damaged, MOMENT)
    except CaptureError:
        return "refused"
    one, other = _pixels(whole), _pixels(frame.body)
    if one.shape != other.shape:
        return "seen"
    off = np.abs(one - other).max(axis=2) > LEVELS
    return "seen" if off.mean() > PART else "unseen"


def _pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int16)


if __name__ == "__main__":
    main()
