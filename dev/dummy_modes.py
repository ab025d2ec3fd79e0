"""The ways a dummy camera can behave: what each does to a good picture, and when it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Callable

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method='post'>"
    "<input name='user'><input name='password' type='password'><button>Sign in</button>"
    "</form></body></html>"
)
DEVICE_BUSY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<ResponseStatus version="2.0"'
    ' xmlns="http://www.isapi.org/ver20/XMLSchema"><statusCode>2</statusCode>'
    "<statusString>Device Busy</statusString><subStatusCode>deviceBusy</subStatusCode>"
    "</ResponseStatus>\n"
)


def _whole(jpeg: bytes) -> Response:
    return Response(jpeg, content_type="image/jpeg")


def _half(jpeg: bytes) -> Response:
    return _whole(jpeg[: len(jpeg) // 2])


def _cut(jpeg: bytes) -> Response:
    half = iter([jpeg[: len(jpeg) // 2]])  # of an iterator Flask cannot correct the length
    return Response(half, headers={"Content-Length": str(len(jpeg))}, content_type="image/jpeg")


def _nothing(_jpeg: bytes) -> Response:
    return _whole(b"")


def _login_page(_jpeg: bytes) -> Response:
    return _whole(LOGIN_PAGE.encode())


def _busy(_jpeg: bytes) -> Response:
    return Response(DEVICE_BUSY, 503, content_type="application/xml")


def _not_found(_jpeg: bytes) -> Response:
    return Response("404 Not Found\n", 404, content_type="text/plain")


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to behave: what it `means`, what it `shows`, how many seconds it lets wait.

    Without `wait` the camera is as quick as it otherwise is.
    """

    means: str
    shows: Callable[[bytes], Response] = _whole
    wait: float | None = None


MODES = {
    "ok": Mode("a fresh picture"),
    "slow": Mode("a fresh picture, after 10 seconds", wait=10.0),
    "frozen": Mode("the same picture for ever"),
    "hang": Mode("no answer until the mode changes or the client leaves", wait=math.inf),
    "refuse": Mode("closes every connection at once"),
    "401": Mode("refuses every login"),
    "404": Mode("knows no picture", _not_found),
    "503": Mode("says that it is busy", _busy),
    "html": Mode("a login page that claims to be a JPEG", _login_page),
    "truncated": Mode("half a picture, honestly announced", _half),
    "cut": Mode("half a picture, then closes the connection", _cut),
    "empty": Mode("200 OK and no picture", _nothing),
}
