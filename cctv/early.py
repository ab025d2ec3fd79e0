"""Signals while the program is still being loaded: a restart may come at any moment."""

from __future__ import annotations

import os
import signal


def heed_signals() -> None:
    """SIGTERM and SIGINT end the process with status 0 and SIGHUP is passed over, for now."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
