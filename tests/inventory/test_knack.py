"""The Knack inventory: the published knackpy, in a real child, against a server that is a Knack."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import inspect
import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import knackpy
import pytest
import requests

from cctv.errors import InventoryError
from cctv.inventory import knack_child
from cctv.inventory.knack import KnackAccess, KnackInventory
from cctv.inventory.wrap import Retrying
from cctv.model import Record, Secret
from tests.fakes.knack import (
    ADDRESS,
    CHANNEL,
    COORDINATES,
    DISABLED,
    ID,
    LOCATION,
    MODEL,
    NAME,
    OBJECT,
    PAGE,
    VIEW,
    FakeKnack,
    Mode,
    austin_metadata,
    camera_row,
    metadata,
)

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence

    Children = list[tuple[Process, tuple[str, ...], Any]]

FIELDS = {"id": ID, "address": ADDRESS, "model": MODEL, "disabled": DISABLED}
RECORDS = "/v1/pages/scene_144/views/view_395/records"
CANARY = 'canary-"kéy"-4711'


class Other(TypedDict, total=False):
    """What of a right access may be otherwise."""

    app_id: str
    api_key: Secret | None
    container: str
    api_url: str | None
    fields: Mapping[str, str]
    metadata_cache: Path
    deadline: float


def access_to(knack: FakeKnack, **other: Unpack[Other]) -> KnackAccess:
    """The right access to this Knack, but for what is named otherwise."""
    right = KnackAccess(
        app_id=knack.app_id,
        api_key=Secret(knack.api_key) if knack.api_key else None,
        container=VIEW,
        api_url=knack.url,
        fields=FIELDS,
        metadata_cache=None,
        # a bound for a broken test, never waited for: a child that starts takes a second or two
        deadline=120,
    )
    return replace(right, **other)


async def read(knack: FakeKnack, **other: Unpack[Other]) -> Sequence[Record]:
    """One read of this Knack."""
    return await KnackInventory(access_to(knack, **other)).records()


async def failure(knack: FakeKnack, **other: Unpack[Other]) -> InventoryError:
    """The error that a read of this Knack ends in."""
    with pytest.raises(InventoryError) as caught:
        await read(knack, **other)
    return caught.value


async def held(knack: FakeKnack) -> None:
    """Wait until a request is kept waiting by this Knack."""
    assert await asyncio.to_thread(knack.holding.wait, 100)


def is_gone(process: Process) -> bool:
    """No such process is left, not even as a zombie."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def my_children() -> set[str]:
    """The processes that this one has now, zombies too."""
    found: set[str] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that ended meanwhile
            found.update(file.read_text().split())
    return found


async def test_rows_come_as_text_in_order_disabled_ones_too(knack: FakeKnack) -> None:
    """Numbers are text, blank is blank, a disabled camera is there and says no."""
    assert await read(knack) == [
        Record(id="1", address="10.0.0.2", model="Axis", publish="yes"),
        Record(id="2", address="10.0.0.3", model="Axis", publish="yes"),
        Record(id="3", address="10.0.0.4", model="Axis", publish="no"),
    ]


async def test_1500_cameras_come_in_two_pages(knack: FakeKnack) -> None:
    """Pages are put together whole and in order."""
    knack.rows = [camera_row(number) for number in range(1, 1501)]
    records = await read(knack)
    assert [record.id for record in records] == [str(number) for number in range(1, 1501)]
    assert knack.requests == {"metadata": 1, "records": 2}


async def test_rows_without_an_id_stay_with_knack(knack: FakeKnack) -> None:
    """The filter `id is not blank` is sent and obeyed."""
    knack.rows.insert(1, camera_row(9) | {ID: "", f"{ID}_raw": ""})
    assert [record.id for record in await read(knack)] == ["1", "2", "3"]


async def test_rows_may_change_between_reads(knack: FakeKnack) -> None:
    """An order to disable is in the very next read."""
    inventory = KnackInventory(access_to(knack))
    before = await inventory.records()
    knack.rows[0] = camera_row(1, disabled=True)
    after = await inventory.records()
    assert (before[0].publish, after[0].publish) == ("yes", "no")


@pytest.mark.parametrize("container", [VIEW, OBJECT, NAME])
async def test_a_container_has_a_key_or_a_name(knack: FakeKnack, container: str) -> None:
    """View key, object key and name lead to the same cameras."""
    assert [record.id for record in await read(knack, container=container)] == ["1", "2", "3"]


async def test_optional_words(knack: FakeKnack) -> None:
    """A connection gives its identifiers, an address its coordinates, a link its URL."""
    knack.rows = [camera_row(7, {CHANNEL: 2.0}), camera_row(8, {LOCATION: [], COORDINATES: ""})]
    place = {"name": LOCATION, "latitude": COORDINATES, "longitude": COORDINATES}
    more = {"address": PAGE, "channel": CHANNEL, "area": ""}
    found = await read(knack, fields=FIELDS | place | more)
    assert found[0] == Record(
        id="7",
        model="Axis",
        address="http://10.9.0.7",
        name="7 N LAMAR BLVD",
        latitude="30.25",
        longitude="-97.75",
        channel="2",
        publish="yes",
    )
    assert (found[1].name, found[1].latitude, found[1].channel) == ("", "", "")


@pytest.mark.parametrize(
    ("value", "publish"),
    [(True, "no"), (False, "yes"), ("Yes", "no"), ("No", "yes"), ("", "yes"), ("VIP visit", "no")],
)
async def test_any_word_but_no_disables(knack: FakeKnack, value: object, publish: str) -> None:
    """An order that is not understood is taken for an order."""
    knack.rows = [camera_row(1, {DISABLED: value})]
    assert [record.publish for record in await read(knack)] == [publish]


async def test_the_key_is_sent_and_may_be_left_out(knack: FakeKnack) -> None:
    """Knack sees the key; without one it sees what knackpy sends for a public view."""
    await read(knack)
    with_key = knack.headers["X-Knack-REST-API-KEY"]
    knack.api_key = None
    await read(knack)
    assert (with_key, knack.headers["X-Knack-REST-API-KEY"]) == ("8e3d0c1a-knack-key", "knack")


async def test_a_missing_key_blanks_one_word_of_one_row(knack: FakeKnack) -> None:
    """A record that lacks a field does not take the others along."""
    knack.mode = Mode.MISSING_KEY
    assert [record.address for record in await read(knack)] == ["", "10.0.0.3", "10.0.0.4"]


async def test_a_key_that_all_rows_lack_is_an_error(knack: FakeKnack) -> None:
    """A word that no record has is no word that happens to be blank."""
    knack.rows = [{key: row[key] for key in row if DISABLED not in key} for row in knack.rows]
    error = await failure(knack)
    assert str(error) == "field field_1866 (KNACK_FIELD_DISABLED) is in none of 3 records"


async def test_an_empty_list_is_an_answer(knack: FakeKnack) -> None:
    """Whether to believe that the fleet is gone is not this room's to decide."""
    knack.mode = Mode.EMPTY
    assert await read(knack) == []


@pytest.mark.parametrize(
    ("mode", "message", "lasting"),
    [
        (Mode.REFUSED, "Knack refused KNACK_APP_ID and KNACK_API_KEY (HTTP 401)", True),
        (Mode.HTML, "Knack answered something that is not JSON", False),
        (Mode.RESET, "the connection to Knack failed: [Errno 104] Connection reset by peer", False),
        (
            Mode.UNAVAILABLE,
            f"Knack answered HTTP 503 Service Unavailable for {RECORDS}",
            False,
        ),
        (
            Mode.TOO_MANY,
            f"Knack answered HTTP 429 Too Many Requests for {RECORDS}",
            False,
        ),
    ],
)
async def test_a_failing_knack_is_named(
    knack: FakeKnack, mode: Mode, message: str, *, lasting: bool
) -> None:
    """Each failure is one sentence that says what was found, and whether to try again."""
    knack.mode = mode
    error = await failure(knack)
    assert (str(error), error.lasting) == (message, lasting)


async def test_a_refused_connection_is_named(knack: FakeKnack) -> None:
    """Nobody listens: the innermost reason is the one that is told."""
    error = await failure(knack, api_url="http://127.0.0.1:1")
    assert str(error) == "the connection to Knack failed: [Errno 111] Connection refused"


async def test_without_a_url_it_goes_to_knack_itself_by_the_proxy(
    knack: FakeKnack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own host is kept, and the proxy of the environment is used."""
    monkeypatch.setenv("https_proxy", knack.url)
    error = await failure(knack, api_url=None)
    assert str(error) == "the connection to Knack failed: Tunnel connection failed: 403 Forbidden"
    assert knack.tunnels == ["api.knack.com:443"]


async def test_an_unknown_app_is_named(knack: FakeKnack) -> None:
    """The metadata of an app that is not there is a 404 with its path."""
    error = await failure(knack, app_id="nobody")
    assert str(error) == "Knack answered HTTP 404 Not Found for /v1/applications/nobody"


async def test_a_short_list_is_no_list(knack: FakeKnack) -> None:
    """Knackpy is content with an empty second page; the fleet must not shrink for it."""
    knack.rows = [camera_row(number) for number in range(2500)]
    knack.mode = Mode.SHORT
    error = await failure(knack)
    assert str(error) == "Knack announced 2500 records and delivered 1000"
    assert not error.lasting


async def test_a_row_delivered_twice_does_not_stand_in_for_another(knack: FakeKnack) -> None:
    """A list that moved between two pages is counted by its different records."""
    knack.rows.append(knack.rows[0])
    assert str(await failure(knack)) == "Knack announced 4 records and delivered 3"


async def test_metadata_of_no_known_shape_is_named(knack: FakeKnack) -> None:
    """JSON that is something else blames Knack, not the settings."""
    del knack.metadata["objects"]
    error = await failure(knack)
    assert str(error) == "Knack answered JSON of an unknown shape (KeyError: 'objects')"


async def test_an_unknown_container_is_named(knack: FakeKnack) -> None:
    """The setting and its value are in the sentence."""
    error = await failure(knack, container="view_999")
    assert str(error) == "KNACK_CONTAINER names view_999, which the app does not have"
    assert error.lasting


async def test_a_name_that_two_have_is_refused(knack: FakeKnack) -> None:
    """A name of two containers asks for a key, and gives both."""
    knack.metadata["scenes"][0]["views"][0]["name"] = NAME
    error = await failure(knack, container=NAME)
    assert str(error) == (
        "KNACK_CONTAINER names cameras, the name of object_53 and view_395: use a key"
    )
    assert error.lasting


async def test_a_missing_field_is_named(knack: FakeKnack) -> None:
    """A column that the view does not have is found before any record is asked for."""
    columns = knack.metadata["scenes"][0]["views"][0]["columns"]
    columns[:] = [column for column in columns if column.get("field") != {"key": ADDRESS}]
    error = await failure(knack)
    assert str(error) == "field field_638 (KNACK_FIELD_ADDRESS) is not in view_395"
    assert error.lasting
    assert knack.requests["records"] == 0


async def test_a_view_that_is_no_table_says_so(knack: FakeKnack) -> None:
    """Of any other view knackpy would hand out records without a single field."""
    knack.metadata = metadata("map")
    error = await failure(knack)
    assert str(error) == "view_395 (KNACK_CONTAINER) is of type map, not a table"
    assert error.lasting


async def test_the_slug_must_be_part_of_a_host(knack: FakeKnack) -> None:
    """Public metadata decides where the API key is sent: it must not lead out of Knack."""
    knack.metadata["account"]["slug"] = "evil.example/"
    error = await failure(knack)
    assert str(error) == "Knack's metadata calls the account 'evil.example/': not part of a host"


async def test_an_unknown_timezone_does_not_matter(knack: FakeKnack) -> None:
    """Knackpy dies of timezones that are not in its table."""
    knack.metadata["settings"]["timezone"] = "Middle Earth"
    assert len(await read(knack)) == len(knack.rows)


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.DRIP])
async def test_the_deadline_kills(knack: FakeKnack, children: Children, mode: Mode) -> None:
    """A Knack that never comes to an end costs one deadline and leaves no process."""
    knack.mode = mode
    error = await failure(knack, deadline=3)
    assert str(error) == "Knack did not answer within 3 s"
    assert [is_gone(process) for process, _, _ in children] == [True]


@pytest.mark.parametrize("mode", [Mode.HANG, Mode.DRIP])
async def test_cancelling_leaves_no_child(knack: FakeKnack, children: Children, mode: Mode) -> None:
    """A read that is cancelled in the middle is over, with its process."""
    knack.mode = mode
    reading = asyncio.create_task(read(knack), name="reading")
    await held(knack)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [is_gone(process) for process, _, _ in children] == [True]


@pytest.mark.parametrize("steps", range(1, 30, 2))
async def test_cancelling_at_any_step_leaves_no_child(knack: FakeKnack, steps: int) -> None:
    """Also a read that has only begun to start its child, or to tell it what to read."""
    knack.mode = Mode.HANG
    before = my_children()
    reading = asyncio.create_task(read(knack), name="reading")
    for _ in range(steps):
        await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert my_children() == before


def test_a_child_without_a_parent_ends_by_itself(knack: FakeKnack) -> None:
    """Nobody is left to kill it: five seconds after the deadline it is over all the same."""
    knack.mode = Mode.HANG
    request = {"deadline": -4.9, "app_id": knack.app_id, "api_url": knack.url}
    place = {"api_key": knack.api_key, "container": VIEW, "fields": FIELDS, "metadata_cache": None}
    child = subprocess.run(
        [sys.executable, "-m", "cctv.inventory.knack_child"],
        input=json.dumps(request | place).encode(),
        cwd=Path(knack_child.__file__).parents[2],
        check=False,
    )
    assert child.returncode == -signal.SIGALRM


async def test_a_killed_child_is_an_inventory_error(knack: FakeKnack, children: Children) -> None:
    """A child that somebody else ends, for memory perhaps, is a failed read."""
    knack.mode = Mode.HANG
    reading = asyncio.create_task(failure(knack), name="reading")
    await held(knack)
    children[0][0].kill()
    assert str(await reading) == "the Knack reader failed (exit -9): no reason given"


async def test_a_child_that_cannot_start_is_an_inventory_error(
    knack: FakeKnack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process to be had: the daemon stays up."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    error = await failure(knack)
    assert str(error) == "the Knack reader did not start: No such file or directory"


async def test_a_crash_is_told_by_its_last_line_without_the_key(
    knack: FakeKnack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The worst of crashes repeats all it was told on stderr; the key is blotted out."""
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\necho noise >&2\ncat >&2\nexit 3\n")
    crash.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(crash))
    error = await failure(knack, api_key=Secret(CANARY))
    assert str(error).startswith("the Knack reader failed (exit 3): {")
    assert '"api_key": "***"' in str(error)


@pytest.mark.parametrize("key", [CANARY, "canary-4711", "canary-4711\n", "canary-\u732b-4711"])
async def test_the_key_is_in_no_error(knack: FakeKnack, key: str) -> None:
    """Neither a refusal nor a key that cannot be sent puts it into a traceback."""
    error = await failure(knack, api_key=Secret(key))
    assert error.lasting
    assert "4711" not in "".join(traceback.format_exception(error))


async def test_a_key_that_looks_like_something_else_is_not_told_either(knack: FakeKnack) -> None:
    """Redaction is by value: whatever the sentence, the key is not in it."""
    error = await failure(knack, api_key=Secret("view_999"), container="view_999")
    assert str(error) == "KNACK_CONTAINER names ***, which the app does not have"


async def test_no_password_is_on_the_command_line_or_in_the_environment(
    knack: FakeKnack, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child gets the key by its stdin, and the cameras' passwords not at all."""
    monkeypatch.setenv("KNACK_API_KEY", str(knack.api_key))
    monkeypatch.setenv("CAMERA_PASSWORD", "canary-4712")
    await read(knack)
    told = repr([(argv, environment) for _, argv, environment in children])
    assert "knack_child" in told
    assert str(knack.api_key) not in told
    assert "canary-4712" not in told


async def test_the_child_speaks_to_its_parent_only(
    knack: FakeKnack, capfd: pytest.CaptureFixture[str]
) -> None:
    """Knackpy's warning about a missing key stays off the daemon's own output."""
    knack.api_key = None
    await read(knack)
    assert capfd.readouterr() == ("", "")


async def test_it_reads_from_any_working_directory(
    knack: FakeKnack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither is the package lost elsewhere, nor does a file there pass for a library."""
    (tmp_path / "requests.py").write_text("raise SystemExit('not the library')\n")
    monkeypatch.chdir(tmp_path)
    assert len(await read(knack)) == len(knack.rows)


async def test_austin_scale_metadata_is_fetched_once_and_trimmed(
    knack: FakeKnack, tmp_path: Path
) -> None:
    """2,600 views cost one download; what is kept is the one view and its four fields."""
    knack.metadata = austin_metadata()
    cache = tmp_path / "metadata.json"
    inventory = KnackInventory(access_to(knack, metadata_cache=cache))
    assert await inventory.records() == await inventory.records()
    assert knack.requests == {"metadata": 1, "records": 2}
    kept = json.loads(cache.read_text())["metadata"]["application"]
    assert [len(kept["objects"]), len(kept["objects"][0]["fields"])] == [1, 4]
    assert [len(scene["views"]) for scene in kept["scenes"]] == [1]


async def test_metadata_that_no_longer_fits_is_fetched_anew(
    knack: FakeKnack, tmp_path: Path
) -> None:
    """The view moved to another page: the cached route fails, one more request heals it."""
    inventory = KnackInventory(access_to(knack, metadata_cache=tmp_path / "metadata.json"))
    await inventory.records()
    knack.metadata["scenes"][0]["key"] = "scene_145"
    assert len(await inventory.records()) == len(knack.rows)
    assert len(await inventory.records()) == len(knack.rows)
    assert knack.requests["metadata"] == 2


async def test_a_column_that_left_the_view_is_noticed_in_spite_of_the_cache(
    knack: FakeKnack, tmp_path: Path
) -> None:
    """Without its column the order to disable could not be heard: no list rather than that."""
    inventory = KnackInventory(access_to(knack, metadata_cache=tmp_path / "metadata.json"))
    await inventory.records()
    columns = knack.metadata["scenes"][0]["views"][0]["columns"]
    columns[:] = [column for column in columns if column.get("field") != {"key": DISABLED}]
    with pytest.raises(InventoryError, match=r"field_1866 \(KNACK_FIELD_DISABLED\) is not in"):
        await inventory.records()


@pytest.mark.parametrize("change", [{"container": OBJECT}, {"fields": FIELDS | {"name": LOCATION}}])
async def test_other_settings_do_not_use_the_cache(
    knack: FakeKnack, tmp_path: Path, change: Other
) -> None:
    """What was trimmed for other settings is not taken for these."""
    cache = tmp_path / "metadata.json"
    await read(knack, metadata_cache=cache)
    await read(knack, **(change | Other(metadata_cache=cache)))
    assert knack.requests["metadata"] == 2


@pytest.mark.parametrize("days", [1, -1])
async def test_the_cache_lasts_a_day(knack: FakeKnack, tmp_path: Path, days: int) -> None:
    """A day later, or if the clock was set back, metadata is fetched anew."""
    cache = tmp_path / "metadata.json"
    await read(knack, metadata_cache=cache)
    entry = json.loads(cache.read_text())
    cache.write_text(json.dumps(entry | {"fetched": entry["fetched"] - days * 86400}))
    await read(knack, metadata_cache=cache)
    assert knack.requests["metadata"] == 2


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"fetched": "noon"}'])
async def test_a_spoiled_cache_is_no_cache(knack: FakeKnack, tmp_path: Path, kept: str) -> None:
    """Whatever the file holds, the read succeeds and the file is good again."""
    cache = tmp_path / "metadata.json"
    cache.write_text(kept)
    await read(knack, metadata_cache=cache)
    await read(knack, metadata_cache=cache)
    assert knack.requests["metadata"] == 1


async def test_a_cache_that_cannot_be_written_is_no_cache(knack: FakeKnack, tmp_path: Path) -> None:
    """A folder that is not there costs a request, not the list."""
    cache = tmp_path / "nowhere" / "metadata.json"
    assert len(await read(knack, metadata_cache=cache)) == len(knack.rows)
    assert not cache.parent.exists()


def parameters(name: str) -> list[str]:
    """What a function of knackpy's is called with."""
    return [*inspect.signature(getattr(knackpy.api, name)).parameters]


def test_the_private_names_of_knackpy() -> None:
    """What the child patches exists in this version, with the parameters it relies on."""
    assert importlib.metadata.version("knackpy") == "1.1.1"
    assert parameters("_url") == ["route", "slug"]
    assert {"url", "timeout", "params"} <= {*parameters("_request")}
    assert "timeout" in parameters("_get_paginated_records")


def test_every_request_of_knackpy_has_a_timeout(
    knack: FakeKnack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published knackpy drops it for records; patched, none is sent without."""
    for name in ("_url", "_request", "_get_paginated_records"):
        monkeypatch.setattr(knackpy.api, name, getattr(knackpy.api, name))
    timeouts: list[object] = []
    send = requests.Session.send

    def noting(
        session: requests.Session, request: requests.PreparedRequest, *, timeout: float | None
    ) -> requests.Response:
        timeouts.append(timeout)
        with session:
            return send(session, request, timeout=timeout)

    monkeypatch.setattr(requests.Session, "send", noting)
    access = {"app_id": knack.app_id, "api_key": knack.api_key, "api_url": knack.url}
    place = {"container": VIEW, "fields": FIELDS, "metadata_cache": None}
    assert len(knack_child.read(access | place)) == len(knack.rows)
    assert timeouts == [30, 30]


async def test_three_hiccups_are_ridden_out(knack: FakeKnack) -> None:
    """Three 503 in a row are knackpy's second attempt and one more read."""
    knack.mode = Mode.UNAVAILABLE_THRICE
    inventory = Retrying(KnackInventory(access_to(knack)), longest_pause=0)
    assert len(await inventory.records()) == len(knack.rows)
    assert knack.requests["records"] == 4


class Script:
    """An inventory that ends as it was told, one read after the other."""

    def __init__(self, *ends: BaseException | list[Record]) -> None:
        self.left = list(ends)

    async def records(self) -> Sequence[Record]:
        """The next of its ends."""
        end = self.left.pop(0)
        if isinstance(end, BaseException):
            raise end
        return end


async def test_retrying_passes_on_the_first_list() -> None:
    """What works is not asked twice."""
    script = Script([Record(id="1")], [Record(id="2")])
    assert await Retrying(script).records() == [Record(id="1")]
    assert len(script.left) == 1


async def test_retrying_ends_with_the_last_error_after_three() -> None:
    """The third error is raised as it came, not wrapped."""
    script = Script(*[InventoryError(str(nth)) for nth in range(1, 5)])
    with pytest.raises(InventoryError, match=r"^3$"):
        await Retrying(script, longest_pause=0).records()


@pytest.mark.parametrize(
    "end", [InventoryError("wrong key", lasting=True), asyncio.CancelledError(), KeyError("a bug")]
)
async def test_retrying_lets_pass_what_trying_again_does_not_mend(end: BaseException) -> None:
    """A lasting error, a cancellation and a bug go through at once."""
    script = Script(end, [])
    with pytest.raises(type(end)):
        await Retrying(script, longest_pause=0).records()
    assert script.left == [[]]
