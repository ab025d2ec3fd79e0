"""The log: stdout and a rotating file, each behind a bounded queue that no slow disk can fill."""

from __future__ import annotations

import base64
import logging
import logging.handlers
import math
import queue
import re
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from cctv.model import Login, Secret

log = logging.getLogger(__name__)

LOG_FILE = "cctv.log"
_ESCAPE = re.compile("%[0-9A-F]{2}")

_QUEUE = 10_000
_FILE_BYTES, _FILES = 1_000_000, 10
_FLUSH, _TELL_AGAIN = 2.0, 3600.0
_SHORT = 2


class Redactor:
    """Takes known secrets out of a text, also where they stand percent-encoded or in base64.

    Secrets of one or two characters stay: taking them out would spoil every line.
    """

    def __init__(self, logins: Iterable[Login], others: Iterable[Secret] = ()) -> None:
        forms = {form for login in logins for form in _login_forms(login)}
        forms |= {form for secret in others for form in _forms(secret.reveal())}
        # the longest first: a secret may be part of another
        self._forms = sorted((form for form in forms if len(form) > _SHORT), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with `***` in the place of every secret."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text


class Lines(logging.Formatter):
    """One line for each record, in the operator's time zone, without secrets."""

    def __init__(self, zone: ZoneInfo, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._zone = zone
        self._redact = redact

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the library's name
        """RFC 3339 with the zone's offset, whole seconds."""
        del datefmt
        return datetime.fromtimestamp(record.created, self._zone).isoformat(timespec="seconds")

    def format(self, record: logging.LogRecord) -> str:
        """The whole text, traceback included; a line that a camera made cannot forge another."""
        text = self._redact(super().format(record))
        if record.exc_info:
            return text
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


class LogFile(logging.handlers.RotatingFileHandler):
    """The rotating file; a disk that does not take it is told of on the other outlets."""

    _told = -math.inf

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Tell it once an hour; the line itself stands on stdout."""
        del record
        now = time.monotonic()
        if now - self._told >= _TELL_AGAIN:
            self._told = now
            trouble = sys.exc_info()[1]
            why = getattr(trouble, "strerror", None) or type(trouble).__name__
            log.error("log file not written, stdout goes on: %s", why)

    def close(self) -> None:
        """Close it; what a full disk does not take any more is lost."""
        with suppress(OSError):
            super().close()


class Outlet(logging.Handler):
    """Hands lines to a handler in a thread of its own; drops and counts what it cannot take.

    `close` waits two seconds at most for what is queued.
    """

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self.dropped = 0
        self._handler = handler
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._drain, daemon=True, name="log")
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the finished line."""
        try:
            self._queue.put_nowait(_finished(record.levelno, self.format(record)))
        except queue.Full:
            self.dropped += 1

    def flushed(self) -> None:
        """Wait until everything queued so far is written."""
        self._queue.join()

    def close(self) -> None:
        """Write what is queued, as far as that goes, and end the thread."""
        try:
            self._queue.put(None, timeout=_FLUSH)
            self._thread.join(_FLUSH)
        except queue.Full:
            pass
        super().close()

    def _drain(self) -> None:
        while (record := self._queue.get()) is not None:
            self._handler.handle(record)
            if self.dropped:
                lost, self.dropped = self.dropped, 0
                self._handler.handle(_finished(logging.WARNING, f"log lines dropped count={lost}"))
            self._queue.task_done()
        self._handler.close()


@contextmanager
def logging_to(folder: Path | None, level: int, zone: ZoneInfo, redact: Redactor) -> Iterator[None]:
    """Log to stdout, and to `cctv.log` in `folder` where that can be written (else one warning).

    The file is rotated at 1 MB and ten old ones are kept; watch it with `tail -F`.
    """
    # a full disk must not turn each line into a traceback on stderr
    logging.raiseExceptions = False
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    trouble = _add_file(handlers, folder) if folder else None
    outlets = [Outlet(handler) for handler in handlers]
    root = logging.getLogger()
    root.setLevel(level)
    # the libraries' own chatter tells a technician nothing, and may hold URLs
    for name in ("asyncio", "aiohttp", "botocore", "aiobotocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for outlet in outlets:
        outlet.setFormatter(Lines(zone, redact))
        root.addHandler(outlet)
    if trouble:
        logging.getLogger(__name__).warning("log file not writable, stdout only: %s", trouble)
    try:
        yield
    finally:
        for outlet in outlets:
            root.removeHandler(outlet)
            outlet.close()


def _add_file(handlers: list[logging.Handler], folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            LogFile(folder / LOG_FILE, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
        )
    except OSError as error:
        return f"{folder / LOG_FILE}: {error.strerror}"
    return None


def _finished(level: int, line: str) -> logging.LogRecord:
    record = logging.LogRecord("cctv", level, "", 0, line, None, None)
    record.created = time.time()
    return record


def _login_forms(login: Login) -> Iterator[str]:
    password = login.password.reveal()
    yield from _forms(password)
    yield base64.b64encode(f"{login.username}:{password}".encode()).decode()


def _forms(secret: str) -> Iterator[str]:
    yield secret
    for form in (quote(secret, safe=""), quote_plus(secret)):
        yield form
        yield _ESCAPE.sub(lambda escape: escape[0].lower(), form)
    yield base64.b64encode(secret.encode()).decode()
