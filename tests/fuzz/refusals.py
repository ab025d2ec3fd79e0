"""What the fuzz targets ask of every refusal: one of the reasons, in words fit for a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cctv.errors import CaptureError

if TYPE_CHECKING:
    from cctv.reasons import Reason

CANARY = "canary"
"""Stands in every password here, and so may stand in no refusal."""


def check_refusal(error: Exception, *reasons: Reason) -> None:
    """The error tells no secret and steers no terminal; a camera's has one of the `reasons`."""
    text = str(error)
    assert text
    assert text.replace("\n", "").isprintable()
    assert CANARY not in text
    if isinstance(error, CaptureError):
        assert error.reason in reasons, error.reason
