"""Serving the folder store over HTTP: the stored headers, conditional requests, and one page."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from cctv import PUBLISHER
from cctv.errors import ConfigError, StoreError
from cctv.reasons import Reason
from cctv.state import State
from cctv.status import NAME
from cctv.web.board import Board, Fact
from cctv.web.page import POLICY, page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from zoneinfo import ZoneInfo

    from aiohttp.typedefs import Handler

    from cctv.gallery import Gallery
    from cctv.kinds import Endpoint
    from cctv.model import Camera, Shelved, StoredObject
    from cctv.seams import Shelf
    from cctv.state import Standing

_CAMERA = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_READING = ("GET", "HEAD")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: the pictures of `shelf` under the gallery's keys, and a page of `cameras`."""

    shelf: Shelf
    gallery: Gallery
    board: Board
    cameras: Callable[[], list[Camera]]
    zone: ZoneInfo
    standing: Callable[[str], Standing | None] = lambda _: None

    async def picture(self, request: web.Request) -> web.Response:
        """A stored object; the fallback image where it is past its time, 404 where none is."""
        name = request.match_info["name"]
        try:
            shelved = await self.shelf.get(self.gallery.key(name))
        except StoreError:
            shelved = None
        if shelved is None:
            return _answer(request, self._fallback(name, Reason.NO_PICTURE), status=404)
        until = _fresh_until(shelved.thing)
        if until is not None and until <= self.gallery.now():
            since = max(until, shelved.last_modified)
            return _answer(request, self._fallback(name, Reason.STALE, since=since))
        return _answer(request, shelved.thing, shelved)

    async def status(self, request: web.Request) -> web.Response:
        """The stored `status.json`; 404 where none is."""
        try:
            shelved = await self.shelf.get(self.gallery.prefix + NAME)
        except StoreError:
            shelved = None
        if shelved is None:
            raise web.HTTPNotFound
        return _answer(request, shelved.thing, shelved)

    async def index(self, _: web.Request) -> web.Response:
        """The page."""
        facts = [self._aged(fact) for fact in self.board.facts(self.cameras())]
        text = page(facts, lambda name: f"/{self.gallery.key(name)}", self.gallery.now(), self.zone)
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    def _aged(self, fact: Fact) -> Fact:
        """The fact as it is now: a picture may be held, or could not be renewed and grows old."""
        standing = self.standing(fact.camera.id)
        if standing is not None and standing.state is State.HELD:
            return Fact(fact.camera, reason=standing.reason, since=standing.since)
        if fact.captured_at is None:
            return fact
        until = self.gallery.fresh_until(fact.captured_at)
        if until > self.gallery.now():
            return fact
        return Fact(fact.camera, reason=Reason.STALE, since=until)

    def _fallback(self, name: str, reason: Reason, since: datetime | None = None) -> StoredObject:
        return self.gallery.card(name, reason, since or self.gallery.now())


@asynccontextmanager
async def open_site(site: Site, endpoint: Endpoint) -> AsyncIterator[str]:
    """Serve on `endpoint` meanwhile; gives the address for a browser.

    Raises:
        ConfigError: the endpoint cannot be listened on.
    """
    runner = web.AppRunner(_application(site), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        listener = web.TCPSite(runner, endpoint.host, endpoint.port)
        try:
            await listener.start()
        except OSError as error:
            shown = f"CCTV_HTTP={endpoint.host}:{endpoint.port}"
            why = os.strerror(error.errno) if error.errno else "no such address"
            raise ConfigError([f"{shown} cannot be listened on: {why}"]) from None
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        yield f"http://{host}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def _application(site: Site) -> web.Application:
    application = web.Application(middlewares=[_only_reading], client_max_size=1024)
    application.router.add_get("/", site.index)
    application.router.add_get(f"/{site.gallery.prefix}{{name:{_CAMERA}}}.jpg", site.picture)
    application.router.add_get(f"/{site.gallery.prefix}{NAME}", site.status)
    application.on_response_prepare.append(_sign)
    return application


@web.middleware
async def _only_reading(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.method not in _READING:
        raise web.HTTPMethodNotAllowed(request.method, _READING)
    return await handler(request)


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = PUBLISHER
    response.headers["X-Content-Type-Options"] = "nosniff"


def _answer(
    request: web.Request, thing: StoredObject, shelved: Shelved | None = None, status: int = 200
) -> web.Response:
    headers = {
        "Cache-Control": thing.cache_control,
        "Expires": format_datetime(thing.expires.astimezone(UTC), usegmt=True),
        **{f"x-amz-meta-{name}": value for name, value in thing.metadata.items()},
    }
    if shelved is not None:
        headers["ETag"] = shelved.etag
        headers["Last-Modified"] = format_datetime(shelved.last_modified, usegmt=True)
        if _unchanged(request, shelved):
            return web.Response(status=304, headers=headers)
    headers["Content-Type"] = thing.content_type
    return web.Response(body=thing.body, status=status, headers=headers)


def _fresh_until(thing: StoredObject) -> datetime | None:
    """Until when it may be shown; None: it is no picture that says so. No sense counts as over."""
    text = thing.metadata.get("fresh-until")
    if text is None and thing.metadata.get("state") != State.LIVE:
        return None
    try:
        until = datetime.fromisoformat(text or "")
    except ValueError:
        return _LONG_AGO
    return until if until.tzinfo else _LONG_AGO


def _unchanged(request: web.Request, shelved: Shelved) -> bool:
    """Whether the viewer has it already; an entity tag outranks a date (RFC 9110, 13.2.2)."""
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in ("*", shelved.etag.strip('"')) for tag in tags)
    since = request.if_modified_since
    return since is not None and shelved.last_modified <= since
