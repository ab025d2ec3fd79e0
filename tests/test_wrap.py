"""Patience with a source: one more try, within one deadline."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.model import Camera, Cycle
from cctv.public_image import PublicImage
from cctv.publish import Publisher
from cctv.reasons import Reason
from cctv.store.memory import MemoryStore
from cctv.wrap import Budget, Patient
from tests import virtual
from tests.fakes.frames import jpeg

FRAME = Frame.of(jpeg(), virtual.EPOCH)
HANG = "hang"
FINAL = {
    Reason.AUTH,
    Reason.NOT_FOUND,
    Reason.REFUSED_ADDRESS,
    Reason.TLS,
    Reason.UNMASKED,
}


@dataclass
class Scripted:
    """A source that gives or raises what its script says, and counts how often it was asked."""

    script: list[Frame | BaseException | str]
    asked_at: list[float] = field(default_factory=list)

    async def frame(self) -> Frame:
        """The next of the script."""
        self.asked_at.append(asyncio.get_running_loop().time())
        match self.script[len(self.asked_at) - 1]:
            case Frame() as frame:
                return frame
            case BaseException() as error:
                raise error
            case _:
                await asyncio.Event().wait()
        raise AssertionError("nothing sets this event")


class Dead:
    """A source that never gives a picture, and keeps nothing of that."""

    async def frame(self) -> Frame:
        """Nothing."""
        raise failure(Reason.TIMEOUT)


def failure(reason: Reason, words: str = "found so") -> CaptureError:
    """A failure to be told from others by its words."""
    return CaptureError(reason, words)


def test_a_frame_at_once() -> None:
    """A source that gives a frame is asked once."""
    source = Scripted([FRAME])
    assert virtual.run(Patient(source, 20.0).frame) is FRAME
    assert source.asked_at == [0.0]


@pytest.mark.parametrize("reason", sorted(set(Reason) - FINAL - {Reason.BUSY}))
def test_one_more_try(reason: Reason) -> None:
    """After a failure that may pass the source is asked once more, a second later."""
    source = Scripted([failure(reason), FRAME])
    assert virtual.run(Patient(source, 20.0).frame) is FRAME
    assert source.asked_at == [0.0, 1.0]


@pytest.mark.parametrize("reason", [Reason.BUSY, Reason.TORN])
@pytest.mark.parametrize(("deadline", "pause"), [(2.0, 0.2), (5.0, 0.5)])
def test_the_pause_fits_the_deadline(reason: Reason, deadline: float, pause: float) -> None:
    """Where there is little time the pause is a tenth of it, also for a busy device."""
    source = Scripted([failure(reason), FRAME])
    virtual.run(Patient(source, deadline).frame)
    assert source.asked_at == [0.0, pause]


def test_a_busy_device_gets_a_longer_pause_and_not_from_all_at_once() -> None:
    """Two to four seconds, spread: the channels of one recorder do not come back together."""
    pauses = []
    for _ in range(200):
        source = Scripted([failure(Reason.BUSY), FRAME])
        assert virtual.run(Patient(source, 130.0).frame) is FRAME
        pauses.append(source.asked_at[1])
    assert 2.0 <= min(pauses) < 2.5
    assert 3.5 < max(pauses) <= 4.0


def test_busy_is_a_matter_of_the_first_try() -> None:
    """What the device says last is what is told, and two tries stay two."""
    source = Scripted([failure(Reason.BUSY, "first"), failure(Reason.BUSY, "second")])
    with pytest.raises(CaptureError, match=r"^second$"):
        virtual.run(Patient(source, 130.0).frame)
    assert len(source.asked_at) == 2


def test_two_tries_are_all() -> None:
    """The second failure is the one that is told."""
    source = Scripted([failure(Reason.TORN, "first"), failure(Reason.BUSY, "second")])
    with pytest.raises(CaptureError, match=r"^second$") as caught:
        virtual.run(Patient(source, 20.0).frame)
    assert caught.value.reason is Reason.BUSY
    assert len(source.asked_at) == 2


@pytest.mark.parametrize("reason", sorted(FINAL))
def test_some_failures_are_final(reason: Reason) -> None:
    """A refused password is not tried again: accounts lock. The others come out the same."""
    source = Scripted([failure(reason)])
    with pytest.raises(CaptureError, match=r"^found so$") as caught:
        virtual.run(Patient(source, 20.0).frame)
    assert caught.value.reason is reason
    assert source.asked_at == [0.0]


def test_a_refused_password_on_the_second_try() -> None:
    """A refusal that follows a passing failure is told, and ends it."""
    source = Scripted([failure(Reason.BUSY), failure(Reason.AUTH)])
    with pytest.raises(CaptureError) as caught:
        virtual.run(Patient(source, 20.0).frame)
    assert caught.value.reason is Reason.AUTH
    assert len(source.asked_at) == 2


async def _until_raised(source: Scripted, deadline: float) -> tuple[CaptureError, float]:
    with pytest.raises(CaptureError) as caught:
        await Patient(source, deadline).frame()
    return caught.value, asyncio.get_running_loop().time()


def test_the_deadline_of_a_first_try() -> None:
    """A source that hangs is given up at the deadline."""
    error, moment = virtual.run(lambda: _until_raised(Scripted([HANG]), 20.0))
    assert (error.reason, str(error)) == (Reason.TIMEOUT, "nothing within 20 s")
    assert moment == 20.0


def test_the_deadline_of_a_second_try() -> None:
    """Where the second try runs out of time, the first failure is what is told."""
    first = failure(Reason.BUSY, "first")
    error, moment = virtual.run(lambda: _until_raised(Scripted([first, HANG]), 20.0))
    assert (error.reason, str(error)) == (first.reason, str(first))
    assert moment == 20.0


def test_failures_leave_nothing_for_the_collector() -> None:
    """A failed cycle is freed as it ends: many knots would make the collector stop the loop."""

    async def work() -> int:
        gallery = Gallery(MemoryStore(virtual.now), "image/", 300, jpeg(), virtual.now)
        source = Patient(Dead(), 20.0)
        camera = Camera("1", "axis", "10.0.0.1")
        publisher = Publisher(camera, source, PublicImage(gallery, "1"))
        now = virtual.now()
        gc.collect()
        gc.disable()
        try:
            for _ in range(100):
                await publisher.cycle(Cycle(now, now + timedelta(seconds=300)))
            return gc.collect()
        finally:
            gc.enable()

    assert virtual.run(work) < 100


def test_a_bug_keeps_its_traceback() -> None:
    """What is no CaptureError is not tried again and comes through as it is."""
    source = Scripted([KeyError("bug")])
    with pytest.raises(KeyError):
        virtual.run(Patient(source, 20.0).frame)
    assert source.asked_at == [0.0]


async def _cancelled_after(source: Scripted, seconds: float) -> None:
    task = asyncio.create_task(Patient(source, 20.0).frame())
    asyncio.get_running_loop().call_later(seconds, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("script", "moment"),
    [([HANG], 0.5), ([failure(Reason.TORN), FRAME], 0.5), ([failure(Reason.TORN), HANG], 1.5)],
    ids=["in the first try", "in the pause", "in the second try"],
)
def test_cancelling_passes(script: list[Frame | BaseException | str], moment: float) -> None:
    """A cancel ends it wherever it waits, and is not tried again."""
    source = Scripted(script)
    virtual.run(lambda: _cancelled_after(source, moment))
    assert len(source.asked_at) == (2 if moment > 1 else 1)


@pytest.mark.parametrize("interval", [10.0, 60.0, 300.0, 3600.0])
@pytest.mark.parametrize("fetch", [1.0, 15.0, 120.0])
def test_a_budget_fits_the_cycle(interval: float, fetch: float) -> None:
    """Asking and storing end within half the interval, and one fetch leaves room for another."""
    budget = Budget.of(interval, fetch)
    assert budget.capture + budget.put <= interval / 2
    assert 0 < budget.fetch <= min(fetch, 0.8 * budget.capture)
