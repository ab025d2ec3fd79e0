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
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_WORDS = tuple(each.name for each in fields(Record) if each.name != "odd")
# what must not be missed by a slip of the pen: the wrong camera, or one that is not to be public
_GRAVE = ("publish", "channel")
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
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name.strip().lower() for name in next(rows, [])]
    if missing := [name for name in _NEEDED if name not in names]:
        found = f"has no column {', '.join(missing)} in its first line"
        raise ValueError(found + ("; part columns with commas" if ";" in "".join(names) else ""))
    if twice := [name for name in _WORDS if names.count(name) > 1]:
        raise ValueError(f"has two columns {twice[0]}")
    return [_record(dict(zip(names, row, strict=False)), _cells(names, row)) for row in rows if row]


def _cells(names: list[str], row: list[str]) -> str:
    """What is wrong with the number of a row's cells: one comma too many shifts an order away."""
    gone = {*names[len(row) :]} & {*_NEEDED, *_GRAVE}
    if len(row) > len(names) or gone:
        return f"the row has {len(row)} cells under {len(names)} columns"
    return ""


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
    return [_record(*_folded(row)) for row in rows]


def _folded(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    folded = {str(name).strip().lower(): cell for name, cell in row.items()}
    return folded, "" if len(folded) == len(row) else "the record has two fields of one name"


def _record(row: Mapping[str, Any], odd: str = "") -> Record:
    texts = {word: _text(row.get(word)) for word in _WORDS}
    return Record(**texts, odd=odd or _slip(row))


def _slip(row: Mapping[str, Any]) -> str:
    """A field that is nearly one of the grave ones and stands in its place: `pubish` says no."""
    for name, cell in row.items():
        near = difflib.get_close_matches(name, _GRAVE, n=1, cutoff=_NEARLY)
        if near and near[0] not in row and _text(cell):
            return f"column {name} is unknown; is {near[0]} meant?"
    return ""


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
