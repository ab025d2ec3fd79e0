"""Refused logins on disk: shared by the daemon and the commands, and kept over restarts."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.disk import replace_text
from cctv.drivers.gate import EARLY, Mark
from cctv.drivers.refusals_file import NAME, SALT, Row, Table, agreed, alone_with, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from cctv.aside import Wanted
    from cctv.drivers.device import Place
    from cctv.drivers.gate import Page
    from cctv.model import Login

log = logging.getLogger(__name__)

_DISK = 5.0
_HANGS = "the disk hangs"
# what other programs wrote is looked for so often, in seconds
_LOOK = 5.0
_KEPT = 24 * 3600.0
_AT_MOST = 20_000
# how long a device may have locked an account, where we have no pause of our own
_HALF_HOUR = 1800.0


class Refusals:
    """What each login was refused at each device, as all programs with this state folder know it.

    A login's name in the file is made of the device, the login and the file's random salt. One
    scrypt for each login (45 ms, 16 MB) and one HMAC for each device make it: 1,500 cameras start
    without delay, and who has the file pays a scrypt for every password that is guessed.

    What changes is written at once, and what others wrote is taken in within five seconds. Two
    programs that try the same login within that time may spend one more try each. A login that is
    sent when the process is killed is not counted. A login let in is forgotten; where another
    program was refused meanwhile, that stays.

    The pause of an older refusal goes on by the wall clock: set back, it keeps no login out for
    longer than one pause; set forward by less than a day, it allows one early try. A day after
    its pause began (two pauses, where they are longer) a refusal is dropped. With a pause of 0 a
    login that was refused before the start is tried once, half an hour after its last refusal.

    A disk that fails is warned of once, and what is known holds in memory. A file that is missing
    or that nobody can read is made anew from what this process knows.
    """

    def __init__(
        self,
        folder: Path,
        retry_after: float,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._file = folder / "refusals.json"
        self._early = retry_after * EARLY
        self._pause = retry_after or _HALF_HOUR
        self._now = now
        self._wall = wall
        self._hand = Hand(_DISK)
        self._turn = asyncio.Lock()
        self._stretched: dict[Login, bytes] = {}
        self._marks: dict[str, Mark] = {}
        self._unsaved: dict[str, Row | None] = {}
        self._changed = asyncio.Event()
        # what the file held when it was last seen
        self._seen = Table(secrets.token_bytes(SALT), {})
        self._failing = False

    def page(self, place: Place, login: Login) -> Page:
        """Where the refusals of this login at this host and port stand."""
        return _Page(self, self._name(place, login))

    def read(self, name: str) -> Mark:
        """What stands under this name."""
        return self._marks.get(name, Mark())

    def write(self, name: str, mark: Mark) -> None:
        """Put this mark under this name; a blank one is not kept."""
        self._marks.pop(name, None)
        self._unsaved[name] = None
        if mark.refusals:
            self._marks[name] = mark
            since = self._wall() - self._now() + mark.since
            self._unsaved[name] = Row(mark.refusals, round(since, 3))
        if len(self._marks) > _AT_MOST:
            oldest = next(iter(self._marks))
            del self._marks[oldest]
            self._unsaved.pop(oldest, None)
        self._changed.set()

    async def load(self) -> None:
        """Begin with what the file holds; there is one afterwards, so that all share its salt."""
        await self._sync(first=True)

    async def keep(self) -> None:
        """Write what changes, and take in what others write, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._changed.wait()
            self._changed.clear()
            await self.sync()

    async def save(self) -> None:
        """Write what is not written yet, within five seconds."""
        if self._unsaved:
            await self.sync()

    async def sync(self) -> None:
        """Write what is not written yet, and take in what others wrote, within five seconds."""
        await self._sync(first=False)

    async def _sync(self, *, first: bool) -> None:
        async with self._turn:
            await self._meet_file(first=first)

    async def _meet_file(self, *, first: bool) -> None:
        unsaved = dict(self._unsaved)
        try:
            table = await self._hand.do(lambda wanted: self._exchange(unsaved, first, wanted))
        except OSError as error:
            if not self._failing:
                log.warning("refused logins not kept: %s", str(error) or _HANGS)
            self._failing = True
        else:
            self._failing = False
            self._take_in(table, unsaved)

    def _exchange(
        self,
        unsaved: Mapping[str, Row | None],
        first: bool,  # noqa: FBT001 - handed on by one caller, who names it
        wanted: Wanted,
    ) -> Table:
        """What we and the file know together; in the file too, where it lacks something."""
        found = read(self._file)
        if found is not None and not unsaved:
            return self._joined(found, unsaved, first=first)
        with alone_with(self._file):
            found = read(self._file)
            if found is None and self._file.exists():
                log.warning("refused logins not read, begun anew: %s", self._file)
            table = self._joined(found, unsaved, first=first)
            if wanted():
                replace_text(self._file, table.text())
        return table

    def _joined(
        self, found: Table | None, unsaved: Mapping[str, Row | None], *, first: bool
    ) -> Table:
        seen = self._seen
        # names made with another salt say nothing to us
        theirs = found if found and (first or found.salt == seen.salt) else seen
        rows = dict(theirs.rows)
        for name, mine in unsaved.items():
            row = agreed(mine, theirs.rows.get(name), seen.rows.get(name))
            rows.pop(name, None)
            if row is not None:
                rows[name] = row
        fresh = [(name, row) for name, row in rows.items() if self._is_fresh(row)]
        fresh.sort(key=lambda each: each[1].since)
        return Table(theirs.salt, dict(fresh[-_AT_MOST:]))

    def _take_in(self, table: Table, unsaved: Mapping[str, Row | None]) -> None:
        """Believe what the file holds now, but where we know better since."""
        known = {**self._seen.rows, **unsaved}
        for name, row in unsaved.items():
            if self._unsaved.get(name, row) is row:
                self._unsaved.pop(name, None)
        # what changed meanwhile did not change from what the file holds now
        rows = {**table.rows, **{name: known.get(name) for name in self._unsaved}}
        self._seen = Table(table.salt, {name: row for name, row in rows.items() if row})
        for name in known.keys() | rows.keys():
            self._believe(name, known.get(name), rows.get(name))

    def _believe(self, name: str, before: Row | None, after: Row | None) -> None:
        if after is not None and after != before:
            self._marks[name] = self._restored(name, after)
        elif after is None and before is not None and self._is_fresh(before):
            self._marks.pop(name, None)

    def _restored(self, name: str, row: Row) -> Mark:
        age = max(self._wall() - row.since, -self._early)
        mark = Mark.of(row.refusals, self._now() - age, self._pause)
        return replace(mark, due=max(mark.due, self.read(name).due))

    def _is_fresh(self, row: Row) -> bool:
        return self._wall() - row.since < max(_KEPT, 2 * self._pause)

    def _name(self, place: Place, login: Login) -> str:
        if login not in self._stretched:
            self._stretched[login] = _stretched(login, self._seen.salt)
        host, port = place
        key = self._stretched[login]
        return hmac.digest(key, f"{host} {port}".encode(), "sha256").hex()[:NAME]


@dataclass(frozen=True, slots=True)
class _Page:
    """One login's place in the book."""

    book: Refusals
    name: str

    def read(self) -> Mark:
        """See `gate.Page`."""
        return self.book.read(self.name)

    def write(self, mark: Mark) -> None:
        """See `gate.Page`."""
        self.book.write(self.name, mark)


@asynccontextmanager
async def open_refusals(
    folder: Path,
    retry_after: float,
    now: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[Refusals]:
    """What was refused before, and whatever is refused from now on is kept."""
    refusals = Refusals(folder, retry_after, now, wall)
    await refusals.load()
    keeping = asyncio.create_task(refusals.keep(), name="refusals")
    try:
        yield refusals
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        # what the keeping was interrupted at, or has not come to
        await refusals.save()


def _stretched(login: Login, salt: bytes) -> bytes:
    secret = json.dumps([login.username, login.password.reveal()]).encode()
    return hashlib.scrypt(secret, salt=salt, n=2**14, r=8, p=1, dklen=32)
