"""What is known of the inventory, kept on disk: the last good list and the withdrawals owed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cctv.model import Camera
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FORMAT = 1


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


class LastGood:
    """The file that outlives the daemon; written whole or not at all, readable by its owner."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "inventory.json"
        self._accepted = folder / "accepted.json"

    def load(self) -> Known:
        """What was saved last; nothing when there is no file.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds something else.
        """
        try:
            saved = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return Known()
        try:
            return _known(saved)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._file} is not a saved inventory") from error

    def save(self, known: Known) -> None:
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
        _replace(self._file, json.dumps(saved))

    def accept(self, ids: frozenset[str]) -> None:
        """Keep the operator's word that a list of just these ids is right."""
        _replace(self._accepted, json.dumps(sorted(ids)))

    def accepts(self, ids: frozenset[str]) -> bool:
        """Whether the operator has vouched for a list of just these ids."""
        try:
            return bool(json.loads(self._accepted.read_text("utf-8")) == sorted(ids))
        except (OSError, ValueError):
            return False


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


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.touch(0o600)
    with fresh.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
