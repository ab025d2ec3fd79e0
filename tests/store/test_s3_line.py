"""The line to S3: credentials that change while the store is open, and the store's clock."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cctv.clock import StoreClock
from cctv.errors import StoreError
from cctv.model import StoredObject
from cctv.schedule import utc_now
from cctv.store.s3 import S3Access, open_s3
from tests.fakes.s3 import BUCKET, SECRET, Sickness, SickS3, free_port, header

if TYPE_CHECKING:
    from pathlib import Path

    from cctv.seams import Store

KEY = "image/7.jpg"
THING = StoredObject(b"picture", datetime(2026, 7, 1, tzinfo=UTC), {}, "public")
ACCESS = S3Access(BUCKET, deadline=20)
# long enough for a server that answers, on a busy machine; and how long a former client is kept
HASTY = S3Access(BUCKET, deadline=1)
# generous: real time only ends a test that hangs
LIMIT = 15.0
HOUR = timedelta(hours=1)
RENEWAL = "s3 credentials"


@dataclass(slots=True)
class Keys:
    """A credentials file, and a clock that a test moves."""

    path: Path
    seconds: float = 1000.0
    written: list[str] = field(default_factory=list)

    def write(self, key_id: str) -> None:
        """Rotate the key."""
        self.written.append(key_id)
        lines = "[default]", f"aws_access_key_id = {key_id}", f"aws_secret_access_key = {SECRET}"
        self.path.write_text("\n".join(lines))

    def now(self) -> float:
        """The clock."""
        return self.seconds


@pytest.fixture
def keys(sick: SickS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """Credentials in a file, as a host's agent writes them; the first key is there."""
    _ = sick
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    keys = Keys(tmp_path / "credentials")
    keys.write("first")
    return keys


def renewals() -> set[asyncio.Task[object]]:
    """The tasks that read the credentials again, and close the former client after its grace."""
    return {task for task in asyncio.all_tasks() if task.get_name() == RENEWAL}


async def until_it_works(store: Store) -> None:
    """Put until the store takes it: the credentials are read beside the puts."""
    async with asyncio.timeout(LIMIT):
        while await refused(store):
            pass


async def refused(store: Store) -> bool:
    """Whether a put fails."""
    # without any credentials it would do so before it lets others run
    await asyncio.sleep(0)
    try:
        await store.put(KEY, THING)
    except StoreError:
        return True
    return False


@pytest.mark.parametrize(
    "strange",
    [
        Sickness.BAD_KEY_ID,
        Sickness.EXPIRED_TOKEN,
        Sickness.INVALID_TOKEN,
        Sickness.REQUEST_EXPIRED,
    ],
)
async def test_a_rotated_key_is_read_again(
    sick: SickS3, keys: Keys, strange: Sickness, caplog: pytest.LogCaptureFixture
) -> None:
    """The put that was refused fails; soon after the new key is used, without a restart."""
    caplog.set_level(logging.INFO)
    sick.strange = strange
    async with open_s3(ACCESS, seconds=keys.now) as store:
        await store.put(KEY, THING)
        keys.write("second")
        sick.strangers = {"first"}
        assert await refused(store)
        await until_it_works(store)
    assert "Credential=second/" in str(header(sick.heads[-1], "Authorization"))
    assert "the store's credentials were refused, and have been read again" in caplog.messages


async def test_credentials_that_come_later_are_read(sick: SickS3, keys: Keys) -> None:
    """A start without any key is healed by writing one."""
    keys.path.unlink()
    async with open_s3(ACCESS, seconds=keys.now) as store:
        with pytest.raises(StoreError, match="no credentials"):
            await store.put(KEY, THING)
        keys.write("second")
        await until_it_works(store)
    assert "Credential=second/" in str(header(sick.heads[-1], "Authorization"))


async def test_credentials_are_read_at_most_once_a_minute(sick: SickS3, keys: Keys) -> None:
    """However many puts are refused; and each minute again, as long as it lasts."""
    sick.strangers = {"first", "second"}
    async with open_s3(HASTY, seconds=keys.now) as store:
        assert await asyncio.gather(*(refused(store) for _ in range(10))) == [True] * 10
        (first,) = renewals()
        await asyncio.wait([first], timeout=LIMIT)
        keys.write("third")
        keys.seconds += 59.9
        assert await refused(store)
        assert renewals() == set()
        keys.seconds += 0.1
        assert await refused(store)
        assert len(renewals()) == 1
        await until_it_works(store)


async def test_a_put_in_flight_ends_on_the_former_client(sick: SickS3, keys: Keys) -> None:
    """Reading the credentials again breaks nothing off; at the end nothing is left open."""
    before = asyncio.all_tasks()
    async with open_s3(ACCESS, seconds=keys.now) as store:
        sick.sickness = Sickness.HANG
        putting = asyncio.create_task(store.put(KEY, THING))
        await sick.hangs.wait()
        sick.sickness, sick.strangers = Sickness.OK, {"first"}
        keys.write("second")
        await until_it_works(store)
        sick.free()
        await putting
    async with asyncio.timeout(LIMIT):
        await sick.quiet.wait()
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_a_former_client_is_closed_after_its_grace(sick: SickS3, keys: Keys) -> None:
    """Its connections do not pile up over months of rotated keys."""
    async with open_s3(HASTY, seconds=keys.now) as store:
        sick.strangers = {"first"}
        keys.write("second")
        await until_it_works(store)
        (renewal,) = renewals()
        sick.quiet.clear()
        await asyncio.wait([renewal], timeout=LIMIT)
        assert renewal.done()
        # the new client's connection is the only one that is left
        assert sick.talks == 1
        await store.put(KEY, THING)


async def test_credentials_that_cannot_be_read_keep_the_client(
    sick: SickS3, keys: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A profile that is gone is told in the log, and once it is back the store works."""
    monkeypatch.setenv("AWS_PROFILE", "default")
    async with open_s3(ACCESS, seconds=keys.now) as store:
        sick.strangers = {"first"}
        keys.path.write_text("[somebody]\n")
        assert await refused(store)
        async with asyncio.timeout(LIMIT):
            await asyncio.wait(renewals())
        told = "the store's credentials cannot be read again: AWS_PROFILE: there is no such profile"
        assert told in caplog.messages
        keys.write("second")
        keys.seconds += 60
        await until_it_works(store)


@pytest.mark.parametrize("sickness", [Sickness.OK, Sickness.SLOW_DOWN, Sickness.CLOCK_SKEW])
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_the_clock_is_learned_from_every_answer(
    sick: SickS3, sickness: Sickness, ahead: timedelta
) -> None:
    """Good or bad, one answer is enough to know that the machine is an hour off."""
    clock = StoreClock(utc_now)
    sick.sickness, sick.ahead = sickness, ahead
    async with open_s3(ACCESS, learn=clock.learn) as store:
        await refused(store)
    assert abs(clock.now() - utc_now() - ahead) < timedelta(seconds=5)


@pytest.mark.parametrize("date", [None, "yesterday", ""])
async def test_an_answer_without_a_date_teaches_nothing(sick: SickS3, date: str | None) -> None:
    """Neither one that is missing nor one that is none: the put is as good as any."""
    learned: list[datetime] = []
    sick.date = date
    async with open_s3(ACCESS, learn=lambda *times: learned.extend(times)) as store:
        await store.put(KEY, THING)
    assert learned == []


async def test_no_answer_teaches_nothing(monkeypatch: pytest.MonkeyPatch, sick: SickS3) -> None:
    """A store that is down has no time."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", sick.endpoint.rpartition(":")[0] + f":{free_port()}")
    learned: list[datetime] = []
    async with open_s3(ACCESS, learn=lambda *times: learned.extend(times)) as store:
        assert await refused(store)
    assert learned == []


@pytest.mark.parametrize(("ahead", "where"), [(HOUR, "behind"), (-HOUR, "ahead of")])
async def test_a_skewed_clock_is_told_with_its_seconds(
    sick: SickS3, ahead: timedelta, where: str
) -> None:
    """S3 refuses what is signed by a clock too wrong; the sentence says by how much it is."""
    sick.sickness, sick.ahead = Sickness.CLOCK_SKEW, ahead
    words = rf": this machine's clock is (3[56]\d\d) s {where} the store's: set it, and keep it"
    async with open_s3(ACCESS) as store:
        with pytest.raises(StoreError, match=words) as caught:
            await store.put(KEY, THING)
    assert not caught.value.passing
