"""What is hidden of each camera over readings of a file that may fail: no mask, no picture."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from cctv import masks
from cctv.disk import replace_text
from cctv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cctv.masks import Masks
    from cctv.retouch import Polygon

log = logging.getLogger(__name__)


class MaskBook:
    """The masks in force, and what they rest on.

    A camera that had a mask keeps it until the file says `id = []`: a line that is lost, with an
    editor's slip or a full disk, uncovers nobody. While the file cannot be read the last good
    masks stay, and a camera that was not known by then gets no picture. Both hold over restarts,
    by a copy in `folder`. Without a file nothing is hidden; that it was is warned of.
    """

    def __init__(self, file: Path | None, folder: Path) -> None:
        self._file = file
        self._copy = folder / "masks.json"
        self._shapes: Masks = {}
        self._before: Masks = {}
        self._bare: frozenset[str] = frozenset()
        self._good = file is None
        self._saved = ""
        self._lost: frozenset[str] = frozenset()

    @property
    def masked(self) -> frozenset[str]:
        """The ids of which something is hidden."""
        return frozenset(name for name, shapes in self._shapes.items() if shapes)

    @property
    def changed(self) -> frozenset[str]:
        """Of whom something else is hidden than the copy said when the book was opened."""
        shapes = self._shapes.items()
        return frozenset(name for name, mask in shapes if mask and mask != self._before.get(name))

    def of(self, camera_id: str) -> tuple[Polygon, ...] | None:
        """What is hidden of a camera; None while that is not known."""
        known = self._good or camera_id in self._bare
        return self._shapes.get(camera_id, () if known else None)

    def open(self) -> None:
        """Begin with the copy, and the file over it. Blocks.

        Raises:
            ConfigError: the file has faults, and there is no copy to go on with.
        """
        copied = self._read_copy()
        self._before = dict(self._shapes)
        if self._file is None:
            if self.masked:
                text = "masks: CCTV_MASKS is not set any more, nothing is hidden now cameras=%s"
                log.warning(text, " ".join(sorted(self.masked)))
            self._shapes = {}
            return
        try:
            self.read()
        except ConfigError as error:
            if not copied:
                raise
            log.error("masks: the last good ones are in force: %s", error)  # noqa: TRY400 - an operator's slip of the pen needs no traceback

    def read(self) -> None:
        """Read the file again. Blocks.

        Raises:
            ConfigError: it has faults; the masks stay, and are in doubt for unknown cameras.
        """
        if self._file is None:
            return
        try:
            fresh = masks.load(self._file)
        except ConfigError:
            self._good = False
            raise
        self._good = True
        lost = self.masked - fresh.keys()
        for name in sorted(lost - self._lost):
            text = "masks: gone from the file, and kept until it says %s = [] camera=%s"
            log.warning(text, name, name)
        self._lost = lost
        self._shapes = {**self._shapes, **fresh}

    def save(self, cameras: Iterable[str]) -> None:
        """Keep a copy, where something changed; `cameras` are those of now. Blocks; OSError."""
        if self._file is None or not self._good:
            return
        self._bare = frozenset(cameras) - self._shapes.keys()
        text = json.dumps({"shapes": dict(self._shapes), "bare": sorted(self._bare)})
        if text != self._saved:
            replace_text(self._copy, text)
            self._saved = text

    def _read_copy(self) -> bool:
        """Whether there is a copy; one that makes no sense is none."""
        try:
            copy = json.loads(self._copy.read_text("utf-8"))
            self._shapes = {name: masks.polygons(shapes) for name, shapes in copy["shapes"].items()}
            self._bare = frozenset(copy["bare"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        return True
