"""A folder as the public place: `<root>/<key>.http` holds an object's headers and its bytes.

Both are in one file so that one rename replaces both: a reader opens the old or the new. Nothing
is flushed to the disk on the way. What a power cut tore does not fit its Content-Length or its
ETag any more and counts as absent, and the next cycle replaces it; `labels` and `listed` see only
what does not fit its length.
"""

from __future__ import annotations

import errno
import time
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.errors import ConfigError, StoreError
from cctv.kinds import PRIVATE
from cctv.store import folder_disk as disk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from cctv.model import Listed, Shelved, StoredObject
    from cctv.seams import Clock

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
        await Hand(deadline).do(lambda _: disk.prepare(root, oldest=time.time() - deadline))
    except OSError as error:
        raise ConfigError([f"CCTV_STORE={root}: cannot be written: {_words(error)}"]) from error
    yield FolderStore(root, now, deadline)


class FolderStore:
    """An `Archive`; a put that was given up never lands after a later one.

    `replace` compares in its turn among this process's writers; one of another process can come
    between the comparison and the rename, which are one right after the other.
    """

    def __init__(self, root: Path, now: Clock, deadline: float) -> None:
        self._root = root
        self._now = now
        self._writer = Hand(deadline)
        self._reader = Hand(deadline)
        self._modified: dict[str, datetime] = {}

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        await self._write(key, thing, None)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """See `Replacer.replace`."""
        return await self._write(seen.key, thing, seen.etag)

    async def erase(self, key: str) -> None:
        """See `Eraser.erase`."""
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be removed"):
            await self._writer.do(partial(disk.erase, self._root, path))

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be read"):
            return await self._reader.do(lambda _: disk.read(path))

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`."""
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be read"):
            found = await self._reader.do(lambda _: disk.glance(path))
        return found.thing.metadata if found else None

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`; the times are those of the objects' own `Last-Modified`."""
        folder = prefix.rpartition("/")[0]
        if "/" in prefix and not disk.is_key(folder):
            raise ValueError(f"no prefix for a store: {prefix!r}")
        with _disk_faults(f"{self._root}/{prefix}: cannot be listed"):
            return await self._reader.do(lambda _: disk.listed(self._root, prefix))

    async def _write(self, key: str, thing: StoredObject, tag: str | None) -> bool:
        path = self._path(key)
        with _disk_faults(f"{path}: cannot be written"):
            moment = self._moment(key)
            # pictures are renewed every few minutes, and an order that is lost uncovers somebody
            lasting = key.startswith(PRIVATE)
            writing = disk.Writing(self._root, path, thing, moment, tag, lasting)
            written = await self._writer.do(writing.do)
            if written:
                self._modified[key] = moment
        return written

    def _moment(self, key: str) -> datetime:
        """Now, in whole seconds, and later than the key's last: a viewer compares these dates."""
        now = self._now().replace(microsecond=0)
        ahead = self._modified.get(key, now - _SECOND) - now
        # a moment further ahead is of a clock that was wrong
        return now + ahead + _SECOND if timedelta(0) <= ahead < _AHEAD else now

    def _path(self, key: str) -> Path:
        if not disk.is_key(key):
            raise ValueError(f"no key for a store: {key!r}")
        return self._root / f"{key}{disk.SUFFIX}"


@contextmanager
def _disk_faults(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        passing = error.errno in _PASSING
        raise StoreError(f"{what}: {_words(error)}", passing=passing) from error


def _words(error: OSError) -> str:
    return error.strerror or "the disk did not answer in time"
