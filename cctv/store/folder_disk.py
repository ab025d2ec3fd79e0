"""What the folder store does on the disk, in a thread beside the loop."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cctv.model import Listed
from cctv.store.envelope import END, glanced, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cctv.aside import Wanted
    from cctv.model import Shelved, StoredObject

SUFFIX = ".http"
SEGMENT = re.compile(r"(?!\.)[ -~]+")

_TEMPORARY = ".tmp-"
# more than any head of ours
_START = 8192
_NOTHING_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


def is_key(key: str) -> bool:
    """Whether a key stays in its folder, hides nothing, and is printable ASCII."""
    return all(SEGMENT.fullmatch(segment) for segment in key.split("/"))


@dataclass(frozen=True, slots=True)
class Writing:
    """One object on its way to `path`; with a `tag`, only over an object of that tag.

    What is `lasting` survives a power cut as soon as it is written.
    """

    root: Path
    path: Path
    thing: StoredObject
    now: datetime
    tag: str | None
    lasting: bool = False

    def do(self, wanted: Wanted) -> bool:
        """Write it; whether it was written."""
        data = packed(self.thing, self.now)
        _make_folders(self.root, self.path.parent)
        temporary = self.path.with_name(_TEMPORARY + secrets.token_hex(8))
        try:
            with temporary.open("xb") as file:
                file.write(data)
                if self.lasting:
                    file.flush()
                    os.fsync(file.fileno())
            wins = self._matches() and wanted()
            if wins:
                temporary.replace(self.path)
                if self.lasting:
                    _flush_folder(self.path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return wins

    def _matches(self) -> bool:
        return self.tag is None or _tag(self.path) == self.tag


def _flush_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def erase(root: Path, path: Path, wanted: Wanted) -> None:
    """Remove one object; a root that is gone is an OSError all the same."""
    root.stat()
    with suppress(*_NOTHING_THERE):
        if wanted():
            path.unlink()


def read(path: Path) -> Shelved | None:
    """The object of one file, or None when none is there, wholly."""
    try:
        return unpacked(path.read_bytes())
    except _NOTHING_THERE:
        return None


def glance(path: Path) -> Shelved | None:
    """As `read`, but the bytes are neither read nor compared with their tag."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
            if END not in start:
                start += file.read()
            return glanced(start, os.fstat(file.fileno()).st_size)
    except _NOTHING_THERE:
        return None


def listed(root: Path, prefix: str) -> list[Listed]:
    """Every object under `root` whose key begins so, by what its file's head says."""
    start = root / prefix.rpartition("/")[0]
    if not start.is_dir():
        # nothing under a prefix is no fault, a root that is gone is one
        root.stat()
        return []
    paths = {path.relative_to(root).as_posix().removesuffix(SUFFIX): path for path in _files(start)}
    keys = sorted(key for key in paths if key.startswith(prefix) and is_key(key))
    found = ((key, glance(paths[key])) for key in keys)
    return [Listed(key, one.etag.strip('"'), one.last_modified) for key, one in found if one]


def prepare(root: Path, oldest: float) -> None:
    """Make the root, see that it can be written, and remove what writers left behind.

    A temporary file younger than `oldest` may be another program's, which has this folder open.
    """
    if not root.exists():
        root.mkdir(parents=True, exist_ok=True)
    probe = root / (_TEMPORARY + secrets.token_hex(8))
    probe.touch(exist_ok=False)
    probe.unlink()
    for temporary in root.rglob(_TEMPORARY + "*"):
        with suppress(FileNotFoundError):
            if temporary.stat().st_mtime < oldest:
                temporary.unlink()


def _tag(path: Path) -> str | None:
    found = glance(path)
    return found.etag.strip('"') if found else None


def _files(start: Path) -> Iterator[Path]:
    # without `onerror` a folder that cannot be read would be left out in silence
    for folder, _, names in os.walk(start, onerror=_unless_gone):
        yield from (Path(folder, name) for name in names if name.endswith(SUFFIX))


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _make_folders(root: Path, folder: Path) -> None:
    """Make the folders between; never the root: a disk that is gone must not be written beside."""
    for segment in folder.relative_to(root).parts:
        root /= segment
        root.mkdir(exist_ok=True)
