"""The operator's own models, from a TOML file: a new make of camera without a release."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from cctv.drivers import TABLE, model_key
from cctv.drivers.still import AUTHS, PLACEHOLDERS, Still, placeholders
from cctv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SETTING = "CCTV_DRIVERS"
_KEYS: dict[str, type] = {
    "path": str,
    "query": dict,
    "auth": str,
    "first_channel": int,
    "always_channel": bool,
}


def load(file: Path | None) -> dict[str, Still]:
    """The table of models: the built-in ones, and over them the operator's.

    Raises:
        ConfigError: every fault of the file at once.
    """
    if file is None:
        return TABLE
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{_SETTING}={file}: {error.strerror}"]) from None
    except ValueError as error:
        raise ConfigError([f"{_SETTING}={file}: is not TOML: {error}"]) from None
    faults = [f"{_SETTING}={file}: {fault}" for fault in _faults(tables)]
    if faults:
        raise ConfigError(faults)
    return TABLE | {model_key(name): _still(name, entry) for name, entry in tables.items()}


def _faults(tables: Mapping[str, object]) -> Iterator[str]:
    for name, entry in tables.items():
        if not isinstance(entry, dict):
            yield f"{name} stands outside a [model] table"
        else:
            yield from (f"[{name}] {fault}" for fault in _entry_faults(entry))


def _entry_faults(entry: Mapping[str, object]) -> Iterator[str]:
    for key, value in entry.items():
        if key not in _KEYS:
            yield f"{key} is unknown; accepted are {', '.join(_KEYS)}"
        elif type(value) is not _KEYS[key]:
            yield f"{key} is {value!r}, not a TOML {_KEYS[key].__name__}"
    if not str(entry.get("path", "")).startswith("/"):
        yield "path is missing or does not begin with /"
    if entry.get("auth", AUTHS[0]) not in AUTHS:
        yield f"auth is {entry['auth']!r}, not one of {', '.join(AUTHS)}"
    query = entry.get("query")
    texts = [entry.get("path"), *(query.values() if isinstance(query, dict) else ())]
    for text in texts:
        yield from _text_faults(text)


def _text_faults(text: object) -> Iterator[str]:
    if not isinstance(text, str | int):
        return
    try:
        unknown = placeholders(str(text)) - PLACEHOLDERS
    except ValueError:
        yield f"{text!r} has a brace without its partner"
        return
    if unknown:
        known = ", ".join(sorted(PLACEHOLDERS))
        yield f"{{{min(unknown)}}} is unknown; accepted are {known}"


def _still(name: str, entry: Mapping[str, object]) -> Still:
    query = entry.get("query", {})
    pairs = query.items() if isinstance(query, dict) else ()
    return Still(
        name=model_key(name),
        path=str(entry["path"]),
        query=tuple((str(key), str(value)) for key, value in pairs),
        auth=str(entry.get("auth", AUTHS[0])),
        first_channel=int(str(entry.get("first_channel", 1))),
        always_channel=bool(entry.get("always_channel", False)),
    )
