"""The canary: one password through every fault, and it is seen in nothing the program shows."""

from __future__ import annotations

import asyncio
import csv
import logging
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cctv.model import Record
from cctv.roster import read
from cctv.schedule import utc_now
from cctv.web.page import page
from dev import dummy_api
from dev.dummy_logins import Login
from dev.dummy_models import COLUMNS, MODELS
from dev.matrix_rows import ROWS
from dev.street import MODES, Street
from dev.street_login import REALM
from tests.fakes import canary
from tests.fakes.camera import opened_driver
from tests.fakes.daemon import command
from tests.fakes.quarter import PREFIX, Plan, open_quarter, warm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cctv.drivers.http import HttpSource
    from cctv.reasons import Reason
    from dev.matrix_row import Row
    from tests.fakes.quarter import Quarter

SEARCH = canary.Search((REALM, *{model.realm for model in MODELS}))
# these take the login in the query, so that every URL of theirs holds it
MAKES = ("Foscam", "Reolink")
TURNS = 3
PLANTED = ("planted in a message", "planted in an error")
CODED = ("base64", "Basic")
log = logging.getLogger(__name__)


@dataclass
class Seen:
    """All that could be looked at, by where it stood."""

    raw: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    objects: list[str | bytes] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    reprs: list[str] = field(default_factory=list)
    reasons: set[Reason | None] = field(default_factory=set)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What a fleet shows whose cameras all refuse the canary, and one whose cameras take it."""
    warm()
    seen = Seen()
    with canary.listening() as ears:
        asyncio.run(_ill(seen, tmp_path_factory.mktemp("ill")))
        asyncio.run(_well(seen))
    seen.raw, seen.lines = ears.raw, ears.lines
    return seen


def telling(rows: Iterable[Row]) -> list[Row]:
    """The rows, as many as can be with makes that take the login in the query."""
    makes = cycle(MAKES)
    return [row if _needs_its_make(row) else replace(row, model=next(makes)) for row in rows]


def _needs_its_make(row: Row) -> bool:
    """Whether it is about a challenge, or about finding the right make."""
    return MODES[row.mode].login or row.mode.startswith("wrong_model")


async def _ill(seen: Seen, folder: Path) -> None:
    async with open_quarter(Plan(telling(ROWS), 6.0, canary.ENV), folder) as quarter:
        await quarter.begin()
        await quarter.until(lambda post: bool(post.turns))
        await quarter.sicken()
        await quarter.until(lambda post: len(post.turns) >= TURNS)
        _look(seen, quarter)


def _look(seen: Seen, quarter: Quarter) -> None:
    for key, shelved in quarter.store.objects.items():
        seen.objects += [key, repr(shelved), shelved.thing.body]
    facts = quarter.board.facts(quarter.fleet.cameras())
    seen.html.append(page(facts, lambda name: f"/{PREFIX}{name}.jpg", utc_now(), ZoneInfo("UTC")))
    seen.reprs += [repr(quarter.settings), repr(quarter.driver), repr(quarter.posts)]
    for camera in quarter.fleet.cameras():
        seen.reprs.append(repr(quarter.drive(camera)))
        _look_into(seen, quarter.driver(camera))
    for post in quarter.posts.values():
        seen.reprs += [repr(turn.outcome) for turn in post.turns]
        seen.reasons |= {turn.reason for turn in post.turns}


def _look_into(seen: Seen, source: HttpSource) -> None:
    """The source, and what is remembered of its device, down to the key."""
    device = source.kit.devices.at(source._url())  # noqa: SLF001 - there is no public way to a key
    assert source.login is not None
    seen.reprs += [repr(each) for each in (source, source.kit, device, device.key(source.login))]


async def _well(seen: Seen) -> None:
    """Each make lets the canary in, whichever reader asks."""
    login = Login(canary.USER, canary.PASSWORD)
    with dummy_api.Street(login=login) as dummies:
        cameras = read([Record(**row) for row in dummies.records()], {}).cameras.values()
        async with opened_driver({"CAMERA": canary.LOGIN}) as driver:
            for source in map(driver, cameras):
                for by_hand in (False, True):
                    source._reading.by_hand = by_hand  # noqa: SLF001 - as above
                    seen.reprs.append(repr(await source.frame()))
                _look_into(seen, source)


@pytest.mark.parametrize(("name", "text"), canary.forms([REALM]).items(), ids=str)
def test_search_finds_what_is_planted(name: str, text: str) -> None:
    """Each form is found in a message and in a traceback, before redaction."""
    with canary.listening() as ears:
        plant(text)
    assert len(ears.raw) == len(PLANTED)
    assert all(f"here: {name}" in SEARCH.found("here", line) for line in ears.raw)


@pytest.mark.parametrize("name", ["plain", "quoted", "quoted for forms", "base64", "Basic"])
def test_redaction_takes_out_what_is_planted(name: str) -> None:
    """The daemon's log would show none of it, should it ever get there."""
    text = canary.forms([])[name]
    with canary.listening() as ears:
        plant(text + "=" * (-len(text) % 4 if name in CODED else 0))
    assert all(words in line for words, line in zip(PLANTED, ears.lines, strict=True))
    assert SEARCH.found("here", "\n".join(ears.lines)) == []


def plant(text: str) -> None:
    """Log it in a message, and in the traceback of an error."""
    log.warning("%s %s", PLANTED[0], text)
    try:
        int(text, base=2)
    except ValueError:
        log.exception(PLANTED[1])


@pytest.mark.parametrize("place", ["raw", "lines", "objects", "html", "reprs"])
def test_canary_is_seen_nowhere(seen: Seen, place: str) -> None:
    """Neither as it is nor in any other form: in logs before redaction, objects, page, reprs."""
    texts = getattr(seen, place)
    assert texts
    assert [found for text in texts for found in SEARCH.found(place, text)] == []


def test_canary_went_through_the_faults(seen: Seen) -> None:
    """The search looked at something: most reasons came up, the refused login among them."""
    expected = {row.reason for row in ROWS if row.reason and row.cycles < TURNS}
    assert expected <= seen.reasons
    assert any("camera unavailable" in line for line in seen.lines)


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """A file with cameras that take the canary, and with one for each row of the matrix."""
    rows = telling(row for row in ROWS if not row.slow and not row.https)
    modes = {str(number): row.mode for number, row in enumerate(rows, 1)}
    login = Login(canary.USER, canary.PASSWORD)
    with dummy_api.Street(login=login) as well, Street(cameras=len(rows), modes=modes) as ill:
        records = well.records()
        for number, row in zip(modes, rows, strict=True):
            name = f"{row.mode.replace(':', '-')}-{number}"
            records.append({"id": name, "model": row.model, "address": ill.address(number)})
        with (tmp_path / "street.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(records)
        yield records


def test_command_line_shows_no_canary(tmp_path: Path, inventory: list[dict[str, str]]) -> None:
    """check, once, probe and list, aloud: over cameras that take the canary and that refuse it."""
    env = {
        "CCTV_INVENTORY": "street.csv",
        "CCTV_STORE": "store",
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
        "CCTV_FETCH_TIMEOUT": "2",
        **canary.ENV,
    }
    ill = next(each for each in inventory if each["id"].startswith("redir_loop"))
    refused = next(each for each in inventory if each["id"].startswith("query_login"))
    said = [
        command("list", "-v", env=env, folder=tmp_path)[1],
        command("check", "-v", "--all", env=env, folder=tmp_path)[1],
        *(
            command("once", "-v", name, env=env, folder=tmp_path)[1]
            for name in ("9", "15", ill["id"], refused["id"])
        ),
        *(
            command("probe", "-v", each["address"], env=env, folder=tmp_path)[1]
            for each in (inventory[0], refused)
        ),
    ]
    assert all(said)
    assert said[3].count("published  ok") == said[2].count("published  ok") == 1
    assert "auth: HTTP 401" in said[1]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    texts = {f"command {place}": text.encode() for place, text in enumerate(said)}
    texts |= {file.name: file.read_bytes() for file in files}
    assert [found for where, text in texts.items() for found in SEARCH.found(where, text)] == []
