"""Files that outlive the daemon: replaced whole, or left as they were."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_text(file: Path, text: str) -> None:
    """Put `text` in the place of `file`, whole or not at all, readable by its owner only.

    Blocks; OSError where the disk does not take it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{secrets.token_hex(4)}.new")
    try:
        fresh.touch(0o600)
        with fresh.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
