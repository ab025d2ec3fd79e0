"""How many bytes of unfinished pictures may wait in memory at once, over all cameras."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 128_000_000
"""Bytes: some hundreds of large pictures, or sixteen bodies that fill the cap."""


class Loan:
    """What one reader holds of a purse; `take` more before holding more."""

    def __init__(self, purse: Purse) -> None:
        self.held = 0
        self._purse = purse

    async def take(self, count: int) -> None:
        """Wait until `count` bytes more may be held."""
        await self._purse.take(self, count)


class Purse:
    """Lends room for bytes, `limit` of them at a time.

    When all is lent, readers wait, but never for each other: the one that has held bytes the
    longest may go on beyond the limit, so the sum is exceeded by one picture at most.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.lent = 0
        self._limit = limit
        self._holders: dict[Loan, None] = {}
        self._given_back = asyncio.Event()

    @contextmanager
    def loan(self) -> Iterator[Loan]:
        """Room for the bytes of one picture, given back at the end, however it ends."""
        loan = Loan(self)
        try:
            yield loan
        finally:
            self._give_back(loan)

    async def take(self, loan: Loan, count: int) -> None:
        """Lend `count` bytes more, as soon as there is room."""
        while not self._may(loan, count):
            await self._given_back.wait()
        self.lent += count
        loan.held += count
        self._holders[loan] = None

    def _may(self, loan: Loan, count: int) -> bool:
        eldest = next(iter(self._holders), loan)
        return self.lent + count <= self._limit or eldest is loan

    def _give_back(self, loan: Loan) -> None:
        self.lent -= loan.held
        loan.held = 0
        self._holders.pop(loan, None)
        # those who wait look again; the next to wait waits for the next giving back
        self._given_back.set()
        self._given_back = asyncio.Event()
