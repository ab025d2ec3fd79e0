"""What judging a picture costs: CPU of each check, and its ratio to a plain load by Pillow.

The ratio is the figure to quote: both are measured in the same run, on the same pictures, which
are drawn. Run it: `python dev/bench/checks.py --rounds 9`.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from cctv import looks, pixels, repair, scans  # noqa: E402 - found by the line above
from cctv.frame import Frame  # noqa: E402
from cctv.jpeg import walk  # noqa: E402
from cctv.retouch import Retouch, retouched  # noqa: E402
from dev.scenes import paint  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = ((640, 360), (1920, 1080), (3840, 2160))
# a road smoothly enlarged compresses too well; with the grain of a sensor, 1080p takes 350 KB
GRAIN, QUALITY = 8, 80
MASK = Retouch((((0.1, 0.1), (0.4, 0.1), (0.5, 0.5), (0.1, 0.4)),))
NOW = datetime.now(UTC)


def main() -> None:
    """Measure and print one table."""
    options = arguments()
    print(f"{'CPU ms (x Pillow load)':24}", end="")
    pictures = {name(size, wave): picture(size, wave) for size in SIZES for wave in (False, True)}
    print("".join(f"{title:>19}" for title in pictures))
    columns = [measured(data, options.rounds) for data in pictures.values()]
    for check in columns[0]:
        print(f"{check:24}", end="")
        print("".join(cell(column[check], column["Pillow load"]) for column in columns))
    print(f"{'KB':24}" + "".join(f"{len(data) // 1000:>19}" for data in pictures.values()))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="the median of so many counts")
    return parser.parse_args()


def name(size: tuple[int, int], wave: bool) -> str:  # noqa: FBT001 - one of two columns
    """A column's title."""
    return f"{size[1]}p {'progressive' if wave else 'baseline'}"


def picture(size: tuple[int, int], wave: bool) -> bytes:  # noqa: FBT001 - one of two columns
    """A road with grain, as a camera would send it."""
    image = paint(0).resize(size, Image.Resampling.BICUBIC)
    grain = Image.effect_noise(size, GRAIN).convert("RGB")
    file = io.BytesIO()
    grained = ImageChops.add(image, grain, offset=-128)
    grained.save(file, "JPEG", quality=QUALITY, progressive=wave)
    return file.getvalue()


def measured(data: bytes, rounds: int) -> dict[str, float]:
    """CPU seconds of each check."""
    return {check: median(work, rounds) for check, work in checks(data).items()}


def checks(data: bytes) -> dict[str, Callable[[], object]]:
    """Each check by its name, alone; what it needs is made before."""
    extent, small = walk(data), pixels.reduced(data)
    width = extent.width // 2
    return {
        "Pillow load": lambda: Image.open(io.BytesIO(data)).load(),
        "walk": partial(walk, data),
        "scans": partial(scans.fault, data, extent),
        "strip": partial(repair.cleaned, data, extent),
        "strict decode": partial(pixels.reduced, data),
        "full grey decode": partial(pixels.decoded, data, "GRAY"),
        "looks": lambda: judged(small),
        "Frame.of": partial(Frame.of, data, NOW),
        "shrink to half": partial(retouched, data, extent, Retouch(max_width=width)),
        "mask": partial(retouched, data, extent, MASK),
        "mask and shrink": partial(retouched, data, extent, Retouch(MASK.masks, width)),
    }


def judged(small: pixels.Pixels) -> None:
    """All that is looked at."""
    cells = looks.grid(small)
    looks.flat_tail(cells)
    looks.blank(cells)


def median(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of this thread, the median of `rounds`."""
    times = []
    for _ in range(rounds):
        before = time.thread_time()
        work()
        times.append(time.thread_time() - before)
    return statistics.median(times)


def cell(seconds: float, load: float) -> str:
    """Milliseconds, and how many times Pillow's."""
    return f"{seconds * 1000:12.2f} ({seconds / load:4.2f})"


if __name__ == "__main__":
    main()
