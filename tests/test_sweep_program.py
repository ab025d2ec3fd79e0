"""`cctv sweep` and its Lambda handler as processes: the store is all they need."""

from __future__ import annotations

import asyncio
import csv
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cctv.config import PACKAGE
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.holdbook import HoldBook, private
from cctv.holds import Hold, Scope
from cctv.schedule import utc_now
from cctv.store import folder_disk as disk
from cctv.store.folder import open_folder
from cctv.store.s3 import S3Access, open_s3
from dev.dummy_api import Street
from tests.fakes.daemon import ROOT, Daemon, await_, clean, command, settings_of
from tests.fakes.frames import jpeg
from tests.fakes.s3 import moto_s3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cctv.seams import Archive
    from tests.fakes.s3 import RealS3

CARD = (PACKAGE / "unavailable.jpg").read_bytes()
ENV = {"CCTV_STORE": "store"}
HANDLER = "from cctv.sweep_lambda import handler; "
LONG = timedelta(hours=1)


async def put_pictures(archive: Archive, names: Iterable[str], age: timedelta) -> None:
    """What a daemon has put some time ago."""
    moment = utc_now() - age
    gallery = Gallery(archive, "image/", 300, CARD, lambda: moment)
    frame = Frame.of(jpeg(), moment)
    for name in names:
        thing = gallery.live(name, frame, moment + timedelta(seconds=300))
        await archive.put(gallery.key(name), thing)


def fill(folder: Path, names: Iterable[str], age: timedelta) -> None:
    """The same in the folder that `ENV` names."""

    async def work() -> None:
        async with open_folder(folder / "store", lambda: utc_now() - age, 10) as archive:
            await put_pictures(archive, names, age)

    asyncio.run(work())


def order(folder: Path, hold: Hold | bytes) -> None:
    """Put a hold there, or something that is none."""

    async def work() -> None:
        async with open_folder(folder / "store", utc_now, 10) as archive:
            if isinstance(hold, Hold):
                await HoldBook(archive, utc_now).write([hold])
            else:
                await archive.put("private/holds/x.json", private(hold, utc_now))

    asyncio.run(work())


def bodies(folder: Path, names: Iterable[str]) -> list[bytes]:
    """What stands at these addresses; nothing where nothing whole does."""

    async def work() -> list[bytes]:
        async with open_folder(folder / "store", utc_now, 10) as archive:
            found = [await archive.get(f"image/{name}.jpg") for name in names]
            return [one.thing.body if one else b"" for one in found]

    return asyncio.run(work())


def cards(folder: Path, names: Iterable[str]) -> list[bool]:
    """At which of these addresses the fallback image stands."""
    return [body == CARD for body in bodies(folder, names)]


def test_sweep_needs_nothing_but_the_store(tmp_path: Path) -> None:
    """No inventory, no Knack, no login, no log folder: old ones go, fresh ones stay."""
    fill(tmp_path, ["1", "2"], LONG)
    fill(tmp_path, ["3"], timedelta(seconds=10))
    status, said = command("sweep", env=ENV, folder=tmp_path)
    assert status == 0, said
    assert said.splitlines() == [
        "camera 1: replaced, stale",
        "camera 2: replaced, stale",
        "3 pictures looked at, 2 replaced, 0 failed",
    ]
    assert cards(tmp_path, "123") == [True, True, False]
    assert {path.name for path in tmp_path.iterdir()} == {"store"}
    status, said = command("sweep", env=ENV, folder=tmp_path)
    assert (status, said) == (0, "1 pictures looked at, 0 replaced, 0 failed\n")


def test_older_than(tmp_path: Path) -> None:
    """A picture that calls itself fresh goes when it was stored longer ago."""
    fill(tmp_path, ["1"], timedelta(seconds=100))
    status, said = command("sweep", "--older-than", "60", env=ENV, folder=tmp_path)
    assert status == 0, said
    assert cards(tmp_path, "1") == [True]


def test_holds_and_settings_are_obeyed(tmp_path: Path) -> None:
    """A held picture and one of CCTV_NEVER_PUBLISH go however fresh; the others stay."""
    fill(tmp_path, ["1", "2", "3"], timedelta(seconds=1))
    now = utc_now()
    order(tmp_path, Hold("kzwrt", Scope(names=frozenset({"1"})), now, None, "me", "test", now))
    env = {**ENV, "CCTV_NEVER_PUBLISH": "2"}
    status, said = command("sweep", env=env, folder=tmp_path)
    assert status == 0, said
    assert "camera 1: replaced, held" in said
    assert "camera 2: replaced, never-publish" in said
    assert cards(tmp_path, "123") == [True, True, False]


def test_holds_that_cannot_be_read(tmp_path: Path) -> None:
    """Old pictures go all the same; it says what it could not see, and does not call that well."""
    fill(tmp_path, ["1"], LONG)
    fill(tmp_path, ["2"], timedelta(seconds=1))
    order(tmp_path, b"no hold")
    status, said = command("sweep", env=ENV, folder=tmp_path)
    assert status == 1
    assert "holds" in said
    assert "private/holds/x.json is something that is no hold" in said
    assert "Traceback" not in said
    assert cards(tmp_path, "12") == [True, False]


def test_store_that_cannot_be_read(tmp_path: Path) -> None:
    """One sentence and status 1: cron's mail says what is wrong."""
    env = {
        **ENV,
        "CCTV_STORE": "s3",
        "BUCKET": "public-images",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "S3cr3t-canary",
    }
    status, said = command("sweep", env=env, folder=tmp_path)
    assert status == 1
    assert "cctv: S3 bucket public-images at 127.0.0.1:9: the connection failed" in said
    assert "Traceback" not in said
    assert "S3cr3t" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_sweep_leaves_whole_objects(tmp_path: Path, number: signal.Signals) -> None:
    """Each address shows the old picture or the fallback image, and the next run does the rest."""
    names = [str(name) for name in range(800)]
    fill(tmp_path, names, LONG)
    image = tmp_path / "store" / "image"
    untouched = (image / "0.jpg.http").stat().st_ino
    with subprocess.Popen(
        [sys.executable, "-m", "cctv", "sweep"],
        env=clean({"PYTHONPATH": str(ROOT), **ENV}),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        await_(lambda: (image / "0.jpg.http").stat().st_ino != untouched, "the first is replaced")
        process.send_signal(number)
        said = process.communicate(timeout=30)[0].decode()
    assert process.returncode in {-number, 1}, said
    assert "Traceback" not in said
    assert set(bodies(tmp_path, names)) == {CARD, jpeg()}
    assert command("sweep", env=ENV, folder=tmp_path)[0] == 0
    assert all(cards(tmp_path, names))


@pytest.fixture
def street(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings for four cameras and a folder store."""
    with Street(cameras=4, slow=0.1) as found:
        rows = found.records()
        with (tmp_path / "street.csv").open("w") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        yield settings_of(found)


def states(folder: Path) -> list[str]:
    """What the four addresses show: `live`, or the fallback image's reason; blank for nothing."""
    labels = [labels_of(folder / "store" / "image" / f"{name}.jpg.http") for name in "1234"]
    return [each.get("reason") or each.get("state", "") for each in labels]


def labels_of(file: Path) -> Mapping[str, str]:
    """The metadata in one file of the store."""
    found = disk.glance(file)
    return found.thing.metadata if found else {}


def test_sweep_beside_a_daemon_and_after_its_death(tmp_path: Path, street: dict[str, str]) -> None:
    """It leaves a living daemon alone; after kill -9 it takes all old pictures off the air."""
    with Daemon(street, tmp_path) as daemon:
        await_(lambda: states(tmp_path) == ["live"] * 4, "four pictures")
        assert command("sweep", env=street, folder=tmp_path) == (
            0,
            "4 pictures looked at, 0 replaced, 0 failed\n",
        )
        daemon.send(signal.SIGKILL)
        daemon.wait()

    def swept() -> bool:
        assert command("sweep", env=street, folder=tmp_path)[0] == 0
        return states(tmp_path) == ["stale"] * 4

    await_(swept, "four fallback images")


def test_daemon_after_a_death_replaces_what_is_old(tmp_path: Path, street: dict[str, str]) -> None:
    """Killed and started again: it says which pictures were too old, and goes on."""
    with Daemon(street, tmp_path) as daemon:
        await_(lambda: states(tmp_path) == ["live"] * 4, "four pictures")
        daemon.send(signal.SIGKILL)
        daemon.wait()
    file = tmp_path / "store" / "image" / "1.jpg.http"
    until = datetime.fromisoformat(labels_of(file)["fresh-until"])
    await_(lambda: utc_now() > until, "the picture is old")
    with Daemon(street, tmp_path) as daemon:
        daemon.says("pictures were too old count=")
        await_(lambda: states(tmp_path) == ["live"] * 4, "four pictures")


def run_handler(server: RealS3, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What a process that does this comes to, in an environment such as Lambda's."""
    env = {**server.environment, "BUCKET": server.bucket, "CCTV_NEVER_PUBLISH": "1", "LANG": "C"}
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", HANDLER + code],
        env=clean({"PYTHONPATH": str(ROOT), "HOME": "/nonexistent", **env}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_lambda_handler_runs_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm process is called many times: log, loop and signals bear it; nothing is written."""
    with moto_s3() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)

        async def work() -> bytes:
            async with open_s3(S3Access(server.bucket, 19)) as archive:
                await put_pictures(archive, ["1"], timedelta(0))
                code = "print([handler({}, None) for _ in range(3)])"
                done = await asyncio.to_thread(run_handler, server, tmp_path, code)
                assert done.returncode == 0, done.stderr
                assert done.stdout.splitlines() == [
                    "camera 1: replaced, never-publish",
                    "1 pictures looked at, 1 replaced, 0 failed",
                    "0 pictures looked at, 0 replaced, 0 failed",
                    "0 pictures looked at, 0 replaced, 0 failed",
                    "['swept', 'swept', 'swept']",
                ]
                assert done.stderr == ""
                found = await archive.get("image/1.jpg")
                return found.thing.body if found else b""

        assert asyncio.run(work()) == CARD
    assert list(tmp_path.iterdir()) == []


def test_lambda_handler_fails_aloud(tmp_path: Path) -> None:
    """An alarm on the function's errors hears of a sweep that could not do its work."""
    with moto_s3() as server:
        gone = type(server)(server.endpoint, "no-such-bucket")
        done = run_handler(gone, tmp_path, "handler({}, None)")
    assert done.returncode == 1
    assert "RuntimeError: the sweep ended with status 1" in done.stderr
    assert "there is no such bucket" in done.stderr
