"""The street's command line."""

from __future__ import annotations

import argparse
import random
import re
from typing import TYPE_CHECKING

from dev.street_digest import GUARDS
from dev.street_login import PASSWORD, USER
from dev.street_modes import KINDS, UnknownModeError, mode_of
from dev.street_tls import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST = 20000
_WHICH = re.compile(r"(\d+)(%?)=(.+)|(all)=(.+)")
EXAMPLES = f"""\
Modes that ask for a login let {USER!r} in, with the password {PASSWORD!r}.

examples:
  python dev/street.py --mode 7=trunc_cl --mode '30%=hang_hdr' --csv street.csv
  python dev/street.py --cameras 1000 --control 8099
  python dev/street.py --list
  curl -X PUT -d mjpeg http://127.0.0.1:8099/cameras/7
  curl http://127.0.0.1:8099/cameras
"""


def arguments() -> argparse.Namespace:
    """What the command line asks for; ends the program with a sentence where it makes no sense."""
    parser = argparse.ArgumentParser(
        description="Plays a street of cameras that misbehave on the wire, on loopback.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--cameras", type=int, default=12, metavar="N", help="default: %(default)s")
    add("--nvr", type=int, default=0, metavar="N", help="the last N are one recorder's channels")
    add(
        "--port",
        type=int,
        default=0,
        help="of the first camera; the others follow (default: free ones)",
    )
    add(
        "--mode",
        action="append",
        default=[],
        metavar="WHICH=MODE",
        help="WHICH is an id, 30%% or all",
    )
    add("--login", choices=GUARDS, default="", help="what every camera asks for (default: nothing)")
    add("--tls", choices=CERTIFICATES, default="", help="speak TLS with such a certificate")
    add("--csv", metavar="FILE", help="write the street as an inventory; - prints it")
    add(
        "--control",
        type=int,
        metavar="PORT",
        help="where modes are changed over HTTP; 0: a free one",
    )
    add("--list", action="store_true", help="print every mode and where it was seen")
    asked = parser.parse_args()
    if not 1 <= asked.cameras <= MOST:
        parser.error(f"--cameras: from 1 to {MOST}")
    if not 0 <= asked.nvr <= asked.cameras:
        parser.error("--nvr: no more than there are cameras")
    try:
        asked.modes = chosen(asked.mode, asked.cameras)
    except ValueError as error:
        parser.error(f"--mode: {error}")
    return asked


def chosen(wishes: Iterable[str], cameras: int) -> dict[str, str]:
    """Which camera begins in which mode; single cameras come before shares, shares before all.

    Shares are of all cameras and never meet; the same wishes always choose the same cameras.

    Raises:
        ValueError: a wish makes no sense.
    """
    singles: dict[str, str] = {}
    shares: list[tuple[int, str]] = []
    everyone = ""
    for wish in wishes:
        number, percent, mode, _, all_mode = _parts(wish)
        if all_mode:
            everyone = all_mode
        elif percent:
            shares.append((int(number), mode))
        elif not 1 <= int(number) <= cameras:
            raise ValueError(f"there is no camera {number}")
        else:
            singles[str(int(number))] = mode
    dealt = _dealt(
        shares, [str(n) for n in range(1, cameras + 1) if str(n) not in singles], cameras
    )
    rest = {str(n): everyone for n in range(1, cameras + 1)} if everyone else {}
    return rest | dealt | singles


def _parts(wish: str) -> tuple[str, ...]:
    found = _WHICH.fullmatch(wish)
    if found is None:
        raise ValueError(f"{wish!r} is not ID=MODE, 30%=MODE or all=MODE")
    parts = tuple(part or "" for part in found.groups())
    try:
        mode_of(parts[2] or parts[4])
    except UnknownModeError as error:
        raise ValueError(f"{error} --list names them all") from None
    return parts


def _dealt(shares: Sequence[tuple[int, str]], free: list[str], cameras: int) -> dict[str, str]:
    random.Random(cameras).shuffle(free)
    dealt: dict[str, str] = {}
    for percent, mode in shares:
        count = round(cameras * percent / 100)
        dealt |= dict.fromkeys(free[:count], mode)
        del free[:count]
    return dealt


def listing() -> str:
    """Every mode by kind: its name, what it does, and where it was seen."""
    wide = max(len(mode.name) for modes in KINDS.values() for mode in modes)
    lines = []
    for kind, modes in KINDS.items():
        lines += ["", f"{kind}:"]
        lines += [f"  {mode.name:<{wide}}  {mode.words} ({mode.seen})" for mode in modes]
    return "\n".join(lines[1:])
