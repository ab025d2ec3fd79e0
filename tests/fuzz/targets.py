"""Every fuzz target by its name: a function of bytes that raises where a promise is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz.bodies import check_byhand, check_collect
from tests.fuzz.files import check_drivers, check_masks
from tests.fuzz.frames import check_frame
from tests.fuzz.logins import check_key, check_login
from tests.fuzz.pictures import check_repair, check_walk
from tests.fuzz.records import check_address, check_guard, check_trust

if TYPE_CHECKING:
    from collections.abc import Callable

TARGETS: dict[str, Callable[[bytes], None]] = {
    "walk": check_walk,
    "frame": check_frame,
    "repair": check_repair,
    "collect": check_collect,
    "byhand": check_byhand,
    "login": check_login,
    "key": check_key,
    "drivers": check_drivers,
    "masks": check_masks,
    "address": check_address,
    "trust": check_trust,
    "guard": check_guard,
}
"""Shared by the property tests, the replay of the corpus, and `dev/fuzz.py`."""
