"""Keeping the masks in step with the roster, and telling what is odd about models and masks."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cctv.maskbook import MaskBook
    from cctv.model import Camera
    from cctv.roster import Roster
    from cctv.seams import Driver

log = logging.getLogger(__name__)

_DISK = 5.0
HANGS = "the disk hangs"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A driver for all models, what is odd about a camera's model (else nothing), what it hides."""

    driver: Driver
    remark: Callable[[Camera], str]
    masks: MaskBook


class Masking:
    """Reads the masks again and again, saves a copy, and tells each oddity once."""

    def __init__(self, masks: MaskBook) -> None:
        self._masks = masks
        self._hand = Hand(_DISK)
        self._told: set[str] = set()
        self._trouble = ""
        self._count = 0

    async def read(self) -> None:
        """Each list is worked by with the masks of that moment: a camera may come with one."""
        try:
            await self._hand.do(lambda _: self._masks.read())
        except (ConfigError, OSError) as error:
            text = str(error) or HANGS
            if text != self._trouble:
                log.error("masks: the last good ones stay: %s", text)  # noqa: TRY400 - an operator's slip of the pen needs no traceback
            self._trouble = text
        else:
            self._trouble = ""
            if (count := len(self._masks.masked)) != self._count:
                log.info("masks: cameras=%d", count)
            self._count = count

    async def save(self, cameras: Iterable[Camera]) -> None:
        """Keep a copy of what is hidden of these."""
        ids = [camera.id for camera in cameras]
        try:
            await self._hand.do(lambda _: self._masks.save(ids))
        except OSError as error:
            log.warning("masks: no copy saved: %s", str(error) or HANGS)

    async def aside(self, turn: Callable[[], Wheel]) -> Wheel:
        """What `turn` reads, from a disk that may hang: OSError, and ConfigError as it raises."""
        return await self._hand.do(lambda _: turn())

    def forget(self, *, oddities: bool) -> None:
        """Tell what is wrong with the file again; and the `oddities`."""
        self._trouble = ""
        if oddities:
            self._told.clear()

    def tell(self, roster: Roster, remark: Callable[[Camera], str]) -> None:
        """What is odd about the models and masks of this roster."""
        remarks = Counter(remark(camera) for camera in roster.cameras.values())
        for words, count in remarks.items():
            if words and words not in self._told:
                log.warning("%s cameras=%d", words, count)
        self._told |= remarks.keys()
        for name in sorted(self._masks.masked - roster.ids - self._told):
            self._told.add(name)
            log.warning("CCTV_MASKS has shapes for a camera the inventory lacks camera=%s", name)
