"""Pictures are judged beside the loop, two at a time, and never for ever."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from functools import cache

import pytest
from PIL import Image

from cctv.darkroom import Darkroom
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason
from cctv.retouch import PLAIN, Retouch
from tests.fakes.photos import jpeg_of, photo

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHORT = 0.05


@cache
def heavy() -> bytes:
    """A picture that takes many times `SHORT` to judge: noise, in ten scans."""
    return jpeg_of(Image.effect_noise((4000, 4000), 90).convert("RGB"), progressive=1, quality=90)


async def refusal(room: Darkroom, data: bytes) -> CaptureError:
    """Why `data` becomes no Frame."""
    with pytest.raises(CaptureError) as caught:
        await room.develop(data, NOON, PLAIN)
    return caught.value


async def rest() -> None:
    """Until the threads that were left behind have ended."""
    for thread in threading.enumerate():
        if thread.name == "aside":
            await asyncio.to_thread(thread.join)


async def test_frame_is_the_same_as_without_a_thread() -> None:
    """Retouched, too."""
    retouch = Retouch(max_width=320)
    frame = await Darkroom().develop(photo(), NOON, retouch)
    assert frame == Frame.of(photo(), NOON, retouch)


async def test_refusal_comes_through() -> None:
    """With its reason and its words."""
    error = await refusal(Darkroom(), photo()[:2000])
    assert error.reason is Reason.TORN
    assert str(error) == "JPEG cut off after 2000 bytes"


async def test_loop_goes_on_meanwhile() -> None:
    """Other cameras are served while a large picture is judged."""
    turns = 0
    work = asyncio.create_task(Darkroom().develop(heavy(), NOON, PLAIN), name="heavy")
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await work).width == 4000
    assert turns > 10


async def test_many_pictures_take_their_turn() -> None:
    """More than there are threads: every one gets its own Frame."""
    room = Darkroom()
    wanted = [photo(number=number % 8) for number in range(40)]
    frames = await asyncio.gather(*(room.develop(data, NOON, PLAIN) for data in wanted))
    assert [frame.body for frame in frames] == wanted


async def test_picture_that_takes_too_long_is_given_up() -> None:
    """Its thread ends by itself; it would not keep the process from ending."""
    error = await refusal(Darkroom(SHORT), heavy())
    assert error.reason is Reason.TOO_BIG
    assert str(error) == "JPEG takes more than 0.05 s to judge"
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "aside")
    await rest()


async def test_camera_is_not_blamed_for_an_earlier_one() -> None:
    """While both threads are held up, a sound picture is not called too big; afterwards it is."""
    room = Darkroom(SHORT)
    held = await asyncio.gather(refusal(room, heavy()), refusal(room, heavy()))
    assert {error.reason for error in held} == {Reason.TOO_BIG}
    error = await refusal(room, photo())
    assert error.reason is Reason.INTERNAL
    assert str(error) == "not judged: its thread is held up by an earlier picture"
    await rest()
    assert (await room.develop(photo(), NOON, PLAIN)).width == 640


async def test_one_held_up_thread_leaves_the_other() -> None:
    """Its next picture is judged as ever."""
    room = Darkroom(SHORT)
    assert (await refusal(room, heavy())).reason is Reason.TOO_BIG
    assert (await room.develop(photo(), NOON, PLAIN)).width == 640
    await rest()


async def test_who_is_cancelled_leaves_the_queue() -> None:
    """And takes no thread with him, whether he waited or was served."""
    room = Darkroom()
    tasks = [
        asyncio.create_task(room.develop(heavy(), NOON, PLAIN), name=f"picture {number}")
        for number in range(4)
    ]
    await asyncio.sleep(0)
    for task in (tasks[0], tasks[2]):
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(end, Frame) for end in ends] == [False, True, False, True]
    assert tasks[0].cancelled()
    assert tasks[2].cancelled()
    frames = await asyncio.gather(*(room.develop(photo(), NOON, PLAIN) for _ in range(4)))
    assert len(frames) == 4
