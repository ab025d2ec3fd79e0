"""Serving the folder store to viewers, over real HTTP."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from yarl import URL

from cctv.errors import CaptureError, ConfigError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.kinds import Endpoint
from cctv.model import Camera, Cycle, Published, StoredObject, Unavailable
from cctv.reasons import WORDS, Reason
from cctv.store.folder import open_folder
from cctv.web.board import Board
from cctv.web.serve import Site, open_site
from tests.fakes.frames import jpeg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CARD = jpeg(1, (32, 24))
FREE = Endpoint("127.0.0.1", 0)
CAMERAS = [
    Camera("9", "Axis", "10.0.0.9"),
    Camera("10", "Axis", "10.0.0.10", "6th <script>alert(1)</script> & Lamar"),
]


@dataclass
class Stand:
    """A running site, its clock in our hand."""

    gallery: Gallery
    board: Board
    client: aiohttp.ClientSession
    address: str
    moment: list[datetime] = field(default_factory=list)

    async def put(self, name: str) -> Frame:
        """Store a live picture, taken now."""
        frame = Frame.of(jpeg(), self.moment[0])
        due = self.moment[0] + timedelta(seconds=300)
        await self.gallery.store.put(self.gallery.key(name), self.gallery.live(name, frame, due))
        return frame


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    """A folder store that is served, with two cameras."""
    moment = [datetime.now(UTC)]
    async with standing(tmp_path, moment, FREE) as found:
        yield found


@asynccontextmanager
async def standing(
    folder: Path, moment: list[datetime], endpoint: Endpoint
) -> AsyncIterator[Stand]:
    """The same, elsewhere."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_folder(folder, lambda: moment[0], 10))
        gallery = Gallery(store, "image/", 300, CARD, lambda: moment[0])
        board = Board()
        site = Site(store, gallery, board, lambda: CAMERAS, ZoneInfo("America/Chicago"))
        address = await stack.enter_async_context(open_site(site, endpoint))
        client = await stack.enter_async_context(aiohttp.ClientSession(address))
        yield Stand(gallery, board, client, address.rstrip("/"), moment)


async def test_picture_comes_with_exactly_its_stored_headers(stand: Stand) -> None:
    """A viewer gets what a CDN over S3 would hand out."""
    frame = await stand.put("9")
    async with stand.client.get("/image/9.jpg") as answer:
        assert answer.status == 200
        assert await answer.read() == frame.body
        headers = answer.headers
    live = stand.gallery.live("9", frame, frame.captured_at + timedelta(seconds=300))
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Cache-Control"] == live.cache_control
    assert parsedate_to_datetime(headers["Expires"]) == live.expires.replace(microsecond=0)
    meta = {name[11:]: text for name, text in headers.items() if name.startswith("x-amz-meta-")}
    assert meta == live.metadata
    assert headers["ETag"].startswith('"')
    assert "Last-Modified" in headers


async def test_head_has_the_same_headers_and_no_body(stand: Stand) -> None:
    """A monitor may look without fetching."""
    await stand.put("9")
    async with stand.client.get("/image/9.jpg") as got, stand.client.head("/image/9.jpg") as had:
        assert had.status == 200
        assert await had.read() == b""
        assert {**got.headers, "Date": ""} == {**had.headers, "Date": ""}


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"If-None-Match": "ETAG"}, 304),
        ({"If-None-Match": '"other", ETAG'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": "LAST"}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": "LAST"}, 200),
    ],
)
async def test_conditional_request(stand: Stand, header: dict[str, str], status: int) -> None:
    """304 costs no bytes; the entity tag outranks the date."""
    await stand.put("9")
    async with stand.client.head("/image/9.jpg") as first:
        values = {"ETAG": first.headers["ETag"], "LAST": first.headers["Last-Modified"]}
    asked = {
        name: text.replace("ETAG", values["ETAG"]).replace("LAST", values["LAST"])
        for name, text in header.items()
    }
    async with stand.client.get("/image/9.jpg", headers=asked) as answer:
        assert answer.status == status
        assert (await answer.read() == b"") == (status == 304)
        assert answer.headers["ETag"] == values["ETAG"]
        assert "Expires" in answer.headers


async def test_withdrawal_within_the_second_is_seen_by_date_too(stand: Stand) -> None:
    """A viewer that compares dates only does not keep the picture of a camera just withdrawn."""
    await stand.put("9")
    async with stand.client.head("/image/9.jpg") as first:
        last = first.headers["Last-Modified"]
    key = stand.gallery.key("9")
    card = stand.gallery.card("9", Reason.REMOVED, stand.moment[0])
    await stand.gallery.store.put(key, card)
    async with stand.client.get("/image/9.jpg", headers={"If-Modified-Since": last}) as answer:
        assert answer.status == 200
        assert await answer.read() == CARD


async def test_picture_past_its_time_is_not_served(stand: Stand) -> None:
    """The daemon's work stood still: the fallback image comes instead, also for a 304 question."""
    await stand.put("9")
    async with stand.client.head("/image/9.jpg") as first:
        etag = first.headers["ETag"]
    stand.moment[0] += timedelta(seconds=451)
    async with stand.client.get("/image/9.jpg", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 200
        assert await answer.read() == CARD
        assert answer.headers["x-amz-meta-state"] == "unavailable"
        assert answer.headers["x-amz-meta-reason"] == "stale"
        expires = parsedate_to_datetime(answer.headers["Expires"])
        assert expires <= stand.moment[0] + timedelta(seconds=60)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/image/9.jpg", "/nothing"])
async def test_other_methods_are_not_allowed(stand: Stand, method: str, path: str) -> None:
    """405 for everything but GET and HEAD, wherever (a city's security office asks for it)."""
    async with stand.client.request(method, path) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", ["/image/nobody.jpg", "/image/10.jpg"])
async def test_address_without_a_picture_shows_the_card_with_404(stand: Stand, path: str) -> None:
    """A page that embeds it shows the fallback image, and a program sees that it is none."""
    async with stand.client.get(path) as answer:
        assert answer.status == 404
        assert await answer.read() == CARD
        assert answer.headers["x-amz-meta-reason"] == "no-picture"


@pytest.mark.parametrize(
    "path", ["/image/../secret.jpg", "/image/%2e%2e/x.jpg", "/image/9.jpg.http", "/private/x"]
)
async def test_nothing_else_is_served(stand: Stand, path: str) -> None:
    """Only the addresses of pictures lead into the folder."""
    async with stand.client.get(path) as answer:
        assert answer.status == 404
        assert answer.content_type == "text/plain"


async def put_sheet(stand: Stand, key: str = "image/status.json") -> StoredObject:
    """Store what the daemon says of its cameras."""
    thing = StoredObject(
        b'{"cameras":{}}', stand.gallery.soon(), {}, "public, must-revalidate", "application/json"
    )
    await stand.gallery.store.put(key, thing)
    return thing


async def test_status_comes_with_exactly_its_stored_headers(stand: Stand) -> None:
    """GET, HEAD and a conditional request, as of a picture."""
    thing = await put_sheet(stand)
    async with stand.client.get("/image/status.json") as answer:
        assert answer.status == 200
        assert await answer.read() == thing.body
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == thing.cache_control
        expires = parsedate_to_datetime(answer.headers["Expires"])
        assert expires == thing.expires.replace(microsecond=0)
        assert not [name for name in answer.headers if name.lower().startswith("x-amz-meta-")]
        tag = {"If-None-Match": answer.headers["ETag"]}
    async with stand.client.head("/image/status.json") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    async with stand.client.get("/image/status.json", headers=tag) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_status_that_is_not_there_is_a_plain_404(stand: Stand) -> None:
    """Neither a card nor JSON: nobody takes it for a fleet without cameras."""
    async with stand.client.get("/image/status.json") as answer:
        assert answer.status == 404
        assert answer.content_type == "text/plain"


@pytest.mark.parametrize(
    "path",
    [
        "/private/holds/x.json",
        "/private/status.json",
        "/image/../private/status.json",
        "/image/%2e%2e/private/status.json",
        "/image/status.json/",
        "/image/status.json.http",
        "/status.json",
        "/image/x/status.json",
        "/private/9.jpg",
    ],
)
async def test_no_other_file_of_the_folder_is_served(stand: Stand, path: str) -> None:
    """What is private stays so, and only one JSON file has an address."""
    for key in ("private/holds/x.json", "private/status.json", "status.json", "private/9.jpg"):
        await put_sheet(stand, key)
    async with stand.client.get(URL(f"{stand.address}{path}", encoded=True)) as answer:
        assert answer.status == 404
        assert "cameras" not in await answer.text()


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"state": "live", "fresh-until": "nonsense"}, "stale"),
        ({"state": "live", "fresh-until": "2999-01-01T00:00:00"}, "stale"),
        ({"state": "live"}, "stale"),
        ({"fresh-until": "nonsense"}, "stale"),
        ({"state": "held", "reason": "held"}, "held"),
        ({}, None),
    ],
)
async def test_labels_that_make_no_sense(
    stand: Stand, labels: dict[str, str], shown: str | None
) -> None:
    """What calls itself live and does not say until when is not shown as a picture of now."""
    thing = StoredObject(jpeg(), stand.gallery.soon(), labels, "public")
    await stand.gallery.store.put("image/9.jpg", thing)
    async with stand.client.get("/image/9.jpg") as answer:
        assert answer.status == 200
        assert answer.headers.get("x-amz-meta-reason") == shown
        assert (await answer.read() == CARD) is (shown == "stale")
        since = answer.headers.get("x-amz-meta-since")
        assert since is None or since.startswith(str(stand.moment[0].year))


async def test_page_tells_ages_and_reasons_in_words(stand: Stand) -> None:
    """In the order people count, in the operator's zone, records' texts made harmless."""
    now = stand.moment[0]
    cycle = Cycle(now, now + timedelta(seconds=300))
    frame = Frame.of(jpeg(), now - timedelta(seconds=42))
    stand.board(Published(CAMERAS[0], cycle, frame))
    stand.board(Unavailable(CAMERAS[1], cycle, CaptureError(Reason.AUTH, "HTTP 401")))
    async with stand.client.get("/") as answer:
        text = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "1 of 2 cameras show a fresh picture" in text
    assert "taken 42 s ago" in text
    assert "The camera refused the username and password." in text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert text.index("/image/9.jpg") < text.index("/image/10.jpg")
    assert "10.0.0." not in text
    assert text.count("CST") + text.count("CDT") == 3


async def test_page_tells_what_is_odd_about_a_picture(stand: Stand) -> None:
    """It counts as fresh, and says why it shows nothing; the next fine one says so no more."""
    now = stand.moment[0]
    cycle = Cycle(now, now + timedelta(seconds=300))
    frame = Frame.of(jpeg(), now)
    odd = frame.flagged(Reason.BLANK).flagged(Reason.FROZEN)
    sentences = [WORDS[reason].sentence for reason in (Reason.BLANK, Reason.FROZEN)]
    for shown, there in ((odd, True), (frame, False)):
        stand.board(Published(CAMERAS[0], cycle, shown))
        async with stand.client.get("/") as answer:
            text = await answer.text()
        assert "1 of 2 cameras show a fresh picture" in text
        assert (f") {' '.join(sentences)}</p>" in text) is there


async def test_page_lets_a_picture_grow_old(stand: Stand) -> None:
    """The store refuses for ten minutes: the page does not go on calling its picture fresh."""
    now = stand.moment[0]
    frame = Frame.of(jpeg(), now)
    stand.board(Published(CAMERAS[0], Cycle(now, now + timedelta(seconds=300)), frame))
    stand.moment[0] += timedelta(seconds=600)
    async with stand.client.get("/") as answer:
        text = await answer.text()
    assert "0 of 2 cameras show a fresh picture" in text
    assert "The last picture is older than a public picture may be." in text


async def test_taken_port_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    """One sentence that names CCTV_HTTP, not a traceback."""
    async with standing(tmp_path, [datetime.now(UTC)], FREE) as found:
        port = URL(found.address).port
        taken = Endpoint("127.0.0.1", port or 0)
        with pytest.raises(ConfigError, match=r"CCTV_HTTP=127.0.0.1:\d+ cannot be listened on"):
            async with standing(tmp_path, [datetime.now(UTC)], taken):
                pass
