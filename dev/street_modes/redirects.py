"""Redirects, to good places and bad ones; at its end a followed one finds a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.street_mode import UNSEEN, Mode, Play, ok
from dev.street_wire import reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

MOVED = "/moved.jpg"
_SSRF = "server-side request forgery, OWASP"


def _to(location: str) -> Play:
    """Sends there every request for anything but MOVED; {port} is the device's own."""

    async def play(talk: Talk) -> None:
        if talk.request.target == MOVED:
            await ok(talk)
            return
        where = location.format(port=talk.device.port, target=talk.request.target)
        await talk.send(reply(b"", f"Location: {where}", status="302 Found"))

    return play


MODES = (
    Mode("redir_same", "302 to another path", "Axis, old paths", _to(MOVED)),
    Mode(
        "redir_host",
        "302 to another host name, localhost, where the same camera answers",
        "cloud cameras",
        _to(f"http://localhost:{{port}}{MOVED}"),
    ),
    Mode("redir_loop", "302 to the same path", UNSEEN, _to("{target}")),
    Mode("redir_file", "302 to file:///etc/passwd", _SSRF, _to("file:///etc/passwd")),
    Mode(
        "redir_meta",
        "302 to the cloud's metadata service",
        _SSRF,
        _to("http://169.254.169.254/latest/meta-data/"),
    ),
    Mode(
        "redir_https",
        "302 to https at the same port, where none is spoken",
        "Bosch, Hikvision with forced https",
        _to("https://127.0.0.1:{port}" + MOVED),
    ),
)
