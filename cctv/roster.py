"""Records in, cameras out: what a list of cameras means, row by row, and whether to believe it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cctv import address
from cctv.model import Camera
from cctv.reasons import Reason
from cctv.trust import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cctv.model import Record

URL_MODEL = "url"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = frozenset({"unavailable"})
_YES = frozenset({"", "yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})
CHANNELS = range(1, 1000)
"""What a record may call a device's channels."""
_LATITUDES, _LONGITUDES = 90, 180
_BELIEVED_LOSS = 0.3


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is odd about a record; `id` as it stands there, `why` in plain words."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What is to be done about each address.

    `cameras` are published. `withdrawn` must show the fallback image, each for a reason.
    `refusals` tells of the records that are odd; `ids` are the raw ones of the list.
    """

    cameras: Mapping[str, Camera] = field(default_factory=dict)
    withdrawn: Mapping[str, Reason] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    ids: frozenset[str] = frozenset()

    def without(self, never: Iterable[str]) -> Roster:
        """The same where these are not published, whatever the inventory says."""
        names = frozenset(never)
        cameras = {name: cam for name, cam in self.cameras.items() if name not in names}
        withdrawn = {**self.withdrawn, **dict.fromkeys(names, Reason.NEVER_PUBLISH)}
        return replace(self, cameras=cameras, withdrawn=withdrawn)


def read(records: Sequence[Record], last_good: Mapping[str, Camera]) -> Roster:
    """The roster that `records` describe, where `last_good` cameras are the ones known before.

    "Do not publish" is obeyed whatever else the row says. A row that makes no sense leaves its
    camera with its last good record; where there is none its address shows the fallback image.
    What is known and no longer listed is withdrawn.
    """
    cameras: dict[str, Camera] = {}
    withdrawn = dict.fromkeys(last_good, Reason.REMOVED)
    refusals: list[Refusal] = []
    counts = Counter(_id_of(record) for record in records)
    for record in records:
        name = _id_of(record)
        try:
            camera = _camera(record, counts[name])
        except ValueError as error:
            refusals.append(Refusal(name or "(blank)", str(error)))
            camera = last_good.get(name)
            _settle(name, camera, Reason.BAD_RECORD, cameras, withdrawn)
        else:
            _settle(name, camera, Reason.UNPUBLISHED, cameras, withdrawn)
            refusals.extend(Refusal(name, remark) for remark in _remarks(record))
    for name in _switched_off(records):
        cameras.pop(name, None)
        withdrawn[name] = Reason.UNPUBLISHED
    ids = frozenset(counts) - {""}
    return Roster(cameras, withdrawn, tuple(dict.fromkeys(refusals)), ids)


def is_id(name: str) -> bool:
    """Whether a camera may be called this: its id is the name of its public address."""
    return _ID.fullmatch(name) is not None and name.lower() not in _RESERVED


def believable(new: Iterable[str], last: Iterable[str]) -> bool:
    """Whether a list of ids has kept enough of the last one: no more than 30 % of it lost."""
    known = frozenset(last)
    return len(known - frozenset(new)) <= _BELIEVED_LOSS * len(known)


def _settle(
    name: str,
    camera: Camera | None,
    reason: Reason,
    cameras: dict[str, Camera],
    withdrawn: dict[str, Reason],
) -> None:
    if camera is not None:
        cameras[name] = camera
        withdrawn.pop(name, None)
    elif is_id(name):
        withdrawn[name] = reason


def _switched_off(records: Iterable[Record]) -> Iterable[str]:
    named = (record for record in records if _ID.fullmatch(_id_of(record)))
    return [_id_of(record) for record in named if _says_no(record)]


def _says_no(record: Record) -> bool:
    """Also where it says something else than yes: somebody meant to hide it."""
    return record.publish.strip().lower() not in _YES


def _camera(record: Record, count: int) -> Camera | None:
    """The camera of a record, None where it is not to be published; ValueError says what is odd."""
    name = _checked_id(record, count)
    if record.odd and record.publish.strip().lower() not in _NO:
        raise ValueError(record.odd)
    if not _published(record):
        return None
    model = _clean(record.model)
    if not model:
        raise ValueError("model is blank")
    return Camera(
        id=name,
        model=model,
        address=_address(record.address, model),
        name=_clean(record.name),
        latitude=_degrees(record.latitude, _LATITUDES),
        longitude=_degrees(record.longitude, _LONGITUDES),
        area=_clean(record.area),
        channel=_channel(record.channel),
        tls=_tls(record.tls),
    )


def _clean(text: str) -> str:
    """A text without blanks around it, and without halves of characters, which no page can hold."""
    return text.strip().encode("utf-8", "replace").decode()


def _id_of(record: Record) -> str:
    return record.id.strip()


def _checked_id(record: Record, count: int) -> str:
    name = _id_of(record)
    if not name:
        raise ValueError("id is blank")
    if not _ID.fullmatch(name):
        raise ValueError("id is not 1 to 64 letters, digits, _ or - with no _ or - in front")
    if name.lower() in _RESERVED:
        raise ValueError("id is reserved for the fallback image")
    if count > 1 and _published(record):
        raise ValueError(f"id stands in {count} records")
    return name


def _published(record: Record) -> bool:
    word = record.publish.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"publish is {record.publish.strip()!r}, not yes, no, true, false, 1 or 0")
    return word in _YES


def _address(text: str, model: str) -> str:
    if not text.strip():
        raise ValueError("address is blank")
    parse = address.parse_url if model.lower() == URL_MODEL else address.parse
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"address '{address.shown(text)}' {error}") from None


def _degrees(text: str, limit: float) -> float | None:
    try:
        degrees = float(text)
    except ValueError:
        return None
    return degrees if abs(degrees) <= limit else None


def _remarks(record: Record) -> Iterable[str]:
    """What is odd about a record and no reason to withhold its pictures."""
    for word, text, limit in (
        ("latitude", record.latitude, _LATITUDES),
        ("longitude", record.longitude, _LONGITUDES),
    ):
        if text.strip() and _degrees(text, limit) is None:
            yield f"{word} {text.strip()!r} is not a number from -{limit} to {limit}; left out"


def _tls(text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        raise ValueError(f"tls {error}") from None
    return " ".join(text.replace(",", " ").split())


def _channel(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit() and int(text) in CHANNELS):
        raise ValueError(f"channel {text.strip()!r} is not a whole number from 1 to 999")
    return int(text)
