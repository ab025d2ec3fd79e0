"""A client of the dummy street that knows nothing of its code: paths and logins anew."""

from __future__ import annotations

import io
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests
from PIL import Image
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from dev.dummy_logins import LOGIN, Login
from dev.dummy_models import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dev.dummy_api import Street

HIKVISION = "/ISAPI/Streaming/channels/101/picture"
WISENET = "/stw-cgi/video.cgi?msubmenu=snapshot&action=view&Profile=1&Channel=0"

DIGEST_STILLS = {
    "Axis": "/axis-cgi/jpg/image.cgi?resolution=640x360&compression=30",
    "Advidia": HIKVISION,
    "Hikvision": HIKVISION,
    "Wisenet": WISENET,
    "Dahua": "/cgi-bin/snapshot.cgi?channel=1",
    "Amcrest": "/cgi-bin/snapshot.cgi",
    "Bosch": "/snap.jpg?JpegSize=M",
    "Uniview": "/images/snapshot.jpg",
}
BASIC_STILLS = {
    "Vivotek": "/cgi-bin/viewer/video.jpg",
    "Mobotix": "/record/current.jpg",
    "Panasonic": "/SnapshotJPEG?Resolution=640x480",
    "Sony": "/oneshotimage.jpg",
}
QUERY_STILLS = {
    "Foscam": "/cgi-bin/CGIProxy.fcgi?cmd=snapPicture2&usr={}&pwd={}",
    "Reolink": "/cgi-bin/api.cgi?cmd=Snap&channel=0&rs=abc&user={}&password={}",
}
OPEN_STILLS = {
    "Sarix": "/jpeg?id=2",
    "Spectra Enhanced": "/jpeg?id=2",
    "url": "/snapshot/3.jpg",
}
STILLS = DIGEST_STILLS | BASIC_STILLS | QUERY_STILLS | OPEN_STILLS


def number_of(street: Street, model: str) -> str:
    """The id of the street's camera of `model`."""
    return next(row["id"] for row in street.records() if row["model"] == model)


def auth_of(model: str, login: Login) -> HTTPDigestAuth | HTTPBasicAuth | None:
    """How a client logs in at `model`; None where the target says it, or nobody asks."""
    if model in DIGEST_STILLS:
        return HTTPDigestAuth(*login)
    return HTTPBasicAuth(*login) if model in BASIC_STILLS else None


def get(street: Street, model: str, login: Login = LOGIN, target: str = "") -> requests.Response:
    """The camera of `model` is asked for its picture, or for `target`."""
    return send(street, model, auth_of(model, login), (target or STILLS[model]).format(*login))


def send(
    street: Street,
    model: str,
    auth: HTTPDigestAuth | HTTPBasicAuth | None,
    target: str,
    authorization: str = "",
) -> requests.Response:
    """The camera of `model` is asked for just this, logged in just so."""
    headers = {"Authorization": authorization} if authorization else {}
    url = f"http://{address_of(int(number_of(street, model)))}:{street.port}{target}"
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, auth=auth, headers=headers, timeout=5)


def control(street: Street, method: str, path: str, body: str = "") -> requests.Response:
    """The control endpoint is asked."""
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{street.port}{path}"
        return session.request(method, url, data=body, timeout=5)


@contextmanager
def asking(street: Street, model: str) -> Iterator[socket.socket]:
    """A connection to the camera of `model`, its request sent."""
    where = (address_of(int(number_of(street, model))), street.port)
    with socket.create_connection(where, timeout=5) as connection:
        connection.sendall(f"GET {STILLS[model]} HTTP/1.1\r\nHost: camera\r\n\r\n".encode())
        yield connection


def until(reached: Callable[[], bool]) -> None:
    """Looks again and again until so, or fails after five seconds."""
    end = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < end, "never came about"


def opened(jpeg: bytes) -> Image.Image:
    """A JPEG, decoded to its end."""
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image
