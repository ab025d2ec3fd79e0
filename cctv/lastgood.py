"""What is known of the inventory, kept on disk: the last good list and the withdrawals owed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cctv.aside import Hand
from cctv.disk import replace_text
from cctv.model import Camera
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FORMAT = 1
_DISK = 5.0


@dataclass(frozen=True, slots=True)
class Known:
    """The last good list.

    `ids` are its raw ids, `cameras` the last good record of each camera. `owed` are addresses
    that must show the fallback image and are not yet confirmed to. `doubted` is a list of ids
    that came once and was not believed.
    """

    ids: frozenset[str] = frozenset()
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    owed: Mapping[str, Reason] = field(default_factory=dict)
    doubted: frozenset[str] | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing is known at all."""
        return not (self.ids or self.cameras or self.owed)


class LastGood:
    """The file that outlives the daemon; written whole or not at all, readable by its owner.

    Each call ends within five seconds (TimeoutError, an OSError); they take effect in their order.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "inventory.json"
        self._accepted = folder / "accepted.json"
        self._hand = Hand(_DISK)

    async def load(self) -> Known:
        """What was saved last; nothing when there is no file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds something else.
        """
        return await self._hand.do(lambda _: _load(self._file))

    async def save(self, known: Known) -> None:
        """Replace the file.

        Raises:
            OSError: it cannot be written; the old one still stands.
        """
        saved = {
            "format": _FORMAT,
            "ids": sorted(known.ids),
            "cameras": [asdict(camera) for camera in known.cameras.values()],
            "owed": dict(known.owed),
            "doubted": None if known.doubted is None else sorted(known.doubted),
        }
        await self._hand.do(lambda _: replace_text(self._file, json.dumps(saved)))

    async def accept(self, ids: frozenset[str]) -> None:
        """Keep the operator's word that a list of just these ids is right; OSError as in `save`."""
        await self._hand.do(lambda _: replace_text(self._accepted, json.dumps(sorted(ids))))

    async def accepts(self, ids: frozenset[str]) -> bool:
        """Whether the operator has vouched for a list of just these ids."""
        try:
            text = await self._hand.do(lambda _: self._accepted.read_text("utf-8"))
            return bool(json.loads(text) == sorted(ids))
        except (OSError, ValueError):
            return False

    async def forget_accepted(self) -> None:
        """The operator's word was for one time; OSError where it cannot be taken back."""
        await self._hand.do(lambda _: self._accepted.unlink(missing_ok=True))


def _load(file: Path) -> Known:
    try:
        saved = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return Known()
    try:
        return _known(saved)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file} is not a saved inventory") from error


def _known(saved: dict[str, Any]) -> Known:
    if saved["format"] != _FORMAT:
        raise ValueError(f"saved inventory of the unknown format {saved['format']!r}")
    cameras = [Camera(**row) for row in saved["cameras"]]
    doubted = saved["doubted"]
    return Known(
        ids=frozenset(saved["ids"]),
        cameras={camera.id: camera for camera in cameras},
        owed={name: Reason(word) for name, word in saved["owed"].items()},
        doubted=None if doubted is None else frozenset(doubted),
    )
