"""What a viewer sees, before real servers that answer in every way a CDN does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from cctv import PUBLISHER
from cctv.cdn.viewer import open_viewer
from cctv.gallery import Gallery
from cctv.proof import Sight
from cctv.store.memory import MemoryStore
from tests.fakes.camera import self_signed
from tests.fakes.frames import jpeg
from tests.fakes.s3 import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

CARD = jpeg(1, (32, 24))
PICTURE = jpeg()
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STATE = "x-amz-meta-state"
LATER = "Sun, 01 Mar 2026 12:05:15 GMT"
OFF_AIR = Sight(picture=False)
# generous: real time only ends a test that hangs
LIMIT = 15.0

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def gallery() -> Gallery:
    """The gallery whose card is looked for, at noon."""
    return Gallery(MemoryStore(), "image/", 300.0, CARD, lambda: NOON)


def answer(
    body: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    kind: str = "image/jpeg",
) -> web.Response:
    """An answer."""
    return web.Response(body=body, status=status, headers=headers, content_type=kind)


@dataclass(slots=True)
class Cdn:
    """A server with one answer for each camera; the card stands at its own address."""

    answers: dict[str, Answer] = field(default_factory=dict)
    heads: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.heads.append(request)
        if made := self.answers.get(request.path):
            return await made(request)
        return answer(b"nothing here", 404, kind="text/html")

    def show(self, name: str, made: web.Response) -> None:
        """Give the same answer for one camera, again and again."""

        async def again(_: web.Request) -> web.Response:
            return web.Response(body=made.body, status=made.status, headers=made.headers)

        self.answers[f"/image/{name}.jpg"] = again

    async def see(self, name: str = "12", deadline: float = LIMIT) -> Sight:
        """What a viewer sees there."""
        async with (
            asyncio.timeout(LIMIT),
            open_viewer(self.url, gallery(), deadline=deadline) as viewer,
        ):
            return await viewer.see(name)

    async def see_instead(self, made: web.Response) -> Sight:
        """What a viewer sees where this is answered."""
        self.show("12", made)
        return await self.see()


@asynccontextmanager
async def serving(cdn: Cdn, tls: ssl.SSLContext | None = None) -> AsyncIterator[Cdn]:
    """The CDN on a free loopback port."""
    application = web.Application()
    application.router.add_get("/{path:.*}", cdn.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        cdn.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield cdn
    finally:
        await runner.cleanup()


@pytest.fixture
async def cdn() -> AsyncIterator[Cdn]:
    """A CDN that shows the card at the card's own address."""
    cdn = Cdn()
    cdn.show("unavailable", answer(CARD))
    async with serving(cdn):
        yield cdn


@pytest.fixture
def in_chicago(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process whose local time is far from UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/Chicago")
        time.tzset()
        yield
    time.tzset()


async def test_card_is_no_picture(cdn: Cdn) -> None:
    """The same bytes, whatever the headers say of them."""
    assert await cdn.see_instead(answer(CARD)) == OFF_AIR
    assert await cdn.see_instead(answer(CARD, headers={STATE: "live"})) == OFF_AIR


@pytest.mark.parametrize("state", ["held", "unavailable", "unpublished"])
async def test_other_card_is_known_by_its_state(cdn: Cdn, state: str) -> None:
    """Also one of other bytes, larger or smaller than the card that is known here."""
    for body in (b"x", PICTURE * 9):
        assert await cdn.see_instead(answer(body, headers={STATE: state})) == OFF_AIR


@pytest.mark.parametrize(
    "body",
    [PICTURE, CARD + b"x", CARD[:-1], CARD[:-1] + b"x", b""],
    ids=["a picture", "longer", "shorter", "another", "empty"],
)
@pytest.mark.parametrize("headers", [{STATE: "live"}, {STATE: ""}, {}])
async def test_all_else_may_be_a_picture(cdn: Cdn, body: bytes, headers: Mapping[str, str]) -> None:
    """One byte makes another image; an object of an earlier program has no state."""
    assert await cdn.see_instead(answer(body, headers=headers)) == Sight(picture=True)


async def test_page_is_no_image(cdn: Cdn) -> None:
    """A firewall's question with status 200 is neither a picture nor proof that there is none."""
    seen = await cdn.see_instead(answer(b"<html>are you a robot?", kind="text/html"))
    assert seen == Sight(picture=True, trouble="answered something that is no image")


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_nothing_there_is_no_picture(cdn: Cdn, status: int) -> None:
    """Also with the card as the error's page, as CloudFront is set to answer."""
    assert await cdn.see_instead(answer(b"no such key", status, kind="text/xml")) == OFF_AIR
    assert await cdn.see_instead(answer(CARD, status)) == OFF_AIR


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_refused_viewer_has_seen_nothing(cdn: Cdn, status: int) -> None:
    """A firewall that refuses this viewer everything shows the others what stands there."""
    body = CARD if status != 200 else b"<html>are you a robot?"
    cdn.show("unavailable", answer(body, status, {STATE: "unavailable"}))
    found = "answered HTTP 404, and does not show the card at its own address either"
    seen = await cdn.see_instead(answer(CARD, 404, {STATE: "unavailable"}))
    assert seen == Sight(picture=True, trouble=found)


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("target", ["/image/unavailable.jpg", "unavailable.jpg", "{own}"])
async def test_sent_to_the_card_is_no_picture(cdn: Cdn, status: int, target: str) -> None:
    """The edge function's answer for a picture that is too old; it is not followed."""
    place = target.format(own=f"{cdn.url}/image/unavailable.jpg")
    assert await cdn.see_instead(answer(b"too old", status, {"Location": place})) == OFF_AIR
    assert len(cdn.heads) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/image/13.jpg",
        "/login?to=/image/unavailable.jpg",
        "https://portal.example/image/unavailable.jpg",
        "//portal.example/unavailable.jpg",
        "/notunavailable.jpg",
        "http://[",
        "",
    ],
)
async def test_sent_elsewhere_is_no_proof(cdn: Cdn, target: str) -> None:
    """Another host, another address, or no address at all."""
    seen = await cdn.see_instead(answer(b"", 302, {"Location": target}))
    assert seen == Sight(picture=True, trouble="HTTP 302 sends elsewhere: check CCTV_PUBLIC_URL")


@pytest.mark.parametrize("status", [204, 429, 500, 503])
async def test_trouble_is_no_proof(cdn: Cdn, status: int) -> None:
    """A CDN that cannot answer may show the picture in a moment, or to somebody else."""
    seen = await cdn.see_instead(answer(b"", status))
    assert seen == Sight(picture=True, trouble=f"answered HTTP {status}")


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"Expires": LATER}, NOON + timedelta(seconds=315)),
        ({"Expires": "Sunday, 01-Mar-26 12:05:15 GMT"}, NOON + timedelta(seconds=315)),
        ({"Expires": "Sun, 01 Mar 2026 06:05:15 -0600"}, NOON + timedelta(seconds=315)),
        ({"Expires": "Sun, 01 Mar 2026 12:05:15 -0000"}, NOON + timedelta(seconds=315)),
        ({"Expires": "0"}, None),
        ({"Expires": "-1"}, None),
        ({"Expires": "soon"}, None),
        ({"Expires": "Sun, 99 Mar 2026 12:05:15 GMT"}, None),
        ({"Expires": "Fri, 31 Dec 9999 23:59:59 -1200"}, None),
        ({}, None),
        ({"Cache-Control": "max-age=60"}, NOON + timedelta(seconds=60)),
        ({"Cache-Control": "public, MAX-AGE = 60"}, NOON + timedelta(seconds=60)),
        ({"Cache-Control": "max-age=60", "Age": "20"}, NOON + timedelta(seconds=40)),
        ({"Cache-Control": "max-age=60", "Age": "90"}, NOON),
        ({"Cache-Control": "max-age=60", "Age": "old"}, NOON + timedelta(seconds=60)),
        ({"Cache-Control": "max-age=60, s-maxage=90"}, NOON + timedelta(seconds=90)),
        ({"Cache-Control": "s-maxage=90,max-age=60"}, NOON + timedelta(seconds=90)),
        ({"Cache-Control": "max-age=60", "Expires": LATER}, NOON + timedelta(seconds=315)),
        ({"Cache-Control": "max-age=600", "Expires": LATER}, NOON + timedelta(seconds=600)),
        ({"Cache-Control": "public, stale-if-error=0, x-max-age=60"}, None),
        ({"Cache-Control": "max-age=" + "9" * 40}, NOON + timedelta(days=3650)),
    ],
)
@pytest.mark.usefixtures("in_chicago")
async def test_until_when_it_may_be_kept(
    cdn: Cdn, headers: Mapping[str, str], until: datetime | None
) -> None:
    """The latest moment that any cache may read out of the headers; garbage says nothing."""
    assert await cdn.see_instead(answer(PICTURE, headers=headers)) == Sight(
        picture=True, until=until
    )


async def test_silence_ends_at_the_deadline(cdn: Cdn) -> None:
    """Before the head, or in the middle of the body."""

    async def before(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    async def amid(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(CARD))})
        await response.prepare(request)
        await response.write(CARD[:9])
        await asyncio.Event().wait()
        return response

    for cdn.answers["/image/12.jpg"] in (before, amid):
        seen = await cdn.see(deadline=0.3)
        assert seen == Sight(picture=True, trouble="no answer in time")


async def test_torn_card_is_no_proof(cdn: Cdn) -> None:
    """Fewer bytes than were promised are not the card, and say nothing."""

    async def torn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(CARD))})
        await response.prepare(request)
        await response.write(CARD[:9])
        assert request.transport
        request.transport.close()
        return response

    cdn.answers["/image/12.jpg"] = torn
    assert await cdn.see() == Sight(picture=True, trouble="the answer was cut off")


async def test_long_answer_is_not_read(cdn: Cdn) -> None:
    """An answer without an end is seen to be no card, and left."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Expires": LATER})
        response.content_type = "image/jpeg"
        await response.prepare(request)
        while True:
            await response.write(PICTURE)

    cdn.answers["/image/12.jpg"] = endless
    assert await cdn.see() == Sight(picture=True, until=NOON + timedelta(seconds=315))


async def talk(say: bytes) -> str:
    """What is seen where a server says this and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(say)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_viewer(f"http://user:canary@127.0.0.1:{port}", gallery()) as viewer:
            seen = await viewer.see("12")
    assert seen.picture
    return seen.trouble


async def test_no_http_has_words_without_a_login() -> None:
    """What was found, never the URL."""
    assert await talk(b"") == "the connection was closed without an answer"
    assert await talk(b"220 smtp\r\n\r\n") == "answered something that is not HTTP"
    long = b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
    assert await talk(long) == "answered something that is not HTTP"


async def test_no_connection_has_words() -> None:
    """A port nobody listens on, a name nobody knows, and an address that is none."""
    for url, words in (
        (f"http://127.0.0.1:{free_port()}", "connection failed: Connection refused"),
        ("http://user:canary@cdn.invalid", "its name is not known"),
        ("http://", "no address: check CCTV_PUBLIC_URL"),
    ):
        async with open_viewer(url, gallery()) as viewer:
            assert await viewer.see("12") == Sight(picture=True, trouble=words)


async def test_foreign_certificate_is_no_proof(tmp_path: Path) -> None:
    """Whoever answers with a certificate that nobody vouches for is not believed."""
    async with serving(Cdn(), self_signed(tmp_path)) as cdn:
        seen = await cdn.see()
        assert seen == Sight(picture=True, trouble="its certificate is refused")
        cdn.url = cdn.url.replace("https", "http")
        assert (await cdn.see()).trouble in {
            "answered HTTP 400",
            "the connection was closed without an answer",
        }


async def test_it_asks_as_viewers_do(cdn: Cdn) -> None:
    """The public address itself: no query, no order to caches, no cookie, no condition."""
    cdn.show("12", answer(PICTURE, headers={"Set-Cookie": "who=me", "ETag": '"1"'}))
    # by a name: nobody keeps the cookies of a number
    async with open_viewer(cdn.url.replace("127.0.0.1", "localhost"), gallery()) as viewer:
        for _ in range(2):
            await viewer.see("12")
    for head in cdn.heads:
        assert head.path_qs == "/image/12.jpg"
        assert head.headers["Accept-Encoding"] == "identity"
        assert head.headers["User-Agent"] == PUBLISHER
        other = {"Host", "Accept", "Accept-Encoding", "User-Agent"}
        assert set(head.headers) <= other


async def test_base_may_have_a_path(cdn: Cdn) -> None:
    """A CDN shared with others has one; the card's own address is under it too."""
    for name in ("12", "unavailable"):
        cdn.answers[f"/a b/image/{name}.jpg"] = cdn.answers["/image/unavailable.jpg"]
    cdn.url += "/a b"
    assert await cdn.see() == OFF_AIR
    assert await cdn.see("13") == OFF_AIR


async def test_proxies_are_not_heeded(cdn: Cdn, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's environment says of proxies is not for this."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert await cdn.see_instead(answer(CARD)) == OFF_AIR
