"""A password that must be seen nowhere, in all the forms in which it might be."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from zoneinfo import ZoneInfo

from cctv.logs import Lines, Redactor
from cctv.model import Login, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USER, PASSWORD = "canary-user", "S3cr3t-canary/%:ü@"
LOGIN = Login(USER, Secret(PASSWORD))
_PART = "S3cr3t-canary"
ENV = {"CAMERA_USERNAME": USER, "CAMERA_PASSWORD": PASSWORD}


def forms(realms: Iterable[str]) -> dict[str, str]:
    """Every form of the password by its name; `realms` are those of the cameras' digests."""
    pair = f"{USER}:{PASSWORD}"
    upper = {"quoted": quote(PASSWORD, safe=""), "quoted for forms": quote_plus(PASSWORD)}
    lower = {f"{name}, lower case": _lowered(text) for name, text in upper.items()}
    coded = {"base64": _coded(PASSWORD), "Basic": _coded(pair)}
    # however its other letters are written
    return {"plain": PASSWORD, "a part": _PART} | upper | lower | coded | dict(_digests(realms))


def _lowered(text: str) -> str:
    """The same with its escapes in lower case."""
    return re.sub("%..", lambda escape: escape[0].lower(), text)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _digests(realms: Iterable[str]) -> Iterator[tuple[str, str]]:
    for realm in realms:
        text = f"{USER}:{realm}:{PASSWORD}".encode()
        yield f"HA1 of {realm}, MD5", hashlib.md5(text, usedforsecurity=False).hexdigest()
        yield f"HA1 of {realm}, SHA-256", hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class Search:
    """Finds the canary; `found` says where and in which form."""

    realms: tuple[str, ...]
    _forms: dict[str, bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = {name: text.encode() for name, text in forms(self.realms).items()}
        object.__setattr__(self, "_forms", known)

    def found(self, where: str, text: str | bytes) -> list[str]:
        """The forms that stand in this text, by name."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
        return [f"{where}: {name}" for name, form in self._forms.items() if form in data]


class Ears(logging.Handler):
    """Hears every record: `raw` with all that hangs on it, `lines` as the daemon writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.raw: list[str] = []
        self.lines: list[str] = []
        self._plain = logging.Formatter("%(name)s %(levelname)s %(message)s")
        self._lines = Lines(ZoneInfo("UTC"), Redactor([LOGIN]))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep both."""
        self.raw.append(f"{self._plain.format(record)} {record.args!r} {record.exc_info!r}")
        # the other formatter made a text of the traceback, which is kept with the record
        record.exc_text = None
        self.lines.append(self._lines.format(record))


@contextmanager
def listening() -> Iterator[Ears]:
    """All that is logged meanwhile, by every logger, from DEBUG on."""
    ears, root = Ears(), logging.getLogger()
    before = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        yield ears
    finally:
        root.setLevel(before)
        root.removeHandler(ears)
