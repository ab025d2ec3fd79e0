"""What all public addresses have in common: their keys, and the objects that may stand there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.backlog import Backlog
from cctv.model import StoredObject
from cctv.roster import is_id
from cctv.state import State, state_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cctv.frame import Frame
    from cctv.reasons import Reason
    from cctv.seams import Clock, Store

# no max-age: it would count from each cache's own fetch, `Expires` is the same moment everywhere
CACHE_CONTROL = "public, must-revalidate, stale-if-error=0, no-transform"
CARD = "unavailable"
"""The name of the fallback image's own address."""

_GRACE_LIMIT = 15.0
_GRACE_PART = 0.2
_FRESH_INTERVALS = 1.5
_CARD_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Gallery:
    """What all public addresses have in common.

    `interval` is the time between pictures in seconds; `fallback` is the fallback image's bytes;
    `prefix` stands before every key, with its slash. A picture is fresh for `freshness` seconds
    (0: one and a half intervals), and one upload takes at most `upload` seconds. `given_up` tells
    when the store's policies last gave up a PUT to a key, in the loop's time. `backlog` is what
    waits for the store.
    """

    store: Store
    prefix: str
    interval: float
    fallback: bytes
    now: Clock
    freshness: float = 0.0
    upload: float = 0.0
    given_up: Callable[[str], float] = lambda _: -math.inf
    backlog: Backlog = field(default_factory=Backlog, compare=False)

    def key(self, name: str) -> str:
        """The key of a camera's object, or of the fallback's own for `unavailable`."""
        return f"{self.prefix}{name}.jpg"

    def name(self, key: str) -> str | None:
        """The camera whose object has this key; None for what is not a camera's."""
        inner = key.removeprefix(self.prefix)
        name = inner.removesuffix(".jpg")
        return name if inner != name and self.key(name) == key and is_id(name) else None

    @property
    def fresh_for(self) -> timedelta:
        """How old a picture may become where it can be seen."""
        return timedelta(seconds=self.freshness or self.interval * _FRESH_INTERVALS)

    def fresh_until(self, captured_at: datetime) -> datetime:
        """Until when a picture may be shown as current."""
        return captured_at + self.fresh_for

    def soon(self) -> datetime:
        """Until when a cache keeps what may change at any time."""
        return self.now() + timedelta(seconds=min(_CARD_LIMIT, self.interval))

    def live(self, camera_id: str, frame: Frame, next_due: datetime) -> StoredObject:
        """The object for a fresh frame; caches keep it until the next one is due and a grace."""
        grace = min(_GRACE_LIMIT, self.interval * _GRACE_PART)
        fresh = self.fresh_until(frame.captured_at)
        return StoredObject(
            body=frame.body,
            expires=min(next_due + timedelta(seconds=grace), fresh),
            cache_control=CACHE_CONTROL,
            metadata={
                "state": State.LIVE.value,
                "captured-at": rfc3339(frame.captured_at),
                "fresh-until": rfc3339(fresh),
                "camera": camera_id,
                "publisher": PUBLISHER,
                **_warning(frame),
            },
            not_after=fresh,
        )

    def card(self, camera_id: str, reason: Reason, since: datetime) -> StoredObject:
        """The object with the fallback image for a camera's address."""
        why = {"reason": reason.value, "since": rfc3339(since)}
        return self._card(camera_id, {"state": state_for(reason).value, **why})

    def own_card(self) -> StoredObject:
        """The object for the fallback image's own address."""
        return self._card(CARD, {"state": State.UNAVAILABLE.value})

    def _card(self, name: str, why: Mapping[str, str]) -> StoredObject:
        return StoredObject(
            body=self.fallback,
            expires=self.soon(),
            cache_control=CACHE_CONTROL,
            metadata={**why, "camera": name, "publisher": PUBLISHER},
        )


def _warning(frame: Frame) -> dict[str, str]:
    """What is odd about a picture that is shown all the same; several with blanks between."""
    return {"warning": " ".join(frame.warnings)} if frame.warnings else {}


def rfc3339(moment: datetime) -> str:
    """A moment as metadata holds it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
