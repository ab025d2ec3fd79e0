"""The audit log: a whole line for each order, whatever it holds and whoever else writes."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.audit import Audit, entries
from tests.virtual import EPOCH, run

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = "2026-03-01T12:00:00.000Z"
WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from cctv.audit import Audit

async def write(name, count):
    audit = Audit(Path(sys.argv[1]), lambda: datetime.now(UTC))
    print("ready", flush=True)
    sys.stdin.read()
    for number in range(count):
        await audit.note("written", by=name, number=number, text=name * (number * 37 % 9000))

asyncio.run(write(sys.argv[2], int(sys.argv[3])))
"""
PROCESSES, LINES = 4, 250

texts = st.text() | st.sampled_from(["\n", '"}\n{"at": "', "\r", "\u2028", "\x00", "\x1b[2J", "é"])
facts = st.dictionaries(
    texts.filter(lambda name: name not in {"at", "what", "self"}),
    texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
    | st.none() | st.lists(texts),
    max_size=4,
)  # fmt: skip


def audit(file: Path) -> Audit:
    """An audit log whose clock stands still."""
    return Audit(file, lambda: EPOCH)


@contextmanager
def full(room: int) -> Iterator[None]:
    """A disk on which no file gets longer than `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def hanging(file: Path) -> Iterator[None]:
    """A file that takes no more and says nothing, as on a disk that is gone; freed at the end."""
    os.mkfifo(file)
    pipe = os.open(file, os.O_RDWR | os.O_NONBLOCK)
    try:
        with suppress(BlockingIOError):
            while True:
                os.write(pipe, bytes(4096))
        yield
    finally:
        os.read(pipe, 1 << 20)
        os.close(pipe)


async def test_a_note_is_a_line(tmp_path: Path) -> None:
    """When and what come first; every kind of fact is written as JSON has it."""
    file = tmp_path / "audit.log"
    until = datetime(2026, 11, 21, 10, 0, tzinfo=timezone(timedelta(hours=-6)))
    log = audit(file)
    await log.note("hold ordered", by="jo", cameras=("12", "13"), until=until, reason=None)
    await log.note("hold released", count=2, share=0.5, all=True, areas=["WEST"])
    assert file.read_text("ascii") == (
        f'{{"at": "{AT}", "what": "hold ordered", "by": "jo", "cameras": ["12", "13"],'
        ' "until": "2026-11-21T16:00:00.000Z", "reason": null}\n'
        f'{{"at": "{AT}", "what": "hold released", "count": 2, "share": 0.5, "all": true,'
        ' "areas": ["WEST"]}\n'
    )
    assert [entry["what"] for entry in entries(file)] == ["hold ordered", "hold released"]


async def test_the_file_is_made_with_its_folders(tmp_path: Path) -> None:
    """Readable by its owner only: it may name people."""
    file = tmp_path / "state" / "deeper" / "audit.log"
    await audit(file).note("begun")
    assert file.stat().st_mode & 0o777 == 0o600
    assert entries(file) == [{"at": AT, "what": "begun"}]


def test_no_file_holds_nothing(tmp_path: Path) -> None:
    """Nothing was ever ordered; what is there and cannot be read is an error."""
    assert entries(tmp_path / "audit.log") == []
    with pytest.raises(IsADirectoryError):
        entries(tmp_path)


@settings(deadline=None)
@given(texts, facts)
def test_no_text_forges_a_line(what: str, facts: dict[str, object]) -> None:
    """One line of printable ASCII comes of a note, and is read back as it was given."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.log"
        asyncio.run(audit(file).note(what, **facts))
        written = file.read_bytes()
        assert entries(file) == [{"at": AT, "what": what, **facts}]
    assert written.count(b"\n") == 1
    assert all(0x20 <= byte < 0x80 for byte in written.removesuffix(b"\n"))


@pytest.mark.parametrize(
    "fact",
    [
        b"12",
        datetime(2026, 1, 1),  # noqa: DTZ001 - that it is naive is the point
        {"a": "b"},
        ["12", 13],
        {"12"},
        object(),
        float("nan"),
        float("inf"),
    ],
    ids=["bytes", "naive", "dict", "mixed", "set", "object", "nan", "inf"],
)
async def test_a_fact_of_another_kind_is_a_slip_of_the_program(
    tmp_path: Path, fact: object
) -> None:
    """And nothing is written."""
    with pytest.raises((TypeError, ValueError)):
        await audit(tmp_path / "audit.log").note("hold ordered", fact=fact)
    assert entries(tmp_path / "audit.log") == []


async def test_no_fact_takes_the_place_of_the_moment(tmp_path: Path) -> None:
    """When a thing was noted is the log's own word."""
    with pytest.raises(TypeError, match="no fact is named at"):
        await audit(tmp_path / "audit.log").note("hold ordered", at="long ago")


@pytest.mark.parametrize(
    "torn",
    [b'{"at": "2026-03', b'{"at": "x", "what": "y"', b"\x00" * 512, b"\xff\xfe", b"{" * 9999],
    ids=["in a text", "before its end", "zeros", "binary", "deep"],
)
async def test_a_torn_last_line_costs_only_itself(tmp_path: Path, torn: bytes) -> None:
    """What a power cut left stays as it is; the next note begins on a line of its own."""
    file = tmp_path / "audit.log"
    await audit(file).note("first")
    with file.open("ab") as out:
        out.write(torn)
    assert [entry["what"] for entry in entries(file)] == ["first"]
    await audit(file).note("second")
    await audit(file).note("third")
    assert [entry["what"] for entry in entries(file)] == ["first", "second", "third"]
    assert file.read_bytes().count(b"\n") == 4


def test_lines_of_something_else_are_left_out(tmp_path: Path) -> None:
    """Somebody has edited it; so much for his lines, not for the others."""
    file = tmp_path / "audit.log"
    file.write_bytes(b'\n12\n[]\nnull\n"at"\n' + b"[" * 100_000 + b'\n{"what": "kept"}')
    assert entries(file) == [{"what": "kept"}]


async def test_a_full_disk_is_an_error_with_the_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The order goes on; the main log has what the audit log lacks, and a half line costs none."""
    file = tmp_path / "audit.log"
    log = audit(file)
    await log.note("first")
    size = file.stat().st_size
    with full(size):
        await log.note("second", by="jo")
    with full(size + 20):
        await log.note("third", by="jo")
    await log.note("fourth")
    assert [entry["what"] for entry in entries(file)] == ["first", "fourth"]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    no_room, some_room = caplog.messages
    assert no_room.startswith("audit log not written: [Errno 27] File too large: ")
    assert no_room.endswith(f'{{"at": "{AT}", "what": "second", "by": "jo"}}')
    assert some_room.startswith("audit log not written: [Errno 28] only a part of the line ")
    assert some_room.endswith(f'{{"at": "{AT}", "what": "third", "by": "jo"}}')


async def test_a_folder_that_cannot_be_made_is_an_error_with_the_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody put a file there; a note in what cannot hold one is no reason to stop."""
    (tmp_path / "state").write_text("")
    await audit(tmp_path / "state" / "audit.log").note("hold ordered", by="a\nb")
    (line,) = caplog.messages
    assert line.startswith("audit log not written: ")
    assert line.endswith(f'{{"at": "{AT}", "what": "hold ordered", "by": "a\\nb"}}')


def test_a_disk_that_hangs_holds_up_no_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After five seconds each the caller goes on, and the main log has the entries."""

    async def work() -> float:
        log = audit(tmp_path / "audit.log")
        await log.note("first")
        await log.note("second")
        return asyncio.get_running_loop().time()

    with hanging(tmp_path / "audit.log"):
        assert run(work) == 10.0
    assert caplog.messages == [
        f'audit log not written: the disk hangs: {{"at": "{AT}", "what": "{what}"}}'
        for what in ("first", "second")
    ]


def test_a_note_that_is_broken_off_is_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it still reaches the disk nobody waits to see; the cancellation goes on."""

    async def work() -> None:
        log = audit(tmp_path / "audit.log")
        noting = asyncio.create_task(log.note("first"), name="note")
        await asyncio.sleep(1)
        noting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await noting

    with hanging(tmp_path / "audit.log"):
        run(work)
    (line,) = caplog.messages
    assert line.startswith("audit log perhaps not written: ")
    assert line.endswith(f'{{"at": "{AT}", "what": "first"}}')


async def test_notes_at_once_keep_their_order(tmp_path: Path) -> None:
    """Within one process the lines stand in the order of the calls."""
    log = audit(tmp_path / "audit.log")
    await asyncio.gather(*(log.note("noted", number=number) for number in range(50)))
    assert [entry["number"] for entry in entries(tmp_path / "audit.log")] == list(range(50))


def test_lines_of_processes_do_not_mix(tmp_path: Path) -> None:
    """Several at once, lines of up to two pages, begun behind a torn one: none is lost or cut."""
    file = tmp_path / "audit.log"
    file.write_bytes(b'{"at": "torn')
    writers = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", WRITER, str(file), name, str(LINES)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "abcdefgh"[:PROCESSES]
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0] * PROCESSES
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    found = entries(file)
    assert len(found) == PROCESSES * LINES
    for name in "abcdefgh"[:PROCESSES]:
        own = [entry for entry in found if entry["by"] == name]
        assert [entry["number"] for entry in own] == list(range(LINES))
        assert all(set(str(entry["text"])) <= {name} for entry in own)
    turns = sum(one["by"] != other["by"] for one, other in pairwise(found))
    assert turns > PROCESSES, "they wrote one after the other: nothing is shown"
    # besides them there are the torn line and, at most, ends that two have given it
    rest = file.read_bytes().split(b"\n")
    assert [line for line in rest if line and not line.endswith(b"}")] == [b'{"at": "torn']
