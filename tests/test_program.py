"""The whole program as a process: from a street of dummy cameras into real stores."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError
from botocore.exceptions import ClientError

from cctv.config import PACKAGE
from cctv.frame import Frame
from cctv.schedule import utc_now
from dev.dummy_api import Street
from tests.fakes.daemon import ROOT, Daemon, await_, clean, command, settings_of
from tests.fakes.knack import FakeKnack, Mode, camera_row
from tests.fakes.s3 import RealS3, aws_environment, moto_s3, rclone_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARD = (PACKAGE / "unavailable.jpg").read_bytes()
ADDRESS, MODEL = "field_638", "field_639"


@dataclass
class World:
    """A street, a Knack that lists it, a bucket, and the settings that lead to them."""

    street: Street
    knack: FakeKnack
    s3: RealS3
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = {
            **self.s3.environment,
            "BUCKET": self.s3.bucket,
            "CAMERA_USERNAME": self.street.login.username,
            "CAMERA_PASSWORD": self.street.login.password,
            "KNACK_APP_ID": self.knack.app_id,
            "KNACK_API_KEY": str(self.knack.api_key),
            "KNACK_CONTAINER": "view_395",
            "KNACK_API_URL": self.knack.url,
            "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
            "CCTV_INTERVAL": "4",
            "CCTV_LOG_DIR": str(self.folder / "log"),
        }

    def head(self, name: str) -> dict[str, str]:
        """The headers of an object, or none."""
        return self._read(name)[1]

    def body(self, name: str) -> bytes:
        """The bytes of an object."""
        return self._read(name)[0]

    def state(self, name: str) -> str:
        """What an address shows: `live`, or the reason for its fallback image."""
        head = self.head(name)
        return head.get("x-amz-meta-reason") or head.get("x-amz-meta-state", "")

    def shows(self, name: str, state: str) -> None:
        """Wait until an address shows this."""
        await_(lambda: self.state(name) == state, f"{name} shows {state}")

    def log(self) -> str:
        """Everything in the log's folder."""
        files = [file for file in (self.folder / "log").rglob("*") if file.is_file()]
        return "\n".join(file.read_text("utf-8") for file in files)

    def _read(self, name: str) -> tuple[bytes, dict[str, str]]:
        try:
            return asyncio.run(self.s3.read(f"image/{name}.jpg"))
        except (ClientError, ClientPayloadError):
            # rclone, unlike S3, writes in place: who reads meanwhile is cut off, and reads again
            return b"", {}


def rows(street: Street) -> list[dict[str, object]]:
    """The street as Knack's records."""
    return [
        camera_row(int(row["id"]), {ADDRESS: row["address"], MODEL: row["model"]})
        for row in street.records()
    ]


@pytest.fixture(params=["moto", "rclone"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world around each of two S3 servers."""
    disk = tmp_path / "disk"
    disk.mkdir()
    bucket = moto_s3() if request.param == "moto" else rclone_s3(disk)
    with bucket as s3, Street() as street, FakeKnack(rows(street)) as knack:
        yield World(street, knack, s3, tmp_path)


def test_from_knack_and_street_into_s3(world: World) -> None:
    """A day in the life: all live, one falls sick and recovers, one leaves, one is disabled."""
    names = list(world.street.cameras)
    with Daemon(world.env, world.folder) as daemon:
        for name in names:
            world.shows(name, "live")
        Frame.of(world.body("1"), utc_now())
        assert world.body("unavailable") == CARD

        world.street.set_mode("3", "hang")
        world.shows("3", "timeout")
        assert world.body("3") == CARD
        assert world.state("4") == "live"
        world.street.set_mode("3", "ok")
        world.shows("3", "live")

        world.knack.rows = [row for row in world.knack.rows if row["field_947"] != 5]
        world.knack.rows[5] |= {"field_1866": "Yes", "field_1866_raw": True}
        disabled = str(world.knack.rows[5]["field_947"])
        daemon.send(signal.SIGHUP)
        world.shows("5", "removed")
        world.shows(disabled, "unpublished")
        asked = world.street.requests("5"), world.street.requests(disabled)

        world.shows("1", "live")
        status, seconds = daemon.leave()
        assert (status, asked) == (
            0,
            (world.street.requests("5"), world.street.requests(disabled)),
        )
        assert seconds < 10
    assert "camera live again camera=3" in world.log()
    secrets = [world.street.login.password, str(world.knack.api_key)]
    assert not [word for word in secrets if word in world.log() + "".join(daemon.output)]


def test_start_with_knack_down_works_from_the_last_good_list(world: World) -> None:
    """Cron restarts the daemon at 3 a.m. while Knack is away: the pictures go on."""
    with Daemon(world.env, world.folder) as daemon:
        world.shows("1", "live")
        assert daemon.leave()[0] == 0
    before = world.head("1")["x-amz-meta-captured-at"]
    world.knack.mode = Mode.UNAVAILABLE
    with Daemon(world.env, world.folder) as daemon:
        daemon.says("working from the last good list cameras=17")
        await_(
            lambda: world.head("1").get("x-amz-meta-captured-at", before) > before,
            "a picture newer than the restart",
        )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Street, dict[str, str], Path]]:
    """A street, a CSV and a folder store: no cloud at all."""
    with Street() as street:
        (tmp_path / "street.csv").write_text(street.csv())
        yield street, settings_of(street), tmp_path


Small = tuple[Street, dict[str, str], "Path"]


def test_sigterm_while_every_camera_hangs(small: Small) -> None:
    """Whatever hangs, the process is gone within ten seconds, with status 0."""
    street, env, folder = small
    for name in street.cameras:
        street.set_mode(name, "hang")
    with Daemon({**env, "CCTV_INTERVAL": "300"}, folder, "-t", "100") as daemon:
        await_(lambda: sum(map(street.requests, street.cameras)) >= 3, "three hang")
        status, seconds = daemon.leave()
    assert status == 0
    assert seconds < 10


NOTHING_LISTED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 86\r\n"
    b"Connection: close\r\n\r\n"
    b"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>   "
)


@pytest.fixture
def deaf(small: Small) -> Iterator[Daemon]:
    """A daemon whose bucket lists no holds and takes nothing, with a picture's upload in flight."""
    _, env, folder = small
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        aws = aws_environment(f"http://127.0.0.1:{server.getsockname()[1]}")
        settings = {**env, **aws, "CCTV_STORE": "s3", "BUCKET": "b", "CCTV_INTERVAL": "300"}
        with Daemon(settings, folder) as daemon, ExitStack() as uploads:
            head = b""
            while not re.match(rb"PUT /b/image/[0-9]+[.]jpg", head):
                upload = uploads.enter_context(server.accept()[0])
                head = upload.recv(4096)
                if head.startswith(b"GET"):
                    upload.sendall(NOTHING_LISTED)
                    upload.close()
            yield daemon


def test_sigterm_with_uploads_that_hang(deaf: Daemon) -> None:
    """They get their five seconds, and the process leaves within ten, with status 0."""
    status, seconds = deaf.leave()
    assert status == 0
    assert seconds < 10


def test_second_sigterm_leaves_at_once(deaf: Daemon) -> None:
    """Who asks twice means it: no upload is waited for."""
    deaf.send(signal.SIGTERM)
    deaf.says("stopping signal=SIGTERM")
    status, seconds = deaf.leave()
    assert status == 1
    assert seconds < 3


def test_sigint_leaves_too(small: Small) -> None:
    """Ctrl-C is an order like SIGTERM."""
    _, env, folder = small
    with Daemon(env, folder) as daemon:
        daemon.says("started")
        assert daemon.leave(signal.SIGINT)[0] == 0


def test_nothing_half_written_is_left_behind(small: Small) -> None:
    """After SIGTERM in full swing every object in the folder is whole."""
    street, env, folder = small
    with Daemon(env, folder) as daemon:
        await_(lambda: sum(map(street.requests, street.cameras)) >= 40, "full swing")
        assert daemon.leave()[0] == 0
    files = [file for file in (folder / "store" / "image").rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert file.suffix == ".http"
        if file.name == "status.json.http":
            continue
        Frame.of(file.read_bytes().partition(b"\n\n")[2], utc_now())


def test_a_new_driver_file_is_read_on_sighup(small: Small) -> None:
    """A make nobody knew is published without a release and without a restart."""
    street, env, folder = small
    text = street.csv().replace("Sony", "Acme")
    (folder / "street.csv").write_text(text)
    (folder / "own.toml").write_text("")
    with Daemon({**env, "CCTV_DRIVERS": "own.toml"}, folder) as daemon:
        daemon.says(
            "unknown model Acme, asked with /jpeg?id=2; describe it in CCTV_DRIVERS cameras=1"
        )
        daemon.says("camera unavailable camera=14 reason=not-found")
        (folder / "own.toml").write_text('[acme]\npath = "/oneshotimage.jpg"\n')
        daemon.send(signal.SIGHUP)
        daemon.says("camera live again camera=14")
        (folder / "own.toml").write_text("[acme]\n")
        daemon.send(signal.SIGHUP)
        daemon.says("drivers: the last good ones stay")


def test_nothing_set_exits_2_and_names_all(tmp_path: Path) -> None:
    """The three missing names in one message."""
    status, text = command("run", env={}, folder=tmp_path)
    assert status == 2
    for name in ("KNACK_APP_ID", "KNACK_CONTAINER", "BUCKET"):
        assert f"{name} is not set" in text
    assert "Traceback" not in text


def test_unusable_inventory_exits_2_at_the_first_start(small: Small) -> None:
    """A file without its columns is a fault of the settings, said in a sentence."""
    _, env, folder = small
    (folder / "street.csv").write_text("camera,ip\n1,10.0.0.1\n")
    status, text = command("run", env=env, folder=folder)
    assert status == 2
    assert "street.csv: has no column id, model, address in its first line" in text


def test_check_tells_what_is_sick_and_publishes_nothing(small: Small) -> None:
    """Every camera asked once, the failing ones in a table with advice, exit 1."""
    street, env, folder = small
    street.set_mode("9", "401")
    street.set_mode("13", "html")
    status, text = command("check", env=env, folder=folder)
    assert status == 1
    assert "store      ok: image/unavailable.jpg is in place" in text
    assert "cameras    15 ok, 1 auth, 1 not-a-picture" in text
    assert "The camera refused the username and password." in text
    assert [file.name for file in (folder / "store").rglob("*.http")] == ["unavailable.jpg.http"]
    street.set_mode("9", "ok")
    street.set_mode("13", "ok")
    status, text = command("check", "--all", env=env, folder=folder)
    assert status == 0
    assert "cameras    17 ok" in text
    assert text.count("ok 640x360") == 17


def test_check_shows_a_bar_where_somebody_watches(small: Small) -> None:
    """On a terminal a bar grows to the last camera; it goes to stderr, and stdout stays clean."""
    _, env, folder = small
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "cctv", "check"],
            env=clean({"PYTHONPATH": str(ROOT), **env}),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=120,
            check=False,
        )
        os.close(theirs)
        bar = terminal.read(100_000).decode()
    assert done.returncode == 0
    assert f"[{'#' * 30}] 17 of 17" in bar
    assert bar.count("\r") >= 17
    assert b"#" not in done.stdout


def test_once_runs_one_cycle_aloud(small: Small) -> None:
    """Picture and fallback, each said and done."""
    street, env, folder = small
    status, text = command("once", "6", env=env, folder=folder)
    assert status == 0
    assert "asking 127.0.1.6" in text
    assert "published  ok: image/6.jpg" in text
    street.set_mode("6", "503")
    status, text = command("once", "6", env=env, folder=folder)
    assert status == 1
    assert "camera 6: busy: HTTP 503" in text
    assert "fallback   in place: image/6.jpg" in text
    stored = (folder / "store" / "image" / "6.jpg.http").read_bytes()
    assert stored.endswith(CARD)
    assert command("once", "nobody", env=env, folder=folder)[0] == 1


def test_snap_saves_a_picture_and_publishes_nothing(small: Small) -> None:
    """For a look at a camera without showing it to the world."""
    street, env, folder = small
    status, text = command("snap", "2", "-o", "two.jpg", env=env, folder=folder)
    assert (status, text.startswith("two.jpg: 640x360 pixels")) == (0, True)
    Frame.of((folder / "two.jpg").read_bytes(), utc_now())
    assert not (folder / "store").exists()
    street.set_mode("2", "truncated")
    status, text = command("snap", "2", "-o", "other.jpg", env=env, folder=folder)
    assert status == 1
    assert "torn: JPEG cut off after" in text
    assert not (folder / "other.jpg").exists()


def test_list_shows_the_inventory_and_what_is_odd(small: Small) -> None:
    """Cameras, withdrawn ones, and records that make no sense."""
    street, env, folder = small
    text = street.csv() + "99,,10.0.0.99,,,,,yes\n98,Axis,10.0.0.98,,,,,no\n"
    (folder / "street.csv").write_text(text)
    status, shown = command("list", env=env, folder=folder)
    assert status == 0
    assert "17 cameras, 2 not published" in shown
    assert "odd record 99: model is blank" in shown
    assert "not published: The inventory says that this camera is not to be published." in shown


def test_health_follows_the_daemon(small: Small) -> None:
    """Well while pictures flow, sick when there is no daemon."""
    _, env, folder = small
    assert command("health", env=env, folder=folder)[0] == 1
    with Daemon(env, folder):
        await_(lambda: command("health", env=env, folder=folder) == (0, "healthy\n"), "healthy")


def test_p7_canary_password_appears_nowhere(small: Small) -> None:
    """The predecessor's P7: through every fault of the street, in no output and in no file."""
    street, env, folder = small
    canary = "S3cr3t canary/%40+ä"
    modes = ["401", "html", "503", "cut", "truncated", "empty", "404", "refuse", "ok", "hang"]
    for name, mode in zip(street.cameras, modes * 2, strict=False):
        street.set_mode(name, mode)
    settings = {**env, "CAMERA_PASSWORD": canary}
    with Daemon(settings, folder, "-v") as daemon:
        await_(lambda: sum(map(street.requests, street.cameras)) >= 60, "many faults")
        daemon.leave()
    status, checked = command("check", "--all", env=settings, folder=folder)
    assert status == 1
    files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    everything = b"\n".join([*files, "".join(daemon.output).encode(), checked.encode()])
    for form in ("S3cr3t canary", "S3cr3t%20canary", "S3cr3t+canary", "UzNjcjN0IGNhbmFyeS"):
        assert form.encode() not in everything
    assert b"auth" in everything
