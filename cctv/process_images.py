#!/usr/bin/env python3
"""The predecessor's program under its own name: `process_images.py [-t SECONDS] [-v]`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # run by path, Python would look for modules in this folder first, and find ours for others'
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from cctv.early import heed_signals

    heed_signals()
    from cctv.cli import entry

    entry(["run", *sys.argv[1:]])
