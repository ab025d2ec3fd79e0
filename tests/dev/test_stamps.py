"""Stamps: they outlive the daemon's own path, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from cctv.frame import Frame
from dev.stamps import Stamp, decoded, encoded, paint, read

STAMP = Stamp(camera=1499, millis=1_795_195_479_123)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_a_stamp_survives_the_daemon() -> None:
    """What the daemon would publish still says who and when; it has no warning."""
    frame = Frame.of(paint(STAMP), NOW)
    assert read(frame.body) == STAMP
    assert frame.warnings == ()


@pytest.mark.parametrize("quality", [95, 75, 50, 25])
def test_a_stamp_survives_another_quality(quality: int) -> None:
    """A picture that is decoded and encoded again keeps its stamp."""
    grey = decoded(paint(STAMP))
    assert grey is not None
    assert read(encoded(grey, quality)) == STAMP


@pytest.mark.parametrize("stamp", [Stamp(0, 0), Stamp(65535, 2**64 - 1), Stamp(1, 1000)])
def test_every_stamp_is_read(stamp: Stamp) -> None:
    """The ends of both numbers are read as they were painted; the time is also told in seconds."""
    assert read(paint(stamp)) == stamp
    assert stamp.seconds == stamp.millis / 1000


def test_no_picture_comes_twice() -> None:
    """Two pictures with the same stamp differ, as a sensor's do."""
    assert paint(STAMP) != paint(STAMP)


@pytest.mark.parametrize("data", [b"", b"<html>", paint(STAMP)[:4000], paint(STAMP)[:-2]])
def test_what_is_torn_has_no_stamp(data: bytes) -> None:
    """Half a picture, and what is none, is never read."""
    assert read(data) is None


def test_a_foreign_picture_has_no_stamp() -> None:
    """Pictures of any other kind and size are not taken for stamped ones."""
    rng = np.random.default_rng(1)
    for height, width in ((180, 320), (360, 640), (16, 16)):
        noise = rng.integers(0, 256, (height, width), np.uint8)
        assert read(encoded(noise)) is None
        assert read(encoded(np.full((height, width), 250, np.uint8))) is None


def test_a_changed_block_is_noticed() -> None:
    """Any block that changed sides breaks the checksum, and one that is grey is no block."""
    for column, row in ((0, 0), (7, 2), (12, 3), (3, 5)):
        grey = decoded(paint(STAMP))
        assert grey is not None
        block = grey[16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
        kept = block.copy()
        block[:] = 255 - kept
        assert read(encoded(grey)) is None
        block[:] = 128
        assert read(encoded(grey)) is None
        block[:] = kept
        assert read(encoded(grey)) == STAMP
