"""Who looks after the tasks: what is lost begins anew, what hangs is replaced and counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cctv.fleet import AdriftError
from cctv.reasons import Reason
from cctv.store.memory import Mood
from tests.fakes.town import Town, camera
from tests.virtual import run

if TYPE_CHECKING:
    from cctv.frame import Frame
    from cctv.model import Camera
    from cctv.seams import Source

SILENT = 2.5 * 300 + 60 + 30


class Deaf:
    """A source with the worst mistake there is: it hangs, and heeds no cancellation."""

    def __init__(self) -> None:
        self.asked = 0
        self.released = False

    async def frame(self) -> Frame:
        """Never, until the test lets go."""
        self.asked += 1
        while not self.released:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue
        raise asyncio.CancelledError


class Watched:
    """A town of which some cameras are deaf, with its supervisor."""

    def __init__(self, *deaf: str) -> None:
        self.town = Town()
        self.deaf = {name: Deaf() for name in deaf}
        self.town.fleet.driver = self.drive

    def drive(self, one: Camera) -> Source:
        """A camera's source."""
        return self.deaf.get(one.id) or self.town.drive(one)

    async def begin(self, count: int) -> asyncio.Task[None]:
        """Publish cameras 1 to `count`; the supervisor at work."""
        await self.town.publish(*(camera(str(number)) for number in range(1, count + 1)))
        return asyncio.create_task(self.town.fleet.watch(), name="supervisor")

    async def end(self, supervisor: asyncio.Task[None]) -> None:
        """Let go, and end everything."""
        for deaf in self.deaf.values():
            deaf.released = True
        supervisor.cancel()
        await asyncio.wait([supervisor])
        await self.town.fleet.stop(5)


def tasks_of(name: str) -> list[asyncio.Task[object]]:
    """The tasks of a camera that have not ended."""
    return [task for task in asyncio.all_tasks() if task.get_name() == f"camera {name}"]


def test_a_lost_task_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Cancelled by a mistake: half a minute later the camera is asked again, and it is told."""

    async def work() -> None:
        watched = Watched()
        supervisor = await watched.begin(2)
        await asyncio.sleep(400)
        published = watched.town.published("1")
        (task,) = tasks_of("1")
        task.cancel()
        await asyncio.sleep(31)
        assert len(tasks_of("1")) == 1
        await asyncio.sleep(400)
        assert watched.town.published("1") > published
        assert watched.town.published("2") >= 3
        await watched.end(supervisor)

    run(work)
    told = [line for line in caplog.messages if "begun anew" in line]
    assert told == ["camera's task was lost, begun anew camera=1"]


def test_a_hung_task_is_replaced_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """It does not even end when cancelled: it is left behind, and the others miss no slot."""

    async def work() -> None:
        watched = Watched("1")
        supervisor = await watched.begin(3)
        await asyncio.sleep(SILENT + 60)
        assert watched.deaf["1"].asked >= 2
        assert watched.town.published("2") >= 3
        assert watched.town.published("3") >= 3
        assert not supervisor.done()
        await watched.end(supervisor)

    run(work)
    assert any("gave no sign for" in line and "camera=1" in line for line in caplog.messages)
    assert "camera's task does not end, left behind camera=1 left_behind=1" in caplog.messages


def test_too_many_that_do_not_end_are_the_end() -> None:
    """Six tasks that nobody can end: only a new process helps, and Docker starts one."""

    async def work() -> None:
        watched = Watched(*map(str, range(1, 7)))
        supervisor = await watched.begin(8)
        await asyncio.sleep(SILENT + 200)
        with pytest.raises(AdriftError, match=r"^6 tasks do not end$"):
            supervisor.result()
        await watched.end(supervisor)

    run(work)


def test_a_fleet_whose_process_stood_still_is_not_taken_for_hung(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After an hour in which nobody had a turn everybody gets another chance."""

    async def work() -> None:
        watched = Watched()
        supervisor = await watched.begin(5)
        await asyncio.sleep(400)
        asyncio.get_running_loop().skip(3600)  # type: ignore[attr-defined] # the virtual loop's
        await asyncio.sleep(700)
        assert all(watched.town.published(str(number)) >= 3 for number in range(1, 6))
        await watched.end(supervisor)

    run(work)
    assert not [line for line in caplog.messages if "begun anew" in line]


def test_a_withdrawn_camera_is_never_taken_for_hung(caplog: pytest.LogCaptureFixture) -> None:
    """Its task has nothing to do but to see that the card stays; also while the store is dead."""

    async def work() -> None:
        watched = Watched()
        supervisor = await watched.begin(1)
        watched.town.store.mood = Mood.REFUSE
        await watched.town.publish(withdrawn={"1": Reason.UNPUBLISHED})
        await asyncio.sleep(10_000)
        await watched.end(supervisor)

    run(work)
    assert not [line for line in caplog.messages if "begun anew" in line]
