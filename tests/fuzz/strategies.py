"""For every fuzz target the inputs that are shaped for it."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.damage import pictures, streams
from tests.fuzz.grammar import answers, challenges
from tests.fuzz.writings import (
    addresses,
    driver_files,
    mask_files,
    packed_addresses,
    trust_words,
)

STRATEGIES: dict[str, st.SearchStrategy[bytes]] = {
    "walk": pictures() | streams() | st.binary(max_size=200),
    "frame": pictures(),
    "repair": pictures(),
    "collect": streams() | st.binary(max_size=200),
    "byhand": answers() | st.binary(max_size=200),
    "login": challenges(),
    "key": st.binary(min_size=2, max_size=80),
    "drivers": driver_files(),
    "masks": mask_files(),
    "address": addresses(),
    "trust": trust_words(),
    "guard": packed_addresses(),
}
"""By the names of `targets.TARGETS`."""
