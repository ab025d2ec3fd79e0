"""Does to a running daemon what a bad week does to a machine, and says what came of it.

A street, a daemon and a folder store are started for each case. A line for each: OK, FAILED, or
NOT ALLOWED HERE where this user or this machine cannot have it done. Whatever happens, no picture
may stand in the store for long after its time while the daemon runs. Exit status 1 when a case
has failed. Run it: `python dev/chaos.py`, best as root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.chaos_cases import CASES
from dev.chaos_scene import BrokenError, NotAllowedError, Scene

if TYPE_CHECKING:
    from dev.chaos_cases import Case


def main() -> int:
    """Do what is asked for; the exit status."""
    asked = arguments()
    wide = max(len(case.name) for case in CASES)
    if asked.list:
        for case in CASES:
            print(f"{case.name:<{wide}}  {case.words}")
        return 0
    chosen = [case for case in CASES if not asked.only or case.name in asked.only]
    verdicts = [done(case, asked, wide) for case in chosen]
    return 0 if all(verdicts) else 1


def done(case: Case, asked: argparse.Namespace, wide: int) -> bool:
    """Do one thing and say what came of it; False when it has failed."""
    verdict, failed = "OK", False
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        Scene(Path(folder), asked.cameras, asked.interval) as scene,
    ):
        try:
            words = case.act(scene)
            scene.judge()
            words += f"; at worst {scene.watch.worst:.1f} s out of date"
        except NotAllowedError as error:
            verdict, words = "NOT ALLOWED HERE", str(error)
        except BrokenError as error:
            verdict, words, failed = "FAILED", str(error), True
        print(f"{verdict:<6}  {case.name:<{wide}}  {words}", flush=True)
        if failed:
            print("".join(f"        | {line}\n" for line in scene.last_words()), end="")
    return not failed


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, names = parser.add_argument, [case.name for case in CASES]
    add("--list", action="store_true", help="print what can be done")
    add("--only", action="append", choices=names, metavar="NAME", help="this one; may be repeated")
    add("--cameras", type=int, default=8, metavar="N", help="default: %(default)s")
    add("--interval", type=float, default=4.0, metavar="SECONDS", help="default: %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
