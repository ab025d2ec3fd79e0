"""Orders not to publish: which cameras, from when until when, who gave them and why."""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cctv.errors import HoldError
from cctv.gallery import rfc3339
from cctv.model import by_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cctv.model import Camera

_FORMAT = 1
# without vowels and what looks alike: an id is read out over the telephone, and spells nothing
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
_ID_LENGTH = 5
_EARTH_RADIUS = 6371.0
# what a person can mean, and every calendar can show
_YEARS = range(2000, 9000)
_SETTLED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cameras are meant: all, those named, those of an area, or those around a place.

    `near` is latitude and longitude in degrees and a radius in kilometres. Each part adds to the
    others. A camera whose record has no place is around none.
    """

    every: bool = False
    names: frozenset[str] = frozenset()
    area: str = ""
    near: tuple[float, float, float] | None = None

    def covers(self, camera: Camera) -> bool:
        """Whether a camera with this record is meant."""
        return (
            self.every
            or camera.id in self.names
            or (bool(self.area) and camera.area.strip().casefold() == self.area.casefold())
            or self._is_near(camera)
        )

    def _is_near(self, camera: Camera) -> bool:
        if self.near is None or camera.latitude is None or camera.longitude is None:
            return False
        latitude, longitude, radius = self.near
        return _kilometres(latitude, longitude, camera.latitude, camera.longitude) <= radius

    def __str__(self) -> str:
        """The scope in a person's words."""
        words = ["all cameras"] if self.every else []
        if self.names:
            words.append("camera " + ", ".join(sorted(self.names, key=by_number)))
        if self.area:
            words.append(f"area {self.area}")
        if self.near:
            latitude, longitude, radius = self.near
            words.append(f"within {radius:g} km of {latitude:g},{longitude:g}")
        return " and ".join(words)


@dataclass(frozen=True, slots=True)
class Release:
    """Who ended a hold before its time, and when."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Hold:
    """One order; moments are aware, UTC, `until` None for no end.

    `found` are the cameras the scope meant when the order was given: it covers them even when
    their records change or cannot be read, as the sweep's.
    """

    id: str
    scope: Scope
    start: datetime
    until: datetime | None
    by: str
    reason: str
    made: datetime
    found: frozenset[str] = field(default=frozenset(), repr=False)
    released: Release | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether it is to be obeyed at this moment."""
        return self.start <= now and not self.over(now)

    def over(self, now: datetime) -> bool:
        """Whether it has ended, or was released."""
        return self.released is not None or (self.until is not None and self.until <= now)

    def settled(self, now: datetime) -> bool:
        """Whether it has been over for a month, and is, whatever a clock may still be set to."""
        end = self.released.at if self.released else self.until
        return end is not None and end <= now - _SETTLED

    def covers(self, camera: Camera) -> bool:
        """Whether this camera is held by it while it is in force."""
        return camera.id in self.found or self.scope.covers(camera)

    def covers_name(self, name: str) -> bool:
        """The same where no record is at hand."""
        return self.scope.every or name in self.scope.names or name in self.found

    def release(self, at: datetime, by: str) -> Hold:
        """The same hold, ended."""
        return replace(self, released=Release(at, by))

    def bare(self) -> Hold:
        """The same without `found`: for remembering many that are settled."""
        return replace(self, found=frozenset())

    def written(self) -> bytes:
        """As it stands in the store."""
        scope = self.scope
        near = None if scope.near is None else list(scope.near)
        gone = self.released
        return json.dumps(
            {
                "format": _FORMAT,
                "id": self.id,
                "all": scope.every,
                "cameras": sorted(scope.names),
                "area": scope.area,
                "near": near,
                "from": rfc3339(self.start),
                "until": None if self.until is None else rfc3339(self.until),
                "by": self.by,
                "reason": self.reason,
                "made": rfc3339(self.made),
                "found": sorted(self.found),
                "released": None if gone is None else {"at": rfc3339(gone.at), "by": gone.by},
            }
        ).encode()

    @classmethod
    def read(cls, data: bytes) -> Hold:
        """The hold that was written.

        Raises:
            HoldError: it is none, or of a later program's kind: what it orders is not known.
        """
        try:
            saved = json.loads(data)
            if saved["format"] != _FORMAT:
                raise HoldError(f"a hold of the unknown format {saved['format']!r:.40}")
            return _hold(saved)
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
            raise HoldError("something that is no hold") from error


def new_id() -> str:
    """An id that no other hold has, as far as chance goes."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))


def holding(holds: Iterable[Hold], camera: Camera) -> bool:
    """Whether one of these holds covers the camera."""
    return any(hold.covers(camera) for hold in holds)


def next_change(holds: Iterable[Hold], now: datetime) -> datetime | None:
    """The next moment at which one of these begins or ends by itself."""
    moments = [moment for hold in holds for moment in (hold.start, hold.until) if moment]
    return min((moment for moment in moments if moment > now), default=None)


def _hold(saved: dict[str, Any]) -> Hold:
    gone, until = saved["released"], saved["until"]
    start, end = _moment(saved["from"]), None if until is None else _moment(until)
    if end is not None and end <= start:
        raise ValueError("it ends before it begins")
    return Hold(
        id=str(saved["id"]),
        scope=_scope(saved),
        start=start,
        until=end,
        by=str(saved["by"]),
        reason=str(saved["reason"]),
        made=_moment(saved["made"]),
        found=_texts(saved["found"]),
        released=None if gone is None else Release(_moment(gone["at"]), str(gone["by"])),
    )


def _scope(saved: dict[str, Any]) -> Scope:
    near = saved["near"]
    scope = Scope(
        every=saved["all"] is True,
        names=_texts(saved["cameras"]),
        area=str(saved["area"]),
        near=None if near is None else (float(near[0]), float(near[1]), float(near[2])),
    )
    if scope == Scope() or not all(map(math.isfinite, scope.near or ())):
        raise ValueError("it means no camera")
    return scope


def _texts(values: list[object]) -> frozenset[str]:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("not texts")
    return frozenset(map(str, values))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise ValueError("a moment without a zone, or out of all bounds")
    return moment.astimezone(UTC)


def _kilometres(latitude: float, longitude: float, other: float, farther: float) -> float:
    """The way over the earth's surface (haversine)."""
    here, there = math.radians(latitude), math.radians(other)
    rise, turn = there - here, math.radians(farther - longitude)
    chord = math.sin(rise / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(turn / 2) ** 2
    return 2 * _EARTH_RADIUS * math.asin(min(1.0, math.sqrt(chord)))
