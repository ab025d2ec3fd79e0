"""The predecessor's defects P1 to P12, each as a test that would have caught it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.journal import Journal
from cctv.model import Record
from cctv.observers import tell_all
from cctv.reasons import Reason
from cctv.roster import read
from cctv.schedule import utc_now
from cctv.store.memory import Mood
from tests.fakes.frames import hung, jpeg
from tests.fakes.town import Town, camera
from tests.virtual import now, run

ROOT = Path(__file__).parents[1]


def missing() -> CaptureError:
    """A 404."""
    return CaptureError(Reason.NOT_FOUND, "HTTP 404 Not Found")


def test_p1_no_camera_is_given_up_for_ever() -> None:
    """A day of 404 and of timeouts: the camera is live again without a restart."""

    async def work() -> None:
        town = Town({"1": [*[missing()] * 60, jpeg()], "2": [*[hung()] * 60, jpeg()]})
        await town.publish(camera("1"), camera("2"))
        await asyncio.sleep(2 * 86400)
        assert town.published("1") > 0
        assert town.published("2") > 0
        await town.fleet.stop(5)

    run(work)


def test_p1_failures_are_counted() -> None:
    """Five timeouts in a row and the camera is left alone: the limit is reached."""

    async def work() -> None:
        town = Town({"1": [hung()]})
        await town.publish(camera("1"))
        await asyncio.sleep(3600)
        (source,) = town.sources.values()
        assert len(source.asked) <= 7
        await town.fleet.stop(5)

    run(work)


def test_p2_fallback_is_retried_until_it_is_confirmed() -> None:
    """The camera is given up while the bucket is dead: its last picture goes all the same."""

    async def work() -> None:
        town = Town({"1": [jpeg(), *[missing()] * 1000]})
        await town.publish(camera("1"))
        await asyncio.sleep(50)
        town.store.mood = Mood.REFUSE
        await asyncio.sleep(7200)
        assert town.state("1") == "live"
        town.store.mood = Mood.TAKE
        await asyncio.sleep(301)
        assert town.state("1") == "unavailable"
        await town.fleet.stop(5)

    run(work)


def test_p3_lost_fallback_is_healed() -> None:
    """Somebody overwrites the object by hand: within six cycles the fallback is back."""

    async def work() -> None:
        town = Town({"1": [hung()]})
        await town.publish(camera("1"))
        await asyncio.sleep(400)
        town.store.objects.clear()
        await asyncio.sleep(6 * 300 + 1)
        assert town.state("1") == "unavailable"
        await town.fleet.stop(5)

    run(work)


def test_p4_removed_or_disabled_camera_does_not_keep_its_picture() -> None:
    """The privacy hole: both are replaced at once, without a restart."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"), camera("2"), camera("3"))
        await asyncio.sleep(100)
        roster = read(
            [Record("1", "Axis", "10.0.0.1"), Record("3", "Axis", "10.0.0.3", publish="no")],
            {name: camera(name) for name in "123"},
        )
        await town.fleet.apply(roster)
        await asyncio.sleep(1)
        assert [town.state(name) for name in "123"] == ["live", "unpublished", "unpublished"]
        await town.fleet.stop(5)

    run(work)


def test_p5_bad_record_stops_no_start() -> None:
    """999 cameras run, one is reported."""
    records = [Record(str(number), "Axis", f"cam{number}.city.gov") for number in range(999)]
    roster = read([*records, Record("", "", "")], {})
    assert len(roster.cameras) == 999
    assert len(roster.refusals) == 1


@pytest.mark.parametrize("body", [b"", b"<html>Login</html>", jpeg()[:-2], jpeg()[:100]])
def test_p6_content_type_alone_publishes_nothing(body: bytes) -> None:
    """Whatever its header says, only a whole picture becomes one."""
    with pytest.raises(CaptureError):
        Frame.of(body, utc_now())


def test_p8_first_pictures_come_within_a_minute() -> None:
    """Cron restarts the daemon: nobody looks at ten-minute-old pictures."""

    async def work() -> None:
        town = Town()
        names = [str(number) for number in range(300)]
        await town.publish(*map(camera, names))
        await asyncio.sleep(60)
        assert all(town.published(name) for name in names)
        await town.fleet.stop(5)

    run(work)


def test_p9_dead_camera_is_reported_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line with the reason, what was found and what to do; one when it is back."""
    caplog.set_level(logging.INFO)

    async def work() -> None:
        town = Town({"1": [jpeg(), hung(), hung(), jpeg()]})
        town.fleet.tell = tell_all([Journal(now)])
        await town.publish(camera("1"))
        await asyncio.sleep(1000)
        await town.fleet.stop(5)

    run(work)
    told = [line for line in caplog.messages if line.startswith("camera")]
    assert len(told) == 2
    assert 'camera unavailable camera=1 reason=timeout found="no whole answer' in told[0]
    assert "advice=" in told[0]
    assert "camera live again camera=1" in told[1]


def test_p10_hung_upload_is_bounded() -> None:
    """A store that never answers costs a camera its cycle, not its life."""

    async def work() -> None:
        town = Town()
        await town.publish(camera("1"))
        await asyncio.sleep(50)
        town.store.mood, town.store.fault = Mood.REFUSE, StoreError("no answer in time")
        await asyncio.sleep(3600)
        town.store.mood = Mood.TAKE
        before = town.published("1")
        await asyncio.sleep(301)
        assert town.published("1") == before + 1
        await town.fleet.stop(5)

    run(work)


def test_p11_readme_follows_the_log_through_its_rotation() -> None:
    """`tail -f` would stay with the file that was rotated away."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert "tail -F" in text
    assert "tail -f" not in text


def test_p12_container_restarts_and_is_not_root() -> None:
    """A restart policy in the launch script, a user in the image."""
    assert "--restart unless-stopped" in (ROOT / "scripts/launch.sh").read_text("utf-8")
    users = [
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines()
        if line.startswith("USER ")
    ]
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}
