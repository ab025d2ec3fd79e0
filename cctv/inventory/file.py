"""Cameras from a file: CSV, a JSON list of objects, or a GeoJSON FeatureCollection."""

from __future__ import annotations

import csv
import difflib
import io
import json
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from cctv.aside import Hand
from cctv.errors import InventoryError
from cctv.model import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_WORDS = tuple(each.name for each in fields(Record))
_NEEDED = ("id", "model", "address")
_DISK = 30.0
_NEARLY = 0.82


@dataclass(frozen=True, slots=True)
class FileInventory:
    """The cameras in a file, read anew each time; columns it does not know are passed over."""

    file: Path
    _hand: Hand = field(default_factory=lambda: Hand(_DISK), repr=False, compare=False)

    async def records(self) -> Sequence[Record]:
        """Every row; see `seams.Inventory`."""
        parse = PARSERS[self.file.suffix.lower()]
        try:
            return await self._hand.do(lambda _: parse(self.file.read_text("utf-8-sig")))
        except OSError as error:
            raise InventoryError(f"{self.file}: {error.strerror or 'the disk hangs'}") from None
        except UnicodeDecodeError as error:
            found = f'{self.file}: byte {error.start} is not UTF-8; in Excel, save as "CSV UTF-8"'
            raise InventoryError(found, lasting=True) from None
        except RecursionError:
            raise InventoryError(f"{self.file}: is nested too deep", lasting=True) from None
        except (csv.Error, ValueError) as error:
            raise InventoryError(f"{self.file}: {error}", lasting=True) from None


def _csv(text: str) -> list[Record]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in _NEEDED if name not in names]:
        found = f"has no column {', '.join(missing)} in its first line"
        raise ValueError(found + ("; part columns with commas" if ";" in "".join(names) else ""))
    _insist_on_spelling(names)
    reader.fieldnames = names
    return [_record(row) for row in reader]


def _json(text: str) -> list[Record]:
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("is not a JSON list of objects")
    return _records(rows)


def _geojson(text: str) -> list[Record]:
    collection = json.loads(text)
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise ValueError("is not a GeoJSON FeatureCollection")
    return _records([_flattened(feature) for feature in features])


def _flattened(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature's properties with its point; GeoJSON has the longitude first."""
    properties = feature.get("properties")
    row = dict(properties) if isinstance(properties, dict) else {}
    row.setdefault("id", feature.get("id"))
    match feature.get("geometry"):
        case {"type": "Point", "coordinates": [longitude, latitude, *_]}:
            row |= {"longitude": longitude, "latitude": latitude}
    return row


def _records(rows: list[dict[str, Any]]) -> list[Record]:
    """Objects as records; names are compared as in a CSV."""
    folded = [{str(name).strip().lower(): cell for name, cell in row.items()} for row in rows]
    _insist_on_spelling({name for row in folded for name in row})
    return [_record(row) for row in folded]


def _insist_on_spelling(names: Iterable[str]) -> None:
    """A column that is nearly one of ours is a slip of the pen: `pubish` must not publish."""
    for name in names:
        near = difflib.get_close_matches(name, _WORDS, n=1, cutoff=_NEARLY)
        if near and name not in _WORDS:
            raise ValueError(f"column {name} is unknown; is {near[0]} meant?")


def _record(row: Mapping[str, Any]) -> Record:
    return Record(**{word: _text(row.get(word)) for word in _WORDS})


def _text(value: object) -> str:
    """A cell as text: JSON's 7 and 7.0 are both `7`, its true is `yes`, its null is blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


PARSERS: dict[str, Callable[[str], list[Record]]] = {
    ".csv": _csv,
    ".json": _json,
    ".geojson": _geojson,
}
