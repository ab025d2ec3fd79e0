"""`status.json`: how every address stands, for everybody, and nothing that is nobody's business."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cctv import PUBLISHER
from cctv.errors import StoreError
from cctv.gallery import CACHE_CONTROL, Gallery
from cctv.model import Camera
from cctv.reasons import Reason
from cctv.roster import Roster
from cctv.state import Standing, State, state_for
from cctv.status import StatusSheet, sheet
from cctv.store.memory import MemoryStore, Mood
from tests.fakes.frames import hung, jpeg
from tests.fakes.town import Town, camera
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "image/status.json"
CARD = jpeg(1, (32, 24))
ROW = {"state", "reason", "since", "captured_at", "next_due", "confirmed"}
SHEET = {
    "generated_at",
    "publisher",
    "interval_seconds",
    "freshness_seconds",
    "counts",
    "cameras",
}


def gallery_of(store: MemoryStore) -> Gallery:
    """The public place, by the store's clock."""
    return Gallery(store, "image/", 300, CARD, store.now)


def read(store: MemoryStore) -> dict[str, Any]:
    """The sheet that stands there."""
    found: dict[str, Any] = json.loads(store.objects[KEY].thing.body)
    return found


@dataclass
class Post:
    """A sheet that is kept, in virtual time."""

    standings: Mapping[str, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now)
        keeping = StatusSheet(gallery_of(self.store), lambda: self.standings)
        self.task = asyncio.create_task(keeping.run(), name="status")

    async def end(self) -> None:
        """Stop it."""
        self.task.cancel()
        await asyncio.wait([self.task])


def live(taken: datetime = EPOCH) -> Standing:
    """A camera that shows a picture."""
    due = taken + timedelta(seconds=300)
    return Standing(State.LIVE, EPOCH, None, True, taken, due)  # noqa: FBT003 - it is confirmed


def test_sheet_of_a_town() -> None:
    """One of each kind, as the fleet has them; the words are those of the public metadata."""

    async def work() -> None:
        town = Town({"2": [hung()]})
        town.fleet.barred = lambda one: Reason.HELD if one.id == "3" else None
        named = Camera("1", "Axis", "http://root:S3cr3t@10.9.8.7", "6th Street", area="NORTH")
        cameras = {one.id: one for one in (named, camera("2"), camera("3"), camera("10"))}
        await town.fleet.apply(Roster(cameras, {"4": Reason.REMOVED}))
        await asyncio.sleep(120)
        text = sheet(gallery_of(town.store), town.fleet.standings(), now())
        found = json.loads(text)
        assert set(found) == SHEET
        assert found["publisher"] == PUBLISHER
        assert datetime.fromisoformat(found["generated_at"]) == now()
        assert (found["interval_seconds"], found["freshness_seconds"]) == (300, 450)
        assert found["counts"] == {"live": 2, "unavailable": 1, "held": 1, "unpublished": 1}
        assert list(found["cameras"]) == ["1", "2", "3", "4", "10"]
        for name, row in found["cameras"].items():
            assert set(row) == ROW
            labels = town.store.objects[f"image/{name}.jpg"].thing.metadata
            assert row["state"] == labels["state"]
            assert row["reason"] == labels.get("reason")
            assert row["captured_at"] == labels.get("captured-at")
            assert row["confirmed"] is True
            asked = row["state"] in {"live", "unavailable"}
            assert (row["next_due"] is not None) is asked
            assert not asked or now() < datetime.fromisoformat(row["next_due"])
            assert datetime.fromisoformat(row["since"]) <= now()
        for word in ("S3cr3t", "root", "10.9.8.7", "10.0.0.", "6th", "NORTH", "Axis"):
            assert word not in text
        await town.fleet.stop(5)

    run(work)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_state(reason: Reason) -> None:
    """A reader needs four words for the states, and the reasons of the metadata."""
    gallery = gallery_of(MemoryStore(lambda: EPOCH))
    standing = Standing(state_for(reason), EPOCH, reason)
    row = json.loads(sheet(gallery, {"1": standing}, EPOCH))["cameras"]["1"]
    assert row["state"] == gallery.card("1", reason, EPOCH).metadata["state"]
    assert row["state"] in {"unavailable", "held", "unpublished"}
    assert row["reason"] == reason.value


def test_picture_past_its_time_is_not_claimed() -> None:
    """The store refuses: what may still stand there is not called a picture of now."""
    gallery = gallery_of(MemoryStore(lambda: EPOCH))
    for age, shown in ((449, True), (450, False)):
        found = json.loads(sheet(gallery, {"1": live()}, EPOCH + timedelta(seconds=age)))
        assert (found["cameras"]["1"]["captured_at"] is not None) is shown


def test_sheet_is_renewed_every_minute_and_expires_as_the_card() -> None:
    """Its headers are the fallback image's: caches keep it for a minute."""

    async def work() -> None:
        post = Post({"1": live()})
        for minute in range(1, 6):
            await asyncio.sleep(60)
            await asyncio.sleep(0.1)
            thing = post.store.objects[KEY].thing
            assert thing.content_type == "application/json"
            assert thing.cache_control == CACHE_CONTROL
            card = gallery_of(post.store).card("1", Reason.TIMEOUT, now())
            assert abs(thing.expires - card.expires) <= timedelta(seconds=1.2)
            generated = datetime.fromisoformat(read(post.store)["generated_at"])
            assert generated == EPOCH + timedelta(minutes=minute)
        await post.end()
        await asyncio.sleep(600)
        # a daemon that has ended leaves the last one, which says when it was made
        assert datetime.fromisoformat(read(post.store)["generated_at"]) <= now() - timedelta(
            600 / 86400
        )

    run(work)


def test_start_does_not_claim_a_fleet_without_pictures() -> None:
    """The inventory takes two minutes, the first pictures one more: the former sheet stands."""

    async def work() -> None:
        post = Post()
        await asyncio.sleep(130)
        assert KEY not in post.store.objects
        post.standings = {"1": Standing(State.UNAVAILABLE, now(), Reason.NO_PICTURE)}
        await asyncio.sleep(50)
        assert KEY not in post.store.objects
        post.standings = {"1": live(now())}
        await asyncio.sleep(12)
        assert read(post.store)["counts"]["live"] == 1
        await post.end()

    run(work)


def test_first_sheet_of_a_real_start_has_pictures() -> None:
    """1,500 cameras begin within three quarters of a minute; the sheet waits a whole one."""

    async def work() -> None:
        town = Town()
        status = StatusSheet(gallery_of(town.store), town.fleet.standings)
        task = asyncio.create_task(status.run(), name="status")
        await town.publish(*(camera(str(number)) for number in range(1500)))
        await asyncio.sleep(62)
        assert read(town.store)["counts"]["live"] == 1500
        task.cancel()
        await asyncio.wait([task])
        await town.fleet.stop(5)

    run(work)


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.LATE, Mood.TAKE_THEN_FAIL])
def test_store_that_refuses_does_not_pile_up_sheets(mood: Mood) -> None:
    """One attempt a minute, and the next one that is taken is of now."""

    async def work() -> None:
        post = Post({"1": live()})
        post.store.moods[KEY] = mood
        post.store.fault = StoreError("the memory store refuses")
        await asyncio.sleep(3600)
        assert 55 <= post.store.puts[KEY] <= 60
        post.store.moods.clear()
        await asyncio.sleep(61)
        generated = datetime.fromisoformat(read(post.store)["generated_at"])
        assert now() - generated < timedelta(seconds=60)
        await post.end()
        await post.store.aclose()

    run(work)


def test_sheet_of_1500_cameras_is_small() -> None:
    """Less than a picture or two: a page may fetch it every minute."""
    gallery = gallery_of(MemoryStore(lambda: EPOCH))
    standings = {str(number): live() for number in range(1500)}
    assert len(sheet(gallery, standings, EPOCH)) < 1500 * 200
