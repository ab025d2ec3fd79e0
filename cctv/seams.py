"""The seams: one-method protocols and function types; a room implements one, the core uses it.

Every call returns or raises within a deadline of the implementation's own or of its wrapper's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cctv.model import Camera, Outcome, Record, Shelved, StoredObject

if TYPE_CHECKING:
    from cctv.frame import Frame


class Inventory(Protocol):
    """Who: the list of cameras."""

    async def records(self) -> Sequence[Record]:
        """Every row the inventory holds now, disabled ones too, in its order.

        Raises:
            InventoryError: it could not be read, wholly and in time.
        """


class Source(Protocol):
    """How: one camera's next picture, asked for, waited for or pushed; opened without I/O."""

    async def frame(self) -> Frame:
        """The next whole picture.

        Raises:
            CaptureError: there is none, for one reason.
        """


class Store(Protocol):
    """Where: the public place."""

    async def put(self, key: str, thing: StoredObject) -> None:
        """Replace what stands under `key`, bytes and headers together, or raise.

        Returns only when the store has confirmed it. A reader sees the old object or the new,
        never a mixture, also when the call is cancelled.

        Raises:
            StoreError: not confirmed; the store may still have taken it.
        """


class Shelf(Protocol):
    """A store that can be read back, for serving."""

    async def get(self, key: str) -> Shelved | None:
        """What stands under `key`, or None when nothing whole does.

        Raises:
            StoreError: the store did not say, in time.
        """


Driver = Callable[[Camera], Source]
Observer = Callable[[Outcome], None]
Clock = Callable[[], datetime]
"""The wall clock: aware, UTC."""
