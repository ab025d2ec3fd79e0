"""Saying that a store fails: once when it begins, once a minute while it lasts, once at its end."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from cctv.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from cctv.model import StoredObject
    from cctv.seams import Clock, Store

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=1)


class Reporting:
    """A store whose failures a person hears of, and not once for each camera."""

    def __init__(self, store: Store, now: Clock) -> None:
        self._store = store
        self._now = now
        self._failed = 0
        self._told: datetime | None = None
        # its end is told only where its beginning was
        self._owed = False

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        try:
            await self._store.put(key, thing)
        except StoreError as error:
            self._report(error)
            raise
        if self._owed:
            log.info("store takes objects again failed=%d", self._failed)
            self._owed = False
        self._failed = 0

    def _report(self, error: StoreError) -> None:
        self._failed += 1
        now = self._now()
        # a clock that was set back must not make a silence of hours
        if self._told is None or abs(now - self._told) >= _AGAIN:
            self._told, self._owed = now, True
            log.error("store does not take objects failed=%d: %s", self._failed, error)
