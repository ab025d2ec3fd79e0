"""What each way of answering comes to: a frame, or exactly one reason and plain words."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from cctv.drivers.bylibrary import ByLibrary
from cctv.errors import CaptureError
from cctv.model import Camera, Login, Secret
from cctv.names import Names
from cctv.reasons import Reason
from tests.fakes.camera import (
    LOOPBACK,
    NOW,
    PICTURE,
    Answer,
    Link,
    head,
    opened_driver,
    refusal,
    reply,
    scripted,
    self_signed,
    shot,
)

if TYPE_CHECKING:
    from pathlib import Path

    from cctv.drivers.http import HttpDriver

PASSWORD = "s3cret:@%#&+ ü"
LOGIN = Login("viewer", Secret(PASSWORD))
BASIC = 'Basic realm="cam"'
DIGEST = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5'
SHA256 = 'Digest realm="cam", nonce="def", qop="auth", algorithm=SHA-256'
DHAV = b"dhav\x12\x34\x56\x78"
HALF = PICTURE[: len(PICTURE) // 2]
SIZE = f"Content-Length: {len(PICTURE)}"
TEXT = "Content-Type: text/html"
JPEG = "Content-Type: image/jpeg"
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
OLD = "HTTP/1.0"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


CHUNKED = head("Transfer-Encoding: chunked")

WHOLE: dict[str, Answer] = {
    "right length": (reply(JPEG),),
    "length too long, then closed": (reply(more=48), Link.CLOSE),
    "length too long, then kept open": (reply(more=48), Link.HANG),
    "length too long, then reset": (reply(more=48), Link.RESET),
    "length too long behind a trailer, kept open": (reply(body=PICTURE + DHAV, more=48), Link.HANG),
    "trailer within the length": (reply(body=PICTURE + DHAV),),
    "HTTP/1.0 without length": (head(version=OLD) + PICTURE, Link.CLOSE),
    "HTTP/1.1 without length": (head() + PICTURE, Link.CLOSE),
    "leading blank line": (reply(body=b"\r\n" + PICTURE),),
    "called HTML": (reply(TEXT),),
    "no type": (reply(),),
    "called a stream": (reply("Content-Type: multipart/x-mixed-replace"),),
    "chunked": (CHUNKED + chunk(PICTURE[:9]) + chunk(PICTURE[9:]) + b"0\r\n\r\n",),
    "chunked without an end": (CHUNKED + chunk(PICTURE), Link.CLOSE),
    "in many pieces": tuple(bytes([byte]) for byte in reply()),
    "no reason phrase": (reply(status="200 "),),
    "foreign letters in a header": (reply("Server: Cam\xe9ra"),),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
async def test_a_whole_picture_is_published(answer: Answer) -> None:
    """Whatever surrounds it, a picture that came whole becomes a frame, after one request."""
    async with scripted(answer) as camera:
        frame = await shot(camera.address)
        assert (frame.body, frame.captured_at) == (PICTURE, NOW)
        assert len(camera.requests) == camera.connections == 1


@pytest.mark.skipif(sys.flags.dev_mode, reason="aiohttp reads strictly under -X dev")
async def test_bare_newlines_are_forgiven() -> None:
    """A head whose lines end in LF alone is read, as old cameras write it."""
    answer = reply().replace(b"\r\n", b"\n", 2).replace(b"\r\n\r\n", b"\n\n", 1)
    async with scripted((answer, Link.CLOSE)) as camera:
        assert (await shot(camera.address)).body == PICTURE


@dataclass(frozen=True)
class Fault:
    """An answer without a picture: its reason, and the words for it."""

    reason: Reason
    words: str
    answer: Answer


def of_status(status: str, reason: Reason, *headers: str, words: str = "") -> Fault:
    """An answer whose status says all, though a picture comes with it."""
    return Fault(reason, words or f"HTTP {status}", (reply(*headers, status=status),))


def cut_off(count: int) -> str:
    """The words for a picture of which `count` bytes came."""
    return f"JPEG cut off after {count} bytes"


LOST = "closed the connection before any picture"
GARBAGE = "answered something that is not HTTP"
NOTHING = "answered nothing (0 bytes)"

FAULTS = {
    "half, well announced": Fault(Reason.TORN, cut_off(len(HALF)), (reply(body=HALF),)),
    "closed half-way": Fault(
        Reason.TORN, cut_off(len(HALF)), (reply(body=HALF, more=9999), Link.CLOSE)
    ),
    "closed half-way without length": Fault(
        Reason.TORN, cut_off(len(HALF)), (head(version=OLD) + HALF, Link.CLOSE)
    ),
    "length too short": Fault(
        Reason.TORN, cut_off(len(PICTURE) - 48), (reply(body=PICTURE[:-48]),)
    ),
    "closed at once": Fault(Reason.TORN, LOST, (Link.CLOSE,)),
    "closed within the head": Fault(Reason.TORN, LOST, (b"HTTP/1.1 200 O", Link.CLOSE)),
    "closed behind the head": Fault(Reason.TORN, LOST, (head("Content-Length: 9"), Link.CLOSE)),
    "reset at once": Fault(Reason.TORN, LOST, (Link.RESET,)),
    "empty": Fault(Reason.NOT_A_PICTURE, NOTHING, (reply(body=b""),)),
    "empty without length": Fault(Reason.NOT_A_PICTURE, NOTHING, (head(), Link.CLOSE)),
    "a page called JPEG": Fault(
        Reason.NOT_A_PICTURE,
        f"answered an HTML page ({len(HTML)} bytes)",
        (reply(JPEG, body=HTML),),
    ),
    "gzip": Fault(
        Reason.NOT_A_PICTURE,
        f"answered something compressed ({len(gzip.compress(PICTURE, mtime=0))} bytes)",
        (reply("Content-Encoding: gzip", body=gzip.compress(PICTURE, mtime=0)),),
    ),
    "not HTTP": Fault(Reason.PROTOCOL, GARBAGE, (b"SSH-2.0-dropbear\r\n", Link.CLOSE)),
    "a bare picture": Fault(Reason.PROTOCOL, GARBAGE, (PICTURE, Link.CLOSE)),
    "a flood of header": Fault(Reason.PROTOCOL, GARBAGE, (head(f"X: {'x' * 100_000}"), Link.CLOSE)),
    "204": Fault(
        Reason.HTTP_ERROR, "HTTP 204 No Content", (head(status="204 No Content"), Link.CLOSE)
    ),
    "206": of_status("206 Partial Content", Reason.HTTP_ERROR),
    "400": of_status("400 Bad Request", Reason.HTTP_ERROR),
    "401": of_status(
        "401 Unauthorized",
        Reason.AUTH,
        words="HTTP 401 Unauthorized, and it does not say how to log in",
    ),
    "403": of_status("403 Forbidden", Reason.AUTH),
    "404": of_status("404 Not Found", Reason.NOT_FOUND),
    "410": of_status("410 Gone", Reason.NOT_FOUND),
    "500": of_status("500 Internal Server Error", Reason.HTTP_ERROR),
    "503": of_status("503 Service Unavailable", Reason.BUSY),
    "599": of_status("599 Unsupported", Reason.HTTP_ERROR, words="HTTP 599"),
    "a reason phrase that repeats the request": of_status(
        f"404 /image?pwd={PASSWORD}", Reason.NOT_FOUND, words="HTTP 404 Not Found"
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_each_fault_has_one_reason(fault: Fault) -> None:
    """One request, one reason, and words that say what was found."""
    async with scripted(fault.answer) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address, LOGIN)
        assert (caught.value.reason, str(caught.value)) == (fault.reason, fault.words)
        assert len(camera.requests) == camera.connections == 1


async def test_reset_half_way_is_torn() -> None:
    """A reset within the picture is `torn`, however much of it had come."""
    async with scripted((reply(body=HALF, more=9999), Link.RESET)) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address)
        assert caught.value.reason is Reason.TORN


@pytest.mark.parametrize(
    "answer",
    [(Link.HANG,), (head(SIZE), Link.HANG), (reply(body=HALF, more=9999), Link.HANG)],
    ids=["behind the request", "behind the head", "within the picture"],
)
async def test_a_hang_ends_with_the_deadline(answer: Answer) -> None:
    """A camera that falls silent costs the deadline, and its connection is closed."""
    async with scripted(answer) as camera:
        with pytest.raises(CaptureError, match=r"^no whole answer within 0\.3 s$") as caught:
            await shot(camera.address, seconds=0.3)
        assert caught.value.reason is Reason.TIMEOUT
        async with asyncio.timeout(5):
            await camera.left.wait()


async def test_nothing_is_awaited_behind_the_end_of_a_picture() -> None:
    """A whole picture is taken at once, however much more was announced, and the camera left."""
    async with scripted((reply(more=48), Link.HANG)) as camera:
        assert (await shot(camera.address, seconds=60)).body == PICTURE
        async with asyncio.timeout(5):
            await camera.left.wait()


@pytest.mark.parametrize("start", [head(), head("Content-Length: 99999999")])
async def test_an_endless_body_is_cut(start: bytes) -> None:
    """Past 8 MB the camera is too big, and its connection is closed while it still sends."""
    async with scripted((start, PICTURE[:-2], Link.FLOOD)) as camera:
        with pytest.raises(CaptureError, match=r"^more than 8,000,000 bytes$") as caught:
            await shot(camera.address, seconds=30)
        assert caught.value.reason is Reason.TOO_BIG
        async with asyncio.timeout(5):
            await camera.left.wait()


async def test_redirects_are_not_followed() -> None:
    """The host that a camera points to is never asked, and neither is the camera again."""
    async with scripted((reply(),)) as other:
        moved = reply(f"Location: http://{other.address}/", status="301 Moved Permanently")
        loop = reply("Location: /again", status="302 Found")
        for answer, words in ((moved, "HTTP 301 Moved Permanently"), (loop, "HTTP 302 Found")):
            async with scripted((answer,)) as camera:
                with pytest.raises(CaptureError, match=f"^{words}$") as caught:
                    await shot(camera.address, LOGIN)
                assert caught.value.reason is Reason.HTTP_ERROR
                assert len(camera.requests) == 1
        assert other.connections == 0


ANSWERED = {
    "Basic": ([BASIC], "Basic "),
    "Digest": ([DIGEST], "Digest "),
    "Basic, then Digest, in two headers": ([BASIC, DIGEST], "Digest "),
    "Digest, then Basic, in two headers": ([DIGEST, BASIC], "Digest "),
    "Basic and Digest in one header": ([f"{BASIC}, {DIGEST}"], "Digest "),
    "Digest and Basic in one header": ([f"{DIGEST}, {BASIC}"], "Digest "),
    "SHA-256 behind MD5": ([DIGEST, SHA256], 'nonce="def"'),
    "no qop": (['Digest realm="cam", nonce="abc"'], "Digest "),
    "blank qop": (['Digest realm="cam", nonce="abc", qop=""'], "Digest "),
    "two qops": (['Digest realm="cam", nonce="abc", qop="auth,auth-int"'], "qop=auth,"),
    "unknown algorithm first": (
        [DIGEST.replace("MD5", "SHA-512-256").replace("abc", "no"), DIGEST],
        'nonce="abc"',
    ),
    "Digest that cannot be answered, and Basic": (['Digest nonce="abc"', BASIC], "Basic "),
    "a realm that is no UTF-8, and Basic": ([DIGEST.replace("cam", "cam\xe9ra"), BASIC], "Basic "),
}


@pytest.mark.parametrize(("offers", "sent"), ANSWERED.values(), ids=ANSWERED)
async def test_a_challenge_is_answered(offers: list[str], sent: str) -> None:
    """First a request without a login, then one with the best login on offer; no more."""
    async with scripted((refusal(*offers),), (reply(),)) as camera:
        assert (await shot(camera.address, LOGIN)).body == PICTURE
        assert len(camera.requests) == 2
        assert camera.header(0, "Authorization") is None
        assert sent in (camera.header(1, "Authorization") or "")


@pytest.mark.parametrize("offers", [[BASIC], [DIGEST], [BASIC, SHA256]], ids=" ".join)
async def test_a_refused_login_is_tried_once(offers: list[str]) -> None:
    """A wrong password costs the camera exactly one wrong attempt, for accounts lock."""
    async with scripted((refusal(*offers),)) as camera:
        with pytest.raises(CaptureError, match=r"^HTTP 401 Unauthorized$") as caught:
            await shot(camera.address, LOGIN)
        assert caught.value.reason is Reason.AUTH
        attempts = [camera.header(each, "Authorization") for each in range(len(camera.requests))]
        assert [attempt is None for attempt in attempts] == [True, False]


UNANSWERED = {
    "no challenge": [],
    "auth-int only": ['Digest realm="cam", nonce="abc", qop="auth-int"'],
    "unknown algorithm": [DIGEST.replace("MD5", "SHA-512-256")],
    "no realm": ['Digest nonce="abc", qop="auth"'],
    "no nonce": ['Digest realm="cam", qop="auth"'],
    "session algorithm without qop": ['Digest realm="cam", nonce="abc", algorithm=MD5-sess'],
    "a realm that is no UTF-8": [DIGEST.replace("cam", "cam\xe9ra")],
    "garbage": ['=,,"" Digest===,,,'],
    "unknown scheme": ["Negotiate abc=="],
}


@pytest.mark.parametrize("offers", UNANSWERED.values(), ids=UNANSWERED)
async def test_what_cannot_be_answered_is_not_tried(offers: list[str]) -> None:
    """A challenge without a right answer costs the camera no wrong attempt."""
    async with scripted((refusal(*offers),)) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address, LOGIN)
        assert caught.value.reason is Reason.AUTH
        assert len(camera.requests) == 1


async def test_without_a_login_nothing_is_answered() -> None:
    """A challenge stays unanswered where no login is set."""
    async with scripted((refusal(BASIC, DIGEST),)) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address)
        assert caught.value.reason is Reason.AUTH
        assert len(camera.requests) == 1


async def test_a_refusal_that_never_ends_is_left() -> None:
    """The body of a 401 is not waited for, and blocks no second request."""
    endless = refusal(BASIC).replace(b"Content-Length: 2", b"Content-Length: 99")
    async with scripted((endless, Link.HANG), (reply(),)) as camera:
        assert (await shot(camera.address, LOGIN)).body == PICTURE


async def test_each_request_has_its_own_connection() -> None:
    """A camera that drops the connection behind its 401 without saying so is none the wiser."""
    async with scripted((refusal(DIGEST),), (reply(),)) as camera:
        await shot(camera.address, LOGIN)
        assert camera.connections == 2
        assert camera.header(0, "Connection") == "close"


async def test_cookies_are_not_kept() -> None:
    """What a camera sets is not sent back, neither with the login nor with the next picture."""
    cookie = "Set-Cookie: session=1; Path=/"
    first = refusal(BASIC).replace(b"\r\n", f"\r\n{cookie}\r\n".encode(), 1)
    async with (
        scripted((first,), (reply(cookie),)) as camera,
        opened_driver({"CAMERA": LOGIN}) as driver,
    ):
        # by itself aiohttp keeps cookies of names, not of addresses
        named = Camera("7", "axis", camera.address.replace("127.0.0.1", "localhost"))
        await driver(named).frame()
        await driver(named).frame()
        assert len(camera.requests) == 3
        assert "cookie" not in "".join(camera.requests).lower()


async def test_the_request_asks_for_plain_bytes() -> None:
    """No compression is asked for: a camera's bytes are never inflated."""
    async with scripted((reply(),)) as camera:
        await shot(camera.address)
        assert camera.header(0, "Accept-Encoding") == "identity"


def session_of(driver: HttpDriver) -> aiohttp.ClientSession:
    """The session behind a driver's first reader."""
    reader = driver.kit.by_library
    assert isinstance(reader, ByLibrary)
    return reader.session


async def test_session_settings() -> None:
    """Own threads resolve names; nothing is repeated, stored or inflated; no proxy is looked for.

    `_retry_connection` is private to aiohttp: with it a wrong password would be tried twice.
    """
    async with opened_driver() as driver:
        session = session_of(driver)
        connector = session.connector
        assert session._retry_connection is False  # noqa: SLF001 - pinned, see above
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        assert (session.trust_env, session.auto_decompress) == (False, False)
        assert isinstance(connector, aiohttp.TCPConnector)
        assert (connector.limit, connector.limit_per_host) == (0, 0)
        assert isinstance(connector._resolver, Names)  # noqa: SLF001 - no other way to see it


async def test_aiohttp_would_ask_twice() -> None:
    """What `_retry_connection` guards against is real: by itself aiohttp asks a second time."""
    async with scripted((Link.CLOSE,)) as camera, opened_driver() as driver:
        session_of(driver)._retry_connection = True  # noqa: SLF001 - as aiohttp has it by default
        with pytest.raises(CaptureError):
            await driver(Camera("7", "axis", camera.address)).frame()
        assert len(camera.requests) == 2


async def test_a_hanging_fleet_delays_nobody() -> None:
    """While 120 cameras hang, more than any pool's default, another one answers at once."""
    everywhere = "0.0.0.0"  # noqa: S104 - the guard lets only loopback be asked
    async with (
        scripted((Link.HANG,), host=everywhere) as street,
        scripted((reply(),)) as well,
        opened_driver(seconds=60) as driver,
        asyncio.TaskGroup() as group,
    ):
        port = street.address.rpartition(":")[2]
        sick = [Camera("7", "axis", f"127.0.3.{host}:{port}") for host in range(1, 121)]
        tasks = [group.create_task(driver(camera).frame()) for camera in sick]
        await street.asked(120)
        assert (await driver(Camera("8", "axis", well.address)).frame()).body == PICTURE
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()


async def test_one_device_is_asked_one_thing_at_a_time() -> None:
    """The channels of a recorder take turns, and another device is none the later for it."""
    go = asyncio.Event()
    async with (
        scripted((go, reply())) as recorder,
        scripted((reply(),)) as well,
        opened_driver() as driver,
        asyncio.TaskGroup() as group,
    ):
        cameras = [Camera(str(each), "axis", recorder.address, channel=each) for each in (1, 2, 3)]
        tasks = [group.create_task(driver(camera).frame()) for camera in cameras]
        await recorder.asked(1)
        await driver(Camera("8", "axis", well.address)).frame()
        assert len(recorder.requests) == 1
        go.set()
        assert [(await task).body for task in tasks] == [PICTURE] * 3


async def test_nobody_at_home() -> None:
    """A closed port is `unreachable`, in the system's words."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(CaptureError, match=r"^connection failed: Connection refused$") as caught:
        await shot(address)
    assert caught.value.reason is Reason.UNREACHABLE


async def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that DNS does not know is `unreachable`."""

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(CaptureError, match=r"^the name cam\.example is not known$") as caught:
        await shot("cam.example")
    assert caught.value.reason is Reason.UNREACHABLE


async def test_a_connection_that_never_comes_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that swallows the packets is `unreachable`, before the whole deadline."""
    loop = asyncio.get_running_loop()

    async def swallow(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("cctv.drivers.wall.CONNECT_DEADLINE", 0.2)
    monkeypatch.setattr("cctv.drivers.bylibrary.CONNECT_DEADLINE", 0.2)
    monkeypatch.setattr(loop, "sock_connect", swallow)
    with pytest.raises(CaptureError, match=r"^no connection within 0\.2 s$") as caught:
        await shot("127.0.0.1")
    assert caught.value.reason is Reason.UNREACHABLE


async def test_a_certificate_of_its_own_making(tmp_path: Path) -> None:
    """A self-signed certificate is refused as `tls` before anything is asked."""
    async with scripted((reply(),), tls=self_signed(tmp_path)) as camera:
        words = r"^certificate refused: self-signed certificate$"
        with pytest.raises(CaptureError, match=words) as caught:
            await shot(f"https://{camera.address}", LOGIN)
        assert caught.value.reason is Reason.TLS
        assert camera.requests == []


async def test_no_tls_where_tls_was_asked_for() -> None:
    """A camera that speaks plain HTTP on the port of an https address is `tls`."""
    async with scripted((reply(),)) as camera:
        camera.greeting = reply()
        with pytest.raises(CaptureError, match=r"^TLS failed: ") as caught:
            await shot(f"https://{camera.address}", LOGIN)
        assert caught.value.reason is Reason.TLS


async def test_tls_where_plain_http_was_asked_for(tmp_path: Path) -> None:
    """A camera that speaks TLS on the port of an http address gives no picture, and no crash."""
    async with scripted((reply(),), tls=self_signed(tmp_path)) as camera:
        with pytest.raises(CaptureError) as caught:
            await shot(camera.address, LOGIN)
        assert caught.value.reason in {Reason.PROTOCOL, Reason.TORN}
        assert camera.requests == []


@pytest.mark.parametrize("model", ["foscam", "reolink", "axis"])
@pytest.mark.parametrize(
    "answer",
    [(Link.CLOSE,), (Link.RESET,), (reply(status="404 Not Found"),), (b"nonsense\r\n",)],
    ids=["close", "reset", "404", "nonsense"],
)
async def test_a_login_is_never_told(
    model: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """No password and no target with one is in the words, the log or the source's own text."""
    caplog.set_level(logging.DEBUG)
    async with (
        scripted((*answer, Link.CLOSE)) as camera,
        opened_driver({"CAMERA": LOGIN}) as driver,
    ):
        source = driver(Camera("7", model, camera.address))
        with pytest.raises(CaptureError) as caught:
            await source.frame()
    told = f"{caught.value!r} {source!r} {caplog.text}"
    assert "s3cret" not in told
    assert "://" not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_sources_compare_by_what_they_ask() -> None:
    """A changed login makes another source; the same camera the same way is equal."""
    camera = Camera("7", "axis", "127.0.0.1")
    async with opened_driver({"CAMERA": LOGIN}) as one, opened_driver({"CAMERA": LOGIN}) as same:
        assert one(camera) == same(camera)
    async with opened_driver() as none:
        assert none(camera) != one(camera)


async def test_cancelling_passes() -> None:
    """A task that waits for a camera can be cancelled, and the connection goes with it."""
    async with scripted((Link.HANG,)) as camera:
        task = asyncio.create_task(shot(camera.address, guard=LOOPBACK))
        await camera.asked(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await camera.left.wait()
