"""The signals that steer the daemon."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

log = logging.getLogger(__name__)

_LEAVE_WITHIN = 9.0


class Signals:
    """SIGTERM and SIGINT ask to stop, SIGHUP to read again; what they ask is kept until heeded."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()

    def listen(self) -> None:
        """Heed them from now on; they come while the loop is free."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number.name)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)

    def _leave(self, name: str) -> None:
        if self.stop.is_set():
            os._exit(1)
        log.info("stopping signal=%s", name)
        self.stop.set()
        leave_within(_LEAVE_WITHIN, 0)


def leave_within(seconds: float, status: int) -> None:
    """End the process by then, whatever hangs on the way out: docker would do it less politely."""
    guard = threading.Timer(seconds, os._exit, [status])
    guard.daemon = True
    guard.start()
