"""The street's control: a few HTTP requests by which a person or a script looks and changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from dev.street_modes import KINDS, UnknownModeError, mode_of
from dev.street_talk import parsed
from dev.street_wire import reply

if TYPE_CHECKING:
    from dev.street_talk import Request
    from dev.street_town import Street

HOST = "127.0.0.1"
PATIENCE = 10.0
MOST_BODY = 4096
JSON, TEXT, CSV = (
    f"Content-Type: {kind}; charset=utf-8"
    for kind in ("application/json", "text/plain", "text/csv")
)
CLOSE = "Connection: close"
USAGE = """\
GET /cameras      every camera: id, address, mode, requests, open connections
GET /modes        every mode: name, kind, words, where it was seen
GET /street.csv   the street as an inventory
PUT /cameras/ID   a mode's name, or {"mode": NAME}: this camera behaves so from now on
PUT /cameras      the same for all of them
"""


class Control:
    """Answers at `port` of loopback, one request for each connection."""

    def __init__(self, street: Street, port: int) -> None:
        self.port = port
        self._street = street
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take connections from now on.

        Raises:
            OSError: the port is not to be had.
        """
        self._server = await asyncio.start_server(self._welcome, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more, and drop those that are there."""
        if self._server is not None:
            self._server.close()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer), name="street control")
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(
                OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                async with asyncio.timeout(PATIENCE):
                    await self._exchange(reader, writer)
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = parsed(await reader.readuntil(b"\r\n\r\n"), 0)
        announced = request.headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() else 0
        body = await reader.readexactly(min(size, MOST_BODY))
        writer.write(await self._answer(request, body.decode(errors="replace")))
        writer.close()
        await writer.wait_closed()

    async def _answer(self, request: Request, body: str) -> bytes:
        what, _, camera = request.target.strip("/").partition("/")
        if request.method == "PUT" and what == "cameras":
            return await self._change(camera, body)
        if request.method != "GET" or camera:
            return _text(USAGE, "404 Not Found")
        if what == "cameras":
            return _json(self._cameras())
        if what == "modes":
            return _json(_modes())
        if what == "street.csv":
            return reply(self._street.csv().encode(), CSV, CLOSE)
        return _text(USAGE, "404 Not Found" if what else "200 OK")

    async def _change(self, camera: str, body: str) -> bytes:
        cameras = self._street.cameras
        if camera and camera not in cameras:
            return _text(f"There is no camera {camera!r}.\n", "404 Not Found")
        try:
            name = _wanted(body)
            mode_of(name)
        except (UnknownModeError, ValueError) as error:
            return _text(f"{error}\n", "400 Bad Request")
        for one in [camera] if camera else cameras:
            await self._street.change(one, name)
        return reply(b"", TEXT, CLOSE)

    def _cameras(self) -> list[dict[str, object]]:
        street = self._street
        return [
            {
                "id": camera.id,
                "address": street.address(camera.id),
                "mode": camera.spell.mode.name,
                "requests": camera.count,
                "open": street.open_connections(camera.id),
            }
            for camera in street.cameras.values()
        ]


def _modes() -> list[dict[str, str]]:
    return [
        {"name": mode.name, "kind": kind, "words": mode.words, "seen": mode.seen}
        for kind, modes in KINDS.items()
        for mode in modes
    ]


def _wanted(body: str) -> str:
    """The mode that a body names, as JSON or as plain text.

    Raises:
        ValueError: it is JSON without a mode, or no JSON though it begins so.
    """
    if not body.lstrip().startswith("{"):
        return body.strip()
    mode = json.loads(body).get("mode")
    if not isinstance(mode, str):
        raise ValueError('the JSON names no "mode"')  # noqa: TRY004 - json raises it as well
    return mode


def _json(value: object) -> bytes:
    return reply(json.dumps(value, indent=1).encode() + b"\n", JSON, CLOSE)


def _text(text: str, status: str) -> bytes:
    return reply(text.encode(), TEXT, CLOSE, status=status)
