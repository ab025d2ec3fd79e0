"""The dummy cameras' moods: each as a client meets it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import requests

from dev.dummy_camera import Camera
from dev.dummy_logins import LOGIN
from tests.dev.client import BASIC_STILLS, DIGEST_STILLS, asking, get, number_of, opened, until

if TYPE_CHECKING:
    from dev.dummy_api import Street


@pytest.mark.parametrize("model", ["Axis", "Sony", "Foscam", "Reolink", "Sarix"])
def test_mode_401(street: Street, model: str) -> None:
    """The right login is refused with HTTP 401, whatever the make."""
    street.set_mode(number_of(street, model), "401")
    answer = get(street, model)
    assert answer.status_code == 401
    assert ("WWW-Authenticate" in answer.headers) == (model in DIGEST_STILLS | BASIC_STILLS)


def test_mode_404(street: Street) -> None:
    """The make's own path is not found."""
    street.set_mode(number_of(street, "Axis"), "404")
    assert get(street, "Axis").status_code == 404


def test_mode_503(street: Street) -> None:
    """The camera is busy, in Hikvision's XML."""
    street.set_mode(number_of(street, "Hikvision"), "503")
    answer = get(street, "Hikvision")
    assert answer.status_code == 503
    assert "<subStatusCode>deviceBusy</subStatusCode>" in answer.text


def test_mode_html(street: Street) -> None:
    """A login page says that it is a JPEG."""
    street.set_mode(number_of(street, "Axis"), "html")
    answer = get(street, "Axis")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_mode_truncated(street: Street) -> None:
    """Half a picture, its length announced truly: HTTP sees nothing wrong."""
    street.set_mode(number_of(street, "Axis"), "truncated")
    answer = get(street, "Axis")
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 5000
    with pytest.raises(OSError, match="truncated"):
        opened(answer.content)


def test_mode_cut(street: Street) -> None:
    """The connection ends half way through the announced length."""
    street.set_mode(number_of(street, "Sarix"), "cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get(street, "Sarix")


def test_mode_empty(street: Street) -> None:
    """200 OK, and nothing."""
    street.set_mode(number_of(street, "Axis"), "empty")
    answer = get(street, "Axis")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == "0"


def test_mode_refuse(street: Street) -> None:
    """The connection closes without a word, and counts as a request."""
    camera = number_of(street, "Axis")
    street.set_mode(camera, "refuse")
    before = street.requests(camera)
    with pytest.raises(requests.ConnectionError):
        get(street, "Axis")
    assert street.requests(camera) == before + 1


@pytest.mark.parametrize("mode", ["hang", "slow"])
def test_modes_hang_and_slow(street: Street, mode: str) -> None:
    """Not a byte comes while the mode lasts; when it ends the same request is answered."""
    camera = number_of(street, "Sarix")
    street.set_mode(camera, mode)
    with asking(street, "Sarix") as connection:
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(5)
        street.set_mode(camera, "ok")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


def test_mode_frozen(street: Street) -> None:
    """A frozen camera shows one picture while another's goes on from second to second."""
    street.set_mode(number_of(street, "Axis"), "frozen")
    frozen, moving = get(street, "Axis").content, get(street, "Sarix").content
    until(lambda: get(street, "Sarix").content != moving)
    assert get(street, "Axis").content == frozen


def test_slow_is_ten_seconds() -> None:
    """A slow camera answers after ten seconds."""
    camera = Camera(1, LOGIN, "MD5")
    camera.enter("slow")
    assert camera.delay(1.5) == 10.0


def test_a_hang_ends_with_its_client(street: Street) -> None:
    """A hanging camera lets go of a client that closes its side."""
    street.set_mode(number_of(street, "Sarix"), "hang")
    with asking(street, "Sarix") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_delays_are_seeded() -> None:
    """A camera's delays lie within bounds and come again in the next run."""
    one, other, neighbour = (
        [camera.delay(1.5) for _ in range(50)]
        for camera in (Camera(n, LOGIN, "MD5") for n in (1, 1, 2))
    )
    assert one == other != neighbour
    assert all(0.05 <= delay <= 1.5 for delay in one)
