"""How much waits for the store: pictures in memory are bounded also while the store is slow."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 32_000_000


class Backlog:
    """The bytes of pictures that are on their way to the store; beyond `limit` no camera is asked.

    Those that were being asked then come on top.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Count `size` bytes meanwhile."""
        self._add(size)
        try:
            yield
        finally:
            self._add(-size)

    async def room(self, patience: float) -> bool:
        """Whether there comes to be room for another picture within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._room.wait()
        except TimeoutError:
            return False
        return True

    def _add(self, size: int) -> None:
        self._waiting += size
        if self._waiting < self._limit:
            self._room.set()
        else:
            self._room.clear()
