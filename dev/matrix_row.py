"""One row of the fault matrix: a way to behave, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.street_modes import MODES

if TYPE_CHECKING:
    from cctv.reasons import Reason


@dataclass(frozen=True, slots=True)
class Row:
    """What must become public of a camera in this `mode`; without a `reason` it is live.

    `variant` tells rows of one mode apart, and stands for what the record says: its `model`, and
    the words of its `tls`, in which `pin` is the pin of the certificate the camera has while it
    is well. `cycles` are how many it takes, `requests` the most in one of them. `refusals` are
    the most wrong passwords in all; None where no password is wrong. A row that `rests` is left
    alone after that, for `CCTV_RETRY_AFTER`. `slow` ones need the longest deadlines. `faults`
    are numbers of the list of faults that this program was designed against.
    """

    mode: str
    reason: Reason | None = None
    warning: Reason | None = None
    variant: str = ""
    model: str = "Axis"
    tls: str = ""
    cycles: int = 2
    requests: int = 2
    refusals: int = 0
    rests: bool = False
    slow: bool = False
    faults: tuple[int, ...] = ()
    note: str = ""

    @property
    def name(self) -> str:
        """The mode with its variant."""
        return f"{self.mode} {self.variant}".strip()

    @property
    def verdict(self) -> str:
        """What is public, in the word of the object's metadata."""
        return "unavailable" if self.reason else "live"

    @property
    def https(self) -> bool:
        """Whether its address says https, whatever the camera speaks."""
        return MODES[self.mode].secure

    def holds(self) -> list[str]:
        """What must hold beside it, in words."""
        wrong = f"at most {self.refusals} wrong passwords" if self.refusals else ""
        alone = "then left alone for CCTV_RETRY_AFTER" if self.rests else ""
        asked = f"at most {self.requests} requests a cycle"
        return [words for words in (asked, wrong, alone, self.note) if words]
