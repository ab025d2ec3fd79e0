"""The whole program where the machine is the trouble: no files, no time, no disk, no room."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from dev.street import Street
from dev.street_mode import UNSEEN, Mode, whole
from dev.street_wire import reply
from tests.fakes.daemon import Daemon, await_
from tests.fakes.s3 import aws_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

INTERVAL = 2.0
FRESH = timedelta(seconds=1.5 * INTERVAL)
TICK = os.sysconf("SC_CLK_TCK")
MEGABYTE = 1_000_000
_EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
NOTHING_LISTED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_EMPTY), _EMPTY)


@dataclass(frozen=True, slots=True)
class Place:
    """A street, and a folder with its inventory, the store, the log and the state."""

    street: Street
    folder: Path

    @property
    def log(self) -> Path:
        """The log's folder."""
        return self.folder / "log"

    def start(self, *words: str, **more: str) -> Daemon:
        """The daemon with settings for this street, quick ones, and `more`."""
        (self.folder / "street.csv").write_text(self.street.csv())
        settings = {
            "CCTV_INVENTORY": "street.csv",
            "CCTV_STORE": "store",
            "CCTV_HTTP": "127.0.0.1:0",
            "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
            "CCTV_INTERVAL": f"{INTERVAL:g}",
            "CCTV_RETRY_AFTER": "2",
            "CCTV_LOG_DIR": "log",
            "CCTV_STATE_DIR": "state",
            # as in the image: else each thread keeps what it has freed, and large pictures leave
            # holes that are never given back
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_MMAP_THRESHOLD_": "1000000",
        }
        return Daemon(settings | more, self.folder, *words)

    def set_mode(self, mode: str, *names: str) -> None:
        """Let these cameras, or all, behave so."""
        for name in names or self.street.cameras:
            self.street.set_mode(name, mode)

    def head(self, name: str) -> dict[str, str]:
        """The headers of an object as it stands, its time of writing as `written`; or none."""
        try:
            with (self.folder / "store" / "image" / f"{name}.jpg.http").open("rb") as file:
                text = file.read().partition(b"\n\n")[0].decode()
                written = os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return {}
        pairs = (line.partition(": ") for line in text.splitlines())
        return {key.lower(): value for key, _, value in pairs} | {"written": str(written)}

    def state(self, name: str) -> str:
        """What an address shows: `live`, or the reason for its fallback image."""
        head = self.head(name)
        return head.get("x-amz-meta-reason") or head.get("x-amz-meta-state", "")

    def live(self) -> set[str]:
        """The cameras that show a picture which is still fresh."""
        return {name for name in self.street.cameras if is_fresh(self.head(name))}

    def stale(self) -> set[str]:
        """The cameras that show a picture which is not."""
        heads = {name: self.head(name) for name in self.street.cameras}
        return {name for name, head in heads.items() if is_live(head) and not is_fresh(head)}

    def all_live(self) -> bool:
        """Whether every camera shows a fresh picture."""
        return len(self.live()) == len(self.street.cameras)

    def asked(self) -> int:
        """How many requests came to all the cameras so far."""
        return sum(camera.count for camera in self.street.cameras.values())

    def goes_on(self) -> None:
        """Wait until every camera has shown a picture that was taken from now on."""
        self.goes_on_without("")

    def goes_on_without(self, sick: str) -> None:
        """The same, but for one."""
        now = datetime.now(UTC)
        todo = set(self.street.cameras) - {sick}

        def done() -> bool:
            todo.difference_update([name for name in todo if taken(self.head(name)) > now])
            return not todo

        await_(done, "new pictures of all cameras")


def is_live(head: Mapping[str, str]) -> bool:
    """Whether it is a camera's picture."""
    return head.get("x-amz-meta-state") == "live"


def is_fresh(head: Mapping[str, str]) -> bool:
    """Whether it is a camera's picture, and may still be shown."""
    return is_live(head) and until(head) > datetime.now(UTC)


def until(head: Mapping[str, str]) -> datetime:
    """Until when a picture may be shown."""
    return datetime.fromisoformat(head["x-amz-meta-fresh-until"])


def taken(head: Mapping[str, str]) -> datetime:
    """When a picture was taken; long ago where there is none."""
    moment = head.get("x-amz-meta-captured-at", "2000-01-01T00:00:00Z")
    return datetime.fromisoformat(moment)


def pid_of(daemon: Daemon) -> int:
    """The daemon's process."""
    return daemon._process.pid  # noqa: SLF001 - a process is all that the fake is about


def cpu_of(daemon: Daemon) -> float:
    """The processor's seconds it has used so far."""
    fields = Path(f"/proc/{pid_of(daemon)}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def limit(daemon: Daemon, what: int, count: int) -> None:
    """From now on the daemon may have no more of this."""
    resource.prlimit(pid_of(daemon), what, (count, count))


@contextmanager
def a_street(folder: Path, cameras: int, **modes: str) -> Iterator[Place]:
    """A street in this folder."""
    with Street(cameras=cameras, modes=modes) as street:
        yield Place(street, folder)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A small street."""
    with a_street(tmp_path, 6) as found:
        yield found


def test_too_few_files_is_a_worse_service_and_no_end(tmp_path: Path) -> None:
    """While cameras that hang use up all files, some others are served; then all come back.

    At most three eighths of what hangs is asked at once, so 100 of them need fewer than 128 files:
    the limit here is one that is reached.
    """
    with a_street(tmp_path, 150) as place:
        hanging = [name for name in place.street.cameras if int(name) > 50]
        place.set_mode("hang_accept", *hanging)
        with place.start(CCTV_INTERVAL="4") as daemon:
            daemon.says("joined=150")
            limit(daemon, resource.RLIMIT_NOFILE, 40)
            daemon.says("Too many open files")
            began, cpu, asked = time.monotonic(), cpu_of(daemon), place.asked()
            await_(lambda: place.asked() > asked + 150, "requests of an interval")
            some_go_on(place, place.street.cameras.keys() - set(hanging))
            assert cpu_of(daemon) - cpu < 0.5 * (time.monotonic() - began)
            place.set_mode("ok", *hanging)
            await_(place.all_live, "all live")
            assert daemon.leave()[0] == 0
    assert "Traceback" not in "".join(daemon.output)


def some_go_on(place: Place, names: Iterable[str]) -> None:
    """Wait until one of these has shown a picture that was taken from now on."""
    now = datetime.now(UTC)
    await_(lambda: any(taken(place.head(name)) > now for name in names), "a new picture")


def test_a_stopped_daemon_asks_nobody_too_often_and_shows_nothing_old(place: Place) -> None:
    """A paused container: what a camera sent meanwhile is not put up as if it were new."""
    with place.start() as daemon:
        await_(place.all_live, "all live")
        place.set_mode("slow_3s", "1")
        place.street.wait_for_requests("1", place.street.cameras["1"].count + 1)
        daemon.send(signal.SIGSTOP)
        end, sent = time.monotonic() + 3 * INTERVAL, place.street.served("1").count
        await_(lambda: place.street.served("1").count > sent, "a picture is sent to nobody")
        place.set_mode("hang_accept", "1")
        time.sleep(max(0.0, end - time.monotonic()))
        assert not place.live()
        daemon.send(signal.SIGCONT)
        began, since = time.time(), time.monotonic()
        watch_until_current(place, began)
        assert time.time() - began < 2 * INTERVAL
        await_(lambda: place.state("1") == "timeout", "the one that hangs shows the card")
        await_(lambda: time.monotonic() > since + 2 * INTERVAL, "two intervals")
        for name in place.street.cameras:
            # the rate is one in each interval, and a failure is tried once more
            assert asked_within(place, name, since, 2 * INTERVAL) <= 2 * (4 if name == "1" else 2)


def asked_within(place: Place, name: str, since: float, seconds: float) -> int:
    """How many requests came to a camera then."""
    return sum(since < one.at < since + seconds for one in place.street.requests(name))


def watch_until_current(place: Place, since: float) -> None:
    """Wait until nothing stale is shown; what was written since then was never stale even once."""

    def look() -> bool:
        for name in place.street.cameras:
            head = place.head(name)
            if is_live(head) and float(head["written"]) > since:
                assert name != "1"
                assert until(head).timestamp() > float(head["written"])
        return not place.stale()

    await_(look, "nothing stale")


def test_a_log_on_a_full_disk_costs_no_picture(place: Place) -> None:
    """Every line of the file fails; the pictures go on, and stdout tells what there is to tell."""
    place.log.mkdir()
    (place.log / "cctv.log").symlink_to("/dev/full")
    with place.start("-v") as daemon:
        goes_on_and_tells(place, daemon)
    assert "Traceback" not in "".join(daemon.output)


def test_a_log_folder_that_is_gone_costs_no_picture(place: Place) -> None:
    """Deleted with all that is in it, just before the file is to be rotated."""
    place.log.mkdir()
    (place.log / "cctv.log").write_bytes(b"x" * 999_300)
    with place.start("-v") as daemon:
        daemon.says("joined=6")
        shutil.rmtree(place.log)
        lines = len(daemon.output)
        await_(lambda: len(daemon.output) > lines + 15, "more lines than the file takes")
        goes_on_and_tells(place, daemon)
    assert "Traceback" not in "".join(daemon.output)


def test_a_log_that_is_moved_away_loses_no_line(place: Place) -> None:
    """Who rotates the file himself finds what follows in the one or the other."""
    with place.start() as daemon:
        daemon.says("joined=6")
        (place.log / "cctv.log").rename(place.log / "moved")
        line = goes_on_and_tells(place, daemon)
        assert daemon.leave()[0] == 0
    files = [file.read_text("utf-8") for file in place.log.iterdir() if file.is_file()]
    assert line in "".join(files)


def goes_on_and_tells(place: Place, daemon: Daemon) -> str:
    """New pictures come, and a camera that falls sick is a line on stdout; that line."""
    await_(place.all_live, "all live")
    place.set_mode("refused", "2")
    line = daemon.says("camera unavailable camera=2")
    place.goes_on_without("2")
    return line


def test_sigterm_while_cameras_and_uploads_hang(tmp_path: Path) -> None:
    """Both at once, and it leaves with status 0 before docker would lose its patience."""
    with ExitStack() as stack:
        place = stack.enter_context(a_street(tmp_path, 40))
        hanging = [name for name in place.street.cameras if int(name) > 20]
        place.set_mode("hang_accept", *hanging)
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server.settimeout(30)
        aws = aws_environment(f"http://127.0.0.1:{server.getsockname()[1]}")
        more = {"CCTV_STORE": "s3", "BUCKET": "b", "CCTV_INTERVAL": "60"}
        daemon = stack.enter_context(place.start("-t", "20", **aws, **more))
        head = b""
        while not re.match(rb"PUT /b/image/[0-9]+[.]jpg", head):
            upload = stack.enter_context(server.accept()[0])
            upload.settimeout(30)
            head = upload.recv(4096)
            if head.startswith(b"GET"):
                upload.sendall(NOTHING_LISTED)
                upload.close()
        await_(lambda: any(map(place.street.open_connections, hanging)), "a camera hangs")
        status, seconds = daemon.leave()
    assert status == 0
    assert seconds < 10


def test_a_storm_of_sighups_over_bad_files_changes_nothing(place: Place) -> None:
    """A hundred in a second; the last good files stay, and good ones are heeded at once after."""
    own = place.folder / "own.toml"
    own.write_text("")
    with place.start(CCTV_DRIVERS="own.toml") as daemon:
        await_(place.all_live, "all live")
        own.write_text("[acme\n")
        good = (place.folder / "street.csv").read_text()
        (place.folder / "street.csv").write_text("camera,ip\n1,10.0.0.1\n")
        for _ in range(100):
            daemon.send(signal.SIGHUP)
            time.sleep(0.01)
        daemon.says("drivers: the last good ones stay")
        daemon.says("has no column id, model, address")
        place.goes_on()
        own.write_text("")
        (place.folder / "street.csv").write_text("\n".join(good.splitlines()[:-1]) + "\n")
        daemon.send(signal.SIGHUP)
        await_(lambda: place.state("6") == "removed", "6 is removed")
        assert daemon.leave()[0] == 0
    # two lines for each reading at most: a storm is not passed on to the log
    assert len(daemon.output) < 220
    assert "Traceback" not in "".join(daemon.output)


@cache
def heavy() -> bytes:
    """A picture of nearly eight megabytes, all of it pixels."""
    file = BytesIO()
    Image.effect_noise((3840, 2160), 100).convert("RGB").save(file, "JPEG", quality=93)
    return file.getvalue()


def test_forty_cameras_with_bodies_of_eight_megabytes_stay_within_bounds(tmp_path: Path) -> None:
    """All of them in each interval of two seconds: more than a machine can do, and it holds."""
    assert 7.5 * MEGABYTE < len(heavy()) < 7.95 * MEGABYTE
    mode = Mode("heavy", "a picture of eight megabytes", UNSEEN, whole(lambda _: reply(heavy())))
    with a_street(tmp_path, 40) as place:
        for camera in place.street.cameras.values():
            camera.enter(mode)
        with place.start() as daemon:
            await_(lambda: place.asked() >= 200, "five intervals")
            some_go_on(place, place.street.cameras)
            peak = Path(f"/proc/{pid_of(daemon)}/status").read_text()
            assert daemon.leave()[0] == 0
    found = re.search(r"VmHWM:\s+(\d+) kB", peak)
    assert found is not None
    assert int(found[1]) * 1024 < 512 * MEGABYTE
