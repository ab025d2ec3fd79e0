"""The S3 store before a bucket that is sick in every way we know."""

from __future__ import annotations

import asyncio
import time
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from cctv import PUBLISHER
from cctv.errors import ConfigError, StoreError
from cctv.model import StoredObject
from cctv.names import Names
from cctv.store.s3 import S3Access, open_s3
from cctv.store.s3_line import client_config
from tests.fakes.s3 import (
    BUCKET,
    KEY_ID,
    SECRET,
    TOKEN,
    Sickness,
    SickS3,
    aws_environment,
    free_port,
    header,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

NOON = datetime(2026, 7, 1, 12, 0, 30, 999_000, tzinfo=UTC)
KEY = "image/7.jpg"
ACCESS = S3Access(BUCKET, deadline=20)
# long enough for a server that answers, on a busy machine
HASTY = S3Access(BUCKET, deadline=1)
# generous: real time only ends a test that hangs
LIMIT = 15.0


def thing(expires: datetime = NOON, size: int = 1000) -> StoredObject:
    """A picture as the core puts it."""
    return StoredObject(b"x" * size, expires, {"state": "live"}, "public, must-revalidate")


@pytest.fixture
def in_chicago(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process whose local time is far from UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/Chicago")
        time.tzset()
        yield
    time.tzset()


async def put_once(access: S3Access = ACCESS, stored: StoredObject | None = None) -> None:
    """Open the store, put once, close it."""
    async with open_s3(access) as store:
        await store.put(KEY, stored or thing())


async def fault(access: S3Access = ACCESS, size: int = 1000) -> StoreError:
    """The StoreError of one put."""
    async with asyncio.timeout(LIMIT):
        with pytest.raises(StoreError) as caught:
            await put_once(access, thing(size=size))
    return caught.value


@pytest.mark.parametrize(
    ("sickness", "words", "passing"),
    [
        (Sickness.SLOW_DOWN, "answered HTTP 503 SlowDown", True),
        (Sickness.INTERNAL, "answered HTTP 500 InternalError", True),
        (Sickness.ERROR_200, "answered HTTP 500 InternalError", True),
        (Sickness.REQUEST_TIMEOUT, "answered HTTP 400 RequestTimeout", True),
        (Sickness.ACCESS_DENIED, f"credentials need s3:PutObject on {BUCKET}/{KEY}", False),
        (Sickness.NO_SUCH_BUCKET, "there is no such bucket", False),
        (Sickness.BAD_KEY_ID, "check AWS_ACCESS_KEY_ID", False),
        (Sickness.BAD_SIGNATURE, "check AWS_SECRET_ACCESS_KEY", False),
        (Sickness.EXPIRED_TOKEN, "the credentials have expired", False),
        (Sickness.INVALID_TOKEN, "the session token is not valid", False),
        (Sickness.REQUEST_EXPIRED, "the credentials or the request have expired", False),
        (Sickness.CLOCK_SKEW, "this machine's clock is wrong: set it", False),
        (Sickness.NO_CHECKSUM_400, "AWS_REQUEST_CHECKSUM_CALCULATION=when_required", False),
        (Sickness.NO_CHECKSUM_501, "AWS_REQUEST_CHECKSUM_CALCULATION=when_required", False),
        (Sickness.UNHEARD_OF, "answered HTTP 418 Teapot", False),
        (Sickness.HTML_403, "answered HTTP 403 without a code of S3's", False),
        (Sickness.HTML_200, "the answer has no ETag", True),
        (Sickness.NO_ETAG, "the answer has no ETag", True),
        (Sickness.RESET, "the connection failed: Connection reset by peer", True),
        (Sickness.CLOSE, "closed the connection without an answer", True),
        (Sickness.CUT, "closed the connection without an answer", True),
    ],
)
async def test_each_answer_has_its_words(
    sick: SickS3, sickness: Sickness, words: str, *, passing: bool
) -> None:
    """A technician reads what was found and what to do; the wrapper reads `passing`."""
    sick.sickness = sickness
    error = await fault()
    assert words in str(error)
    assert str(error).startswith(f"S3 bucket {BUCKET} at 127.0.0.1:")
    assert error.passing is passing


@pytest.mark.parametrize("sickness", list(Sickness))
async def test_no_secret_is_in_an_error(sick: SickS3, sickness: Sickness) -> None:
    """Neither key id, nor secret, nor token, even when the server repeats all it was sent."""
    sick.sickness = sickness
    async with open_s3(HASTY) as store:
        try:
            await store.put(KEY, thing())
        except StoreError as error:
            told = "".join(traceback.format_exception(error)) + repr(error)
            assert [secret for secret in (KEY_ID, SECRET, TOKEN) if secret in told] == []
        else:
            assert sickness in {Sickness.OK, Sickness.NO_IF_MATCH}


@pytest.mark.parametrize("sickness", [Sickness.HANG, Sickness.NEVER_100, Sickness.STALLED])
async def test_a_bucket_that_does_not_answer_costs_the_deadline(
    sick: SickS3, sickness: Sickness
) -> None:
    """Neither a silent server nor one that stops reading a big body holds a put any longer."""
    sick.sickness = sickness
    error = await fault(HASTY, size=16_000_000)
    assert str(error).endswith(": no answer in time")
    assert error.passing


async def test_a_closed_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is down is told from one that refuses."""
    for name, value in aws_environment(f"http://127.0.0.1:{free_port()}").items():
        monkeypatch.setenv(name, value)
    error = await fault()
    assert str(error).endswith(": the connection failed: Connection refused")
    assert error.passing


async def test_tls_before_a_plain_port_is_named(
    sick: SickS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TLS failure is a setting to be corrected, not a passing trouble."""
    sick.greeting = b"220 no TLS here\r\n"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", sick.endpoint.replace("http:", "https:"))
    error = await fault()
    assert "TLS failed" in str(error)
    assert not error.passing


async def test_no_credentials_is_said(sick: SickS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without keys is told which ones to set, and nothing is sent."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    error = await fault()
    assert "no credentials: set AWS_ACCESS_KEY_ID" in str(error)
    assert not error.passing
    assert sick.heads == []


async def test_a_login_in_the_endpoint_is_not_told(
    sick: SickS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL with a login never gets into an error, as a text or as its cause."""
    login = f"http://operator:{SECRET}@"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", sick.endpoint.replace("http://", login) + "/")
    error = await fault()
    assert SECRET not in "".join(traceback.format_exception(error))
    assert f"S3 bucket {BUCKET} at 127.0.0.1:" in str(error)


async def test_a_bucket_name_that_is_none_is_said(sick: SickS3) -> None:
    """What botocore refuses before it sends is a StoreError as well."""
    error = await fault(S3Access("no bucket!", deadline=20))
    assert "the bucket's name, the key or a header is not valid" in str(error)
    assert sick.heads == []


async def test_one_put_is_one_request(sick: SickS3) -> None:
    """Only one: botocore does not try again by itself: that is the wrapper's policy."""
    sick.sickness = Sickness.SLOW_DOWN
    await fault()
    assert len(sick.heads) == 1


@pytest.mark.usefixtures("in_chicago")
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/Chicago"), ZoneInfo("Asia/Tokyo")])
async def test_expires_is_right_on_the_wire(sick: SickS3, zone: tzinfo) -> None:
    """The moment is the same whatever the process's time zone or the datetime's is."""
    await put_once(stored=thing(NOON.astimezone(zone)))
    assert header(sick.heads[0], "Expires") == "Wed, 01 Jul 2026 12:00:30 GMT"


async def test_a_time_without_a_zone_is_a_bug(sick: SickS3) -> None:
    """A naive datetime is never guessed at."""
    with pytest.raises(ValueError, match="no time zone"):
        await put_once(stored=thing(NOON.replace(tzinfo=None)))
    assert sick.heads == []


async def test_what_is_on_the_wire(sick: SickS3) -> None:
    """One plain PUT with our headers, and no `Expect` that a server could leave unanswered."""
    await put_once()
    (head,) = sick.heads
    assert head.startswith(f"PUT /{BUCKET}/{KEY} HTTP/1.1\r\n")
    assert header(head, "Expect") is None
    assert header(head, "Content-Type") == "image/jpeg"
    assert header(head, "Content-Length") == "1000"
    assert header(head, "Cache-Control") == "public, must-revalidate"
    assert header(head, "x-amz-meta-state") == "live"
    assert PUBLISHER in str(header(head, "User-Agent"))


@pytest.mark.parametrize(("chosen", "used"), [(None, "us-east-2"), ("eu-west-1", "eu-west-1")])
async def test_the_region_is_the_chains_or_ours(
    sick: SickS3, monkeypatch: pytest.MonkeyPatch, chosen: str | None, used: str
) -> None:
    """Without any region setting the signature is for us-east-2."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    if chosen:
        monkeypatch.setenv("AWS_DEFAULT_REGION", chosen)
    await put_once()
    assert f"/{used}/s3/aws4_request" in str(header(sick.heads[0], "Authorization"))


async def test_the_client_lives_on_after_a_cancelled_put(sick: SickS3) -> None:
    """A put that is broken off stays cancelled, and the next one works."""
    sick.sickness = Sickness.HANG
    async with open_s3(ACCESS) as store:
        putting = asyncio.create_task(store.put(KEY, thing()))
        await sick.asked.wait()
        putting.cancel()
        await asyncio.wait([putting])
        assert putting.cancelled()
        sick.sickness = Sickness.OK
        await store.put(KEY, thing())


async def test_the_client_lives_on_after_every_sickness(sick: SickS3) -> None:
    """One client for the program's life: no answer leaves it unusable."""
    async with open_s3(HASTY) as store:
        for sickness in Sickness:
            sick.sickness = sickness
            await asyncio.gather(store.put(KEY, thing()), return_exceptions=True)
        sick.sickness = Sickness.OK
        await store.put(KEY, thing())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_PROFILE", "nobody", "AWS_PROFILE: there is no such profile"),
        ("AWS_ENDPOINT_URL_S3", "minio", "AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL: not a URL"),
        ("AWS_DEFAULT_REGION", "us east!", "AWS_DEFAULT_REGION: not a region"),
        (
            "AWS_SECRET_ACCESS_KEY",
            None,
            "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set without the other",
        ),
    ],
)
@pytest.mark.usefixtures("sick")
async def test_settings_that_make_no_client_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, words: str
) -> None:
    """A wrong AWS variable ends the start with its name, before the first picture."""
    monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        await put_once()
    assert caught.value.faults == (words,)


async def test_the_clients_limits() -> None:
    """No wait without a limit, no second try, and lookups in threads of our own."""
    config = client_config()
    assert isinstance(config.connector_args["resolver"], Names)
    assert (config.connect_timeout, config.read_timeout) == (5, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert config.max_pool_connections == 64


@pytest.mark.parametrize("sickness", [Sickness.NO_CHECKSUM_400, Sickness.NO_CHECKSUM_501])
async def test_an_endpoint_without_checksums_works_with_the_setting(
    sick: SickS3, monkeypatch: pytest.MonkeyPatch, sickness: Sickness
) -> None:
    """What the refusal's sentence tells to set is what helps."""
    sick.sickness = sickness
    await fault()
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    await put_once()
    told = [
        [line for line in head.lower().splitlines() if "checksum" in line] for head in sick.heads
    ]
    assert [bool(lines) for lines in told] == [True, False]


# a server that does not read on sees no end of the connection either: without NEVER_100
@pytest.mark.parametrize("sickness", [s for s in Sickness if s is not Sickness.NEVER_100])
async def test_nothing_is_left_of_a_put(sick: SickS3, sickness: Sickness) -> None:
    """However a put ended: once the store is closed there is no task and no connection of it."""
    before = asyncio.all_tasks()
    sick.sickness = sickness
    async with open_s3(HASTY) as store:
        await asyncio.gather(store.put(KEY, thing()), return_exceptions=True)
    async with asyncio.timeout(LIMIT):
        await sick.quiet.wait()
        await _gone(before)


async def _gone(before: set[asyncio.Task[object]]) -> None:
    """Wait for what the end of a connection still has to do."""
    while left := asyncio.all_tasks() - before:
        await asyncio.wait(left)
