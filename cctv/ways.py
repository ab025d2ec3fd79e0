"""As what cameras answer whose record names another model; kept on disk over restarts."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cctv.aside import Hand
from cctv.disk import replace_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from cctv.model import Camera

log = logging.getLogger(__name__)

_DISK = 5.0
_HANGS = "the disk hangs"
# address, model and way
_ROW = 3


class Ways:
    """The learned ways by camera; one holds only for the very record it was learned with."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ways.json"
        self._hand = Hand(_DISK)
        self._known: dict[str, list[str]] = {}
        self._changed = asyncio.Event()
        self._saved = _text({})

    def of(self, camera: Camera) -> str:
        """The model that `camera` answers as; blank where its record is right, or not known."""
        address, model, way = self._known.get(camera.id, ["", "", ""])
        return way if [address, model] == [camera.address, camera.model] else ""

    def learn(self, camera: Camera, way: str) -> None:
        """From now on `camera` is asked as a `way`; blank: as its record says."""
        self._known.pop(camera.id, None)
        if way:
            self._known[camera.id] = [camera.address, camera.model, way]
        self._changed.set()

    async def load(self) -> None:
        """Begin with what was learned before; a file that cannot be read is warned of."""
        try:
            self._known = await self._hand.do(lambda _: _read(self._file))
            self._saved = _text(self._known)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError) as error:
            log.warning("learned models not read: %s", str(error) or _HANGS)

    async def keep(self) -> None:
        """Save what is learned, until cancelled; a disk that fails is tried at the next change."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.save()

    async def save(self) -> None:
        """Save what is learned and not saved yet, within five seconds; a failure is warned of."""
        text = _text(self._known)
        if text == self._saved:
            return
        try:
            await self._hand.do(lambda _: replace_text(self._file, text))
            self._saved = text
        except OSError as error:
            log.warning("learned models not saved: %s", str(error) or _HANGS)


@asynccontextmanager
async def open_ways(folder: Path) -> AsyncIterator[Ways]:
    """What was learned before, and whatever is learned from now on is kept."""
    ways = Ways(folder)
    await ways.load()
    keeping = asyncio.create_task(ways.keep(), name="ways")
    try:
        yield ways
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        # what the keeping was interrupted at, or has not come to
        await ways.save()


def _text(known: Mapping[str, list[str]]) -> str:
    return json.dumps(known)


def _read(file: Path) -> dict[str, list[str]]:
    known = json.loads(file.read_text("utf-8"))
    if not isinstance(known, dict):
        raise ValueError(f"{file} is not a table of models")  # noqa: TRY004 - the file's fault
    return {name: row for name, row in known.items() if _is_row(row)}


def _is_row(row: object) -> bool:
    if not isinstance(row, list) or len(row) != _ROW:
        return False
    return all(isinstance(part, str) for part in row)
