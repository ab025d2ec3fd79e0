"""A folder as the public place: `<root>/<key>.http` holds an object's headers and its bytes.

A file reads like an HTTP answer without its first line: `Name: value` lines, an empty line, the
body. Both are in one file so that one rename replaces both: a reader opens the old or the new.
Nothing is flushed to the disk on the way. What a power cut tore does not fit its Content-Length
or its ETag any more and counts as absent, and the next cycle replaces it.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.errors import ConfigError, StoreError
from cctv.model import Shelved, StoredObject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cctv.aside import Wanted
    from cctv.seams import Clock

META = "x-amz-meta-"
NAME = re.compile(r"[A-Za-z0-9-]+")
VALUE = re.compile(r"[ -~]*")
SEGMENT = re.compile(r"(?!\.)[ -~]+")

_TEMPORARY = ".tmp-"
_SECOND, _AHEAD = timedelta(seconds=1), timedelta(seconds=60)
# None: the deadline
_PASSING = {None, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EMFILE, errno.ENFILE, errno.ESTALE}


@asynccontextmanager
async def open_folder(root: Path, now: Clock, deadline: float) -> AsyncIterator[FolderStore]:
    """Open the store under `root`, made when missing; each call ends within `deadline` seconds.

    Raises:
        ConfigError: nothing can be written there.
    """
    try:
        await Hand(deadline).do(lambda _: _prepare(root, oldest=time.time() - deadline))
    except OSError as error:
        raise ConfigError([f"CCTV_STORE={root}: cannot be written: {_words(error)}"]) from error
    yield FolderStore(root, now, deadline)


class FolderStore:
    """A `Store` and a `Shelf`; a put that was given up never lands after a later one."""

    def __init__(self, root: Path, now: Clock, deadline: float) -> None:
        self._root = root
        self._now = now
        self._writer = Hand(deadline)
        self._reader = Hand(deadline)
        self._modified: dict[str, datetime] = {}

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be written"):
            moment = self._moment(key)
            await self._writer.do(partial(_write, self._root, path, thing, moment))
            self._modified[key] = moment

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be read"):
            return await self._reader.do(lambda _: _read(path))

    def _moment(self, key: str) -> datetime:
        """Now, in whole seconds, and later than the key's last: a viewer compares these dates."""
        now = self._now().replace(microsecond=0)
        ahead = self._modified.get(key, now - _SECOND) - now
        # a moment further ahead is of a clock that was wrong
        return now + ahead + _SECOND if timedelta(0) <= ahead < _AHEAD else now

    def _path(self, key: str) -> Path:
        if not all(SEGMENT.fullmatch(segment) for segment in key.split("/")):
            raise ValueError(f"no key for a store: {key!r}")
        return self._root / f"{key}.http"


def etag_of(body: bytes) -> str:
    """The entity tag of these bytes, with its quotes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def packed(thing: StoredObject, now: datetime) -> bytes:
    """One file's content.

    Raises:
        ValueError: a header cannot be written as one line of printable ASCII.
    """
    head = {
        "Content-Type": thing.content_type,
        "Content-Length": str(len(thing.body)),
        "Cache-Control": thing.cache_control,
        "Expires": format_datetime(thing.expires, usegmt=True),
        "ETag": etag_of(thing.body),
        "Last-Modified": format_datetime(now, usegmt=True),
        **{META + name: value for name, value in thing.metadata.items()},
    }
    lines = [_line(name, value) for name, value in head.items()]
    return "\n".join([*lines, "", ""]).encode("ascii") + thing.body


def _line(name: str, value: str) -> str:
    if not (NAME.fullmatch(name) and VALUE.fullmatch(value)):
        raise ValueError(f"no header: {name!r}: {value!r}")
    return f"{name}: {value}"


def unpacked(data: bytes) -> Shelved | None:
    """The object in one file's content, or None when it is not whole."""
    head, end, body = data.partition(b"\n\n")
    try:
        return _shelved(_fields(head.decode("ascii")), body) if end else None
    except (ValueError, KeyError):
        return None


def _fields(head: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in head.split("\n"))
    return {name: value for name, _, value in pairs}


def _shelved(fields: dict[str, str], body: bytes) -> Shelved:
    if int(fields["Content-Length"]) != len(body) or fields["ETag"] != etag_of(body):
        raise ValueError("torn")
    thing = StoredObject(
        body=body,
        expires=parsedate_to_datetime(fields["Expires"]),
        metadata={n.removeprefix(META): v for n, v in fields.items() if n.startswith(META)},
        cache_control=fields["Cache-Control"],
        content_type=fields["Content-Type"],
    )
    return Shelved(thing, fields["ETag"], parsedate_to_datetime(fields["Last-Modified"]))


def _write(root: Path, path: Path, thing: StoredObject, now: datetime, wanted: Wanted) -> None:
    data = packed(thing, now)
    _make_folders(root, path.parent)
    temporary = path.with_name(_TEMPORARY + secrets.token_hex(8))
    try:
        with temporary.open("xb") as file:
            file.write(data)
        if wanted():
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _make_folders(root: Path, folder: Path) -> None:
    """Make the folders between; never the root: a disk that is gone must not be written beside."""
    for segment in folder.relative_to(root).parts:
        root /= segment
        root.mkdir(exist_ok=True)


def _read(path: Path) -> Shelved | None:
    try:
        return unpacked(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _prepare(root: Path, oldest: float) -> None:
    """Make the root, see that it can be written, and remove what writers left behind.

    A younger temporary file may be another program's, which has this folder open as well.
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


@contextmanager
def _disk_faults(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        passing = error.errno in _PASSING
        raise StoreError(f"{what}: {_words(error)}", passing=passing) from error


def _words(error: OSError) -> str:
    return error.strerror or "the disk did not answer in time"
