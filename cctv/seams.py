"""The seams: one-method protocols and function types; a room implements one, the core uses it.

Every call returns or raises within a deadline of the implementation's own or of its wrapper's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cctv.model import Camera, Listed, Outcome, Record, Shelved, StoredObject

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
            TooLateError: its `not_after` passed before the store confirmed it.
        """


class Shelf(Protocol):
    """A store that can be read back."""

    async def get(self, key: str) -> Shelved | None:
        """What stands under `key`, or None when nothing whole does.

        Raises:
            StoreError: the store did not say, in time.
        """


class Labels(Protocol):
    """A store that tells what it knows of an object without handing it over."""

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """The metadata of what stands under `key`, or None when nothing whole does.

        Raises:
            StoreError: the store did not say, in time.
        """


class Catalogue(Protocol):
    """A store that can tell what it holds."""

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """Every object whose key begins with `prefix`, in the order of the keys.

        Raises:
            StoreError: not told, wholly and in time.
        """


class Replacer(Protocol):
    """A store that puts something only where nobody was quicker."""

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """Put `thing` where what was seen still stands; False where something else does by now.

        A store that cannot compare puts it in any case.

        Raises:
            StoreError: not confirmed; the store may still have taken it.
        """


class Eraser(Protocol):
    """A store that can remove."""

    async def erase(self, key: str) -> None:
        """Have nothing stand under `key`; it is no error when nothing did.

        Raises:
            StoreError: not confirmed.
        """


class Archive(Store, Shelf, Labels, Catalogue, Replacer, Eraser, Protocol):
    """All that a store can do; for who opens it. Everybody else asks for the part they use."""


Driver = Callable[[Camera], Source]
Observer = Callable[[Outcome], None]
Clock = Callable[[], datetime]
"""The wall clock: aware, UTC."""
