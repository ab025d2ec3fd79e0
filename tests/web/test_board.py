"""What the pages know of each camera: the last fact, made of outcomes."""

from __future__ import annotations

from datetime import timedelta

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.model import Camera, Cycle, NotStored, Published, Rested, Unavailable
from cctv.reasons import Reason
from cctv.web.board import Board, Fact
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH

CAMERA = Camera("12", "Axis", "10.0.0.12")
FRAME = Frame.of(jpeg(), EPOCH)
LATER = EPOCH + timedelta(seconds=300)


def cycle(turn: int) -> Cycle:
    """The cycle of this number."""
    due = EPOCH + turn * timedelta(seconds=300)
    return Cycle(due, due + timedelta(seconds=300))


def test_a_picture_comes_with_what_is_odd_about_it() -> None:
    """In the order in which it was found; a fine picture has nothing."""
    board = Board()
    odd = FRAME.flagged(Reason.BLANK).flagged(Reason.FROZEN)
    board(Published(CAMERA, cycle(0), odd))
    warnings = (Reason.BLANK, Reason.FROZEN)
    assert board.facts([CAMERA]) == [Fact(CAMERA, captured_at=EPOCH, warnings=warnings)]
    board(Published(CAMERA, cycle(1), FRAME))
    assert board.facts([CAMERA]) == [Fact(CAMERA, captured_at=EPOCH)]


def test_a_lost_picture_takes_its_warnings_along() -> None:
    """The fallback image is not blank; since when it stands is kept while the camera rests."""
    board = Board()
    board(Published(CAMERA, cycle(0), FRAME.flagged(Reason.BLANK)))
    board(Unavailable(CAMERA, cycle(1), CaptureError(Reason.TIMEOUT, "no answer")))
    board(Rested(CAMERA, cycle(2), Reason.TIMEOUT))
    assert board.facts([CAMERA]) == [Fact(CAMERA, reason=Reason.TIMEOUT, since=LATER)]


def test_a_picture_that_was_not_stored_changes_nothing() -> None:
    """What the pages show is the last that is known."""
    board = Board()
    board(Published(CAMERA, cycle(0), FRAME.flagged(Reason.BLANK)))
    before = board.facts([CAMERA])
    board(NotStored(CAMERA, cycle(1), StoreError("busy")))
    assert board.facts([CAMERA]) == before
    assert before[0].warnings == (Reason.BLANK,)
