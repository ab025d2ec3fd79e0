"""Testifying that pictures are off the air, and hastening it where caches can be asked."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv.proof import ProofError, prove, sentences

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from cctv.gallery import Gallery
    from cctv.proof import Proof, Viewer
    from cctv.seams import Archive

    Invalidate = Callable[[list[str]], Awaitable[str]]

log = logging.getLogger(__name__)

_PATIENCE = 120.0
# so long for the store before the caches are asked: one object that fails must not keep the rest
_STORE_FIRST = 15.0
_WAITING = 16


@dataclass(frozen=True, slots=True)
class Witness:
    """Looks at the store and at the public addresses under `where` (blank: at the store only).

    `invalidate` asks the caches to forget these keys, and gives that order's name; None: they
    cannot be asked. `shown` writes a moment for a person.
    """

    gallery: Gallery
    archive: Archive
    viewer: Viewer | None
    where: str
    invalidate: Invalidate | None
    shown: Callable[[datetime], str]

    async def testify(self, names: Collection[str], patience: float) -> tuple[Proof, list[str]]:
        """The proof for these cameras within `patience` seconds, and its lines for a person."""
        loop, lines = asyncio.get_running_loop(), []
        end = loop.time() + patience
        if self.invalidate and names:
            first = min(_STORE_FIRST, patience)
            await prove(names, self.gallery, self.archive, self.archive, None, first)
            keys = [self.gallery.key(name) for name in sorted(names)]
            try:
                lines.append(f"the caches were asked to forget it: {await self.invalidate(keys)}")
            except ProofError as error:
                lines.append(f"the caches were not asked to forget it: {error}")
        proof = await prove(
            names,
            self.gallery,
            self.archive,
            self.archive,
            self.viewer,
            max(1.0, end - loop.time()),
            where=self.where,
        )
        return proof, [*sentences(proof, self.shown), *lines]


class Testimony:
    """Testifies for the daemon, one order after the other, and writes it into the log.

    `stands` tells whether an order is still in force: no proof is wanted of one that has ended.
    """

    def __init__(self, witness: Witness, stands: Callable[[str], bool] = lambda _: True) -> None:
        self._witness = witness
        self._stands = stands
        self._waiting: asyncio.Queue[tuple[str, frozenset[str]]] = asyncio.Queue(_WAITING)

    def ask(self, order: str, names: frozenset[str]) -> None:
        """Have these cameras looked at soon; `order` is what the line begins with."""
        try:
            self._waiting.put_nowait((order, names))
        except asyncio.QueueFull:
            log.warning("%s: too many orders at once, this one is not looked at", order)

    async def run(self) -> None:
        """Testify until cancelled."""
        while True:
            order, names = await self._waiting.get()
            if not names:
                log.info("%s: no camera of the inventory is meant by it", order)
                continue
            proof, lines = await self._witness.testify(names, _PATIENCE)
            if not self._stands(order):
                log.info("%s: has ended before it was proved", order)
                continue
            level = logging.INFO if proof.complete else logging.ERROR
            log.log(level, "%s: %s", order, "; ".join(lines))
