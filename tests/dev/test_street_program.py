"""The street in process and as a program: its start and end, its inventory, its control."""

from __future__ import annotations

import csv
import io
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from cctv import roster
from cctv.model import Record
from dev.dummy_server import allow_many_connections
from dev.street import MODES, Street, UnknownModeError
from dev.street_arguments import chosen
from tests.dev.street_client import asking, hear, silent, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "street.py"


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The program as a user starts it."""
    command = [sys.executable, str(SCRIPT), *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def finished(*arguments: str) -> tuple[int, str, str]:
    """The status, the words and the complaints of a program that ends by itself."""
    with running(*arguments) as program:
        said, complained = program.communicate(timeout=20)
    return program.returncode, said, complained


def control(method: str, url: str, body: str = "") -> requests.Response:
    """The control is asked."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, data=body, timeout=5)


def test_a_thousand_cameras() -> None:
    """They stand within seconds, each at an address of its own, and are gone without a trace."""
    allow_many_connections()
    threads, begun = threading.active_count(), time.monotonic()
    with Street(cameras=1000) as street:
        assert time.monotonic() - begun < 5
        assert len({row["address"] for row in street.records()}) == 1000
        assert strict(hear(street, camera="1000").body)
        where = street.address("1000").split(":")
    assert time.monotonic() - begun < 10
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((where[0], int(where[1])), 5)


@pytest.mark.parametrize("mode", ["hang_accept", "halfopen", "mjpeg", "drip_body", "blackhole"])
def test_the_end_comes_at_once(mode: str) -> None:
    """A street ends whatever its clients do; nothing of it stays open."""
    with socket.socket() as client:
        with Street(cameras=1, modes={"1": mode}) as street:
            host, port = street.address("1").split(":")
            client.setblocking(False)  # noqa: FBT003 - the socket's own signature
            client.connect_ex((host, int(port)))
            if mode != "blackhole":
                client.settimeout(5)
                client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                street.wait_for_requests("1", 1)
                assert street.open_connections("1") == 1
            begun = time.monotonic()
        assert time.monotonic() - begun < 2


def test_a_port_that_is_taken() -> None:
    """The street does not open, and leaves no thread behind."""
    threads = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), Street(cameras=1, port=port):
            pytest.fail("opened")
    assert threading.active_count() == threads


def test_modes_change_while_it_runs() -> None:
    """A new mode holds from the next request on; what hangs goes on hanging."""
    with Street(cameras=2, modes={"1": "hang_accept"}) as street:
        assert (street.mode("1"), street.mode("2")) == ("hang_accept", "ok")
        with asking(street) as hanging:
            street.wait_for_requests("1", 1)
            street.set_mode("1", "status_404")
            assert hear(street).status == 404
            assert silent(hanging)
        assert hear(street, camera="2").status == 200


def test_unknown_names() -> None:
    """An unknown mode is named with those that look like it; an unknown camera is a KeyError."""
    with Street(cameras=1) as street:
        with pytest.raises(UnknownModeError, match=r"'trunc_c' is no mode; did you mean trunc_cl"):
            street.set_mode("1", "trunc_c")
        with pytest.raises(KeyError):
            street.set_mode("2", "ok")
        assert street.mode("1") == "ok"


def test_waiting_has_an_end() -> None:
    """A request that does not come is a TimeoutError that says how many did."""
    with Street(cameras=1) as street:
        hear(street)
        street.wait_for_requests("1", 1, 0.0)
        with pytest.raises(TimeoutError, match="1 requests, not 2"):
            street.wait_for_requests("1", 2, 0.05)


def test_records_are_cameras() -> None:
    """The daemon reads the inventory; https and channels stand in it."""
    with Street(cameras=20, nvr=2, modes={"3": "tls_self", "17": "tls_self"}) as street:
        rows = list(csv.DictReader(io.StringIO(street.csv())))
        assert rows == street.records()
        cameras = roster.read([Record(**row) for row in rows], {}).cameras
        assert list(cameras) == [str(number) for number in range(1, 21)]
        assert cameras["3"].address == street.address("3")
        assert street.address("3").startswith("https://127.0.0.1:")
        assert cameras["17"].address == f"{street.address('17')}/snapshot/1.jpg"
        assert [cameras[name].channel for name in ("18", "19", "20")] == [None, 1, 2]
        assert street.address("19") == street.address("20") != street.address("18")


def test_a_street_that_speaks_tls() -> None:
    """With a certificate for all, only modes that are about TLS have their own."""
    modes = {"2": "tls_expired", "3": "tls_plain"}
    with Street(cameras=3, tls="self", modes=modes) as street:
        assert all(street.address(name).startswith("https://") for name in "123")
        assert street.certificate("1") != street.certificate("2")
        with pytest.raises(LookupError):
            street.certificate("3")


def test_recorder() -> None:
    """Channels share an address; each has its own picture, and two at once are one too many."""
    channel = "/ISAPI/Streaming/channels/{}01/picture"
    with Street(cameras=3, nvr=2) as street:
        assert strict(hear(street, camera="3", target=channel.format(2)).body)
        assert (street.served("2").count, street.served("3").count) == (0, 1)
        with asking(street, "2", channel.format(1)) as first:
            street.wait_for_requests("2", 1)
            second = hear(street, camera="3", target=channel.format(2))
            assert first.recv(15) == b"HTTP/1.1 200 OK"
        assert (second.status, second.end) == (503, "closed")
        assert street.peak_connections("2") == street.peak_connections("3") == 2


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_program(tmp_path: Path, end: signal.Signals) -> None:
    """It says where it is, writes the inventory, and leaves at once."""
    file = tmp_path / "street.csv"
    with running("--cameras", "4", "--mode", "2=hang_accept", "--csv", str(file)) as program:
        assert program.stdout is not None
        line = program.stdout.readline()
        assert re.fullmatch(r"4 cameras, 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+\n", line)
        rows = list(csv.DictReader(io.StringIO(file.read_text())))
        host, port = rows[1]["address"].split(":")
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            program.send_signal(end)
            assert program.communicate(timeout=5) == ("", "")
        assert program.returncode == 0


def test_control() -> None:
    """Cameras and modes are listed; a mode is changed with plain text or JSON, for one or all."""
    with running("--cameras", "3", "--control", "0", "--csv", "-") as program:
        assert program.stderr is not None
        found = re.search(r"control: (http://127\.0\.0\.1:\d+)/", program.stderr.readline())
        assert found is not None
        where = found[1]
        assert control("PUT", f"{where}/cameras/2", "trunc_cl").status_code == 200
        assert control("PUT", f"{where}/cameras/3", '{"mode": "mjpeg"}').status_code == 200
        rows = control("GET", f"{where}/cameras").json()
        assert [row["mode"] for row in rows] == ["ok", "trunc_cl", "mjpeg"]
        assert set(rows[0]) == {"id", "address", "mode", "requests", "open"}
        assert control("PUT", f"{where}/cameras", "frozen").status_code == 200
        assert {row["mode"] for row in control("GET", f"{where}/cameras").json()} == {"frozen"}
        assert [mode["name"] for mode in control("GET", f"{where}/modes").json()] == list(MODES)
        assert control("GET", f"{where}/street.csv").text.startswith("id,model,address,")
        assert control("GET", f"{where}/").text.startswith("GET /cameras")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("PUT", "/cameras/1", "trunc_c", 400, "did you mean trunc_cl"),
        ("PUT", "/cameras/1", "", 400, "is no mode"),
        ("PUT", "/cameras/1", "{", 400, "Expecting"),
        ("PUT", "/cameras/1", '{"mode": 7}', 400, 'names no "mode"'),
        ("PUT", "/cameras/9", "ok", 404, "no camera '9'"),
        ("PUT", "/modes", "ok", 404, "GET /cameras"),
        ("GET", "/cameras/1", "", 404, "GET /cameras"),
        ("GET", "/nothing", "", 404, "GET /cameras"),
    ],
)
def test_control_explains(method: str, path: str, body: str, status: int, words: str) -> None:
    """What makes no sense gets a sentence, and changes nothing."""
    with Street(cameras=1, control=0) as street:
        heard = control(method, f"http://{street.control_address}{path}", body)
        assert (heard.status_code, street.mode("1")) == (status, "ok")
        assert words in heard.text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--mode", "1=trunc_c"), "'trunc_c' is no mode; did you mean trunc_cl"),
        (("--mode", "1=zzzz"), "'zzzz' is no mode"),
        (("--mode", "99=ok"), "there is no camera 99"),
        (("--mode", "ok"), "is not ID=MODE"),
        (("--cameras", "0"), "from 1 to"),
        (("--nvr", "13"), "no more than there are cameras"),
        (("--tls", "rusty"), "invalid choice"),
    ],
)
def test_the_command_line_explains(arguments: tuple[str, ...], complaint: str) -> None:
    """A command line that makes no sense ends with status 2 and a sentence."""
    status, said, complained = finished(*arguments)
    assert (status, said) == (2, "")
    assert complaint in complained


def test_list_and_help() -> None:
    """`--list` names every mode, what it does and where it was seen; `--help` gives examples."""
    status, said, _ = finished("--list")
    assert status == 0
    for mode in MODES.values():
        assert re.search(rf"(?m)^  {re.escape(mode.name)} +{re.escape(mode.words)} \(", said)
        assert f"({mode.seen})" in said
    status, said, _ = finished("--help")
    assert status == 0
    assert "--mode '30%=hang_hdr'" in said


def test_shares() -> None:
    """Single cameras come first, shares are of all cameras and never meet, all is the rest."""
    wishes = ["7=trunc_cl", "30%=hang_hdr", "20%=frozen", "all=status_404"]
    modes = chosen(wishes, 100)
    assert modes["7"] == "trunc_cl"
    counts = {mode: list(modes.values()).count(mode) for mode in set(modes.values())}
    assert counts == {"trunc_cl": 1, "hang_hdr": 30, "frozen": 20, "status_404": 49}
    assert chosen(wishes, 100) == modes
    assert chosen([], 3) == {}
