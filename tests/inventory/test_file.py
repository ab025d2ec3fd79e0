"""Inventories in files: what is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cctv.errors import InventoryError
from cctv.inventory.file import FileInventory
from cctv.roster import read

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", b"", "has no column id, model, address in its first line"),
        ("a.csv", b"id,model\n1,Axis\n", "has no column address in its first line"),
        ("a.csv", b'id,model,address\n1,"Axis,10.0.0.1\n', "unexpected end of data"),
        (
            "a.csv",
            "id,model,address\n1,Axis,Straße".encode("latin-1"),
            "byte 28 is not UTF-8; in Excel, save as",
        ),
        ("a.csv", b"id;model;address\n", "first line; part columns with commas"),
        ("a.csv", b"id,model,address,publish,Publish\n", "has two columns publish"),
        ("a.json", b"[" * 100_000, "is nested too deep"),
        ("a.json", b"{}", "is not a JSON list of objects"),
        ("a.json", b"[1]", "is not a JSON list of objects"),
        ("a.json", b"[{]", "Expecting property name"),
        ("a.geojson", b"[]", "is not a GeoJSON FeatureCollection"),
        ("a.geojson", b'{"features": [7]}', "is not a GeoJSON FeatureCollection"),
    ],
)
async def test_unusable_file(tmp_path: Path, name: str, text: bytes, words: str) -> None:
    """The file and what is wrong with it; reading it again would not help."""
    (tmp_path / name).write_bytes(text)
    with pytest.raises(InventoryError) as caught:
        await FileInventory(tmp_path / name).records()
    assert str(caught.value).startswith(str(tmp_path / name))
    assert words in str(caught.value)
    assert caught.value.lasting


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", "id,model,address,pubish\n1,Axis,10.0.0.1,no\n", "is publish meant?"),
        ("a.csv", "id,model,address,chanel\n1,Axis,10.0.0.1,2\n", "is channel meant?"),
        ("a.csv", "id,model,address,name,publish\n1,Axis,10.0.0.1,6th, East,no\n", "6 cells"),
        ("a.csv", "id,model,address,name,publish\n1,Axis,10.0.0.1\n", "3 cells under 5 columns"),
        ("a.json", '[{"id":1,"model":"A","address":"h","pubish":"no"}]', "is publish meant?"),
        ("a.json", '[{"id":1,"Publish":"no","publish":""}]', "two fields of one name"),
    ],
)
async def test_row_in_which_an_order_may_be_lost_is_no_camera(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    """A misspelt column, a comma too many, a row cut short: nothing is published of it."""
    (tmp_path / name).write_text(text)
    roster = read(await FileInventory(tmp_path / name).records(), {})
    assert not roster.cameras
    assert list(roster.withdrawn) == ["1"]
    assert why in roster.refusals[0].why


@pytest.mark.parametrize("column", ["publisher", "names", "address2", "channels", "modelno", "x"])
async def test_other_columns_are_passed_over(tmp_path: Path, column: str) -> None:
    """A list of somebody else's has columns of its own."""
    text = f"id,model,address,publish,channel,{column}\n1,Axis,10.0.0.1,yes,,something\n"
    (tmp_path / "a.csv").write_text(text)
    roster = read(await FileInventory(tmp_path / "a.csv").records(), {})
    assert list(roster.cameras) == ["1"]
    assert not roster.refusals


async def test_names_of_fields_are_compared_without_case(tmp_path: Path) -> None:
    """`"Publish": "no"` is an order in JSON as it is in CSV."""
    (tmp_path / "a.json").write_text('[{"ID": 1, "Publish": "no"}]')
    roster = read(await FileInventory(tmp_path / "a.json").records(), {})
    assert list(roster.withdrawn) == ["1"]


async def test_missing_file_may_come_back(tmp_path: Path) -> None:
    """An editor that replaces the file must not end the daemon."""
    with pytest.raises(InventoryError, match="No such file") as caught:
        await FileInventory(tmp_path / "gone.csv").records()
    assert not caught.value.lasting


@pytest.mark.parametrize("odd", ["null", '"x"', "7", "[]", '{"type": "Point"}'])
async def test_odd_geometry_costs_no_camera(tmp_path: Path, odd: str) -> None:
    """A feature without a usable place is a camera without coordinates."""
    file = tmp_path / "a.geojson"
    properties = '{"id": 1, "model": "Axis", "address": "10.0.0.1"}'
    file.write_text(f'{{"features": [{{"properties": {properties}, "geometry": {odd}}}]}}')
    roster = read(await FileInventory(file).records(), {})
    assert roster.cameras["1"].latitude is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real lists are not on this machine")
async def test_real_geojson_list_is_read_with_its_places() -> None:
    """New Zealand's 297 cameras: ids and coordinates found, the missing fields told one by one."""
    records = await FileInventory(SHARED / "nzta_cameras_297.geojson").records()
    assert len(records) == 297
    assert all(record.id and float(record.latitude) < 0 for record in records)
    assert {refusal.why for refusal in read(records, {}).refusals} == {"model is blank"}
