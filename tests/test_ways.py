"""What was learned of cameras whose record names another model, over restarts and bad disks."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cctv.model import Camera
from cctv.ways import Ways, open_ways
from tests.fakes.daemon import await_
from tests.virtual import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAMERA = Camera("12", "Axis", "10.0.0.12")


@contextmanager
def hanging(file: Path) -> Iterator[None]:
    """A file whose reader waits for ever, as on a disk that is gone; freed at the end."""
    os.mkfifo(file)
    try:
        yield
    finally:
        os.close(os.open(file, os.O_RDWR | os.O_NONBLOCK))


def kept(folder: Path) -> str:
    """What stands in the file."""
    file = folder / "ways.json"
    return file.read_text() if file.is_file() else ""


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    """Every record is believed until its camera is found to answer as another."""
    assert Ways(tmp_path).of(CAMERA) == ""


def test_what_is_learned_is_known_until_it_is_unlearned(tmp_path: Path) -> None:
    """A blank way means that the record is right."""
    ways = Ways(tmp_path)
    ways.learn(CAMERA, "hikvision")
    assert ways.of(CAMERA) == "hikvision"
    ways.learn(CAMERA, "dahua")
    assert ways.of(CAMERA) == "dahua"
    ways.learn(CAMERA, "")
    assert ways.of(CAMERA) == ""
    ways.learn(CAMERA, "")


def test_it_holds_for_the_very_record_only(tmp_path: Path) -> None:
    """Another address or another model: somebody has seen to it. Its name does not matter."""
    ways = Ways(tmp_path)
    ways.learn(CAMERA, "hikvision")
    assert ways.of(replace(CAMERA, address="10.0.0.13")) == ""
    assert ways.of(replace(CAMERA, model="Hikvision")) == ""
    assert ways.of(replace(CAMERA, id="13")) == ""
    assert ways.of(replace(CAMERA, name="6th & Lamar")) == "hikvision"


async def test_it_is_kept_at_once(tmp_path: Path) -> None:
    """In a folder that is made when it is needed; not only when the program ends in good order."""
    folder = tmp_path / "state"
    async with open_ways(folder) as ways:
        for way in ("hikvision", "dahua"):
            ways.learn(CAMERA, way)
            await asyncio.to_thread(await_, lambda way=way: way in kept(folder), "the file")


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    """Also when the daemon is stopped in the moment in which it has learned something."""
    async with open_ways(tmp_path) as ways:
        ways.learn(CAMERA, "hikvision")
    async with open_ways(tmp_path) as ways:
        assert ways.of(CAMERA) == "hikvision"
        ways.learn(CAMERA, "")
    async with open_ways(tmp_path) as ways:
        assert ways.of(CAMERA) == ""


async def test_nothing_learned_writes_nothing(tmp_path: Path) -> None:
    """A fleet whose records are right leaves no file."""
    async with open_ways(tmp_path):
        await asyncio.sleep(0)
    assert kept(tmp_path) == ""


async def test_a_start_without_a_file_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first start is not warned of."""
    async with open_ways(tmp_path / "state"):
        pass
    assert caplog.messages == []


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"12", b'"text"', b"\xff\xfe", b"[" * 100_000],
    ids=["empty", "cut", "list", "null", "number", "text", "binary", "too deep"],
)
async def test_a_file_of_something_else_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    """The daemon starts all the same, knows nothing, and learns anew."""
    (tmp_path / "ways.json").write_bytes(text)
    async with open_ways(tmp_path) as ways:
        assert ways.of(CAMERA) == ""
        ways.learn(CAMERA, "hikvision")
    assert "hikvision" in kept(tmp_path)
    (line,) = caplog.messages
    assert line.startswith("learned models not read: ")
    assert len(line) > len("learned models not read: ")


@pytest.mark.parametrize(
    "row",
    [5, None, True, "abc", {}, {"a": 1, "b": 2, "c": 3}, [], ["a"], ["a", "b", 3], [[], 1, 2]],
)
async def test_a_row_of_something_else_is_left_out(tmp_path: Path, row: object) -> None:
    """One odd row costs nobody else what is known of him, and no start."""
    rows = {"1": row, "12": ["10.0.0.12", "Axis", "hikvision"]}
    (tmp_path / "ways.json").write_text(json.dumps(rows))
    async with open_ways(tmp_path) as ways:
        assert ways.of(CAMERA) == "hikvision"
        assert ways.of(Camera("1", "b", "a")) == ""


async def test_a_disk_that_fails_is_tried_at_the_next_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is learned holds meanwhile, and all of it is saved once that works."""
    folder = tmp_path / "state"
    folder.write_text("a file in the place of the folder")
    ways = Ways(folder)
    ways.learn(CAMERA, "hikvision")
    await ways.save()
    (line,) = caplog.messages
    assert line.startswith("learned models not saved: ")
    assert ways.of(CAMERA) == "hikvision"
    folder.unlink()
    ways.learn(replace(CAMERA, id="13"), "dahua")
    await ways.save()
    async with open_ways(folder) as again:
        assert again.of(CAMERA) == "hikvision"


def test_a_disk_that_hangs_holds_up_neither_start_nor_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After five seconds the program goes on without, and says why."""
    caplog.set_level(logging.INFO)

    async def work() -> float:
        loop = asyncio.get_running_loop()
        async with open_ways(tmp_path) as ways:
            assert loop.time() == 5.0
            ways.learn(CAMERA, "hikvision")
            await asyncio.sleep(60)
            assert ways.of(CAMERA) == "hikvision"
        return loop.time()

    with hanging(tmp_path / "ways.json"):
        assert run(work) <= 75.0
    assert caplog.messages[0] == "learned models not read: the disk hangs"
    assert caplog.messages[1] == "learned models not saved: the disk hangs"


async def test_a_cancelled_program_leaves_no_task(tmp_path: Path) -> None:
    """The saving ends with its context, also when that is broken off."""

    async def hold(opened: asyncio.Event) -> None:
        async with open_ways(tmp_path):
            opened.set()
            await asyncio.Event().wait()

    opened = asyncio.Event()
    holding = asyncio.create_task(hold(opened))
    await opened.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert asyncio.all_tasks() == {asyncio.current_task()}
