"""Files that outlive the daemon: replaced whole, or left as they were."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cctv.disk import replace_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def full(room: int) -> Iterator[None]:
    """A disk on which no file gets longer than `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(file.name for file in folder.iterdir())


def test_a_file_is_made_with_its_folders(tmp_path: Path) -> None:
    """Readable by its owner only: it may name addresses."""
    file = tmp_path / "state" / "deeper" / "known.json"
    replace_text(file, "Straße")
    assert file.read_bytes() == "Straße".encode()
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(file.parent) == ["known.json"]


def test_a_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    """Who reads the old one meanwhile reads it to its end; its permissions are not inherited."""
    file = tmp_path / "known.json"
    file.write_text("old")
    file.chmod(0o644)
    with file.open() as reader:
        replace_text(file, "new")
        assert reader.read() == "old"
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it that would fill the disk further."""
    file = tmp_path / "known.json"
    replace_text(file, "old")
    with full(100), pytest.raises(OSError, match="too large"):
        replace_text(file, "x" * 1000)
    assert file.read_text() == "old"
    assert names(tmp_path) == ["known.json"]
    replace_text(file, "y" * 1000)
    assert len(file.read_text()) == 1000


def test_a_text_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """Half a character, as JSON may hold it, is not UTF-8."""
    file = tmp_path / "known.json"
    replace_text(file, "old")
    with pytest.raises(UnicodeEncodeError):
        replace_text(file, "new \ud83d")
    assert file.read_text() == "old"
    assert names(tmp_path) == ["known.json"]


def test_a_folder_that_cannot_be_made_is_an_oserror(tmp_path: Path) -> None:
    """Somebody put a file there."""
    (tmp_path / "state").write_text("")
    with pytest.raises(OSError, match="exists"):
        replace_text(tmp_path / "state" / "known.json", "new")


def test_a_folder_in_the_place_of_the_file_is_an_oserror(tmp_path: Path) -> None:
    """It is left alone, and so is everything in it."""
    (tmp_path / "known.json" / "kept").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        replace_text(tmp_path / "known.json", "new")
    assert names(tmp_path) == ["known.json"]
    assert names(tmp_path / "known.json") == ["kept"]
