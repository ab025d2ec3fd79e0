"""The parts of the daemon that run side by side."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.audit import Audit
from cctv.errors import ConfigError, StoreError
from cctv.fleet import Fleet
from cctv.gallery import CARD
from cctv.health import Heart
from cctv.holdbook import HoldBook
from cctv.journal import Journal, pairs
from cctv.keeper import Keeper
from cctv.lastgood import LastGood
from cctv.masking import HANGS, Masking
from cctv.observers import tell_all
from cctv.presence import Presence
from cctv.reconcile import Reconciler
from cctv.schedule import utc_now
from cctv.signals import leave_within
from cctv.status import StatusSheet
from cctv.sweep import Sweeper
from cctv.warden import Warden
from cctv.watchdog import STALLED
from cctv.witness import Testimony

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from cctv.gallery import Gallery
    from cctv.holds import Hold
    from cctv.masking import Wheel
    from cctv.model import Camera
    from cctv.roster import Roster
    from cctv.seams import Archive, Inventory, Observer
    from cctv.settings import Settings
    from cctv.signals import Signals
    from cctv.witness import Witness

log = logging.getLogger(__name__)

AUDIT_FILE = "audit.log"

_ORDER = "hold "

_UPLOADS_FINISH, _FAILED_WITHIN = 5.0, 20.0
_CARD_AGAIN, _CARD_EVERY = 30.0, 3600.0
_HOLDS_PATIENCE = 20.0
_CLOCK_EVERY, _JUMP = 1.0, 2.0
_EXPOSED_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Means:
    """What the daemon works with.

    `turn` gives the driver, read anew each time (ConfigError: it cannot be); `watcher` is one
    more observer; `witness` looks at what the public sees.
    """

    gallery: Gallery
    archive: Archive
    inventory: Inventory
    turn: Callable[[], Wheel]
    watcher: Observer
    witness: Witness


class Daemon:
    """Publishes until a signal ends it."""

    def __init__(self, settings: Settings, means: Means) -> None:
        gallery, archive = means.gallery, means.archive
        self._settings = settings
        self._gallery = gallery
        self._turn = means.turn
        self._wheel = means.turn()
        self._masking = Masking(self._wheel.masks)
        self._audit = Audit(settings.log_dir / AUDIT_FILE, gallery.now)
        book = HoldBook(archive, gallery.now)
        self._warden = Warden(book, gallery.now, settings.timezone, self._audit)
        self._warden_looked = asyncio.Event()
        self._journal = Journal(gallery.now)
        self._keeper = Keeper(
            inventory=means.inventory,
            last_good=LastGood(settings.state_dir),
            apply=self._apply,
            refresh=settings.refresh,
            changed=self._note_changes,
        )
        self._heart = Heart(
            settings.state_dir,
            settings.timing.interval,
            lambda: len(self.fleet.cameras()),
            # by the clock that `cctv health` reads, right or wrong
            utc_now,
            self._exposed,
        )
        self.fleet = Fleet(
            gallery=gallery,
            timing=settings.timing,
            driver=self._wheel.driver,
            tell=tell_all([self._journal, means.watcher, self._heart]),
            confirmed=self._keeper.confirmed,
            hidden=self._wheel.masks.of,
            newly_hidden=self._wheel.masks.changed,
            barred=self._warden.barred,
            erase=partial(_erase, gallery, archive) if settings.erase else None,
        )
        sweeper = Sweeper(gallery, archive, lambda _: None)
        self._reconciler = Reconciler(gallery, archive, sweeper, self.fleet, erase=settings.erase)
        self._presence = Presence(
            archive,
            gallery.now,
            place=str(settings.state_dir.absolute()),
            prefix=gallery.prefix,
            holds=self._obeyed,
        )
        self._status = StatusSheet(gallery, self.fleet.standings)
        self._testimony = Testimony(means.witness, self._stands)

    async def run(self, signals: Signals) -> None:
        """Run every part until a signal, or until one of them fails; uploads may finish."""
        log.info("started %s", pairs(version=PUBLISHER, **_told(self._settings)))
        tasks = [
            asyncio.create_task(part, name=name) for name, part in self._parts(signals).items()
        ]
        try:
            stopped = asyncio.create_task(signals.stop.wait(), name="stop")
            await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            # a part that has ended has failed: its error is the program's
            for task in (task for task in tasks if task.done()):
                # a task that nobody can end must not keep the process
                leave_within(_FAILED_WITHIN, STALLED)
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await self.fleet.stop(_UPLOADS_FINISH)
            await asyncio.wait(tasks)
        log.info("stopped")

    def _parts(self, signals: Signals) -> dict[str, Coroutine[None, None, None]]:
        return {
            "keeper": self._keep(),
            "warden": self._guard(),
            "presence": self._speak(),
            "reconciler": self._reconciler.run(),
            "testimony": self._testimony.run(),
            "status": self._status.run(),
            "supervisor": self.fleet.watch(),
            "clock": self._watch_clock(),
            "saver": self._keeper.save_when_changed(),
            "heart": self._heart.run(),
            "reload": self._reload_when_asked(signals.reload),
            "card": _keep_card(self._gallery),
        }

    async def _keep(self) -> None:
        """Nothing begins before the holds are known, or known to be unknown."""
        await self._warden.first_look(_HOLDS_PATIENCE)
        self._warden_looked.set()
        await self._keeper.run()

    async def _guard(self) -> None:
        await self._warden_looked.wait()
        await self._warden.run(self._obey)

    async def _speak(self) -> None:
        await self._warden_looked.wait()
        await self._presence.run()

    async def _obey(self, begun: list[Hold]) -> None:
        await self.fleet.renew()
        self._presence.changed()
        # who is held is neither live nor down
        self._journal.forget({camera.id for camera in self.fleet.cameras()})
        cameras = self.fleet.roster.cameras.values()
        for hold in begun:
            names = frozenset(camera.id for camera in cameras if hold.covers(camera))
            self._testimony.ask(f"{_ORDER}{hold.id}", names)

    def _obeyed(self) -> frozenset[str] | None:
        """The holds whose cameras all show the fallback image, confirmed; None: none is known."""
        if self._warden.obeyed() is None:
            return None
        if not (in_force := self._warden.in_force):
            return frozenset()
        fleet = self.fleet
        shown = [c for c in fleet.roster.cameras.values() if not fleet.is_off_air(c.id)]
        return frozenset(hold.id for hold in in_force if not covers_any(hold, shown))

    def _exposed(self) -> int:
        """How many addresses were withdrawn long ago, and are not confirmed to show it."""
        patience = timedelta(seconds=_EXPOSED_INTERVALS * self._settings.timing.interval)
        since = self._gallery.now() - patience
        standings = self.fleet.standings().values()
        return sum(at.is_withdrawn and not at.confirmed and at.since < since for at in standings)

    def _stands(self, order: str) -> bool:
        return order.removeprefix(_ORDER) in (self._warden.obeyed() or ())

    async def _apply(self, roster: Roster) -> None:
        roster = roster.without(self._settings.never)
        await self._masking.read()
        self._masking.tell(roster, self._wheel.remark)
        await self.fleet.apply(roster)
        self._reconciler.ask()
        self._journal.forget(set(roster.cameras))
        await self._masking.save(self.fleet.cameras())

    async def _note_changes(self, changes: Mapping[str, list[str]]) -> None:
        await self._audit.note("inventory changed", **changes)

    async def _watch_clock(self) -> None:
        """A clock that was set, or a machine that was frozen, makes pictures older at a stroke."""
        loop, now = asyncio.get_running_loop(), self._gallery.now
        offset = now().timestamp() - loop.time()
        while True:
            await asyncio.sleep(_CLOCK_EVERY)
            offset, before = now().timestamp() - loop.time(), offset
            if abs(offset - before) > _JUMP:
                log.warning("the clock jumped by %+.0f s", offset - before)
                self.fleet.look_again()
                self._reconciler.ask()

    async def _reload_when_asked(self, asked: asyncio.Event) -> None:
        while True:
            await asked.wait()
            asked.clear()
            log.info("reading driver file, masks and inventory again signal=SIGHUP")
            self._masking.forget(oddities=False)
            await self._masking.read()
            try:
                self._wheel = await self._masking.aside(self._turn)
            except (ConfigError, OSError) as error:
                text = "drivers: the last good ones stay: %s"
                log.error(text, str(error) or HANGS)  # noqa: TRY400 - an operator's slip of the pen needs no traceback
            else:
                self._masking.forget(oddities=True)
            await self.fleet.drive(self._wheel.driver)
            self._keeper.ask()


async def _erase(gallery: Gallery, archive: Archive, name: str) -> None:
    """Remove what is replaced already."""
    try:
        await archive.erase(gallery.key(name))
    except StoreError as error:
        log.warning("camera's object not removed camera=%s: %s", name, error)


async def _keep_card(gallery: Gallery) -> None:
    """Keep the fallback image at its own address too, until cancelled."""
    while True:
        try:
            await gallery.store.put(gallery.key(CARD), gallery.own_card())
        except StoreError:
            await asyncio.sleep(_CARD_AGAIN)
        else:
            await asyncio.sleep(_CARD_EVERY)


def covers_any(hold: Hold, cameras: list[Camera]) -> bool:
    """Whether one of these is meant by it."""
    return any(hold.covers(camera) for camera in cameras)


def _told(settings: Settings) -> dict[str, object]:
    """What the settings come to, for the log's first line."""
    return {
        "inventory": settings.inventory or "knack",
        "store": settings.folder or f"s3://{settings.bucket}",
        "prefix": settings.prefix,
        "interval": f"{settings.timing.interval:g}s",
        "freshness": f"{settings.freshness:g}s",
        "refresh": f"{settings.refresh:g}s",
        "first_pictures": f"within {min(settings.timing.interval, 60):g}s",
    }
