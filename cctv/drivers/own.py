"""The operator's own models, from a TOML file: a new make of camera without a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cctv import tomlfile
from cctv.address import PLACEHOLDERS
from cctv.drivers import TABLE, model_key
from cctv.drivers.still import AUTHS, LOGIN_PLACEHOLDERS, Still, placeholders
from cctv.roster import URL_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NUMBERS = range(1_000_000_000)
_KEYS: dict[str, tuple[type, str]] = {
    "path": (str, "a text"),
    "query": (dict, "a table"),
    "auth": (str, "a text"),
    "first_channel": (int, "a whole number"),
    "always_channel": (bool, "true or false"),
}


def load(file: Path | None) -> dict[str, Still]:
    """The table of models: the built-in ones, and over them the operator's.

    Raises:
        ConfigError: every fault of the file at once.
    """
    if file is None:
        return TABLE
    tables = tomlfile.read("CCTV_DRIVERS", file, _faults)
    return TABLE | {model_key(name): _still(name, entry) for name, entry in tables.items()}


def _faults(tables: Mapping[str, object]) -> Iterator[str]:
    seen: set[str] = set()
    for name, entry in tables.items():
        key = model_key(name)
        if not isinstance(entry, dict):
            yield f"{name} stands outside a [model] table"
        elif key in {"", URL_MODEL} | seen:
            yield f"[{name}] {_NAMES.get(key, 'stands there twice, but for its letters or blanks')}"
        else:
            yield from (f"[{name}] {fault}" for fault in _entry_faults(entry))
        seen.add(key)


_NAMES = {
    "": "names no model",
    URL_MODEL: "is taken: its records hold whole addresses",
}


def _entry_faults(entry: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with one model; no value is repeated that may be a password."""
    for key, value in entry.items():
        kind, words = _KEYS.get(key, (object, ""))
        if not words:
            yield f"{key} is unknown; accepted are {', '.join(_KEYS)}"
        elif type(value) is not kind:
            yield f"{key} is not {words}"
    yield from _path_faults(entry.get("path", ""))
    yield from _query_faults(entry.get("query"), entry.get("auth", AUTHS[0]))
    yield from _choice_faults(entry)


def _path_faults(path: object) -> Iterator[str]:
    if not isinstance(path, str):
        return
    if not path.startswith("/"):
        yield "path is missing or does not begin with /"
    if "?" in path or "#" in path:
        yield "path holds ? or #; parameters stand in query"
    yield from _text_faults("path", path)


def _query_faults(query: object, auth: object) -> Iterator[str]:
    for name, value in query.items() if isinstance(query, dict) else ():
        if isinstance(value, bool) or not (isinstance(value, str) or _is_number(value)):
            yield f"query.{name} is not a text or a whole number"
        else:
            yield from _text_faults(f"query.{name}", str(value), auth)


def _choice_faults(entry: Mapping[str, object]) -> Iterator[str]:
    auth, first = entry.get("auth"), entry.get("first_channel")
    if isinstance(auth, str) and auth not in AUTHS:
        yield f"auth is {auth!r}, not one of {', '.join(AUTHS)}"
    if isinstance(first, int) and not _is_number(first):
        shown = first if -first in _NUMBERS else "huge"
        yield f"first_channel is {shown}, not 0 or more"


def _is_number(value: object) -> bool:
    """Whether it is a number that can be written; Python refuses those of thousands of digits."""
    return isinstance(value, int) and value in _NUMBERS


def _text_faults(where: str, text: str, auth: object = None) -> Iterator[str]:
    try:
        names = placeholders(text)
    except ValueError:
        yield f"{where} has a brace without its partner, or more than a name between two"
        return
    if unknown := names - PLACEHOLDERS:
        known = ", ".join(sorted(PLACEHOLDERS))
        yield f"{where} holds {{{min(unknown)}}}, which is unknown; accepted are {known}"
    if names & LOGIN_PLACEHOLDERS and auth != "query":
        yield f'{where} holds the login, which stands nowhere but in a query with auth = "query"'


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
