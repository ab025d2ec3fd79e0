"""From the chunks of a body to its first whole picture: where it ends, and when to stop waiting."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from cctv.drivers.answer import Answer, CutOffError
from cctv.drivers.collect import BODY_LIMIT, picture
from cctv.drivers.purse import Purse
from cctv.errors import CaptureError
from cctv.reasons import Reason
from tests.fakes.frames import jpeg
from tests.virtual import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

PICTURE = jpeg()
# its last byte is the end marker's, and what stands before it is picture data
DATA = PICTURE[:-2]
TOO_FAR = AssertionError("asked for more than was needed")

Step = bytes | float | BaseException


def answer(*steps: Step) -> Answer:
    """An answer whose body comes in these steps: bytes, pauses in seconds, and errors."""

    async def chunks() -> AsyncIterator[bytes]:
        for step in steps:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                yield step

    return Answer(200, CIMultiDictProxy(CIMultiDict()), chunks())


async def collected(*steps: Step) -> bytes:
    """What is made of a body that comes in these steps."""
    with Purse().loan() as loan:
        return await picture(answer(*steps), loan)


def body_of(*steps: Step) -> bytes:
    """The same, in virtual time."""
    return run(lambda: collected(*steps))


def refusal(*steps: Step) -> tuple[Reason, str]:
    """Why nothing is made of a body that comes in these steps."""
    with pytest.raises(CaptureError) as caught:
        body_of(*steps)
    return caught.value.reason, str(caught.value)


def in_parts(data: bytes, size: int) -> Iterable[bytes]:
    """`data` in chunks of `size` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


def test_one_chunk() -> None:
    """A camera that sends its picture at once."""
    assert body_of(PICTURE) == PICTURE


def test_chunks_of_one_byte() -> None:
    """The slowest of links changes nothing."""
    assert body_of(*in_parts(PICTURE, 1), TOO_FAR) == PICTURE


@given(st.lists(st.integers(0, len(PICTURE) + 40), max_size=12), st.binary(max_size=40))
def test_any_chunks_make_the_same_picture(cuts: list[int], trailer: bytes) -> None:
    """Wherever the bytes are cut, empty chunks among them, and whatever follows."""
    data = PICTURE + trailer
    places = [0, *sorted(cuts), len(data)]
    parts = [data[a:b] for a, b in pairwise(places)]
    assert body_of(*parts) == PICTURE


def test_the_end_of_a_picture_on_a_border_is_enough() -> None:
    """A stream without an end is left at once: the next chunk is not waited for."""
    assert body_of(PICTURE[:-1], PICTURE[-1:], TOO_FAR) == PICTURE


def test_a_second_picture_in_the_same_chunk_is_cut_off() -> None:
    """Not a byte longer than the first whole picture."""
    assert body_of(PICTURE + jpeg(20)) == PICTURE


def test_the_head_of_a_part_is_kept_in_front() -> None:
    """Whether what stands there is harmless is judged elsewhere."""
    head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    assert body_of(head, PICTURE, b"\r\n--frame\r\n", TOO_FAR) == head + PICTURE


def test_a_text_comes_whole() -> None:
    """Where there is no picture the body is what the reason is found in."""
    assert body_of(b"<html>", b"device busy</html>") == b"<html>device busy</html>"


def test_an_empty_body_is_empty() -> None:
    """HTTP 200 and nothing."""
    assert body_of() == b""


def test_an_endless_body_without_a_picture_is_left_early() -> None:
    """After the longest lead-in no picture can begin: no further chunk is asked for."""
    parts = [bytes(1024)] * 65
    assert body_of(*parts, TOO_FAR) == bytes(65 * 1024)


def test_damage_is_left_at_once() -> None:
    """Where no further byte can make it whole, none is waited for."""
    torn = PICTURE[:20] + b"\xff\xda\x00\x00"
    assert body_of(torn, TOO_FAR) == torn


def test_what_a_broken_connection_left_is_returned() -> None:
    """It may still hold a whole picture, or tell why not."""
    assert body_of(PICTURE[:300], CutOffError()) == PICTURE[:300]


def test_a_connection_that_breaks_before_the_body_is_torn() -> None:
    """Headers, and then nothing: that is no text that could tell something."""
    found = (Reason.TORN, "closed the connection before any picture")
    assert refusal(CutOffError()) == found


def sized(length: int) -> bytes:
    """A picture of just this many bytes, as far as markers tell."""
    return DATA + bytes(length - len(PICTURE)) + PICTURE[-2:]


@pytest.mark.parametrize("size", [65_536, BODY_LIMIT, BODY_LIMIT + 100])
@pytest.mark.parametrize("trailer", [b"", bytes(50)])
def test_the_cap_does_not_depend_on_the_chunks(size: int, trailer: bytes) -> None:
    """A picture of just the cap is taken, one of a byte more is not, however they come."""
    taken = sized(BODY_LIMIT)
    assert body_of(*in_parts(taken + trailer, size)) == taken
    found = (Reason.TOO_BIG, "more than 8,000,000 bytes")
    assert refusal(*in_parts(sized(BODY_LIMIT + 1) + trailer, size)) == found


def test_a_picture_without_an_end_is_left_at_the_cap() -> None:
    """One chunk beyond it at most."""
    parts = [bytes(65_536)] * (BODY_LIMIT // 65_536 + 1)
    assert refusal(DATA, *parts, TOO_FAR)[0] is Reason.TOO_BIG


def test_too_many_pixels_are_refused_by_their_header() -> None:
    """Nothing more is read of a picture that no decoder should be given."""
    at = PICTURE.index(b"\xff\xc0") + 5
    huge = PICTURE[:at] + b"\x40\x01\x00\x10" + PICTURE[at + 4 :]
    reason, found = refusal(huge[: at + 20], TOO_FAR)
    assert reason is Reason.TOO_BIG
    assert "16 by 16,385 pixels" in found


def test_the_first_byte_takes_what_it_takes() -> None:
    """A camera that makes its picture first is waited for; an empty chunk begins nothing."""
    assert body_of(60.0, b"", 60.0, PICTURE) == PICTURE


def test_a_slow_picture_may_pause_again_and_again() -> None:
    """Each chunk begins the patience anew."""
    steps: list[Step] = []
    for part in in_parts(PICTURE, 100):
        steps += [part, 4.9]
    assert body_of(*steps) == PICTURE


@pytest.mark.parametrize("pause", [5.0, 5.1, 86400.0])
def test_silence_in_the_middle_ends_it(pause: float) -> None:
    """Five seconds without a byte, and it is told after how many."""
    found = (Reason.TIMEOUT, "silent for 5 s in the middle, after 100 bytes")
    assert refusal(PICTURE[:100], pause, PICTURE[100:]) == found


def test_silence_is_told_when_it_is_found() -> None:
    """Not when the body goes on, or the caller's own time is up."""

    async def work() -> float:
        with Purse().loan() as loan, pytest.raises(CaptureError):
            await picture(answer(2.0, PICTURE[:100], 3600.0), loan, idle=1.5)
        return asyncio.get_running_loop().time()

    assert run(work) == 3.5


def test_waiting_for_room_is_no_silence() -> None:
    """A camera is not blamed for what other pictures hold."""

    async def work() -> bytes:
        purse = Purse(len(PICTURE))
        with purse.loan() as late:
            with purse.loan() as eldest:
                await eldest.take(len(PICTURE) - 100)
                parts = answer(*in_parts(PICTURE, 100))
                collecting = asyncio.create_task(picture(parts, late))
                await asyncio.sleep(3600)
                assert late.held == 100
            return await collecting

    assert run(work) == PICTURE


def test_a_cancel_passes_and_frees_the_room() -> None:
    """The caller's deadline is no silence."""

    async def work() -> None:
        purse = Purse()

        async def collect() -> None:
            with purse.loan() as loan:
                await picture(answer(PICTURE[:100], 3.0, PICTURE[100:200], 86400.0), loan)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7):
                await collect()
        assert purse.lent == 0

    run(work)


def test_nothing_is_left_to_be_cleared_away() -> None:
    """What was begun to read the chunks ends with the call, not some time later."""

    async def work() -> None:
        endless = answer(PICTURE, bytes(100))
        with Purse().loan() as loan:
            await picture(endless, loan)
        for _ in range(3):
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await asyncio.sleep(0)

    run(work)
