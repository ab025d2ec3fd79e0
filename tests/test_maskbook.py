"""No mask, no picture: what stays hidden when the file of masks is not what it was."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cctv.errors import CaptureError, ConfigError
from cctv.maskbook import MaskBook
from cctv.model import Camera
from cctv.reasons import Reason
from tests import virtual
from tests.fakes.camera import opened_driver
from tests.fakes.town import Town

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = "[[[0, 0], [1, 0], [1, 1]]]"
POLYGONS = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in which something of camera 12 is hidden."""
    file = tmp_path / "masks.toml"
    file.write_text(f"12 = {SHAPE}\n")
    return file


def opened(file: Path) -> MaskBook:
    """A book as a start of the program has it; its copy lies beside the file."""
    book = MaskBook(file, file.parent / "state")
    book.open()
    return book


def test_what_a_good_file_says(file: Path) -> None:
    """Its cameras have their shapes, all others none."""
    book = opened(file)
    assert (book.of("12"), book.of("13")) == (POLYGONS, ())
    assert book.masked == {"12"}


@pytest.mark.parametrize("text", ["", "13 = []\n"])
def test_a_line_that_is_lost_uncovers_nobody(
    file: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An editor's slip or a full disk: the mask stays, over a restart too, and one line says so."""
    book = opened(file)
    book.save(["12", "13"])
    file.write_text(text)
    for _ in range(3):
        book.read()
    assert book.of("12") == opened(file).of("12") == POLYGONS
    words = "masks: gone from the file, and kept until it says 12 = [] camera=12"
    assert caplog.messages == [words] * 2


def test_it_is_uncovered_on_purpose(file: Path) -> None:
    """By an empty list, and for good."""
    book = opened(file)
    file.write_text("12 = []\n")
    book.read()
    book.save(["12"])
    assert book.of("12") == opened(file).of("12") == ()


@pytest.mark.parametrize("text", ["12 = [[[0, 0]]]", "12 = [", None])
def test_a_faulty_file_shows_no_camera_that_was_not_known(file: Path, text: str | None) -> None:
    """Those that were stay as they were; the others may be the ones the file would hide."""
    book = opened(file)
    book.save(["12", "13"])
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(ConfigError):
        book.read()
    again = opened(file)
    for each in (book, again):
        assert (each.of("12"), each.of("13"), each.of("14")) == (POLYGONS, (), None)
    file.write_text(f"14 = {SHAPE}\n12 = {SHAPE}\n")
    again.read()
    assert (again.of("14"), again.of("15")) == (POLYGONS, ())


def test_a_faulty_file_at_the_first_start(file: Path) -> None:
    """There is nothing to go on with."""
    file.write_text("12 = [")
    with pytest.raises(ConfigError, match="is not TOML"):
        opened(file)


@pytest.mark.parametrize("copy", ["", "[]", '{"shapes": 1, "bare": []}', '{"bare": ["13"]}'])
def test_a_copy_that_makes_no_sense_is_none(file: Path, copy: str) -> None:
    """It is not believed, and does no harm."""
    (file.parent / "state").mkdir()
    (file.parent / "state" / "masks.json").write_text(copy)
    assert opened(file).of("12") == POLYGONS
    file.write_text("12 = [")
    with pytest.raises(ConfigError):
        opened(file)


def test_without_a_file_nothing_is_hidden_and_nothing_written(tmp_path: Path) -> None:
    """Most fleets have none."""
    book = MaskBook(None, tmp_path)
    book.open()
    book.read()
    book.save(["12"])
    assert book.of("12") == ()
    assert list(tmp_path.iterdir()) == []


def _in_doubt(file: Path) -> MaskBook:
    book = opened(file)
    file.write_text("12 = [")
    with pytest.raises(ConfigError):
        book.read()
    return book


def test_a_file_that_is_no_longer_named_is_told(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is hidden then; a setting that was lost by mistake must not be silent."""
    opened(file).save(["12"])
    book = MaskBook(None, file.parent / "state")
    book.open()
    assert book.of("12") == ()
    words = "masks: CCTV_MASKS is not set any more, nothing is hidden now cameras=12"
    assert caplog.messages == [words]


async def test_a_camera_in_doubt_is_not_even_asked(file: Path) -> None:
    """Its picture would be of no use."""
    book = _in_doubt(file)
    async with opened_driver() as driver:
        source = replace(driver, masks=book)(Camera("14", "axis", "10.0.0.1"))
        with pytest.raises(CaptureError, match="this camera is not known without one") as caught:
            await source.frame()
    assert caught.value.reason is Reason.UNMASKED


def test_a_new_mask_takes_the_picture_away_at_once() -> None:
    """What must not be seen does not stay public until the camera's next turn."""

    async def work() -> None:
        town = Town()
        hidden: dict[str, object] = dict.fromkeys("12", ())
        town.fleet.hidden = hidden.get
        await town.publish(*(Camera(name, "axis", name) for name in hidden))
        await asyncio.sleep(400)
        assert town.state("1") == town.state("2") == "live"
        hidden["1"] = POLYGONS
        await town.fleet.drive(town.fleet.driver)
        await asyncio.sleep(0.1)
        assert (town.state("1"), town.reason("1")) == ("unavailable", "unmasked")
        assert town.state("2") == "live"
        await asyncio.sleep(400)
        assert town.state("1") == "live"
        await town.fleet.stop(5)

    virtual.run(work)
