"""The sweep: what is too old or barred goes, what is fresh stays, and the newest wins."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.clock import StoreClock
from cctv.errors import StoreError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.model import Shelved, StoredObject
from cctv.reasons import Reason
from cctv.schedule import utc_now
from cctv.state import State
from cctv.store.envelope import etag_of
from cctv.store.folder import open_folder
from cctv.store.memory import MemoryStore, Mood
from cctv.store.s3 import S3Access, open_s3
from cctv.sweep import Sweeper, Swept
from tests.fakes.frames import jpeg
from tests.fakes.s3 import moto_s3, rclone_s3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from cctv.model import Listed
    from cctv.seams import Archive
    from tests.fakes.s3 import RealS3

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CARD = jpeg(1, (32, 24))
FRAME = Frame.of(jpeg(), NOON)
OTHER = Frame.of(jpeg(7), NOON)


def taken(moment: datetime, frame: Frame = FRAME) -> Frame:
    """The frame, taken then."""
    copied = copy(frame)
    object.__setattr__(copied, "captured_at", moment)
    return copied


@dataclass
class Stock:
    """A store in memory with a gallery; the clock of both is `moment`."""

    interval: float = 300
    freshness: float = 0
    moment: datetime = NOON
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(lambda: self.moment)

    @property
    def gallery(self) -> Gallery:
        """The public place as the daemon knows it."""
        return Gallery(
            self.store, "image/", self.interval, CARD, lambda: self.moment, self.freshness
        )

    def live(self, name: str, at: datetime, frame: Frame = FRAME) -> StoredObject:
        """A picture taken at a moment."""
        return self.gallery.live(name, taken(at, frame), at + timedelta(seconds=self.interval))

    def stand(self, key: str, thing: StoredObject, stored: datetime) -> None:
        """Have an object there that was stored at a moment."""
        self.store.objects[key] = Shelved(thing, etag_of(thing.body), stored.replace(microsecond=0))

    def picture(self, name: str, age: float, upload: float = 1.0) -> None:
        """Have a picture there that was taken `age` seconds ago."""
        at = self.moment - timedelta(seconds=age)
        stored = at + timedelta(seconds=upload)
        self.stand(f"image/{name}.jpg", self.live(name, at), stored)

    def state(self, name: str) -> str:
        """What an address shows."""
        return self.store.objects[f"image/{name}.jpg"].thing.metadata.get("state", "")

    def body(self, key: str) -> bytes:
        """The bytes of an object."""
        return self.store.objects[key].thing.body

    def sweep(self, **barred: Reason) -> Swept:
        """What a sweep comes to."""
        return asyncio.run(Sweeper(self.gallery, self.store, barred.get).sweep())


@dataclass
class Meddled:
    """A store in which something happens each time just before an object is looked at or replaced.

    `blind` is a store that cannot compare.
    """

    inner: MemoryStore
    before_look: list[tuple[str, StoredObject]] = field(default_factory=list)
    before_replace: list[tuple[str, StoredObject]] = field(default_factory=list)
    blind: bool = False
    looks: int = 0

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """As the store, later."""
        self.looks += 1
        while self.before_look:
            await self.inner.put(*self.before_look.pop(0))
        return await self.inner.labels(key)

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """As the store, later."""
        if self.before_replace:
            await self.inner.put(*self.before_replace.pop(0))
        if self.blind:
            await self.inner.put(seen.key, thing)
            return True
        return await self.inner.replace(seen, thing)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest is the store's
        return getattr(self.inner, name)


INTERVALS = st.sampled_from([10.0, 60.0, 300.0, 900.0, 3600.0])
FACTORS = st.floats(1.2, 12)
# a label leaves out what is less than a millisecond
PARTS = st.floats(0, 0.999)


@given(INTERVALS, FACTORS, PARTS, st.floats(0, 0.5), INTERVALS, FACTORS)
def test_fresh_picture_is_never_replaced(  # noqa: PLR0913, PLR0917 - all that may differ
    interval: float,
    factor: float,
    part: float,
    upload: float,
    told: float,
    told_factor: float,
) -> None:
    """Whatever its age within its freshness, and whatever the sweep was told of the daemon."""
    stock = Stock(interval, interval * factor)
    stock.picture("1", interval * factor * part, upload * interval * factor * part)
    stock.interval, stock.freshness = told, told * told_factor
    swept = stock.sweep()
    assert replace(swept, again={}) == Swept(looked=1)
    assert stock.state("1") == "live"


@given(INTERVALS, FACTORS, st.floats(0, 1e6), st.floats(0, 0.45))
def test_old_picture_is_always_replaced(
    interval: float, factor: float, over: float, upload: float
) -> None:
    """From the moment on at which it says so itself; it took less than half its time to come."""
    stock = Stock(interval, interval * factor)
    # stored times hold whole seconds
    stock.picture("1", interval * factor + over + 1, upload * interval * factor)
    assert stock.sweep().replaced == {"1": Reason.STALE}
    assert stock.body("image/1.jpg") == CARD
    assert stock.store.objects["image/1.jpg"].thing.metadata["reason"] == "stale"


@given(st.datetimes(NOON.replace(tzinfo=None), (NOON + timedelta(days=1)).replace(tzinfo=None)))
def test_healthy_daemon_is_not_disturbed(moment: datetime) -> None:
    """A hundred cameras on their grid, at any moment: no PUT, and a question for few of them."""
    stock = Stock(moment=moment.replace(tzinfo=UTC))
    for number in range(100):
        stock.picture(str(number), 5 + 3 * number, 4)
    meddled = Meddled(stock.store)
    asyncio.run(Sweeper(stock.gallery, meddled, lambda _: None).sweep())
    assert stock.store.puts.total() == 0
    assert meddled.looks <= 30


def test_dead_daemon_leaves_nothing() -> None:
    """1,500 old pictures are gone after one run; what is the fallback image costs no question."""
    stock = Stock()
    for number in range(1500):
        stock.picture(str(number), 452 + number)
    for number in range(1500, 1600):
        card = stock.gallery.card(str(number), Reason.TIMEOUT, NOON)
        stock.stand(f"image/{number}.jpg", card, NOON - timedelta(days=1))
    meddled = Meddled(stock.store)
    swept = asyncio.run(Sweeper(stock.gallery, meddled, lambda _: None).sweep())
    assert len(swept.replaced) == swept.looked == meddled.looks == 1500
    assert {stock.body(key) for key in stock.store.objects} == {CARD}


@pytest.mark.parametrize("blind", [False, True])
def test_picture_put_after_the_listing_stays(*, blind: bool) -> None:
    """The daemon comes to life between: its new picture is not overwritten, in any store."""
    stock = Stock()
    stock.picture("1", 4000)
    fresh = "image/1.jpg", stock.live("1", NOON - timedelta(seconds=2), OTHER)
    meddled = Meddled(stock.store, before_look=[fresh], blind=blind)
    swept = asyncio.run(Sweeper(stock.gallery, meddled, lambda _: None).sweep())
    assert stock.body("image/1.jpg") == OTHER.body
    assert not swept.replaced
    assert not swept.failed


def test_picture_put_in_the_last_moment_stays() -> None:
    """After the last look a store that compares still lets the newest win."""
    stock = Stock()
    stock.picture("1", 4000)
    fresh = "image/1.jpg", stock.live("1", NOON, OTHER)
    meddled = Meddled(stock.store, before_replace=[fresh])
    swept = asyncio.run(Sweeper(stock.gallery, meddled, lambda _: None).sweep())
    assert stock.body("image/1.jpg") == OTHER.body
    assert swept.renewed == ["1"]


def test_newer_picture_of_a_held_camera_goes_too() -> None:
    """A daemon that does not know of the hold puts another one meanwhile: the sweep goes on."""
    stock = Stock()
    stock.picture("1", 10)
    fresh = "image/1.jpg", stock.live("1", NOON, OTHER)
    meddled = Meddled(stock.store, before_replace=[fresh])
    swept = asyncio.run(Sweeper(stock.gallery, meddled, lambda _: Reason.HELD).sweep())
    assert swept.replaced == {"1": Reason.HELD}
    assert stock.state("1") == "held"


def test_held_camera_that_is_renewed_again_and_again_is_a_failure() -> None:
    """The sweep ends all the same, and does not say that all is well."""
    stock = Stock()
    stock.picture("1", 10)
    pictures = [
        ("image/1.jpg", stock.live("1", NOON, Frame.of(jpeg(shade), NOON)))
        for shade in range(10, 20)
    ]
    meddled = Meddled(stock.store, before_replace=pictures)
    swept = asyncio.run(Sweeper(stock.gallery, meddled, lambda _: Reason.HELD).sweep())
    assert swept.failed == {"1": "something else was put there each time"}


@pytest.mark.parametrize("reason", [Reason.HELD, Reason.NEVER_PUBLISH])
def test_barred_camera_goes_however_fresh(reason: Reason) -> None:
    """The others stay; the state says why."""
    stock = Stock()
    stock.picture("1", 1)
    stock.picture("2", 1)
    swept = asyncio.run(
        Sweeper(stock.gallery, stock.store, {"1": reason}.get).sweep(),
    )
    assert swept.replaced == {"1": reason}
    assert stock.state("2") == "live"


@pytest.mark.parametrize(
    "key",
    [
        "image/logo.png",
        "image/a/b.jpg",
        "image/unavailable.jpg",
        "image/status.json",
        "image/.jpg",
        "image/-1.jpg",
        "image/1.JPG",
        "image/1.jpg.bak",
        "private/holds/1.jpg",
        "images/1.jpg",
        "1.jpg",
    ],
)
@pytest.mark.parametrize("prefix", ["image/", ""])
def test_what_is_no_cameras_is_not_touched(key: str, prefix: str) -> None:
    """However old it is, and whoever put it; `1.jpg` is a camera's without a prefix."""
    stock = Stock()
    stock.stand(key, stock.live("1", NOON - timedelta(days=9)), NOON - timedelta(days=9))
    gallery = replace(stock.gallery, prefix=prefix)
    swept = asyncio.run(Sweeper(gallery, stock.store, lambda _: Reason.HELD).sweep())
    assert swept.looked == (key == "1.jpg" and prefix == "")
    assert (stock.body(key) == CARD) == bool(swept.looked)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"state": "live"},
        {"state": "nonsense"},
        {"fresh-until": "nonsense"},
        {"fresh-until": ""},
        {"fresh-until": "2026-03-01T12:00:00"},
        {"fresh-until": "9999-12-31T23:59:59Z"},
        {"captured-at": "1970-01-01T00:00:00Z", "fresh-until": "2099-01-01T00:00:00Z"},
        {"captured-at": "nonsense", "fresh-until": "2099-01-01T00:00:00Z"},
    ],
)
@pytest.mark.parametrize(("interval", "limit"), [(60.0, 900), (300.0, 900), (3600.0, 10800)])
def test_object_that_does_not_say_has_three_intervals(
    labels: dict[str, str], interval: float, limit: int
) -> None:
    """And fifteen minutes at least; what it says in nonsense, or of other centuries, is nothing."""
    stock = Stock(interval)
    bare = replace(stock.live("1", NOON), metadata=labels)
    stock.stand("image/1.jpg", bare, NOON - timedelta(seconds=limit - 1))
    assert stock.sweep().replaced == {}
    stock.moment += timedelta(seconds=1)
    assert stock.sweep().replaced == {"1": Reason.STALE}


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=400)])
def test_clock_that_was_wrong_when_a_picture_was_taken(ahead: timedelta) -> None:
    """It says to be fresh for 450 s, and has those from when it was stored, and some for clocks."""
    stock = Stock()
    thing = stock.live("1", NOON + ahead)
    stock.stand("image/1.jpg", thing, NOON)
    stock.moment = NOON + timedelta(seconds=449)
    assert stock.sweep().replaced == {}
    stock.moment = NOON + timedelta(seconds=456)
    assert stock.sweep().replaced == {"1": Reason.STALE}


def test_picture_stored_in_the_future_is_of_nobody_knows_when() -> None:
    """A folder whose machine's clock was a day ahead, and is right now: it does not wait a day."""
    stock = Stock()
    tomorrow = NOON + timedelta(days=1)
    stock.stand("image/1.jpg", stock.live("1", tomorrow), tomorrow)
    stock.stand("image/2.jpg", stock.live("2", NOON), NOON + timedelta(seconds=30))
    assert stock.sweep().replaced == {"1": Reason.STALE}


def test_fallback_image_of_other_bytes_is_no_picture() -> None:
    """The image was changed: the former one tells the truth all the same, however old it is."""
    stock = Stock()
    for number, state in enumerate(State):
        former = replace(stock.live("x", NOON), metadata={"state": state.value})
        stock.stand(f"image/{number}.jpg", former, NOON - timedelta(days=1))
    assert stock.sweep().replaced == {"0": Reason.STALE}


def test_older_than_counts_alone() -> None:
    """The operator's word goes before the object's own, both ways."""
    stock = Stock()
    stock.picture("1", 100)
    stock.picture("2", 1000)
    for limit, gone in ((2000.0, set()), (500.0, {"2"}), (50.0, {"1"})):
        sweeper = Sweeper(stock.gallery, stock.store, lambda _: None, limit)
        assert asyncio.run(sweeper.sweep()).replaced.keys() == gone


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.LATE])
def test_store_that_refuses_one_is_told_of_by_name(mood: Mood) -> None:
    """The other nine are replaced."""
    stock = Stock()
    for number in range(10):
        stock.picture(str(number), 1000)
    stock.store.moods["image/3.jpg"] = mood
    swept = stock.sweep()
    assert swept.failed == {"3": "the memory store refuses"}
    assert len(swept.replaced) == 9
    assert stock.state("3") == "live"


async def test_late_fallback_image_does_not_overwrite_a_new_picture() -> None:
    """What was given up lands half a minute later: by then the daemon is back."""
    stock = Stock()
    stock.picture("1", 1000)
    stock.store.mood, stock.store.late = Mood.LATE, 0.01
    await Sweeper(stock.gallery, stock.store, lambda _: None).sweep()
    stock.store.mood = Mood.TAKE
    await stock.store.put("image/1.jpg", stock.live("1", NOON, OTHER))
    await stock.store.landed()
    assert stock.body("image/1.jpg") == OTHER.body


async def test_sweep_cut_off_leaves_whole_objects() -> None:
    """Wherever it is cancelled, each address shows a picture or the fallback image."""
    for turns in range(1, 30):
        stock = Stock()
        for number in range(40):
            stock.picture(str(number), 1000)
        work = asyncio.create_task(
            Sweeper(stock.gallery, stock.store, lambda _: None).sweep(), name="sweep"
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.wait([work])
        assert {stock.body(key) for key in stock.store.objects} <= {CARD, FRAME.body}
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture(scope="module", params=["moto", "rclone", "folder"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealS3 | None]:
    """A real server, or none."""
    match request.param:
        case "moto":
            opened = moto_s3()
        case "rclone":
            opened = rclone_s3(tmp_path_factory.mktemp("rclone"))
        case _:
            yield None
            return
    with opened as real:
        yield real


@pytest.fixture
async def archive(
    server: RealS3 | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Archive]:
    """A real store."""
    async with AsyncExitStack() as stack:
        if server is None:
            yield await stack.enter_async_context(open_folder(tmp_path, utc_now, 19))
            return
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield await stack.enter_async_context(open_s3(S3Access(server.bucket, 19)))


async def test_real_store_is_swept(archive: Archive) -> None:
    """An hour after its death a daemon's pictures go; what others put there stays."""
    alive = Gallery(archive, "image/", 300, CARD, utc_now)
    names = [str(number) for number in range(40)]
    for name in names:
        thing = alive.live(name, taken(utc_now()), utc_now() + timedelta(seconds=300))
        await archive.put(alive.key(name), thing)
    await archive.put("image/logo.jpg.txt", alive.own_card())
    await archive.put("private/holds/x.json", replace(alive.own_card(), body=b"{}"))
    swept = await Sweeper(alive, archive, lambda _: None).sweep()
    assert replace(swept, again={}) == Swept(looked=40)
    later = replace(alive, now=lambda: utc_now() + timedelta(hours=1))
    swept = await Sweeper(later, archive, lambda _: None).sweep()
    assert swept.replaced == dict.fromkeys(names, Reason.STALE)
    for name in names:
        found = await archive.get(alive.key(name))
        assert found is not None
        assert found.thing.body == CARD
    assert await Sweeper(later, archive, lambda _: None).pictures() == []
    private = await archive.get("private/holds/x.json")
    assert private is not None
    assert json.loads(private.thing.body) == {}


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(hours=-1)])
def test_sweepers_clock_may_be_wrong(wrong: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers tell the time: a fresh picture stays and goes when it is old, an hour off."""
    with moto_s3() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        asyncio.run(put_one(server))
        swept = [asyncio.run(swept_after(server, wrong, minutes)) for minutes in (0, 6, 9)]
    assert swept == [{}, {}, {"1": Reason.STALE}]


async def put_one(server: RealS3) -> None:
    """A daemon whose clock is right puts a picture."""
    async with open_s3(S3Access(server.bucket, 19)) as archive:
        gallery = Gallery(archive, "image/", 300, CARD, utc_now)
        await archive.put("image/1.jpg", gallery.live("1", taken(utc_now()), utc_now()))


async def swept_after(server: RealS3, wrong: timedelta, minutes: int) -> Mapping[str, Reason]:
    """What a sweep so many minutes later replaces, where the clock is wrong by so much."""
    clock = StoreClock(lambda: utc_now() + wrong)

    def learn(date: datetime, sent: datetime, received: datetime) -> None:
        clock.learn(date, sent + wrong, received + wrong)

    def later() -> datetime:
        return clock.now() + timedelta(minutes=minutes)

    async with open_s3(S3Access(server.bucket, 19), learn) as archive:
        gallery = Gallery(archive, "image/", 300, CARD, later)
        return (await Sweeper(gallery, archive, lambda _: None).sweep()).replaced


def test_store_that_does_not_tell_is_an_error() -> None:
    """Without a list there is nothing to say but why."""

    @dataclass
    class Mute:
        inner: MemoryStore

        async def listed(self, prefix: str) -> list[Listed]:
            raise StoreError(f"access denied: {prefix}")

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest is the store's
            return getattr(self.inner, name)

    stock = Stock()
    with pytest.raises(StoreError, match="access denied"):
        asyncio.run(Sweeper(stock.gallery, Mute(stock.store), lambda _: None).sweep())
