"""The S3 store before a sick bucket: reading, listing, comparing, erasing."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError
from cctv.model import Listed, StoredObject
from cctv.store.s3 import S3Access, open_s3
from tests.fakes.s3 import BUCKET, KEY_ID, SECRET, TOKEN, Sickness, SickS3, header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cctv.seams import Archive

    Verb = Callable[[Archive], Awaitable[object]]

NOON = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
KEY = "image/7.jpg"
TARGET = f"{BUCKET}/{KEY}"
THING = StoredObject(b"picture", NOON, {"state": "live"}, "public")
SEEN = Listed(KEY, "0123456789abcdef0123456789abcdef", NOON)
ACCESS = S3Access(BUCKET, deadline=20)
# long enough for a server that answers, on a busy machine
HASTY = S3Access(BUCKET, deadline=1)
# generous: real time only ends a test that hangs
LIMIT = 15.0

VERBS: dict[str, Verb] = {
    "put": lambda store: store.put(KEY, THING),
    "replace": lambda store: store.replace(SEEN, THING),
    "erase": lambda store: store.erase(KEY),
    "get": lambda store: store.get(KEY),
    "labels": lambda store: store.labels(KEY),
    "listed": lambda store: store.listed("image/"),
}
READING = (
    f"s3:GetObject on {TARGET}, and s3:ListBucket on {BUCKET}, to be told when nothing is there"
)
RIGHTS = {
    "put": f"s3:PutObject on {TARGET}",
    "replace": f"s3:PutObject and s3:GetObject on {TARGET}",
    "erase": f"s3:DeleteObject on {TARGET}",
    "get": READING,
    "labels": READING,
    "listed": f"s3:ListBucket on {BUCKET}",
}


async def said(verb: str, access: S3Access = ACCESS) -> object:
    """What one call returns, of a store that is opened for it."""
    async with asyncio.timeout(LIMIT), open_s3(access) as store:
        return await VERBS[verb](store)


async def fault(verb: str, access: S3Access = ACCESS) -> StoreError:
    """The StoreError of one call."""
    with pytest.raises(StoreError) as caught:
        await said(verb, access)
    return caught.value


@pytest.mark.parametrize("verb", VERBS)
async def test_the_right_that_is_missing_is_named(sick: SickS3, verb: str) -> None:
    """An operator reads which right on which target to grant, and nothing secret."""
    sick.sickness = Sickness.ACCESS_DENIED
    error = await fault(verb)
    assert str(error).endswith(f": access denied: the credentials need {RIGHTS[verb]}")
    assert not error.passing
    told = "".join(traceback.format_exception(error)) + repr(error)
    assert [secret for secret in (KEY_ID, SECRET, TOKEN) if secret in told] == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("sickness", [Sickness.HANG, Sickness.NEVER_100])
async def test_every_call_ends_within_its_deadline(
    sick: SickS3, sickness: Sickness, verb: str
) -> None:
    """A bucket that does not answer costs a passing StoreError."""
    sick.sickness = sickness
    error = await fault(verb, HASTY)
    assert str(error).endswith(": no answer in time")
    assert error.passing


async def test_a_body_that_stalls_costs_the_deadline(sick: SickS3) -> None:
    """The deadline is the whole read's, not the answer's first line."""
    sick.sickness = Sickness.STALLED
    assert str(await fault("get", HASTY)).endswith(": no answer in time")


async def test_a_body_that_is_cut_is_no_object(sick: SickS3) -> None:
    """Half a picture is never taken for one; asking again may help."""
    sick.sickness = Sickness.CUT
    error = await fault("get")
    assert str(error).endswith(": the answer broke off or was damaged")
    assert error.passing


@pytest.mark.parametrize("verb", VERBS)
async def test_a_guest_network_is_no_bucket(sick: SickS3, verb: str) -> None:
    """A page with status 200 is neither an object, nor an empty list, nor a confirmation."""
    sick.sickness = Sickness.HTML_200
    assert "check the endpoint" in str(await fault(verb))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "labels"])
async def test_a_bucket_that_is_not_there_is_a_fault(sick: SickS3, verb: str) -> None:
    """It is told from a key that nothing stands under, wherever the answer has words."""
    sick.sickness = Sickness.NO_SUCH_BUCKET
    assert "there is no such bucket" in str(await fault(verb))


@pytest.mark.parametrize("verb", ["get", "labels"])
async def test_nothing_there_is_none(sick: SickS3, verb: str) -> None:
    """S3's 404, with words or without, is no failure."""
    sick.sickness = Sickness.NO_SUCH_KEY
    assert await said(verb) is None


@pytest.mark.parametrize("sickness", [Sickness.OUTRUN, Sickness.CONFLICT, Sickness.NO_SUCH_KEY])
async def test_who_was_quicker_stays(sick: SickS3, sickness: Sickness) -> None:
    """Another object, one on its way, or none by now: False, after one request."""
    sick.sickness = sickness
    assert await said("replace") is False
    (head,) = sick.heads
    assert header(head, "If-Match") == f'"{SEEN.etag}"'


async def test_a_store_that_cannot_compare_gets_a_plain_put(sick: SickS3) -> None:
    """501 for the comparison: the object goes up without it."""
    sick.sickness = Sickness.NO_IF_MATCH
    assert await said("replace") is True
    assert [header(head, "If-Match") for head in sick.heads] == [f'"{SEEN.etag}"', None]


async def test_a_replacement_names_the_checksum_setting_too(sick: SickS3) -> None:
    """Where the plain put is refused with 501 as well, the comparison was not the reason."""
    sick.sickness = Sickness.NO_CHECKSUM_501
    assert "AWS_REQUEST_CHECKSUM_CALCULATION=when_required" in str(await fault("replace"))
    assert len(sick.heads) == 2


async def test_other_refusals_of_a_replacement_are_faults(sick: SickS3) -> None:
    """A busy store has not told who was quicker."""
    sick.sickness = Sickness.SLOW_DOWN
    assert (await fault("replace")).passing


@pytest.mark.parametrize("verb", VERBS)
async def test_nothing_is_left_of_a_call_that_hung(sick: SickS3, verb: str) -> None:
    """No task and no connection, once the store is closed."""
    before = asyncio.all_tasks()
    sick.sickness = Sickness.HANG
    await fault(verb, HASTY)
    async with asyncio.timeout(LIMIT):
        await sick.quiet.wait()
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)


async def test_a_cancelled_read_leaves_the_client_alive(sick: SickS3) -> None:
    """It stays cancelled, and the next call works."""
    sick.sickness = Sickness.HANG
    async with open_s3(ACCESS) as store:
        reading = asyncio.create_task(store.labels(KEY))
        await sick.asked.wait()
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
        sick.sickness = Sickness.OK
        assert await store.labels(KEY) == {}
