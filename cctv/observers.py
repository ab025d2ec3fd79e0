"""Telling everybody: outcomes go out, nothing comes back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cctv.model import Outcome
    from cctv.seams import Observer

log = logging.getLogger(__name__)


def tell_all(observers: Sequence[Observer]) -> Observer:
    """One observer that tells each of `observers`, whatever the others do."""

    def tell(outcome: Outcome) -> None:
        for observer in observers:
            try:
                observer(outcome)
            except Exception:
                # the bulkhead around one observer: a broken page must not stop a picture
                log.exception("observer failed")

    return tell
