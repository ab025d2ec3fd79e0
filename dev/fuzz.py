"""Feeds one part of the program with bytes that coverage guides, until it breaks a promise.

The targets are those of the tests; what they once were fed stands in `tests/fuzz/corpus`. It needs
`atheris`, which no test needs and no lock file names: `pip install atheris` into an environment
that is thrown away afterwards, beside what the program itself needs.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
_SLOW, _MEMORY = 10, 2048
_MISSING = "fuzz.py: atheris is not installed; put it into an environment to be thrown away."


def main(words: Sequence[str] | None = None) -> int:
    """Fuzz one target for a while; the exit status is 1 when it broke a promise."""
    parser = _parser()
    asked = parser.parse_args(words)
    if not (asked.list or asked.target):
        parser.error("name a target, or --list them")
    if not asked.list and find_spec("atheris") is None:
        print(_MISSING, file=sys.stderr)
        return 2
    targets = _targets(instrumented=not asked.list)
    if asked.list:
        print(*targets, sep="\n")
        return 0
    if asked.target not in targets:
        parser.error(f"{asked.target} is no target; there are {', '.join(targets)}")
    _fuzz(targets[asked.target], _options(asked.target, asked.seconds, asked.keep))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("target", nargs="?", help="what to feed; --list names them")
    parser.add_argument("--list", action="store_true", help="name the targets, and end")
    parser.add_argument(
        "--seconds", type=int, default=120, metavar="N", help="for how long; 120 by default, 0: on"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="where new inputs and those that broke a promise go; a new one by default",
    )
    return parser


def _targets(*, instrumented: bool) -> dict[str, Callable[[bytes], None]]:
    """The shared table; only what is imported while instrumented guides the fuzzer."""
    if not instrumented:
        return _table()
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["cctv"], enable_loader_override=False):
        return _table()


def _table() -> dict[str, Callable[[bytes], None]]:
    table: dict[str, Callable[[bytes], None]] = import_module("tests.fuzz.targets").TARGETS
    return table


def _options(target: str, seconds: int, keep: Path | None) -> list[str]:
    """What libFuzzer is told; new inputs go into the first folder it is given."""
    folder = keep or Path(mkdtemp(prefix=f"fuzz-{target}-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"new inputs and findings go to {folder}", flush=True)
    return [
        f"-max_total_time={seconds}",
        f"-timeout={_SLOW}",
        f"-rss_limit_mb={_MEMORY}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(folder),
        *(str(each) for each in [CORPUS / target] if each.is_dir()),
    ]


def _fuzz(check: Callable[[bytes], None], options: list[str]) -> None:
    """Does not come back: libFuzzer ends the process, with a status of its own after a fault."""
    atheris = import_module("atheris")
    # as the tests have it
    warnings.simplefilter("error")
    atheris.Setup([sys.argv[0], *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
