"""Asking CloudFront to forget: before moto's real server, and before one that is sick."""

from __future__ import annotations

import asyncio
import secrets
import traceback
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from aiobotocore.session import get_session
from moto.server import ThreadedMotoServer

from cctv.cdn.invalidate import invalidate
from cctv.proof import ProofError
from tests.fakes.s3 import KEY_ID, SECRET, TOKEN, aws_environment, free_port, header

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

DISTRIBUTION = "E2CANARY000000"
KEYS = ["image/12.jpg", "image/13.jpg"]
DONE = (
    "<Invalidation><Id>I2J0I21PCUYOIK</Id><Status>InProgress</Status></Invalidation>",
    "201 Created",
)
HTML = "<html><body>Sign in to the guest network</body></html>"
# generous: real time only ends a test that hangs
LIMIT = 30.0


def lead_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every AWS client of this process use an endpoint, with canaries for credentials."""
    environment = aws_environment("http://127.0.0.1:1")
    environment |= {"AWS_ENDPOINT_URL_CLOUDFRONT": endpoint, "AWS_SESSION_TOKEN": TOKEN}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The endpoint of moto's server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
async def client(moto: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """CloudFront's own client, for what the program itself never does."""
    lead_to(moto, monkeypatch)
    async with get_session().create_client("cloudfront", region_name="us-east-1") as client:
        yield client


async def a_distribution(client: Any) -> str:  # noqa: ANN401 - the library's has no type
    """The id of a new distribution."""
    origin = {
        "Id": "bucket",
        "DomainName": "public-images.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    made = await client.create_distribution(
        DistributionConfig={
            "CallerReference": secrets.token_hex(),
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "bucket",
                "ViewerProtocolPolicy": "https-only",
            },
        }
    )
    return str(made["Distribution"]["Id"])


async def ordered(client: Any, distribution: str, keys: Sequence[str]) -> tuple[list[str], str]:  # noqa: ANN401
    """The paths and the reference that CloudFront has of an order for these keys."""
    found = await invalidate(distribution, keys, "image/")
    reply = await client.get_invalidation(DistributionId=distribution, Id=found)
    batch = reply["Invalidation"]["InvalidationBatch"]
    assert batch["Paths"]["Quantity"] == len(batch["Paths"]["Items"])
    return batch["Paths"]["Items"], batch["CallerReference"]


async def test_few_keys_are_single_paths(client: Any) -> None:  # noqa: ANN401
    """CloudFront knows the order by its id, takes each path once, and none for another order."""
    distribution = await a_distribution(client)
    paths, reference = await ordered(client, distribution, [*KEYS, "image/é 1.jpg", KEYS[0]])
    assert paths == ["/image/12.jpg", "/image/13.jpg", "/image/%C3%A9%201.jpg"]
    _, another = await ordered(client, distribution, KEYS)
    assert another != reference


async def test_many_keys_are_one_path(client: Any) -> None:  # noqa: ANN401
    """Fifteen single ones at most: each path costs, and CloudFront bears three thousand at once."""
    distribution = await a_distribution(client)
    keys = [f"image/{number}.jpg" for number in range(16)]
    paths, _ = await ordered(client, distribution, keys[:15])
    assert paths == [f"/{key}" for key in keys[:15]]
    paths, _ = await ordered(client, distribution, keys)
    assert paths == ["/image/*"]


async def test_no_such_distribution(client: Any) -> None:  # noqa: ANN401
    """The words name the setting."""
    del client
    with pytest.raises(ProofError, match="there is no such distribution: check CCTV_DISTRIB"):
        await invalidate(DISTRIBUTION, KEYS, "image/")


@dataclass(slots=True)
class SickCloudFront:
    """A server that gives one answer to all, or none; `heads` and `bodies` are what it was sent."""

    answer: tuple[str, str] | None = DONE
    endpoint: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, once."""
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(int(header(head, "content-length") or 0)))
            if self.answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(_raw(*self.answer, head))


def _raw(body: str, status: str, head: str) -> bytes:
    """The whole answer; nothing where there is no status."""
    body = body.replace("ECHO", " ".join(head.split()))
    length = f"Content-Length: {len(body)}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{length}\r\n\r\n{body}".encode() if status else b""


@asynccontextmanager
async def sick_cloudfront() -> AsyncIterator[SickCloudFront]:
    """The sick server on a free loopback port; its connections end with it."""
    sick = SickCloudFront()
    talks: set[asyncio.Task[None]] = set()

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(sick.serve(reader, writer), name="sick cloudfront"))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sick.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield sick
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


@pytest.fixture
async def sick(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SickCloudFront]:
    """The sick server, which every AWS variable leads to."""
    async with sick_cloudfront() as server:
        lead_to(server.endpoint, monkeypatch)
        yield server


async def fault(deadline: float = LIMIT) -> str:
    """The words of a ProofError; neither they nor the traceback hold a secret."""
    async with asyncio.timeout(LIMIT):
        with pytest.raises(ProofError) as caught:
            await invalidate(DISTRIBUTION, KEYS, "image/", deadline)
    trace = "".join(traceback.format_exception(caught.value))
    assert not any(canary in trace for canary in (KEY_ID, SECRET, TOKEN))
    words = str(caught.value)
    assert words.startswith(f"CloudFront distribution {DISTRIBUTION}: ")
    return words.partition(": ")[2]


def refusal(code: str, status: str = "403 Forbidden") -> tuple[str, str]:
    """CloudFront's way of saying no, which repeats what it was sent."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>ECHO</Message></Error>"
    return f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>", status


NEEDED = "the credentials need cloudfront:CreateInvalidation on distribution E2CANARY000000"
FOREIGN = "answered something that is not CloudFront: check AWS_ENDPOINT_URL_CLOUDFRONT"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal("AccessDenied"), f"access denied: {NEEDED}"),
        (
            refusal("NoSuchDistribution", "404 Not Found"),
            (
                "there is no such distribution: check CCTV_DISTRIBUTION_ID and whose account the"
                " credentials are of"
            ),
        ),
        (
            refusal("TooManyInvalidationsInProgress", "400 Bad Request"),
            "too many invalidations are in progress: order it again in some minutes",
        ),
        (refusal("ExpiredToken"), "the credentials have expired: renew them"),
        (
            refusal("InvalidClientTokenId"),
            "the access key is not known: check AWS_ACCESS_KEY_ID",
        ),
        (
            refusal("SignatureDoesNotMatch"),
            "the signature does not match: check AWS_SECRET_ACCESS_KEY and this machine's clock",
        ),
        (refusal("Teapot", "418 I'm a teapot"), "answered HTTP 418 Teapot"),
        (refusal("<!-- -->", "403 Forbidden"), "answered HTTP 403 without a code of CloudFront's"),
        ((HTML, "403 Forbidden"), "answered HTTP 403 without a code of CloudFront's"),
        ((HTML, "200 OK"), FOREIGN),
        (("<html><p>not XML", "200 OK"), FOREIGN),
        (("", "201 Created"), FOREIGN),
        (("<Invalidation></Invalidation>", "201 Created"), FOREIGN),
    ],
)
async def test_each_answer_has_its_words(
    sick: SickCloudFront, answer: tuple[str, str], words: str
) -> None:
    """A technician reads what was found and what to do."""
    sick.answer = answer
    assert await fault() == words
    assert len(sick.heads) == 1


async def test_passing_trouble_is_tried_again_as_one_order(sick: SickCloudFront) -> None:
    """Three times, each with the same reference, so that CloudFront takes it for one order."""
    sick.answer = refusal("ServiceUnavailable", "503 Service Unavailable")
    assert await fault() == "answered HTTP 503 ServiceUnavailable"
    assert len(set(sick.bodies)) == 1
    assert len(sick.bodies) == 3


async def test_closed_without_an_answer(sick: SickCloudFront) -> None:
    """A connection that ends tells what it was."""
    sick.answer = ("", "")
    assert await fault() == "closed the connection without an answer"


async def test_silence_ends_at_the_deadline(sick: SickCloudFront) -> None:
    """Within the seconds that were given, retries and all; nothing is left of it."""
    sick.answer = None
    tasks = asyncio.all_tasks()
    assert await fault(deadline=0.5) == "no answer in time"
    ours = {task for task in asyncio.all_tasks() - tasks if task.get_name() != "sick cloudfront"}
    assert not ours


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words for it, too."""
    lead_to(f"http://127.0.0.1:{free_port()}", monkeypatch)
    assert await fault() == "the connection failed"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"AWS_PROFILE": "canary"}, "AWS_PROFILE: there is no such profile"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
        ),
        (
            {"AWS_ENDPOINT_URL_CLOUDFRONT": "not a URL"},
            "AWS settings: check profile, role, AWS_ENDPOINT_URL_CLOUDFRONT and clock",
        ),
    ],
)
async def test_settings_of_no_use(
    sick: SickCloudFront,
    settings: Mapping[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They show when the order is given, not before."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert await fault() == words
    assert not sick.heads


async def test_cancelled(sick: SickCloudFront) -> None:
    """A cancellation goes through."""
    sick.answer = None
    order = asyncio.create_task(invalidate(DISTRIBUTION, KEYS, "image/"), name="order")
    async with asyncio.timeout(LIMIT):
        while not sick.heads:  # noqa: ASYNC110 - the server has nothing to wait for
            await asyncio.sleep(0.01)
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order


async def test_what_is_sent(sick: SickCloudFront) -> None:
    """One signed order with its paths; and nothing at all where there is nothing to forget."""
    assert await invalidate(DISTRIBUTION, [], "image/") == ""
    assert not sick.heads
    assert await invalidate(DISTRIBUTION, KEYS, "image/") == "I2J0I21PCUYOIK"
    assert sick.heads[0].startswith(f"POST /2020-05-31/distribution/{DISTRIBUTION}/invalidation ")
    batch = ET.fromstring(sick.bodies[0])  # noqa: S314 - our own
    assert [path.text for path in batch.iterfind(".//{*}Path")] == [f"/{key}" for key in KEYS]
