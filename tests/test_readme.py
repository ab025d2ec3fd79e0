"""What the README says is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cctv.cli import parser
from cctv.drivers import TABLE, own
from cctv.inventory.file import FileInventory
from cctv.roster import read
from cctv.settings_table import SETTINGS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


def block(language: str, containing: str) -> str:
    """The one fenced block of this language with this text in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    indented = re.findall(rf" +```{language}\n(.*?) +```", TEXT, re.DOTALL)
    (found,) = [text for text in [*blocks, *indented] if containing in text][:1]
    return re.sub(r"(?m)^   ", "", found)


def test_settings_table_is_the_settings() -> None:
    """Every name of config.py with its default, in its order, and no other."""
    rows = re.findall(r"(?m)^\| `([A-Z_]+)` \| (?:`(.*?)`)? ?\|", TEXT)
    assert rows == [(setting.name, setting.default) for setting in SETTINGS]


def test_commands_table_is_the_command_line() -> None:
    """Every command with its flags as they are."""
    told = set(re.findall(r"(?m)^\| `cctv ([a-z]+)", TEXT))
    helped = set(re.findall(r"(?m)^    ([a-z]+) ", parser().format_help()))
    assert told == helped


async def test_example_inventory_is_read(tmp_path: Path) -> None:
    """The CSV of the five-minute start makes sense, row by row."""
    (tmp_path / "cameras.csv").write_text(block("csv", "id,model"))
    roster = read(await FileInventory(tmp_path / "cameras.csv").records(), {})
    assert sorted(roster.cameras) == ["12", "13"]
    assert sorted(roster.withdrawn) == ["14"]
    assert not roster.refusals


def test_example_model_loads(tmp_path: Path) -> None:
    """The TOML of the runbook is a driver file."""
    (tmp_path / "own.toml").write_text(block("toml", "[acme]"))
    assert own.load(tmp_path / "own.toml")["acme"].path == "/cgi-bin/still.cgi"


def test_policy_is_json_and_asks_for_no_more_than_it_must() -> None:
    """Objects under two prefixes, and lists of them; no right that deletes or changes rights."""
    objects, lists = json.loads(block("json", "Statement"))["Statement"]
    assert objects["Action"] == ["s3:PutObject", "s3:GetObject"]
    prefixes = ["image/*", "private/*"]
    assert objects["Resource"] == [f"arn:aws:s3:::BUCKET/{prefix}" for prefix in prefixes]
    assert lists["Action"] == "s3:ListBucket"
    assert lists["Condition"]["StringLikeIfExists"]["s3:prefix"] == prefixes


@pytest.mark.parametrize("model", [*TABLE])
def test_every_known_model_is_named(model: str) -> None:
    """Who looks for a make finds it."""
    assert model in TEXT.lower()


@pytest.mark.parametrize(
    "words",
    [
        "store does not take objects",
        "inventory: read again",
        "camera live again",
        "Camera image unavailable",
        "nothing is published until they can",
        "replaced in the store",
    ],
)
def test_quoted_words_are_the_programs(words: str) -> None:
    """What an operator is told to look for is what the program or its card says."""
    sources = [*(ROOT / "cctv").rglob("*.py"), ROOT / "dev" / "draw_unavailable.py"]
    whole = "".join(source.read_text("utf-8") for source in sources)
    assert words in TEXT
    assert words.removeprefix("inventory: ") in whole


def test_paths_that_are_named_exist() -> None:
    """No link into nowhere."""
    for path in re.findall(r"`((?:cctv|dev|scripts|deploy)/[a-z_./]+)`", TEXT):
        if "_log" not in path:
            assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\((?!#)([^)]+)\)", TEXT):
        assert (ROOT / path).exists(), path


def test_header_table_knows_every_key() -> None:
    """What is put is what is told: each key of the metadata stands in the table."""
    for key in ("state", "captured-at", "fresh-until", "reason", "camera"):
        assert f"`x-amz-meta-{key}`" in TEXT
