"""What each model is asked for, to the letter."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.drivers import TABLE
from cctv.drivers.still import Still, placeholders
from cctv.model import Camera, Login, Secret
from tests.fakes.camera import opened_driver, reply, scripted, shot

NASTY = ":@%#&+ ü/?=\\\"'"
LOGIN = Login("viewer", Secret(NASTY))
ENCODED = "%3A%40%25%23%26%2B%20%C3%BC%2F%3F%3D%5C%22%27"

DAHUA = "/cgi-bin/snapshot.cgi"
SUNAPI = "/stw-cgi/video.cgi?msubmenu=snapshot&action=view&Profile=1&Channel="
VIVOTEK = "/cgi-bin/viewer/video.jpg"
FOSCAM = f"/cgi-bin/CGIProxy.fcgi?cmd=snapPicture2&usr=viewer&pwd={ENCODED}"
REOLINK = "/cgi-bin/api.cgi?cmd=Snap&channel={}&rs=RANDOM&user=viewer&password=" + ENCODED
ISAPI = "/ISAPI/Streaming/channels/{}01/picture"

TARGETS = {
    "axis": ("/axis-cgi/jpg/image.cgi", "/axis-cgi/jpg/image.cgi?camera=3"),
    "advidia": (ISAPI.format(1), ISAPI.format(3)),
    "hikvision": (ISAPI.format(1), ISAPI.format(3)),
    "sarix": ("/jpeg?id=2", "/jpeg?id=2"),
    "spectra enhanced": ("/jpeg?id=2", "/jpeg?id=2"),
    "pelco": ("/jpeg?id=2", "/jpeg?id=2"),
    "wisenet": (f"{SUNAPI}0", f"{SUNAPI}2"),
    "hanwha": (f"{SUNAPI}0", f"{SUNAPI}2"),
    "dahua": (DAHUA, f"{DAHUA}?channel=3"),
    "amcrest": (DAHUA, f"{DAHUA}?channel=3"),
    "lorex": (DAHUA, f"{DAHUA}?channel=3"),
    "foscam": (FOSCAM, FOSCAM),
    "bosch": ("/snap.jpg?JpegSize=XL", "/snap.jpg?JpegSize=XL&JpegCam=3"),
    "vivotek": (VIVOTEK, f"{VIVOTEK}?channel=2"),
    "mobotix": ("/cgi-bin/image.jpg?error=empty", "/cgi-bin/image.jpg?error=empty"),
    "panasonic": ("/SnapshotJPEG?Resolution=640x480", "/SnapshotJPEG?Resolution=640x480"),
    "i-pro": ("/cgi-bin/camera?resolution=1280", "/cgi-bin/camera?resolution=1280"),
    "sony": ("/oneshotimage.jpg", "/oneshotimage.jpg"),
    "reolink": (REOLINK.format(0), REOLINK.format(2)),
    "uniview": ("/images/snapshot.jpg", "/images/snapshot.jpg"),
    "url": ("", ""),
}

PREDECESSOR = {
    "Advidia": "/ISAPI/Streaming/channels/101/picture",
    "Wisenet": "/stw-cgi/video.cgi?msubmenu=snapshot&action=view&Profile=1&Channel=0",
    "Sarix": "/jpeg?id=2",
    "Some Other Make": "/jpeg?id=2",
}


def camera(channel: int | None = None, name: str = "7") -> Camera:
    """A camera of no particular model."""
    return Camera(name, "any", "10.1.2.3", channel=channel)


def target(still: Still, channel: int | None = None, login: Login | None = LOGIN) -> str:
    """What is asked for, with the random number written as RANDOM."""
    asked = still.target(camera(channel), login)
    return re.sub(r"(?<=rs=)[0-9a-f]{16}", "RANDOM", asked)


def test_every_model_is_pinned() -> None:
    """No model joins the table without its targets standing here."""
    assert TARGETS.keys() == TABLE.keys()


@pytest.mark.parametrize("model", TARGETS)
def test_targets(model: str) -> None:
    """The target of each model, without a channel and with channel 3."""
    assert (target(TABLE[model]), target(TABLE[model], 3)) == TARGETS[model]


@pytest.mark.parametrize(("model", "asked"), PREDECESSOR.items())
async def test_the_predecessors_requests(model: str, asked: str) -> None:
    """On the wire each model of the predecessor is asked exactly what it was asked before."""
    async with scripted((reply(),)) as device:
        await shot(device.address, model=model)
        assert device.requests[0].startswith(f"GET {asked} HTTP/1.1\r\n")
        assert device.header(0, "Host") == device.address


@pytest.mark.parametrize("model", ["foscam", "reolink"])
def test_no_blank_login(model: str) -> None:
    """Without a login its parameters are left out: a blank one is a wrong attempt as well."""
    asked = target(TABLE[model], login=None)
    assert not re.search("usr|user|pwd|password", asked)
    assert "cmd=" in asked


async def test_a_password_arrives_as_it_is() -> None:
    """On the wire a password of the worst letters stands encoded, and reads back the same."""
    async with scripted((reply(),)) as device:
        await shot(device.address, LOGIN, model="foscam")
    line = device.requests[0].splitlines()[0].split(" ")
    assert len(line) == 3
    assert parse_qs(urlsplit(line[1]).query)["pwd"] == [NASTY]


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_any_login_is_contained(username: str, password: str) -> None:
    """No username or password can add or change another parameter."""
    asked = TABLE["foscam"].target(camera(), Login(username, Secret(password)))
    query = parse_qs(urlsplit(asked).query, keep_blank_values=True, strict_parsing=True)
    assert query == {"cmd": ["snapPicture2"], "usr": [username], "pwd": [password]}


def test_the_random_number_changes() -> None:
    """Reolink's cache is passed by another number each time."""
    assert len({TABLE["reolink"].target(camera(), LOGIN) for _ in range(5)}) == 5


def test_each_placeholder() -> None:
    """Every placeholder is filled in, in the path and in the query."""
    still = Still("own", "/{id}/{channel}.jpg", (("u", "{username}"), ("c", "x{channel}y")))
    assert (
        still.target(camera(2, "North 1"), Login("a b", Secret("")))
        == "/North%201/2.jpg?u=a%20b&c=x2y"
    )


def test_what_is_written_stays() -> None:
    """Signs that a URL may hold are sent as written; those that would break it are encoded."""
    still = Still("own", "/a b/é%20,;:@!$'()*.jpg", (("q", "N640x480,80/%20+"), ("a&b", "c&d#e f")))
    asked = still.target(camera(), None)
    assert asked == "/a%20b/%C3%A9%20,;:@!$'()*.jpg?q=N640x480,80/%20+&a%26b=c%26d%23e%20f"


def test_doubled_braces_are_braces() -> None:
    """A brace that is meant is written twice."""
    assert Still("own", "/{{x}}.jpg").target(camera(), None) == "/%7Bx%7D.jpg"


@pytest.mark.parametrize("text", ["{channel!r}", "{channel:03}", "{channel:{id}}", "{", "}", "{id"])
def test_odd_braces(text: str) -> None:
    """Braces that hold more than a name, or do not pair up, are refused."""
    with pytest.raises(ValueError, match=r"."):
        placeholders(text)


URLS = {
    "http://{}/image.jpg": "/image.jpg",
    "http://{}": "/",
    "http://{}/a.jpg?Size=XL&x=%26%20+": "/a.jpg?Size=XL&x=%26%20+",
    "http://{}/cam/{{channel}}.jpg?ch={{channel}}": "/cam/3.jpg?ch=3",
    "http://{}/é.jpg": "/%C3%A9.jpg",
}


@pytest.mark.parametrize(("url", "asked"), URLS.items())
async def test_whole_urls(url: str, asked: str) -> None:
    """The model `url` is asked for just the URL in its record, with the channel filled in."""
    async with scripted((reply(),)) as device:
        asked_for = Camera("7", "url", url.format(device.address), channel=3)
        async with opened_driver() as driver:
            await driver(asked_for).frame()
        assert device.requests[0].startswith(f"GET {asked} HTTP/1.1\r\n")
