"""`python -m cctv`, and the command `cctv`."""

import sys

from cctv.early import heed_signals


def main() -> None:
    """Run the command; what takes long to load is loaded after signals are heeded."""
    if sys.argv[1:2] == ["run"]:
        heed_signals()
    from cctv.cli import entry  # noqa: PLC0415 - see above

    entry()


if __name__ == "__main__":
    main()
