"""The daemons that publish into a store: each leaves word there, so that others can see it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cctv.errors import StoreError
from cctv.gallery import rfc3339
from cctv.holdbook import private
from cctv.kinds import PRIVATE
from cctv.table import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cctv.model import Listed
    from cctv.seams import Archive, Clock

log = logging.getLogger(__name__)

PLACE = PRIVATE + "daemons/"
"""Where daemons leave word."""

_EVERY, _LOOKS = 60.0, 120
_ALIVE = timedelta(minutes=3)
_FAREWELL = 2.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """What a daemon has left word of: where it runs, and the holds it obeys (None: unknown).

    `heard` is when the store took that word; aware, UTC.
    """

    key: str
    host: str
    pid: int
    prefix: str
    since: str
    holds: frozenset[str] | None
    heard: datetime

    def __str__(self) -> str:
        """The daemon in a person's words."""
        return f"pid {self.pid} on {self.host} (since {self.since})"


class Presence:
    """Leaves word of this daemon every minute, when the holds it obeys change, and at its end.

    `holds` are those it obeys by now, wholly.

    The word stands under the machine's name and a digest of `place`, the daemon's state folder:
    one that is started again takes the place of its own.
    """

    def __init__(
        self,
        archive: Archive,
        now: Clock,
        *,
        place: str,
        prefix: str,
        holds: Callable[[], Iterable[str] | None],
    ) -> None:
        self._archive = archive
        self._now = now
        self._prefix = prefix
        self._holds = holds
        self._host = socket.gethostname()
        digest = hashlib.blake2b(f"{place}\n{prefix}".encode(), digest_size=4).hexdigest()
        self._key = f"{PLACE}{self._host}-{digest}.json"
        self._since = rfc3339(now())
        self._said: frozenset[str] | None = None
        self._mute = False
        self._changed = asyncio.Event()
        self._company: frozenset[str] = frozenset()

    def changed(self) -> None:
        """Leave word at once."""
        self._changed.set()

    async def run(self) -> None:
        """Leave word, and look for other daemons, until cancelled."""
        try:
            while True:
                await self._speak_up()
                await self._pause()
        finally:
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self._leave_word(leaves=True)

    async def _speak_up(self) -> None:
        try:
            await self._leave_word()
            self._tell(await daemons(self._archive, self._now()))
            self._mute = False
        except StoreError as error:
            text = "no word left of the holds that are obeyed, none can be proved: %s"
            log.log(logging.DEBUG if self._mute else logging.WARNING, text, error)
            self._mute = True

    async def _pause(self) -> None:
        """A minute, or until other holds are obeyed: what was ordered takes its time."""
        for _ in range(_LOOKS):
            try:
                async with asyncio.timeout(_EVERY / _LOOKS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            if self._obeyed() != self._said:
                return

    def _obeyed(self) -> frozenset[str] | None:
        holds = self._holds()
        return None if holds is None else frozenset(holds)

    async def _leave_word(self, *, leaves: bool = False) -> None:
        holds = self._said = self._obeyed()
        word = {
            "host": self._host,
            "pid": os.getpid(),
            "prefix": self._prefix,
            "since": self._since,
            "leaves": leaves,
            "holds": None if holds is None else sorted(holds),
        }
        await self._archive.put(self._key, private(json.dumps(word).encode(), self._now))

    def _tell(self, alive: list[Daemon]) -> None:
        """Two daemons do no harm, and are hardly ever meant."""
        others = {str(one) for one in alive if one.key != self._key and one.prefix == self._prefix}
        for other in sorted(others - self._company):
            text = "another daemon publishes to the same addresses: %s; stop one of the two"
            log.warning(text, other)
        self._company = frozenset(others)


async def daemons(archive: Archive, now: datetime) -> list[Daemon]:
    """The daemons that left word within the last three minutes, and did not take their leave.

    `now` is by the store's clock.

    Raises:
        StoreError: the store does not tell.
    """
    listed = await archive.listed(PLACE)
    # one from the future is of a clock that was wrong
    fresh = [entry for entry in listed if abs(now - entry.modified) < _ALIVE]
    words = [(entry, await archive.get(entry.key)) for entry in fresh]
    found = [_daemon(entry, word.thing.body) for entry, word in words if word]
    return [one for one in found if one is not None]


def _daemon(entry: Listed, body: bytes) -> Daemon | None:
    try:
        word = json.loads(body)
        holds = word["holds"]
        one = Daemon(
            key=entry.key,
            host=plain(str(word["host"])),
            pid=int(word["pid"]),
            prefix=str(word["prefix"]),
            since=plain(str(word["since"])),
            holds=None if holds is None else frozenset(map(str, holds)),
            heard=entry.modified,
        )
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None
    return None if word.get("leaves") else one
