"""Every way in which a camera of the street can behave, by kind."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING

from dev.street_modes import (
    bombs,
    content,
    device,
    lengths,
    locks,
    logins,
    plain,
    redirects,
    slow,
    streams,
    tails,
    tls,
    truncation,
    types,
    wire,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.street_mode import Mode

KINDS: Mapping[str, tuple[Mode, ...]] = MappingProxyType(
    {
        "plain": plain.MODES,
        "truncation": truncation.MODES,
        "lengths": lengths.MODES,
        "heads and tails": tails.MODES,
        "types and statuses": types.MODES,
        "streams": streams.MODES,
        "bombs": bombs.MODES,
        "time": slow.MODES,
        "broken HTTP": wire.MODES,
        "redirects": redirects.MODES,
        "logins": logins.MODES,
        "refusals": locks.MODES,
        "TLS": tls.MODES,
        "what is in the picture": content.MODES,
        "devices": device.MODES,
    }
)
MODES: Mapping[str, Mode] = MappingProxyType(
    {mode.name: mode for modes in KINDS.values() for mode in modes}
)


class UnknownModeError(KeyError):
    """There is no such mode; the text names those that look like it."""

    def __str__(self) -> str:
        return str(self.args[0])


def mode_of(name: str) -> Mode:
    """The mode of this name.

    Raises:
        UnknownModeError: there is none.
    """
    if name in MODES:
        return MODES[name]
    near = difflib.get_close_matches(name, MODES, 3) or [mode for mode in MODES if name in mode][:5]
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownModeError(f"{name!r} is no mode{hint}")
