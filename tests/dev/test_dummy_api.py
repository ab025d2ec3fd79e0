"""The dummy street, asked over real HTTP."""

from __future__ import annotations

import csv
import io
import socket

import pytest

from dev.dummy_api import Street
from dev.dummy_models import address_of
from dev.dummy_server import is_local
from tests.dev.client import STILLS, control, get, number_of, opened


def test_the_table_is_tested_whole(street: Street) -> None:
    """A street of default size has one camera of every model, and this file knows them all."""
    assert sorted(row["model"] for row in street.records()) == sorted(STILLS)


@pytest.mark.parametrize("model", STILLS)
def test_every_model_gives_a_picture_to_its_user(street: Street, model: str) -> None:
    """With the right login, each make's path answers a whole JPEG of 640x360."""
    answer = get(street, model)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert opened(answer.content).size == (640, 360)
    assert answer.content.endswith(b"\xff\xd9")


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("Axis", "/jpeg?id=2"),
        ("Sarix", "/axis-cgi/jpg/image.cgi"),
        ("Sarix", "/jpeg"),
        ("Wisenet", "/stw-cgi/video.cgi"),
        ("Mobotix", "/"),
        ("url", "/snapshot/1.png"),
        ("url", "/street"),
    ],
)
def test_another_make_s_path_is_not_found(street: Street, model: str, target: str) -> None:
    """A camera knows its own make's path and nothing else, the control endpoint included."""
    assert get(street, model, target=target).status_code == 404


def test_mobotix_has_a_second_path(street: Street) -> None:
    """Mobotix answers its live path as well."""
    assert get(street, "Mobotix", target="/cgi-bin/image.jpg").status_code == 200


def test_pictures_of_a_street_differ(street: Street) -> None:
    """Cameras are told apart by the address they are asked at."""
    assert get(street, "Sarix").content != get(street, "Spectra Enhanced").content


def test_requests_are_counted_per_camera(street: Street) -> None:
    """A request counts for the camera it came to; a Digest login takes two."""
    axis, sarix = number_of(street, "Axis"), number_of(street, "Sarix")
    before = street.requests(axis), street.requests(sarix)
    get(street, "Axis")
    assert (street.requests(axis), street.requests(sarix)) == (before[0] + 2, before[1])


@pytest.mark.parametrize(
    ("number", "address"),
    [
        (1, "127.0.1.1"),
        (254, "127.0.1.254"),
        (255, "127.0.2.1"),
        (1500, "127.0.6.230"),
    ],
)
def test_addresses(number: int, address: str) -> None:
    """Addresses count up and leave out .0 and .255."""
    assert address_of(number) == address


def test_control_shows_the_street(street: Street) -> None:
    """`GET /street` tells each camera's id, address, model, mode and requests."""
    street.set_mode("4", "html")
    rows = control(street, "GET", "/street").json()
    assert len(rows) == len(STILLS)
    assert rows[3] == {
        "id": "4",
        "address": "127.0.1.4",
        "model": "Sarix",
        "mode": "html",
        "requests": street.requests("4"),
    }


def test_control_sets_modes(street: Street) -> None:
    """One camera's mode or everybody's can be set while the street runs."""
    assert control(street, "PUT", "/street/mode", "empty").status_code == 204
    assert control(street, "PUT", "/street/4/mode", "html\n").status_code == 204
    modes = [row["mode"] for row in control(street, "GET", "/street").json()]
    assert (modes[3], set(modes)) == ("html", {"html", "empty"})


@pytest.mark.parametrize(
    ("path", "word", "status"),
    [("/street/99/mode", "ok", 404), ("/street/1/mode", "dance", 400), ("/street/mode", "", 400)],
)
def test_control_refuses(street: Street, path: str, word: str, status: int) -> None:
    """An unknown camera or mode is refused and changes nothing."""
    assert control(street, "PUT", path, word).status_code == status
    assert {row["mode"] for row in control(street, "GET", "/street").json()} == {"ok"}


def test_set_mode_refuses(street: Street) -> None:
    """A test that misspells a mode hears of it."""
    with pytest.raises(KeyError):
        street.set_mode("1", "dance")


def test_records(street: Street) -> None:
    """The CSV and the records are one, with an address that leads to the camera."""
    rows = list(csv.DictReader(io.StringIO(control(street, "GET", "/street.csv").text)))
    assert rows == street.records()
    assert rows[0]["address"] == f"127.0.1.1:{street.port}"
    assert rows[-1]["address"] == f"http://127.0.1.17:{street.port}/snapshot/1.jpg"
    assert {row["publish"] for row in rows} == {"yes"}


def test_records_lie_around_austin() -> None:
    """1,500 cameras have places near the centre, and all three areas."""
    rows = Street(cameras=1500, port=8081).records()
    assert {row["area"] for row in rows} == {"NORTH", "CENTRAL", "SOUTH"}
    assert all(abs(float(row["latitude"]) - 30.27) <= 0.12 for row in rows)
    assert all(abs(float(row["longitude"]) + 97.74) <= 0.09 for row in rows)


def test_an_address_without_a_camera_closes(street: Street) -> None:
    """Where no camera lives nobody answers."""
    with socket.create_connection(("127.0.1.99", street.port), timeout=5) as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("addresses", "local"),
    [
        (("127.0.0.1", "127.0.1.7"), True),
        (("10.0.0.4", "127.0.1.7"), False),
        (("127.0.0.1", "192.168.1.2"), False),
        (("127.0.0.1", "0.0.0.0"), False),  # noqa: S104 - it is the address that must not count
    ],
)
def test_only_this_machine_is_local(addresses: tuple[str, ...], local: bool) -> None:  # noqa: FBT001 - a table's column
    """Both ends of a connection must be loopback addresses."""
    assert is_local(*addresses) is local


def own_address() -> str:
    """An address of this machine that others could reach, or a loopback one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a datagram socket: nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def test_nobody_comes_in_from_outside(street: Street) -> None:
    """At an address that others could reach the street closes without a word."""
    address = own_address()
    if is_local(address):
        pytest.skip("this machine has no address but loopback")
    with socket.create_connection((address, street.port), timeout=5) as connection:
        assert connection.recv(1) == b""
