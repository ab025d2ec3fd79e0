"""The dummy street's command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from dev.dummy_logins import ALGORITHMS, LOGIN
from dev.dummy_models import HOSTS, MODELS
from dev.dummy_modes import MODES

MOST = 254 * HOSTS
SICK = "a camera that starts in this mode; may be said again and again"
EXAMPLES = """\
examples:
  python dev/dummy_api.py
  python dev/dummy_api.py --cameras 24 --inventory street.csv --sick 5=hang --sick 9=401
  curl -X PUT -d html http://127.0.0.1:8081/street/7/mode
  curl -X PUT -d ok http://127.0.0.1:8081/street/mode
  curl http://127.0.0.1:8081/street
"""


def arguments() -> argparse.Namespace:
    """What the command line asks for; ends the program with a sentence where it makes no sense."""
    parser = argparse.ArgumentParser(
        description="Plays a street of traffic cameras on this machine's loopback addresses.",
        epilog=f"{_words()}\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--cameras", type=int, default=len(MODELS), metavar="N", help="default: one of each model")
    add("--port", type=int, default=8081, help="of all addresses; 0: a free one (default: 8081)")
    add("--slow", type=float, default=1.5, metavar="S", help="longest usual delay (default: 1.5 s)")
    add("--username", default=LOGIN.username, help="what every camera asks for (%(default)s)")
    add("--password", default=LOGIN.password, help="what every camera asks for (%(default)s)")
    add("--digest", choices=ALGORITHMS, default="MD5", help="hash of Digest logins (%(default)s)")
    add("--sick", action="append", default=[], type=_sick, metavar="ID=MODE", help=SICK)
    add("--inventory", type=Path, metavar="FILE.csv", help="write the street as an inventory")
    asked = parser.parse_args()
    if not 1 <= asked.cameras <= MOST:
        parser.error(f"--cameras: from 1 to {MOST}")
    for camera, _ in asked.sick:
        if camera not in map(str, range(1, asked.cameras + 1)):
            parser.error(f"--sick: there is no camera {camera}")
    return asked


def _words() -> str:
    modes = "\n".join(f"  {word:<10} {mode.means}" for word, mode in MODES.items())
    return f"models: {', '.join(model.name for model in MODELS)}\n\nmodes:\n{modes}\n"


def _sick(text: str) -> tuple[str, str]:
    camera, _, mode = text.partition("=")
    if mode not in MODES:
        raise argparse.ArgumentTypeError(f"{mode!r} is no mode; the modes are {', '.join(MODES)}")
    return camera, mode
