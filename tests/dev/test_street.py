"""The street's modes: each does on the wire what its words say."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import socket
import ssl
import time
import warnings
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
import simplejpeg  # type: ignore[import-untyped] # its stubs are not marked as such
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from dev.dummy_models import MODELS
from dev.street import MODES, Street
from dev.street_damage import without_tables
from dev.street_exif import SERIAL
from dev.street_jpegs import claimed, flat, many_scans, many_segments
from dev.street_modes import KINDS
from dev.street_modes.types import BAD_XML, BUSY_XML, FOSCAM_ERROR, PAGE
from tests.dev.street_client import (
    ENOUGH,
    Heard,
    asking,
    exactly,
    head_of,
    hear,
    send,
    silent,
    strict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
JPEG = "image/jpeg"
KIND_OF = {mode.name: kind for kind, modes in KINDS.items() for mode in modes}


@pytest.fixture(scope="module")
def road() -> Iterator[Street]:
    """A street of three cameras; tests leave number 3 well."""
    with Street(cameras=3) as street:
        yield street


def clean(heard: Heard) -> bool:
    """Whether one whole picture came, its length announced, and nothing else."""
    return heard.body == heard.served and heard.length == len(heard.body) and strict(heard.body)


def cut(heard: Heard) -> bool:
    """Whether half of what was announced came."""
    return len(heard.body) == heard.length // 2 and not heard.body.endswith(EOI)


def torn(heard: Heard) -> bool:
    """Whether the length is right and the picture is not."""
    return heard.length == len(heard.body) and not strict(heard.body)


def ended(heard: Heard) -> bool:
    """The same, with an end mark."""
    return torn(heard) and heard.body.endswith(EOI)


def behind(junk: bytes) -> Callable[[Heard], bool]:
    """Whether this stands behind the picture, and both are announced."""
    return lambda heard: heard.body == heard.served + junk and heard.length == len(heard.body)


def whole_under(text: str) -> Callable[[Heard], bool]:
    """Whether a whole picture stands behind a head that holds this text."""
    return lambda heard: text in heard.head and heard.body == heard.served and strict(heard.body)


def said(status: int, text: bytes, kind: str) -> Callable[[Heard], bool]:
    """Whether this status, this text and this type came."""
    return lambda heard: (
        (heard.status, heard.values("Content-Type")) == (status, [kind])
        and text in heard.body
        and heard.length == len(heard.body)
    )


def sized(*lengths: object) -> Callable[[Heard], bool]:
    """Whether a whole picture came with these lengths; {} is the right one."""
    return lambda heard: (
        heard.values("Content-Length") == [f"{text}".format(len(heard.served)) for text in lengths]
        and heard.body == heard.served
    )


def off(heard: Heard) -> int:
    """How many bytes more are announced than come; the picture is whole."""
    assert heard.body == heard.served
    return heard.length - len(heard.body)


def bare(status: int) -> Callable[[Heard], bool]:
    """Whether nothing but a head came."""
    return lambda heard: heard.status == status and heard.body == b""


def chunks(body: bytes) -> list[bytes]:
    """The chunks of a body, until one is torn."""
    found = []
    while match := re.match(rb"([0-9a-f]+)\r\n", body):
        start, size = match.end(), int(match[1], 16)
        found.append(body[start : start + size])
        body = body[start + size + 2 :]
    return found


def chunked(heard: Heard) -> bool:
    """Whether the chunks make the picture, the last of them empty."""
    return b"".join(chunks(heard.body)) == heard.served and chunks(heard.body)[-1] == b""


def parts(heard: Heard) -> list[bytes]:
    """The pictures of a stream, whole or not, but for the last one."""
    return [SOI + b"\xff" + piece for piece in heard.raw.split(SOI + b"\xff")[1:-1]]


def streaming(boundary: str, mark: bytes, *, lengths: bool = True) -> Callable[[Heard], bool]:
    """Whether parts come without end, behind this mark, announced with this boundary."""
    return lambda heard: (
        f"multipart/x-mixed-replace; boundary={boundary}" in heard.head
        and heard.body.startswith(mark + b"\r\n")
        and heard.raw.count(b"\r\n" + mark + b"\r\n") > 3
        and heard.served in heard.body
        and (b"Content-Length: %d\r\n" % len(heard.served) in heard.body) is lengths
    )


CLOSED: dict[str, Callable[[Heard], bool]] = {
    "ok": clean,
    "ok_http10": lambda heard: whole_under("HTTP/1.0 200")(heard) and "Length" not in heard.head,
    "ok_keepalive": whole_under("Connection: keep-alive"),
    "ok_2frames_per_s": clean,
    "trunc_cl": cut,
    "trunc_nocl": lambda heard: "Length" not in heard.head and not heard.body.endswith(EOI),
    "trunc_consistent": lambda heard: torn(heard) and not heard.body.endswith(EOI),
    "trunc_eoi": ended,
    "trunc_eoi_progressive": lambda heard: ended(heard) and b"\xff\xc2" in heard.body,
    "trunc_2": lambda heard: not heard.body.endswith(EOI) and strict(heard.body + EOI),
    "zeros_mid": lambda heard: ended(heard) and bytes(4000) in heard.body,
    "zeros_tail": lambda heard: ended(heard) and heard.body.endswith(bytes(4000) + EOI),
    "zeros_tail_noeoi": lambda heard: torn(heard) and heard.body.endswith(bytes(4000)),
    "noise_mid": lambda heard: ended(heard) and bytes(100) not in heard.body,
    "grey_bottom": lambda heard: strict(heard.body) and flat_half(heard.body),
    "close_now": lambda heard: heard.raw == b"",
    "half_then_full": lambda heard: (
        heard.body.count(SOI) == 2 and strict(heard.body[heard.body.rindex(SOI) :])
    ),
    "cl_long_close": lambda heard: off(heard) == 48,
    "cl_short": lambda heard: off(heard) == -48,
    "extra_after": lambda heard: heard.body == heard.served + b"x" * 1024,
    "cl_two_equal": sized("{}", "{}"),
    "cl_two_different": sized("{}", 1),
    "cl_neg": sized(-1),
    "cl_junk": sized("many"),
    "cl_zero_body": sized(0),
    "cl_and_chunked": lambda heard: chunked(heard) and heard.length == len(heard.served),
    "chunked_ok": chunked,
    "chunk_noend": lambda heard: chunks(heard.body)[-1] != b"" and holds(heard),
    "chunk_trunc": lambda heard: not holds(heard) and not heard.body.endswith(EOI),
    "chunk_bad": lambda heard: b"\r\nzz\r\n" in heard.body and not holds(heard),
    "chunk_garbage_trailer": lambda heard: holds(heard) and b"\r\n0\r\n\x00\xff" in heard.body,
    "trail_dhav": lambda heard: behind(heard.body[-8:])(heard) and heard.body[-8:-4] == b"dhav",
    "trail_nul": behind(bytes(512)),
    "lead_crlf": lambda heard: heard.body == b"\r\n" + heard.served,
    "lead_nul": lambda heard: heard.body == bytes(2) + heard.served,
    "two_pictures": lambda heard: (
        heard.body.startswith(heard.served) and strict(heard.body[len(heard.served) :])
    ),
    "extraneous": lambda heard: (
        torn(heard) and strict(heard.body[:-10] + EOI) and heard.body.endswith(bytes(8) + EOI)
    ),
    "no_dht": lambda heard: heard.body == heard.served and b"\xff\xc4" not in heard.body[:700],
    "exif": lambda heard: clean(heard) and located(heard.body),
    "app_junk": lambda heard: clean(heard) and heard.body.count(EOI) > 900,
    "ct_missing": lambda heard: clean(heard) and not heard.values("Content-Type"),
    "ct_wrong": lambda heard: clean(heard) and heard.values("Content-Type") == ["text/plain"],
    "ct_params": whole_under(f'{JPEG}; charset="UTF-8"\r\n'),
    "ct_multipart_but_jpeg": whole_under("multipart/x-mixed-replace; boundary="),
    "png_as_jpeg": said(200, b"\x89PNG\r\n", JPEG),
    "html_login": said(200, PAGE, JPEG),
    "html_200": said(200, PAGE, "text/html"),
    "xml_busy_200": said(200, BUSY_XML, "application/xml"),
    "json_reolink_login": lambda heard: json.loads(heard.body)[0]["error"]["rspCode"] == -6,
    "json_reolink_busy": lambda heard: json.loads(heard.body)[0]["error"]["rspCode"] == -5,
    "foscam_error_xml": said(200, FOSCAM_ERROR, "text/plain"),
    "text_error": said(200, b"ERROR:", "text/plain"),
    "empty_200": lambda heard: bare(200)(heard) and heard.length == 0,
    "empty_204": bare(204),
    "status_206": whole_under("206 Partial Content"),
    "status_304": bare(304),
    "status_404": said(404, b"<html>", "text/html"),
    "status_410": said(410, b"<html>", "text/html"),
    "status_500": said(500, b"<html>", "text/html"),
    "status_503_busy": said(503, b"deviceBusy", "application/xml"),
    "busy_once": said(503, b"deviceBusy", "application/xml"),
    "status_599": said(599, b"<html>", "text/html"),
    "status_400_badxml": said(400, BAD_XML, "application/xml"),
    "status_200_then_close": lambda heard: heard.length == 20000 and heard.body == b"",
    "many_headers": lambda heard: clean(heard) and heard.head.count("X-Header-") == 10_000,
    "gzip_bomb": lambda heard: gzip.decompress(heard.body) == bytes(100_000_000),
    "gzip_ok": lambda heard: gzip.decompress(heard.body) == heard.served,
    "bomb_px_claimed": said(200, claimed(12000, 12000), JPEG),
    "bomb_scans": said(200, many_scans(1440, 960), JPEG),
    "http09": lambda heard: heard.raw == heard.served,
    "icy": whole_under("ICY 200 OK\r\n"),
    "bad_header": whole_under("\r\nSat Jan 01 00:00:00 2000\r\n"),
    "space_header": whole_under("Content-Type : image/jpeg\r\nContent-Length : "),
    "lf_only": lambda heard: (
        b"\r" not in heard.raw.partition(b"\n\n")[0]
        and heard.raw.partition(b"\n\n")[2] == heard.served
    ),
    "no_reason": whole_under("HTTP/1.1 200\r\n"),
    "nonascii_header": whole_under("Kamera-Ger\xe4t"),
    "folded_header": whole_under("X-Note: one\r\n  two\r\n"),
    "lower_http": whole_under("http/1.1 200 OK"),
    "junk_before_status": lambda heard: heard.raw.startswith(b"\r\n\r\nHTTP/") and holds_end(heard),
    "garbage": lambda heard: len(heard.raw) == 1000 and not heard.raw.startswith(b"HTTP"),
    "status_999": whole_under("HTTP/1.1 999 "),
    "continue_100": lambda heard: heard.status == 100 and holds_end(heard),
    "early_hints": lambda heard: heard.status == 103 and holds_end(heard),
    "frozen": clean,
    "cache_2s": clean,
    "frozen_exif": lambda heard: clean(heard) and located(heard.body),
    "black": lambda heard: clean(heard) and colour(heard.body) == (0, 0, 0),
    "green": lambda heard: clean(heard) and colour(heard.body) == (0, 135, 0),
    "grey_flat": lambda heard: clean(heard) and colour(heard.body) == (128, 128, 128),
    "pink": lambda heard: clean(heard) and tinted(heard.body),
    "night": lambda heard: clean(heard) and spread(heard.body) > 2 and brightness(heard.body) < 30,
    "fog": lambda heard: clean(heard) and 2 < spread(heard.body) < 15,
    "progressive": lambda heard: clean(heard) and b"\xff\xc2" in heard.body,
    "grey_scale": lambda heard: clean(heard) and opened(heard.body).mode == "L",
    "cmyk": lambda heard: opened(heard.served).mode == "CMYK" and heard.body == heard.served,
    "portrait": lambda heard: clean(heard) and opened(heard.body).size == (360, 640),
    "tiny_1x1": lambda heard: clean(heard) and opened(heard.body).size == (1, 1),
    "nvr": clean,
    "server_header": whole_under("Server: App-webs/\r\n"),
}
BIG: dict[str, Callable[[Heard], bool]] = {
    "trail_1mb": lambda heard: len(heard.body) == len(heard.served) + 1_000_000 and trimmed(heard),
    "huge_header_line": lambda heard: "X-Long: " + "x" * 1_000_000 in heard.head,
    "bomb_px": said(200, flat(12000, 12000), JPEG),
    "bomb_segments": lambda heard: many_segments(SOI, 1_500_000) in heard.body,
    "uhd": lambda heard: clean(heard) and opened(heard.body).size == (3840, 2160),
}
ENDLESS: dict[str, Callable[[Heard], bool]] = {
    "mjpeg": streaming("frame", b"--frame"),
    "mjpeg_nolen": streaming("--myboundary", b"--myboundary", lengths=False),
    "mjpeg_wrong_boundary": streaming("frame", b"--ipcamera"),
    "mjpeg_double_dash": streaming("--frame", b"--frame"),
    "mjpeg_first_torn": lambda heard: [strict(part) for part in parts(heard)[:2]] == [False, True],
    "mjpeg_raw": lambda heard: heard.body.startswith(heard.served + SOI),
    "mjpeg_avi1": lambda heard: (
        streaming("frame", b"--frame")(heard) and without_tables(heard.served) == heard.served
    ),
    "endless_zeros": lambda heard: heard.body.strip(b"\0") == SOI,
    "endless_ff": lambda heard: heard.body.removeprefix(SOI).strip(b"\xff") == b"",
    "endless_header": lambda heard: b"\r\n\r\n" not in heard.raw,
    "huge": lambda heard: heard.length == 100_000_000 and heard.body.endswith(bytes(1000)),
}
RESET: dict[str, Callable[[Heard], bool]] = {
    "rst_before": lambda heard: heard.raw == b"",
    "rst_mid": cut,
    "rst_after_eoi": lambda heard: off(heard) == 4096,
}
HANGING: dict[str, Callable[[int], int]] = {
    "cl_long": lambda length: length - 48,
    "cl_short_hang": lambda length: length + 48,
    "hang_hdr": lambda _: 0,
    "hang_mid": lambda length: length // 2,
    "halfopen": lambda length: length // 2,
}
APART = {
    *(
        "ok_slow",
        "slow_3s",
        "hang_accept",
        "drip_hdr",
        "drip_body",
        "blackhole",
        "refused",
        "ssh_banner",
    ),
    *(name for name, kind in KIND_OF.items() if kind in {"redirects", "logins", "refusals", "TLS"}),
    *(name for name in MODES if name.startswith("wrong_model")),
}


def holds(heard: Heard) -> bool:
    """Whether the chunks hold the whole picture."""
    return heard.served in b"".join(chunks(heard.body))


def holds_end(heard: Heard) -> bool:
    """Whether the picture is the end of all that came."""
    return heard.raw.endswith(b"\r\n\r\n" + heard.served)


def trimmed(heard: Heard) -> bool:
    """Whether the picture comes first."""
    return heard.body.startswith(heard.served)


def opened(jpeg: bytes) -> Image.Image:
    """The picture, decoded to its end."""
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def flat_half(jpeg: bytes) -> bool:
    """Whether its lower half is one grey, and its upper half is not."""
    pixels = simplejpeg.decode_jpeg(jpeg)
    return bool(pixels[190:].std() < 1 < pixels[:170].std())


def colour(jpeg: bytes) -> tuple[int, ...]:
    """The one colour it has."""
    pixels = simplejpeg.decode_jpeg(jpeg)
    assert (pixels == pixels[0, 0]).all()
    return tuple(map(int, pixels[0, 0]))


def tinted(jpeg: bytes) -> bool:
    """Whether there is hardly any green in it."""
    red, green, blue = simplejpeg.decode_jpeg(jpeg).mean(axis=(0, 1))
    return bool(green < min(red, blue) * 0.8)


def spread(jpeg: bytes) -> float:
    """The deviation of its brightness."""
    return float(simplejpeg.decode_jpeg(jpeg, "GRAY").std())


def brightness(jpeg: bytes) -> float:
    """The mean of its brightness."""
    return float(simplejpeg.decode_jpeg(jpeg, "GRAY").mean())


def located(jpeg: bytes) -> bool:
    """Whether its EXIF names a serial number and a place, and has a thumbnail with an end mark."""
    exif = opened(jpeg).getexif()
    place = exif.get_ifd(0x8825)
    thumbnail = jpeg[jpeg.index(SOI, 2) : jpeg.index(EOI) + 2]
    return exif.get_ifd(0x8769)[0xA431] == SERIAL and place[1] == "N" and strict(thumbnail)


def test_every_mode_is_told_here() -> None:
    """No mode goes without a test; each has words, and a place where it was seen."""
    assert {*CLOSED, *BIG, *ENDLESS, *RESET, *HANGING, *APART} == set(MODES)
    assert all(mode.words and mode.seen for mode in MODES.values())
    assert sum(map(len, KINDS.values())) == len(MODES) >= 70


@pytest.mark.parametrize("mode", CLOSED)
def test_answer_then_close(road: Street, mode: str) -> None:
    """A client that wants the connection closed gets just this, and a polite end."""
    road.set_mode("1", mode)
    heard = hear(road, most=10**7)
    assert heard.end == "closed"
    assert CLOSED[mode](heard)


@pytest.mark.parametrize("mode", BIG)
def test_big_answer(road: Street, mode: str) -> None:
    """A big answer comes whole, to a client that has the patience."""
    road.set_mode("1", mode)
    heard = hear(road, most=10**8)
    assert heard.end == "closed"
    assert BIG[mode](heard)


@pytest.mark.parametrize("mode", ENDLESS)
def test_endless_answer(road: Street, mode: str) -> None:
    """An endless answer goes on until the client leaves."""
    road.set_mode("1", mode)
    heard = hear(road)
    assert len(heard.raw) >= ENOUGH
    assert ENDLESS[mode](heard)


@pytest.mark.parametrize("mode", RESET)
def test_reset(road: Street, mode: str) -> None:
    """The connection ends with RST, after just this."""
    road.set_mode("1", mode)
    heard = hear(road)
    assert heard.end == "reset"
    assert RESET[mode](heard)


@pytest.mark.parametrize("mode", HANGING)
def test_silence_in_the_middle(road: Street, mode: str) -> None:
    """So many bytes of the body come, then nothing, and the connection stays."""
    road.set_mode("2", mode)
    with asking(road, "2") as connection:
        length = head_of(connection).length
        exactly(connection, HANGING[mode](length))
        assert silent(connection)


def test_nothing_is_said(road: Street) -> None:
    """`hang_accept` takes the request and never answers."""
    road.set_mode("2", "hang_accept")
    before = len(road.requests("2"))
    with asking(road, "2") as connection:
        road.wait_for_requests("2", before + 1)
        assert silent(connection)


@pytest.mark.parametrize("mode", ["drip_hdr", "drip_body"])
def test_drip(road: Street, mode: str) -> None:
    """Bytes come one each 0.2 s, and no sooner however slowly they are read."""
    road.set_mode("2", mode)
    with asking(road, "2") as connection:
        if mode == "drip_body":
            assert head_of(connection).length > 1000
        begun = time.monotonic()
        count = sum(len(connection.recv(100)) for _ in range(4))
        taken = time.monotonic() - begun
    assert 4 <= count <= taken / 0.2 + 2


@pytest.mark.parametrize(("mode", "seconds"), [("ok_slow", 1.0), ("slow_3s", 3.0)])
def test_slow(road: Street, mode: str, seconds: float) -> None:
    """Not a byte comes before its time."""
    road.set_mode("1", mode)
    begun = time.monotonic()
    assert clean(hear(road))
    assert time.monotonic() - begun >= seconds


def test_refused(road: Street) -> None:
    """The port refuses connections, and takes them again once the camera is well."""
    road.set_mode("1", "refused")
    with pytest.raises(ConnectionRefusedError):
        hear(road)
    road.set_mode("1", "ok")
    assert clean(hear(road))


def test_blackhole(road: Street) -> None:
    """A connection is never made, neither taken nor refused; then it is again."""
    road.set_mode("1", "blackhole")
    host, port = road.address("1").split(":")
    with socket.socket() as client:
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.connect((host, int(port)))
    road.set_mode("1", "ok")
    assert clean(hear(road))


def test_ssh_speaks_first(road: Street) -> None:
    """The banner comes before any request."""
    road.set_mode("2", "ssh_banner")
    host, port = road.address("2").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        assert exactly(connection, 8) == b"SSH-2.0-"


@pytest.mark.parametrize(
    ("mode", "location"),
    [
        ("redir_same", "/moved.jpg"),
        ("redir_host", "http://localhost:{port}/moved.jpg"),
        ("redir_loop", "/x.jpg"),
        ("redir_file", "file:///etc/passwd"),
        ("redir_meta", "http://169.254.169.254/latest/meta-data/"),
        ("redir_https", "https://127.0.0.1:{port}/moved.jpg"),
    ],
)
def test_redirect(road: Street, mode: str, location: str) -> None:
    """A 302 to this place; where it leads back, a picture waits."""
    road.set_mode("1", mode)
    heard = hear(road)
    port = road.address("1").rpartition(":")[2]
    assert (heard.status, heard.values("Location")) == (302, [location.format(port=port)])
    assert clean(hear(road, target="/moved.jpg"))


@pytest.mark.parametrize(("prefix", "status"), [("wrong_model", 404), ("wrong_model_html", 200)])
def test_wrong_model(road: Street, prefix: str, status: int) -> None:
    """A camera of each other make answers at its own path only."""
    for model in (model for model in MODELS if model.name != "url"):
        road.set_mode("1", f"{prefix}:{model.name.lower().replace(' ', '_')}")
        heard = hear(road, target="/x.jpg")
        assert (heard.status, strict(heard.body)) == (status, False)
        assert clean(hear(road, target=model.stills[0].replace("*", "1")))


@pytest.mark.parametrize(("mode", "different"), [("ok", 5), ("frozen", 1), ("cache_2s", 1)])
def test_pictures_change(road: Street, mode: str, different: int) -> None:
    """Each picture is another one, but where the mode says that it is not."""
    road.set_mode("1", mode)
    assert len({hear(road).body for _ in range(5)}) == different


@pytest.mark.parametrize(("mode", "seconds"), [("ok_2frames_per_s", 0.5), ("cache_2s", 2.0)])
def test_cache_ends(road: Street, mode: str, seconds: float) -> None:
    """A cached picture is the same until its time is over, and another one then."""
    road.set_mode("1", mode)
    begun, first = time.monotonic(), hear(road).body
    while (body := hear(road).body) == first:
        assert time.monotonic() - begun < seconds + 5
    assert time.monotonic() - begun >= seconds
    assert strict(body)


def test_frozen_but_for_its_time(road: Street) -> None:
    """`frozen_exif` sends other bytes each time, and the same picture."""
    road.set_mode("1", "frozen_exif")
    first, second = hear(road).body, hear(road).body
    assert first != second
    assert opened(first).tobytes() == opened(second).tobytes()


@pytest.mark.parametrize("mode", ["black", "green", "grey_flat", "night", "uhd", "tiny_1x1"])
def test_odd_pictures_change_too(road: Street, mode: str) -> None:
    """No picture is the same bytes twice, only because it is dull."""
    road.set_mode("1", mode)
    assert hear(road, most=10**7).body != hear(road, most=10**7).body


def test_busy_once(road: Street) -> None:
    """Every second request gets the picture."""
    road.set_mode("1", "busy_once")
    assert [hear(road).status for _ in range(4)] == [503, 200, 503, 200]


def test_a_connection_is_kept(road: Street) -> None:
    """A client that does not ask for a close may ask again; the camera counts one connection."""
    before = len(road.requests("3"))
    with asking(road, "3") as connection:
        for count in (1, 2):
            length = head_of(connection).length
            assert exactly(connection, length) == road.served("3").last
            if count == 1:
                send(connection, "/again?x=1", "X-A: 1", "X-A: 2")
        first, second = road.requests("3")[before:]
    assert first.connection == second.connection
    assert (second.target, second.headers["x-a"], second.method) == ("/again?x=1", "1, 2", "GET")
    assert first.at <= second.at <= time.monotonic()


@pytest.mark.parametrize("mode", [mode.name for mode in KINDS["TLS"] if mode.certificate])
def test_tls(road: Street, mode: str) -> None:
    """The camera speaks TLS with the certificate it is said to have."""
    road.set_mode("2", mode)
    with trusting(mode == "tls_old").wrap_socket(dialled(road)) as link:
        der = link.getpeercert(binary_form=True)
        assert der is not None
        assert hashlib.sha256(der).hexdigest() == road.certificate("2")
        assert (link.version() in {"TLSv1", "TLSv1.1"}) is (mode == "tls_old")
        link.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert link.recv(15) == b"HTTP/1.1 200 OK"
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    here = names.get_values_for_type(x509.IPAddress) == [IPv4Address("127.0.0.1")]
    assert here is (mode != "tls_wrong_name")
    assert (certificate.not_valid_after_utc < datetime.now(UTC)) is (mode == "tls_expired")
    weak = certificate.public_key()
    assert (isinstance(weak, rsa.RSAPublicKey) and weak.key_size == 1024) is (
        mode == "tls_weak_key"
    )
    assert road.address("2").startswith("https://") is (mode != "http_speaks_tls")


def test_a_modern_client_refuses_the_old_and_the_weak(road: Street) -> None:
    """Old TLS and self-signed certificates fail with a client that is not told otherwise."""
    for mode in ("tls_old", "tls_self"):
        road.set_mode("2", mode)
        link = dialled(road)
        with pytest.raises(ssl.SSLError), link:
            ssl.create_default_context().wrap_socket(link, server_hostname="127.0.0.1")


def test_tls_hangs(road: Street) -> None:
    """A handshake is never answered; the connection is noted, though it asked for nothing."""
    road.set_mode("2", "tls_hang")
    before = len(road.requests("2"))
    with dialled(road) as link:
        link.sendall(b"\x16\x03\x01 hello")
        road.wait_for_requests("2", before + 1)
        assert silent(link)
    assert road.requests("2")[-1].target == ""
    assert road.address("2").startswith("https://")


def test_plain_where_tls_is_asked(road: Street) -> None:
    """Plain HTTP answers a handshake."""
    road.set_mode("2", "tls_plain")
    with dialled(road) as link:
        link.sendall(b"\x16\x03\x01 hello")
        assert exactly(link, 12) == b"HTTP/1.1 400"
    assert road.address("2").startswith("https://")


def dialled(street: Street) -> socket.socket:
    """A connection to camera 2, nothing said yet."""
    host, port = street.address("2").removeprefix("https://").split(":")
    return socket.create_connection((host, int(port)), 5)


def trusting(old: bool) -> ssl.SSLContext:  # noqa: FBT001 - a word about the one context
    """Takes any certificate, and with `old` any TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    if old:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    return context
