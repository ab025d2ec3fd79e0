"""env_file.example: the reference of all settings."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from dotenv import dotenv_values

from cctv import config, settings_table
from tests.deploy.programs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILE = ROOT / "env_file.example"
LINES = FILE.read_text("utf-8").splitlines()
SETTING = re.compile(r"#?([A-Z][A-Z0-9_]*)=(.*)")
TOLD = {found[1]: found[2] for found in map(SETTING.fullmatch, LINES) if found}
LOGIN_NAMES = [f"{name}_{part}" for name in config.LOGINS for part in ("USERNAME", "PASSWORD")]
AWS = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_DEFAULT_REGION": "us-east-2",
    "AWS_ENDPOINT_URL_S3": "",
}
OURS = {setting.name: setting.default for setting in settings_table.SETTINGS}
RECOMMENDED = {"CCTV_INVENTORY_REFRESH": "60"}
FILLED_IN = {"BUCKET": "b", "KNACK_APP_ID": "a", "KNACK_CONTAINER": "view_1"}


def by_docker(lines: list[str]) -> dict[str, str]:
    """What `docker --env-file` reads: whole lines, nothing unquoted, no comments behind values."""
    told = [line.lstrip() for line in lines]
    pairs = [line.partition("=") for line in told if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def test_it_holds_every_setting_with_its_default_and_nothing_else() -> None:
    """The settings of the table, the logins and AWS's names, each with its default."""
    logins = dict.fromkeys(LOGIN_NAMES, "")
    assert {**OURS, **logins, **AWS, **RECOMMENDED} == TOLD
    assert len(TOLD) == sum(SETTING.fullmatch(line) is not None for line in LINES)


@pytest.mark.parametrize("name", TOLD)
def test_each_is_explained(name: str) -> None:
    """Above each setting, or the group it belongs to, stands a sentence."""
    place = next(n for n, line in enumerate(LINES) if line.lstrip("#").startswith(f"{name}="))
    above = next(line for line in reversed(LINES[:place]) if not SETTING.fullmatch(line))
    assert above.startswith("# ")
    assert above.endswith(".")


def test_docker_and_dotenv_read_the_same() -> None:
    """Quotes, comments behind values and blanks would be read in two ways: there are none."""
    assert by_docker(LINES) == dotenv_values(FILE, interpolate=False)


def test_taken_as_it_is_it_changes_only_the_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the required values filled in it means the same as those alone, but for the refresh."""
    lines = [line + FILLED_IN.get(line.rstrip("="), "") for line in LINES]
    file = tmp_path / "env_file"
    file.write_text("\n".join(lines), "utf-8")
    for name in set(os.environ) - {"PATH"}:
        monkeypatch.delenv(name)
    settings = config.read(config.environment(file))
    assert settings == replace(config.read(FILLED_IN), refresh=60.0)
