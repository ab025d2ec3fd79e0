"""Slips of the pen in an environment: misspelt names, quotes, and what is no text."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_OURS = "CCTV_"
_LOGINS = ("_USERNAME", "_PASSWORD")


def all_of(env: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A sentence for each slip in `env`, where `known` are the settings there are."""
    return [*_unknown(env, known), *_quoted(env, known), *_garbled(env, known)]


def _unknown(env: Mapping[str, str], known: Collection[str]) -> list[str]:
    return [
        f"{name} is unknown{_suggestion(name, known)}"
        for name in sorted(env)
        if name.startswith(_OURS) and name not in known
    ]


def _suggestion(name: str, known: Collection[str]) -> str:
    # what all have in common would make them all alike
    ours = [each.removeprefix(_OURS) for each in known if each.startswith(_OURS)]
    near = difflib.get_close_matches(name.removeprefix(_OURS), ours, n=1)
    if near:
        return f"; is {_OURS}{near[0]} meant?"
    return f"; names with {_OURS} are listed in the README"


def _quoted(env: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Quotes that `docker --env-file` keeps as part of the value, where a shell drops them."""
    return [
        f"{name} is wrapped in quotes, which are taken as part of it; leave them out"
        for name, value in sorted(env.items())
        if _is_ours(name, known) and _is_quoted(value)
    ]


def _garbled(env: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Bytes that are no UTF-8 come as halves of characters, which nothing can send on."""
    return [
        f"{name} holds bytes that are not UTF-8"
        for name, value in sorted(env.items())
        if _is_ours(name, known) and not _is_text(value)
    ]


def _is_ours(name: str, known: Collection[str]) -> bool:
    return name in known or name.endswith(_LOGINS) or name.startswith("AWS_")


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
