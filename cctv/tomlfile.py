"""Files that an operator writes in TOML: read whole and judged whole, or not used at all."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from cctv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def read(
    setting: str, file: Path, faults: Callable[[dict[str, Any]], Iterable[str]]
) -> dict[str, Any]:
    """What `file`, which `setting` names, holds; `faults` finds what is wrong with it, in words.

    Raises:
        ConfigError: every fault of the file at once.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{setting}={file}: {error.strerror}"]) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError([f"{setting}={file}: is not TOML: {error}"]) from None
    found = [f"{setting}={file}: {fault}" for fault in faults(tables)]
    if found:
        raise ConfigError(found)
    return tables
