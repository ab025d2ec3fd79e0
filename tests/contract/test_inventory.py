"""One suite for every inventory: the same street comes out, whatever it was written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cctv.inventory.file import FileInventory
from cctv.inventory.knack import KnackAccess, KnackInventory
from cctv.model import Camera, Secret
from cctv.reasons import Reason
from cctv.roster import read
from tests.fakes.knack import FakeKnack, camera_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cctv.seams import Inventory

STREET = [
    Camera("1", "Axis", "10.1.0.1", "6th St / Red River", 30.5, -97.75, channel=2),
    Camera("2", "Spectra Enhanced", "10.1.0.2:8080", "Café, Lamar", 30.25, -97.5),
]
DISABLED = "3"
FIELDS = {
    "id": "field_947",
    "address": "field_638",
    "model": "field_639",
    "disabled": "field_1866",
    "name": "field_182",
    "latitude": "field_211",
    "longitude": "field_211",
    "channel": "field_2001",
}


def row(camera: Camera) -> dict[str, object]:
    """A camera as a row, its disabled neighbour switched off."""
    return {
        "id": camera.id,
        "model": camera.model,
        "address": f" {camera.address} ",
        "name": camera.name,
        "latitude": camera.latitude,
        "longitude": camera.longitude,
        "channel": camera.channel,
        "publish": camera.id != DISABLED,
    }


ROWS = [row(camera) for camera in [*STREET, Camera(DISABLED, "Axis", "10.1.0.3")]]


def csv_file(folder: Path) -> Inventory:
    """A CSV as Excel writes it: a mark in front, CRLF, quotes, a column more."""
    names = list(ROWS[0])
    lines = [",".join([*names, "Notes"])]
    for one in ROWS:
        cells = ["" if one[name] is None else str(one[name]) for name in names]
        lines.append(",".join([*(f'"{cell}"' for cell in cells), "x"]))
    file = folder / "street.csv"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    return FileInventory(file)


def json_file(folder: Path) -> Inventory:
    """A list of objects with JSON's own types."""
    file = folder / "street.json"
    file.write_text(json.dumps([{**one, "id": int(str(one["id"]))} for one in ROWS]))
    return FileInventory(file)


def geojson_file(folder: Path) -> Inventory:
    """A FeatureCollection with the place in its geometry."""
    features = []
    for one in ROWS:
        rest = {name: cell for name, cell in one.items() if name not in ("latitude", "longitude")}
        place = [one["longitude"], one["latitude"]]
        features.append(
            {
                "type": "Feature",
                "properties": rest,
                "geometry": {"type": "Point", "coordinates": place} if place[0] else None,
            }
        )
    file = folder / "street.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return FileInventory(file)


@pytest.fixture
def knack() -> Iterator[FakeKnack]:
    """A Knack with the same street."""
    rows = []
    for one in ROWS:
        place = {"latitude": one["latitude"], "longitude": one["longitude"]}
        fields = {
            "field_638": one["address"],
            "field_639": one["model"],
            "field_182": [{"id": "5", "identifier": one["name"]}] if one["name"] else [],
            "field_211": place if one["latitude"] else "",
            "field_2001": one["channel"] or "",
        }
        rows.append(camera_row(int(str(one["id"])), fields, disabled=not one["publish"]))
    with FakeKnack(rows) as server:
        yield server


@pytest.fixture(params=[csv_file, json_file, geojson_file, "knack"])
def inventory(request: pytest.FixtureRequest, tmp_path: Path, knack: FakeKnack) -> Inventory:
    """Each of the inventories."""
    if request.param != "knack":
        made: Inventory = request.param(tmp_path)
        return made
    key = Secret(str(knack.api_key))
    return KnackInventory(KnackAccess(knack.app_id, key, "view_395", knack.url, FIELDS, None))


async def test_the_same_street_comes_out(inventory: Inventory) -> None:
    """Every field of every camera, the disabled one as an order not to publish."""
    roster = read(await inventory.records(), {})
    assert list(roster.cameras.values()) == STREET
    assert roster.withdrawn == {DISABLED: Reason.UNPUBLISHED}
    assert not roster.refusals


async def test_it_can_be_read_again(inventory: Inventory) -> None:
    """Each reading is a fresh one."""
    assert await inventory.records() == await inventory.records()
