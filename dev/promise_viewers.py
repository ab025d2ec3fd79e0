"""The viewers: each looks at one address about once a second, through the CDN."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientPayloadError, ClientSession, ClientTimeout, TCPConnector

from dev.promise_ledger import Kind, Look
from dev.stamps import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev.stamps import Stamp

PERIOD = 1.0
_DEADLINE = ClientTimeout(total=10)
_OK = 200
# beyond this a clock was set, or a stamp is a lie
_FUTURE = -1.0


def session() -> ClientSession:
    """A client for all viewers together; it keeps no cache of its own."""
    return ClientSession(timeout=_DEADLINE, connector=TCPConnector(limit=0))


@dataclass(slots=True)
class Viewer:
    """Looks at the address of one camera; remembers the last body, for most looks see it again."""

    camera: int
    url: str
    card: bytes
    session: ClientSession
    _body: bytes = b""
    _stamp: Stamp | None = field(default=None)

    async def look(self) -> Look:
        """What stands there now."""
        began = time.monotonic()
        try:
            async with self.session.get(self.url) as answer:
                status, body = answer.status, await answer.read()
                hit = answer.headers.get("X-Cache") == "HIT"
        except ClientPayloadError:
            return Look(self.camera, Kind.TORN, time.monotonic() - began, detail="broken off")
        except (ClientError, OSError, TimeoutError) as error:
            took = time.monotonic() - began
            return Look(self.camera, Kind.SILENCE, took, detail=type(error).__name__)
        took = time.monotonic() - began
        if status != _OK:
            return Look(self.camera, Kind.ERROR, took, detail=f"HTTP {status}")
        return replace(self._judged(body, took), hit=hit)

    def _judged(self, body: bytes, took: float) -> Look:
        now = time.time()
        if body == self.card:
            return Look(self.camera, Kind.CARD, took)
        stamp = self._read(body)
        if stamp is None:
            return Look(self.camera, Kind.TORN, took, detail=f"{len(body)} bytes")
        age = now - stamp.seconds
        if stamp.camera != self.camera or age < _FUTURE:
            detail = f"camera {stamp.camera}, {age:.1f} s old"
            return Look(self.camera, Kind.FOREIGN, took, detail=detail)
        return Look(self.camera, Kind.PICTURE, took, age)

    def _read(self, body: bytes) -> Stamp | None:
        if body != self._body:
            self._body, self._stamp = body, read(body)
        return self._stamp

    async def watch(self, note: Callable[[Look], None], offset: float) -> None:
        """Look again and again until cancelled; the first time after `offset` seconds."""
        due = time.monotonic() + offset
        while True:
            await asyncio.sleep(due - time.monotonic())
            note(await self.look())
            # looks that a slow answer has missed are left out
            due = max(due + PERIOD, time.monotonic())


async def all_shown(viewers: list[Viewer], patience: float, check: Callable[[], None]) -> None:
    """Wait until every address shows something; TimeoutError after `patience` seconds.

    `check` is called again and again, and may raise.
    """
    async with asyncio.timeout(patience):
        waiting = viewers
        while waiting:
            check()
            await asyncio.sleep(PERIOD / 2)
            looks = [await viewer.look() for viewer in waiting]
            pairs = zip(waiting, looks, strict=True)
            waiting = [one for one, look in pairs if look.kind in (Kind.ERROR, Kind.SILENCE)]
