"""Refused logins outlive the process, and all programs with one state folder share them."""

from __future__ import annotations

import asyncio
import json
import math
import os
import resource
import subprocess
import sys
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from cctv.drivers.device import Devices
from cctv.drivers.gate import Gate, LoosePage, Mark
from cctv.drivers.refusals import Refusals, open_refusals
from cctv.drivers.refusals_file import Row, Table, agreed, alone_with, read
from cctv.errors import CaptureError
from cctv.model import Login, Secret
from tests.fakes.daemon import await_
from tests.virtual import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from cctv.drivers.key import Key

ROOT = Path(__file__).parents[2]
PAUSE = 1800.0
DAY = 24 * 3600.0
LOGIN = Login("operator", Secret("canary:ü@"))
PLACE = URL("http://10.20.30.40/jpg")
RESTS = "not tried: refused twice, the next try is in 28 min"
SALT = "00" * 16
NAME = "ab" * 16


@dataclass
class Clock:
    """The wall's seconds, and those since the machine began, which nobody sets."""

    at: float = 1_800_000_000.0
    up: float = 50.0

    def wall(self) -> float:
        """What the wall clock shows."""
        return self.at

    def now(self) -> float:
        """What the monotonic clock shows."""
        return self.up

    def pass_(self, seconds: float) -> None:
        """Time passes on both."""
        self.at += seconds
        self.up += seconds


@asynccontextmanager
async def started(
    folder: Path, clock: Clock, pause: float = PAUSE
) -> AsyncIterator[tuple[Devices, Refusals]]:
    """A program with this state folder, from its start to its end."""
    async with open_refusals(folder, pause, clock.now, clock.wall) as refusals:
        yield Devices(pause, clock.now, refusals.page), refusals


async def loaded(folder: Path, clock: Clock, pause: float = PAUSE) -> tuple[Devices, Refusals]:
    """A program that meets its file when the test says so, and not by itself."""
    refusals = Refusals(folder, pause, clock.now, clock.wall)
    await refusals.load()
    return Devices(pause, clock.now, refusals.page), refusals


def key(devices: Devices, url: URL = PLACE, login: Login = LOGIN) -> Key:
    """The login's history at the device."""
    return devices.at(url).key(login)


def ask(one: Key, status: int = 401) -> str:
    """One picture asked for, the login answered by this status: what comes of it."""
    try:
        one.spend()
    except CaptureError as error:
        return str(error)
    if status == 200:
        one.accepted()
        return "let in"
    return str(one.refused(status))


def saved(folder: Path) -> dict[str, list[float]]:
    """The rows of the file."""
    rows: dict[str, list[float]] = json.loads((folder / "refusals.json").read_text())["refused"]
    return rows


def begun(folder: Path, rows: object) -> Path:
    """A folder whose file holds these rows."""
    file = folder / "refusals.json"
    file.write_text(json.dumps({"format": 1, "salt": SALT, "refused": rows}))
    return file


def name_of(folder: Path) -> str:
    """The name of LOGIN at PLACE in this folder's file, made by a refusal; the file stays."""

    async def work() -> None:
        async with started(folder, Clock()) as (devices, _):
            ask(key(devices))

    asyncio.run(work())
    return next(iter(saved(folder)))


async def refuse(folder: Path, clock: Clock, times: int = 1, pause: float = PAUSE) -> list[str]:
    """A program that starts, has its login refused so often, and ends."""
    async with started(folder, clock, pause) as (devices, _):
        return [ask(key(devices)) for _ in range(times)]


async def test_a_third_try_after_a_restart_is_not_made(tmp_path: Path) -> None:
    """In the same words as without the restart; the pause goes on where it was."""
    clock = Clock()
    assert await refuse(tmp_path, clock, 3) == ["HTTP 401 Unauthorized"] * 2 + [RESTS]
    # another machine time, as after a reboot
    clock.up = 3.0
    assert await refuse(tmp_path, clock) == [RESTS]
    clock.pass_(10 * 60)
    async with started(tmp_path, clock) as (devices, _):
        assert ask(key(devices)) == RESTS.replace("28", "18")
        clock.pass_(0.95 * PAUSE - 10 * 60 - 1)
        assert "not tried" in ask(key(devices))
        clock.pass_(1.1)
        assert ask(key(devices)) == "HTTP 401 Unauthorized"
        assert ask(key(devices)) == "not tried: refused 3 times, the next try is in 30 min"


async def test_a_first_refusal_counts_after_a_restart(tmp_path: Path) -> None:
    """A technician who tries five times spends two tries."""
    clock, told = Clock(), []
    for _ in range(5):
        told += await refuse(tmp_path, clock)
        clock.pass_(20)
    assert [words == "HTTP 401 Unauthorized" for words in told] == [True, True] + [False] * 3


async def test_it_is_kept_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when the program ends in good order, or when others' changes are looked for."""
    monkeypatch.setattr("cctv.drivers.refusals._LOOK", DAY)
    folder = tmp_path / "state"
    async with started(folder, Clock()) as (devices, _):
        for count in (1, 2):
            ask(key(devices))
            await asyncio.to_thread(
                await_,
                lambda count=count: [row[0] for row in saved(folder).values()] == [count],
                "the file",
            )
    assert (folder / "refusals.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "refusals.lock").stat().st_mode & 0o777 == 0o600


async def test_a_login_let_in_is_forgotten(tmp_path: Path) -> None:
    """Only refused ones are kept; others' rows stay."""
    clock, other = Clock(), Login("operator", Secret("another"))
    async with started(tmp_path, clock) as (devices, _):
        assert ask(key(devices), 200) == "let in"
    assert saved(tmp_path) == {}
    async with started(tmp_path, clock) as (devices, _):
        ask(key(devices))
        ask(key(devices, login=other))
    assert len(saved(tmp_path)) == 2
    async with started(tmp_path, clock) as (devices, _):
        assert ask(key(devices), 200) == "let in"
    assert len(saved(tmp_path)) == 1
    async with started(tmp_path, clock) as (devices, _):
        assert [ask(key(devices)) for _ in range(3)][1:] == ["HTTP 401 Unauthorized", RESTS]
        assert ask(key(devices, login=other)) == "HTTP 401 Unauthorized"


async def test_it_holds_for_one_login_at_one_device(tmp_path: Path) -> None:
    """A new password, another user, another port: nothing was refused there."""
    clock = Clock()
    await refuse(tmp_path, clock, 2)
    async with started(tmp_path, clock) as (devices, _):
        fresh = [
            key(devices, login=Login("operator", Secret("another"))),
            key(devices, login=Login("operato", Secret("rcanary:ü@"))),
            key(devices, URL("http://10.20.30.40:8080/")),
            key(devices, URL("http://10.20.30.41/")),
        ]
        assert [ask(one) for one in fresh] == ["HTTP 401 Unauthorized"] * 4
        # a recorder's other channel, written in another way
        assert ask(key(devices, URL("http://10.20.30.40:80/b?channel=2"))) == RESTS


async def test_a_day_of_restarts(tmp_path: Path) -> None:
    """Every ten minutes, each camera asked every minute: two tries, then one in each pause."""
    clock, at = Clock(), []
    for start in range(24 * 6):
        clock.up = 7.0 * start
        async with started(tmp_path, clock) as (devices, _):
            for _ in range(10):
                if ask(key(devices)) == "HTTP 401 Unauthorized":
                    at.append(clock.at)
                clock.pass_(60)
    assert 40 < len(at) <= 2 + DAY / PAUSE
    assert min(later - sooner for sooner, later in pairwise(at[1:])) >= 0.95 * PAUSE


@pytest.mark.parametrize("back", [60.0, 3600.0, 50 * 365 * DAY])
async def test_a_clock_set_back_keeps_out_for_one_pause_at_most(
    tmp_path: Path, back: float
) -> None:
    """Counted from the start; a clock that is fifty years off is no fifty years' wait."""
    clock = Clock()
    await refuse(tmp_path, clock, 2)
    clock.at -= back
    async with started(tmp_path, clock) as (devices, _):
        assert "not tried" in ask(key(devices))
        clock.pass_(PAUSE + 0.01)
        assert ask(key(devices)) == "HTTP 401 Unauthorized"
        assert "refused 3 times" in ask(key(devices))


async def test_a_clock_set_forward_allows_one_early_try(tmp_path: Path) -> None:
    """One for each time it is set, not one for each start."""
    clock = Clock()
    await refuse(tmp_path, clock, 2)
    clock.at += 20 * 3600
    assert await refuse(tmp_path, clock) == ["HTTP 401 Unauthorized"]
    for _ in range(3):
        assert "refused 3 times, the next try is in 28 min" in str(await refuse(tmp_path, clock))


async def test_a_clock_set_while_the_program_runs_moves_no_pause(tmp_path: Path) -> None:
    """Neither in this program nor, where it is refused again, in the next."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    ask(key(devices))
    clock.at += 3000 * DAY
    ask(key(devices))
    assert ask(key(devices)) == RESTS
    await refusals.sync()
    assert ask(key(devices)) == RESTS
    assert await refuse(tmp_path, clock) == [RESTS]


async def test_an_old_refusal_is_dropped_from_the_file_only(tmp_path: Path) -> None:
    """A program that knows it goes on counting; one that starts begins anew."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    ask(key(devices))
    await refusals.sync()
    clock.pass_(DAY)
    ask(key(devices, URL("http://other")))
    await refusals.sync()
    assert len(saved(tmp_path)) == 1
    assert [ask(key(devices)) for _ in range(2)] == ["HTTP 401 Unauthorized", RESTS]
    await refuse(tmp_path, clock)
    clock.pass_(DAY)
    assert await refuse(tmp_path, clock, 2) == ["HTTP 401 Unauthorized"] * 2


async def test_a_pause_of_days_is_kept_for_days(tmp_path: Path) -> None:
    """It is not over before its row is dropped."""
    clock = Clock()
    await refuse(tmp_path, clock, 2, pause=3 * DAY)
    clock.pass_(2.8 * DAY)
    assert "not tried" in str(await refuse(tmp_path, clock, pause=3 * DAY))
    clock.pass_(0.1 * DAY)
    assert await refuse(tmp_path, clock, pause=3 * DAY) == ["HTTP 401 Unauthorized"]


async def test_without_a_pause_a_restart_tries_once(tmp_path: Path) -> None:
    """Half an hour after the last refusal at the soonest, and then no more until the next."""
    clock = Clock()
    await refuse(tmp_path, clock, 2, pause=0)
    for _ in range(3):
        assert "the next try is in 30 min" in str(await refuse(tmp_path, clock, pause=0))
    clock.pass_(1801)
    devices, refusals = await loaded(tmp_path, clock, 0)
    assert ask(key(devices)) == "HTTP 401 Unauthorized"
    for _ in range(3):
        assert ask(key(devices)) == "not tried: refused 3 times, and not tried again"
        await refusals.sync()
        clock.pass_(2 * DAY)


def test_without_a_pause_later_refusals_have_a_moment() -> None:
    """One that was on its way when the gate closed is written with the time it was sent."""
    page = LoosePage()
    gate = Gate(0, page)
    for sent in (1.0, 2.0, 3.0):
        gate.count(sent)
    assert page.read() == Mark(3, 3.0, math.inf)


async def test_without_a_pause_another_program_opens_nothing(tmp_path: Path) -> None:
    """What this program does not try again, it does not try because another did."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock, 0)
    for _ in range(2):
        ask(key(devices))
    await refusals.sync()
    clock.pass_(1801)
    assert await refuse(tmp_path, clock, pause=0) == ["HTTP 401 Unauthorized"]
    await refusals.sync()
    clock.pass_(1801)
    assert ask(key(devices)) == "not tried: refused 3 times, and not tried again"


async def test_two_programs_hear_of_each_other(tmp_path: Path) -> None:
    """Refused by one, not tried by the other; let in by one, open for the other."""
    clock = Clock()
    ours, one = await loaded(tmp_path, clock)
    theirs, two = await loaded(tmp_path, clock)
    ask(key(ours))
    await one.sync()
    await two.sync()
    assert ask(key(theirs)) == "HTTP 401 Unauthorized"
    assert ask(key(theirs)) == RESTS
    await two.sync()
    await one.sync()
    assert ask(key(ours)) == RESTS
    clock.pass_(PAUSE)
    assert ask(key(theirs), 200) == "let in"
    await two.sync()
    await one.sync()
    assert saved(tmp_path) == {}
    assert [ask(key(ours)) for _ in range(3)] == ["HTTP 401 Unauthorized"] * 2 + [RESTS]


async def test_two_programs_refused_at_once_count_both(tmp_path: Path) -> None:
    """Neither knew of the other's try; from then on both rest."""
    clock = Clock()
    ours, one = await loaded(tmp_path, clock)
    theirs, two = await loaded(tmp_path, clock)
    ask(key(ours))
    clock.pass_(0.01)
    ask(key(theirs))
    await one.sync()
    await two.sync()
    await one.sync()
    assert ask(key(ours)) == ask(key(theirs)) == RESTS
    assert [row[0] for row in saved(tmp_path).values()] == [2]


async def test_a_file_met_twice_at_once_loses_nothing(tmp_path: Path) -> None:
    """What another program was refused is not written over by the second meeting."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    await refuse(tmp_path, clock)
    clock.pass_(1)
    ask(key(devices))
    await asyncio.gather(refusals.sync(), refusals.sync())
    assert ask(key(devices)) == RESTS
    assert await refuse(tmp_path, clock) == [RESTS]


@pytest.mark.parametrize("before", [False, True])
async def test_a_refusal_while_the_file_is_met_adds_up(tmp_path: Path, *, before: bool) -> None:
    """With what another program wrote at the same time; with one of our own on its way or not."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    await refuse(tmp_path, clock)
    if before:
        clock.pass_(1)
        ask(key(devices))
    meeting = asyncio.create_task(refusals.sync())
    await asyncio.sleep(0)
    clock.pass_(1)
    assert ask(key(devices)) == "HTTP 401 Unauthorized"
    await meeting
    await refusals.sync()
    assert [row[0] for row in saved(tmp_path).values()] == [3 if before else 2]
    assert "not tried: refused" in ask(key(devices))


async def test_what_others_write_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, every few seconds, without a change of our own."""
    monkeypatch.setattr("cctv.drivers.refusals._LOOK", 0.01)
    clock = Clock()
    async with started(tmp_path, clock) as (devices, refusals):
        await refuse(tmp_path, clock, 2)
        page = refusals.page(("10.20.30.40", 80), LOGIN)
        await asyncio.to_thread(await_, lambda: page.read().refusals == 2, "the other's refusals")
        assert ask(key(devices)) == RESTS


ROWS = [None, Row(1, 5.0), Row(2, 7.0), Row(4, 9.0)]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("seen", ROWS)
def test_who_changed_nothing_gives_way(row: Row | None, seen: Row | None) -> None:
    """Refused or let in, the change of one program stands; the same change counts once."""
    assert agreed(row, seen, seen) == agreed(seen, row, seen) == agreed(row, row, seen) == row


@pytest.mark.parametrize(
    ("mine", "theirs", "seen", "row"),
    [
        (Row(1, 5.0), Row(1, 6.0), None, Row(2, 6.0)),
        (Row(3, 9.0), Row(4, 8.0), Row(2, 1.0), Row(5, 9.0)),
        # somebody was let in first, and refused again
        (Row(6, 9.0), Row(1, 8.0), Row(5, 1.0), Row(6, 9.0)),
        (None, Row(3, 8.0), Row(2, 1.0), Row(3, 8.0)),
        (Row(3, 8.0), None, Row(2, 1.0), Row(3, 8.0)),
    ],
)
def test_two_changes(mine: Row | None, theirs: Row | None, seen: Row | None, row: Row) -> None:
    """Refusals add up, the later pause counts, and where one was let in the refusal stays."""
    assert agreed(mine, theirs, seen) == row


WRITER = """
import asyncio, sys
from pathlib import Path
from yarl import URL
from cctv.drivers.device import Devices
from cctv.drivers.refusals import open_refusals
from cctv.model import Login, Secret
import time

async def main(folder, first):
    async with open_refusals(Path(folder), 1800.0) as refusals:
        devices = Devices(1800.0, time.monotonic, refusals.page)
        for number in range(first, first + 20):
            key = devices.at(URL(f"http://10.0.0.{number}/")).key(Login("u", Secret("p")))
            key.spend()
            key.refused(401)
            await refusals.sync()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def test_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Four at once begin without a file, write 20 rows each, one after the other: all 80 stand."""
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), str(1 + 20 * n)] for n in range(4)]
    running = [subprocess.Popen(command, cwd=ROOT) for command in commands]  # noqa: S603 - our own interpreter
    assert [process.wait(60) for process in running] == [0] * 4
    assert [row[0] for row in saved(tmp_path).values()] == [1] * 80


def test_a_killed_process_has_left_its_refusals(tmp_path: Path) -> None:
    """Whatever was written when it was killed is a whole file."""
    program = WRITER.replace("sync()", "sync(); print(number, flush=True)")
    program = program.replace("first + 20", "first + 200")
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program, str(tmp_path), "1"], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        told = [process.stdout.readline() for _ in range(5)]
        process.kill()
    assert told[-1] == b"5\n"
    assert len(saved(tmp_path)) >= 5


async def test_the_file_reveals_nothing(tmp_path: Path) -> None:
    """Neither user nor password nor address; the same login elsewhere has another name."""
    await refuse(tmp_path / "one", Clock())
    await refuse(tmp_path / "two", Clock())
    text = (tmp_path / "one" / "refusals.json").read_text()
    assert not any(word in text for word in ("operator", "canary", "10.20.30.40", "http"))
    (one,), (two,) = saved(tmp_path / "one"), saved(tmp_path / "two")
    assert one != two


async def test_nothing_prints(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No login in a repr or a line, also where the disk fails."""
    (tmp_path / "state").write_text("")
    async with started(tmp_path / "state", Clock()) as (devices, refusals):
        ask(key(devices))
        page = refusals.page(("10.20.30.40", 80), LOGIN)
        told = [repr(refusals), repr(page), repr(refusals.page), *caplog.messages]
        assert "canary" not in repr(devices.at(PLACE))
    assert caplog.messages
    assert not any("canary" in text or "operator" in text for text in told)


async def test_a_start_without_a_file_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is made, so that whoever starts next uses the same salt."""
    async with started(tmp_path / "state", Clock()):
        assert saved(tmp_path / "state") == {}
    assert caplog.messages == []


ODD = {
    "empty": b"",
    "cut": b'{"format": 1, "salt": "00',
    "list": b"[]",
    "null": b"null",
    "binary": b"\xff\xfe",
    "too deep": b"[" * 100_000,
    "no salt": b'{"format": 1, "refused": {}}',
    "salt of numbers": b'{"format": 1, "salt": 12, "refused": {}}',
    "salt of words": b'{"format": 1, "salt": "canary", "refused": {}}',
    "short salt": b'{"format": 1, "salt": "00", "refused": {}}',
    "no rows": json.dumps({"format": 1, "salt": SALT}).encode(),
    "a list of rows": json.dumps({"format": 1, "salt": SALT, "refused": []}).encode(),
    "a later form": json.dumps({"format": 2, "salt": SALT, "refused": {}}).encode(),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_a_file_of_something_else_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    """With one warning, at the start or while the program runs; what is known is not lost."""
    file, clock = tmp_path / "refusals.json", Clock()
    file.write_bytes(text)
    devices, refusals = await loaded(tmp_path, clock)
    assert caplog.messages == [f"refused logins not read, begun anew: {file}"]
    assert saved(tmp_path) == {}
    ask(key(devices))
    await refusals.sync()
    file.write_bytes(text)
    await refusals.sync()
    assert len(saved(tmp_path)) == 1
    assert len(caplog.messages) == 2
    assert await refuse(tmp_path, clock, 2) == ["HTTP 401 Unauthorized", RESTS]


@pytest.mark.parametrize("foreign", [False, True])
async def test_a_file_taken_away_is_made_anew(tmp_path: Path, *, foreign: bool) -> None:
    """Also where another program has begun one with another salt meanwhile."""
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    ask(key(devices))
    await refusals.sync()
    before = (tmp_path / "refusals.json").read_text()
    (tmp_path / "refusals.json").unlink()
    if foreign:
        begun(tmp_path, {NAME: [9, clock.at]})
        # it holds nothing that we could read, and nothing of ours is new
        await refusals.sync()
        assert list(saved(tmp_path)) == [NAME]
        ask(key(devices))
    await refusals.sync()
    after = (tmp_path / "refusals.json").read_text()
    assert after == before.replace("[1, ", "[2, ") if foreign else before
    assert await refuse(tmp_path, clock, 2) == (
        [RESTS] * 2 if foreign else ["HTTP 401 Unauthorized", RESTS]
    )


@pytest.mark.parametrize(
    "row",
    [
        *[5, None, "ab", {}, [], [1], [1, 2, 3], ["1", 2], [1, "2"], [True, 2], [0, 2], [-1, 2]],
        *[[1.5, 2], [1, None], [1, math.nan], [1, math.inf], [10**12, 2], [1, -(10**300)]],
    ],
)
def test_a_row_of_something_else_is_left_out(tmp_path: Path, row: object) -> None:
    """One odd row costs no other."""
    good, short = "cd" * 16, "ef"
    file = begun(tmp_path, {NAME: row, short: [2, 7], good: [2, 7.5]})
    assert read(file) == Table(bytes(16), {good: Row(2, 7.5)})


def test_a_row_made_by_hand_keeps_nobody_out_for_long(tmp_path: Path) -> None:
    """A moment far ahead is one pause."""
    name, clock = name_of(tmp_path), Clock()
    saved_text = json.loads((tmp_path / "refusals.json").read_text())
    saved_text["refused"] = {name: [99, 10**10]}
    (tmp_path / "refusals.json").write_text(json.dumps(saved_text))

    async def work() -> None:
        async with started(tmp_path, clock) as (devices, _):
            assert "refused 99 times, the next try is in 30 min" in ask(key(devices))
            clock.pass_(PAUSE + 0.01)
            assert ask(key(devices)) == "HTTP 401 Unauthorized"

    asyncio.run(work())


async def test_no_more_than_20000_are_kept(tmp_path: Path) -> None:
    """The oldest go first, in the file and in memory."""
    clock = Clock()
    begun(tmp_path, {f"{n:032x}": [1, clock.at - 30_000 + n] for n in range(30_000)})
    devices, refusals = await loaded(tmp_path, clock)
    ask(key(devices))
    await refusals.sync()
    rows = saved(tmp_path)
    assert len(rows) == 20_000
    assert f"{10_001:032x}" in rows
    assert f"{10_000:032x}" not in rows


async def test_no_more_than_20000_are_kept_without_a_disk(tmp_path: Path) -> None:
    """The one that was refused first is forgotten."""
    clock = Clock()
    (tmp_path / "state").write_text("")
    devices, refusals = await loaded(tmp_path / "state", clock)
    for _ in range(2):
        ask(key(devices))
    for number in range(19_999):
        refusals.write(f"{number:032x}", Mark.of(1, clock.up, PAUSE))
    assert ask(key(devices)) == RESTS
    refusals.write(NAME, Mark.of(1, clock.up, PAUSE))
    assert ask(key(devices)) == "HTTP 401 Unauthorized"


@contextmanager
def trouble(kind: str, folder: Path) -> Iterator[None]:
    """A disk that takes nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if kind == "a file in the place of the folder":
        folder.write_text("")
    elif kind == "a folder in the place of the file":
        (folder / "refusals.json").mkdir(parents=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        if folder.is_file():
            folder.unlink()
        elif (folder / "refusals.json").is_dir():
            (folder / "refusals.json").rmdir()


@pytest.mark.parametrize(
    "kind", ["a file in the place of the folder", "a folder in the place of the file", "full"]
)
async def test_a_disk_that_takes_nothing_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """All holds in memory, and is written once that works."""
    folder, clock = tmp_path / "state", Clock()
    with trouble(kind, folder):
        refusals = Refusals(folder, PAUSE, clock.now, clock.wall)
        await refusals.load()
        one = key(Devices(PAUSE, clock.now, refusals.page))
        for words in ("HTTP 401 Unauthorized", "HTTP 401 Unauthorized", RESTS):
            assert ask(one) == words
            await refusals.save()
        (line,) = caplog.messages
        assert line.startswith("refused logins not kept: ")
    await refusals.save()
    assert await refuse(folder, clock) == [RESTS]
    assert len(caplog.messages) == 1
    # the next spell is told of again
    with trouble("full", folder):
        ask(key(Devices(PAUSE, clock.now, refusals.page), URL("http://other")))
        await refusals.save()
    assert len(caplog.messages) == 2


async def test_a_folder_that_cannot_be_written_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A technician without the daemon's rights is kept from trying all the same."""
    clock = Clock()
    await refuse(tmp_path, clock, 2)
    (tmp_path / "refusals.lock").unlink()
    # not even root can open it for writing
    (tmp_path / "refusals.lock").mkdir()
    async with started(tmp_path, clock) as (devices, _):
        assert ask(key(devices)) == RESTS
        assert caplog.messages == []
        ask(key(devices, URL("http://other")))
    (line,) = caplog.messages
    assert line.startswith("refused logins not kept: ")
    assert len(saved(tmp_path)) == 1


def test_a_disk_that_hangs_holds_up_neither_start_nor_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After five seconds the program goes on without, and says why, once."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        async with open_refusals(tmp_path, PAUSE) as refusals:
            assert loop.time() == 5.0
            one = key(Devices(PAUSE, loop.time, refusals.page))
            assert [ask(one) for _ in range(3)][-1] == RESTS
            await asyncio.sleep(60)
        return loop.time()

    os.mkfifo(tmp_path / "refusals.json")
    try:
        assert run(work) <= 75.0
    finally:
        writer = os.open(tmp_path / "refusals.json", os.O_RDWR | os.O_NONBLOCK)
        (tmp_path / "refusals.json").unlink()
        os.close(writer)
    assert caplog.messages == ["refused logins not kept: the disk hangs"]


async def test_a_program_that_holds_the_file_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for until the deadline; what was given up is not written later."""
    monkeypatch.setattr("cctv.drivers.refusals._DISK", 0.1)
    clock = Clock()
    devices, refusals = await loaded(tmp_path, clock)
    with alone_with(tmp_path / "refusals.json"):
        ask(key(devices))
        await refusals.sync()
        assert caplog.messages == ["refused logins not kept: the disk hangs"]
        clock.pass_(1)
        ask(key(devices))
    monkeypatch.undo()
    await asyncio.to_thread(await_, lambda: not asides(), "the thread that held on")
    assert saved(tmp_path) == {}
    await refusals.sync()
    assert [row[0] for row in saved(tmp_path).values()] == [2]


def asides() -> list[threading.Thread]:
    """The threads of disk work that is not done."""
    return [thread for thread in threading.enumerate() if thread.name == "aside"]


async def test_a_cancelled_program_leaves_no_task(tmp_path: Path) -> None:
    """What it was refused in its last moment is written."""
    clock = Clock()

    async def hold(opened: asyncio.Event) -> None:
        async with started(tmp_path, clock) as (devices, _):
            opened.set()
            try:
                await asyncio.Event().wait()
            finally:
                ask(key(devices))

    opened = asyncio.Event()
    holding = asyncio.create_task(hold(opened))
    await opened.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(saved(tmp_path)) == 1
