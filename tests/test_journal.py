"""What the log says of cameras: changes, and storms in one line."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from cctv.errors import CaptureError, StoreError
from cctv.frame import Frame
from cctv.journal import Journal, pairs
from cctv.model import Camera, Cycle, NotStored, Outcome, Published, Unavailable
from cctv.reasons import WORDS, Reason
from cctv.store.memory import MemoryStore, Mood
from cctv.store.report import Reporting
from tests.fakes.frames import jpeg
from tests.test_public_image import gallery
from tests.virtual import EPOCH, now, run


def cycle() -> Cycle:
    """A cycle now."""
    return Cycle(now(), now() + timedelta(seconds=300))


def down(name: str, reason: Reason = Reason.TIMEOUT) -> Outcome:
    """No picture."""
    return Unavailable(Camera(name, "Axis", "10.0.0.1"), cycle(), CaptureError(reason, "so"))


def up(name: str) -> Outcome:
    """A picture."""
    return Published(Camera(name, "Axis", "10.0.0.1"), cycle(), Frame.of(jpeg(), now()))


def flagged(name: str, *warnings: Reason) -> Outcome:
    """A picture that is odd."""
    frame = Frame.of(jpeg(), now())
    for reason in warnings:
        frame = frame.flagged(reason)
    return Published(Camera(name, "Axis", "10.0.0.1"), cycle(), frame)


def unstored(name: str) -> Outcome:
    """A picture that the store did not take."""
    return NotStored(Camera(name, "Axis", "10.0.0.1"), cycle(), StoreError("busy"))


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    """Catch INFO too."""
    caplog.set_level(logging.INFO)


def test_only_changes_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred failing cycles are one line; another reason is another line."""

    async def work() -> None:
        journal = Journal(now)
        for _ in range(100):
            journal(down("1"))
        journal(down("1", Reason.AUTH))
        journal(up("1"))
        journal(up("1"))

    run(work)
    told = [line.split(" advice")[0] for line in caplog.messages]
    assert told == [
        "camera unavailable camera=1 reason=timeout found=so model=Axis",
        "camera unavailable camera=1 reason=auth found=so model=Axis",
        "camera live again camera=1 after=0s was=auth",
    ]


def test_storm_is_one_line_a_minute_with_counts(caplog: pytest.LogCaptureFixture) -> None:
    """The camera network drops: twenty lines, then one with the rest, not 1,000."""

    async def work() -> None:
        journal = Journal(now)
        for number in range(1000):
            journal(down(str(number), Reason.UNREACHABLE if number % 3 else Reason.TIMEOUT))
        await asyncio.sleep(61)
        journal(down("1"))

    run(work)
    told = [line for line in caplog.messages if line.startswith(("camera", "more"))]
    assert len(told) == 22
    assert told[20] == "more cameras unavailable or flagged cameras=980 unreachable=653 timeout=327"


def test_storm_of_recoveries_is_counted_too(caplog: pytest.LogCaptureFixture) -> None:
    """The network is back: twenty lines, then one with the rest."""

    async def work() -> None:
        journal = Journal(now)
        for number in range(100):
            journal(down(str(number)))
        await asyncio.sleep(61)
        for number in range(100):
            journal(up(str(number)))
        await asyncio.sleep(61)
        journal(up("1"))

    run(work)
    told = [line for line in caplog.messages if line.startswith("more cameras live")]
    assert told == ["more cameras live again or not flagged cameras=80"]


def test_clock_set_back_silences_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Eight hours back: failures go on being told, of cameras and of the store."""
    step = [timedelta(0)]

    async def work() -> None:
        journal = Journal(lambda: now() + step[0])
        store = MemoryStore(now, Mood.REFUSE)
        reporting = Reporting(store, lambda: now() + step[0])
        thing = gallery(store).own_card()
        for number in range(60):
            journal(down(str(number)))
            with pytest.raises(StoreError):
                await reporting.put("image/1.jpg", thing)
            step[0] = timedelta(hours=-8)
            await asyncio.sleep(61)

    run(work)
    assert sum(line.startswith("camera unavailable") for line in caplog.messages) == 60
    assert sum(line.startswith("store does not") for line in caplog.messages) == 60


def test_summary_counts_the_fleet(caplog: pytest.LogCaptureFixture) -> None:
    """After a minute, and then every five, a line says how the fleet does."""

    async def work() -> None:
        journal = Journal(now)
        journal(up("3"))
        for _ in range(11):
            journal(up("1"))
            journal(down("2"))
            journal(unstored("3"))
            await asyncio.sleep(60)

    run(work)
    told = [line for line in caplog.messages if line.startswith("fleet")]
    counts = "cycles_not_stored=1 cycles_published=3 cycles_unavailable=1"
    assert told[0] == f"fleet live=1 unavailable=1 {counts}"
    assert len(told) == 2


def test_names_from_records_stay_within_quotes() -> None:
    """A name cannot add a field of its own, nor a line."""
    assert pairs(name="x reason=auth\n", camera="1") == 'name="x reason=auth\\n" camera=1'


def test_every_reason_has_a_sentence_and_advice() -> None:
    """The closed set is whole: words for a technician for each."""
    assert set(WORDS) == set(Reason)
    for words in WORDS.values():
        assert words.sentence.endswith(".")
        assert words.advice.endswith(".")


def test_store_trouble_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A dead bucket and 1,500 cameras: one ERROR a minute with a count, one INFO at the end."""

    async def work() -> None:
        store = MemoryStore(now, Mood.REFUSE)
        reporting = Reporting(store, now)
        thing = gallery(store).own_card()
        for _ in range(180):
            with pytest.raises(StoreError):
                await reporting.put("image/1.jpg", thing)
            await asyncio.sleep(1)
        store.mood = Mood.TAKE
        await reporting.put("image/1.jpg", thing)
        await reporting.put("image/1.jpg", thing)
        assert store.objects["image/1.jpg"].thing.expires > EPOCH

    run(work)
    assert [line.split(":")[0] for line in caplog.messages] == [
        "store does not take objects failed=1",
        "store does not take objects failed=61",
        "store does not take objects failed=121",
        "store takes objects again failed=180",
    ]


def test_failures_that_were_not_told_have_no_end_to_tell(caplog: pytest.LogCaptureFixture) -> None:
    """A store that fails now and then makes one pair of lines a minute, not dozens."""

    async def work() -> None:
        store = MemoryStore(now)
        reporting = Reporting(store, now)
        thing = gallery(store).own_card()
        for _ in range(30):
            store.mood = Mood.REFUSE
            with pytest.raises(StoreError):
                await reporting.put("image/1.jpg", thing)
            store.mood = Mood.TAKE
            await reporting.put("image/1.jpg", thing)
            await asyncio.sleep(1)

    run(work)
    assert [line.split(":")[0] for line in caplog.messages] == [
        "store does not take objects failed=1",
        "store takes objects again failed=1",
    ]


def test_flagged_cameras_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """When it begins, when it becomes another matter, and when it ends."""

    async def work() -> None:
        journal = Journal(now)
        for outcome in (
            up("1"),
            *[flagged("1", Reason.BLANK)] * 3,
            flagged("1", Reason.BLANK, Reason.FROZEN),
            up("1"),
            up("1"),
        ):
            journal(outcome)

    run(work)
    advice = f'advice="{WORDS[Reason.BLANK].advice}"'
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("WARNING", f"camera flagged camera=1 warning=blank {advice}"),
        ("WARNING", f'camera flagged camera=1 warning="blank frozen" was=blank {advice}'),
        ("INFO", 'camera no longer flagged camera=1 was="blank frozen"'),
    ]


def test_a_failure_in_between_does_not_tell_a_flag_twice(caplog: pytest.LogCaptureFixture) -> None:
    """A blank camera that is lost for a cycle is still known to be blank."""

    async def work() -> None:
        journal = Journal(now)
        for outcome in (flagged("1", Reason.BLANK), down("1"), flagged("1", Reason.BLANK)):
            journal(outcome)

    run(work)
    told = [line.split(" advice")[0] for line in caplog.messages]
    assert told == [
        "camera flagged camera=1 warning=blank",
        "camera unavailable camera=1 reason=timeout found=so model=Axis",
        "camera live again camera=1 after=0s was=timeout",
    ]


def test_a_forgotten_camera_is_told_anew(caplog: pytest.LogCaptureFixture) -> None:
    """It left the inventory and came back; the one that stayed is not told again."""

    async def work() -> None:
        journal = Journal(now)
        for _ in range(2):
            journal(flagged("1", Reason.BLANK))
            journal(flagged("2", Reason.BLANK))
            journal.forget({"2"})

    run(work)
    told = [line.split()[2] for line in caplog.messages]
    assert told == ["camera=1", "camera=2", "camera=1"]


def test_storm_of_flags_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Night falls on a hundred cameras, and a morning comes."""

    async def work() -> None:
        journal = Journal(now)
        for number in range(100):
            journal(flagged(str(number), Reason.BLANK))
        await asyncio.sleep(61)
        for number in range(100):
            journal(up(str(number)))
        await asyncio.sleep(61)
        journal(up("1"))

    run(work)
    assert [line for line in caplog.messages if line.startswith("more")] == [
        "more cameras unavailable or flagged cameras=80 blank=80",
        "more cameras live again or not flagged cameras=80",
    ]


def test_summary_counts_flagged_cameras_that_are_live(caplog: pytest.LogCaptureFixture) -> None:
    """A flagged camera that is lost is unavailable; without any the word is left out."""

    async def work() -> None:
        journal = Journal(now)
        journal(flagged("1", Reason.BLANK))
        journal(flagged("2", Reason.BLANK))
        journal(down("2"))
        await asyncio.sleep(61)
        journal(up("3"))
        journal(up("1"))
        await asyncio.sleep(301)
        journal(up("3"))

    run(work)
    told = [line for line in caplog.messages if line.startswith("fleet")]
    assert [line.split(" cycles")[0] for line in told] == [
        "fleet live=2 unavailable=1 flagged=1",
        "fleet live=2 unavailable=1",
    ]
