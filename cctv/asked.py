"""From what was typed to a hold, or all that is wrong with it at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cctv.errors import ConfigError
from cctv.holds import Hold, Scope
from cctv.model import by_number
from cctv.roster import is_id
from cctv.table import plain
from cctv.when import moment, shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from datetime import datetime

    from cctv.model import Camera
    from cctv.roster import Roster
    from cctv.settings import Settings

_NAMED = 20
_LATITUDES, _LONGITUDES, _DISTANCES = 90, 180, 1000.0
_LONGEST_REASON, _LONGEST_NAME = 500, 100
_NO_CAMERA = "no camera is named: use --all, --camera, --area or --near"
_NO_REASON = "--reason is blank; who finds this hold in a year wants to know why"
_NO_PROOF_YET = (
    "--wait proves what is in force, and this hold is to come; leave it out, the daemon's log"
    " has the proof"
)


class OrderError(ConfigError):
    """An order that cannot be given; `faults` holds one sentence for each."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of the cameras; `sure` where the inventory itself said so just now."""

    roster: Roster | None = None
    sure: bool = False

    @property
    def cameras(self) -> list[Camera]:
        """The cameras that may be published."""
        return list(self.roster.cameras.values()) if self.roster else []

    @property
    def ids(self) -> set[str]:
        """Every camera it knows of, published or not."""
        roster = self.roster
        return {*roster.cameras, *roster.withdrawn} if roster else set()


def order(
    settings: Settings, options: argparse.Namespace, now: datetime, known: Known, name: str
) -> Hold:
    """The hold that was asked for, to be called `name`.

    Raises:
        OrderError: it makes no sense.
    """
    faults: list[str] = []
    scope = _scope(options, faults)
    if known.sure:
        _compare(scope, known, faults)
    read = partial(_moment, now=now, settings=settings, faults=faults)
    start = read("--from", options.start) or now
    until = read("--until", options.until)
    if until is not None and until <= max(start, now):
        faults.append(f"--until is {shown(until, settings.timezone)}, which is not after its begin")
    if options.wait is not None and start > now:
        faults.append(_NO_PROOF_YET)
    reason = _text("--reason", options.reason, _LONGEST_REASON, faults, _NO_REASON)
    by = named(options.by, faults)
    if faults:
        raise OrderError(faults)
    return Hold(
        id=name,
        scope=scope,
        start=start,
        until=until,
        by=by,
        reason=reason,
        made=now,
        found=_found(scope, known),
    )


def named(text: str, faults: list[str]) -> str:
    """Who orders it, as it may be written down; what is wrong is added to `faults`."""
    return _text("--by", text, _LONGEST_NAME, faults, "--by is blank; write your name")


def ids(words: Iterable[str]) -> list[str]:
    """The ids of holds that were typed, each once: any case, with commas or blanks."""
    found = " ".join(words).replace(",", " ").lower().split()
    return list(dict.fromkeys(found))


def _text(name: str, text: str, longest: int, faults: list[str], blank: str) -> str:
    """A text in one line, without what could steer a terminal or forge a line of a log."""
    clean = plain(" ".join(text.split()))
    if not clean:
        faults.append(blank)
    if len(clean) > longest:
        faults.append(f"{name} has {len(clean):,} characters; {longest} are enough")
    return clean


def _moment(
    name: str, words: str | None, now: datetime, settings: Settings, faults: list[str]
) -> datetime | None:
    if words is None:
        return None
    try:
        return moment(words, now, settings.timezone)
    except ValueError as error:
        faults.append(plain(f"{name} {words[:_LONGEST_NAME]!r} is not {error}"))
        return None


def _scope(options: argparse.Namespace, faults: list[str]) -> Scope:
    names = _names(options.camera or [], faults)
    scope = Scope(
        every=options.all,
        names=names,
        area=_only("--area", options.area, faults).strip(),
        near=_near(_only("--near", options.near, faults), faults),
    )
    others = options.camera, options.area, options.near
    if scope == Scope() and others == (None, None, None):
        faults.append(_NO_CAMERA)
    if scope.every and others != (None, None, None):
        faults.append("--all means every camera; leave it out, or the others")
    return scope


def _names(texts: list[str], faults: list[str]) -> frozenset[str]:
    faults += ["--camera is blank" for text in texts if not text.replace(",", " ").split()]
    names = frozenset(" ".join(texts).replace(",", " ").split())
    odd = [name for name in names if not is_id(name)]
    faults += [plain(f"--camera {name[:_LONGEST_NAME]} is no id of a camera") for name in odd]
    return names


def _only(option: str, texts: list[str] | None, faults: list[str]) -> str:
    """The one text that was given; blank where there is none."""
    if texts is None:
        return ""
    if len(texts) > 1:
        faults.append(f"{option} is there {len(texts)} times; give an order for each")
    elif not texts[0].strip():
        faults.append(f"{option} is blank")
    return texts[0]


def _near(text: str, faults: list[str]) -> tuple[float, float, float] | None:
    if not text.strip():
        return None
    try:
        latitude, longitude, radius = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = radius = 0.0
    placed = abs(latitude) <= _LATITUDES and abs(longitude) <= _LONGITUDES
    if placed and 0 < radius <= _DISTANCES:
        return latitude, longitude, radius
    wanted = f"LAT,LON,KM in degrees and up to {_DISTANCES:g} kilometres"
    faults.append(plain(f"--near {text[:_LONGEST_NAME]} is not {wanted}"))
    return None


def _compare(scope: Scope, known: Known, faults: list[str]) -> None:
    """Gather what does not fit the inventory: a slip of the pen would hold nothing."""
    unknown = [name for name in scope.names - known.ids if is_id(name)]
    faults += [f"--camera {name} is not in the inventory" for name in sorted(unknown)]
    areas = {each.area.strip().casefold(): each.area.strip() for each in known.cameras}
    areas.pop("", None)
    if scope.area and scope.area.casefold() not in areas:
        rest = f"areas are {some(areas.values())}" if areas else "no record names an area"
        faults.append(plain(f"--area {scope.area[:_LONGEST_NAME]} is in no record; {rest}"))
    around = Scope(near=scope.near)
    if scope.near and not any(map(around.covers, known.cameras)):
        lost = sum(_is_placeless(camera) for camera in known.cameras)
        rest = f"{lost:,} of {len(known.cameras):,} records have no place"
        faults.append(f"--near: no camera is {around}; {rest}")


def _found(scope: Scope, known: Known) -> frozenset[str]:
    if scope.every:
        return frozenset()
    return frozenset(camera.id for camera in known.cameras if scope.covers(camera))


def placeless(order: Hold, cameras: Iterable[Camera]) -> list[str]:
    """The cameras of which it cannot be told whether they are near enough, and are not held."""
    if order.scope.near is None:
        return []
    return [one.id for one in cameras if _is_placeless(one) and not order.covers(one)]


def _is_placeless(camera: Camera) -> bool:
    return camera.latitude is None or camera.longitude is None


def some(names: Iterable[str]) -> str:
    """The first twenty, and how many more."""
    ordered = sorted(names, key=by_number)
    rest = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + rest
