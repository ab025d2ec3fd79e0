"""Which reader a camera is read with, as its answers teach."""

from __future__ import annotations

import pytest

from cctv.drivers.http import Reading
from cctv.errors import CaptureError
from cctv.model import Camera
from cctv.reasons import Reason
from tests.fakes.camera import PICTURE, Link, head, opened_driver, reply, scripted

SWITCHING = {Reason.PROTOCOL, Reason.TORN, Reason.TIMEOUT}


@pytest.mark.parametrize("reason", list(Reason))
def test_what_the_library_cannot_make_out_is_read_by_hand(reason: Reason) -> None:
    """Every other failure leaves a camera with the reader that it has."""
    reading = Reading()
    reading.heed(reason)
    assert reading.by_hand is (reason in SWITCHING)


@pytest.mark.parametrize("reason", list(Reason))
def test_it_stays_by_hand_unless_a_picture_is_torn_there_too(reason: Reason) -> None:
    """A camera that floods is not given back to the reader that it can flood."""
    reading = Reading(by_hand=True)
    reading.heed(reason)
    assert reading.by_hand is (reason is not Reason.TORN)


async def test_it_is_remembered_for_the_camera_and_not_for_its_neighbour() -> None:
    """One refused answer, and from then on each visit is one request that is read."""
    bare = reply().replace(b"\r\n", b"\r\nTue, 1 Mar 2026\r\n", 1)
    async with scripted((bare,)) as camera, opened_driver() as driver:
        one = driver(Camera("1", "axis", camera.address, channel=1))
        other = driver(Camera("2", "axis", camera.address, channel=2))
        with pytest.raises(CaptureError) as caught:
            await one.frame()
        assert caught.value.reason is Reason.PROTOCOL
        for _ in range(3):
            assert (await one.frame()).body == PICTURE
        assert len(camera.requests) == 4
        with pytest.raises(CaptureError):
            await other.frame()


async def test_a_length_that_is_too_short_costs_one_try() -> None:
    """The library cuts the picture off where the length says; by hand it is whole."""
    short = head(f"Content-Length: {len(PICTURE) - 48}") + PICTURE
    async with scripted((short, Link.CLOSE)) as camera, opened_driver() as driver:
        source = driver(Camera("1", "axis", camera.address))
        with pytest.raises(CaptureError) as caught:
            await source.frame()
        assert caught.value.reason in {Reason.TORN, Reason.PROTOCOL}
        assert (await source.frame()).body == PICTURE
