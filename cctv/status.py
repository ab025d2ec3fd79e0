"""How every address stands, as one public object; never an address of a device, never a login."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.errors import StoreError
from cctv.gallery import CACHE_CONTROL, rfc3339
from cctv.model import StoredObject, by_number
from cctv.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cctv.gallery import Gallery
    from cctv.state import Standing

NAME = "status.json"

_EVERY = 60.0
_LOOK_EVERY = 1.0


class StatusSheet:
    """Keeps `status.json` up to date: once a minute, or once an interval where that is shorter."""

    def __init__(self, gallery: Gallery, standings: Callable[[], Mapping[str, Standing]]) -> None:
        self._gallery = gallery
        self._standings = standings

    async def run(self) -> None:
        """Put it until cancelled; a store that fails is told of elsewhere."""
        while True:
            # without a roster there is nothing to tell; the former sheet says how old it is
            known = bool(self._standings())
            # first, so that a start is not seen as a fleet without pictures
            await asyncio.sleep(min(_EVERY, self._gallery.interval) if known else _LOOK_EVERY)
            if known:
                with suppress(StoreError):
                    await self._put()

    async def _put(self) -> None:
        gallery = self._gallery
        body = sheet(gallery, self._standings(), gallery.now()).encode()
        thing = StoredObject(body, gallery.soon(), {}, CACHE_CONTROL, "application/json")
        await gallery.store.put(gallery.prefix + NAME, thing)


def sheet(gallery: Gallery, standings: Mapping[str, Standing], now: datetime) -> str:
    """The JSON: for each camera its state, reason, since when, last picture and next cycle."""
    cameras = {
        name: _row(standings[name], now, gallery) for name in sorted(standings, key=by_number)
    }
    counts = Counter(row["state"] for row in cameras.values())
    return json.dumps(
        {
            "generated_at": rfc3339(now),
            "publisher": PUBLISHER,
            "interval_seconds": gallery.interval,
            "freshness_seconds": gallery.fresh_for.total_seconds(),
            "counts": {state.value: counts[state.value] for state in State},
            "cameras": cameras,
        },
        separators=(",", ":"),
    )


def _row(standing: Standing, now: datetime, gallery: Gallery) -> dict[str, str | bool | None]:
    taken, due = standing.captured_at, standing.next_due
    asked = standing.state in {State.LIVE, State.UNAVAILABLE}
    return {
        "state": standing.state.value,
        "reason": standing.reason.value if standing.reason else None,
        "since": rfc3339(standing.since),
        "captured_at": rfc3339(taken) if taken and now < gallery.fresh_until(taken) else None,
        "next_due": rfc3339(due) if due and asked else None,
        "confirmed": standing.confirmed,
    }
