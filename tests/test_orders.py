"""`cctv hold`, `release` and `holds` as an operator types them, beside a real daemon or without."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import requests
from botocore.session import get_session

from cctv.audit import entries
from cctv.config import PACKAGE
from dev.dummy_api import Street
from tests.fakes.daemon import Daemon, await_, command, settings_of
from tests.fakes.s3 import KEY_ID, SECRET, RealS3, Sickness, moto_s3, sick_s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARD = (PACKAGE / "unavailable.jpg").read_bytes()
SECRET_REASON = "visit of the president of nowhere"
AREAS = {"1": "NORTH", "2": "North", "3": "SOUTH", "4": "SOUTH"}
MOMENT = r"\w+day \d+ \w+ \d{4}, [\d:]+ C[SD]T \(UTC-0[56]:00\)"


@dataclass
class World:
    """A street of four cameras, two of them in the north, and the settings that lead to it."""

    street: Street
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.env = settings_of(self.street) | {"CCTV_TIMEZONE": "America/Chicago"} | self.env
        more = {"latitude": "", "longitude": ""}
        rows = [row | more | {"area": AREAS[row["id"]]} for row in self.street.records()]
        with (self.folder / "street.csv").open("w") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)

    def cctv(self, *words: str, **env: str) -> tuple[int, str]:
        """Type a command."""
        return command(*words, env=self.env | env, folder=self.folder)

    def hold(self, *words: str, **env: str) -> tuple[int, str]:
        """Type `cctv hold` with a reason."""
        return self.cctv("hold", *words, "--reason", SECRET_REASON, **env)

    def daemon(self) -> Daemon:
        """The daemon."""
        return Daemon(self.env, self.folder)

    def state(self, name: str) -> str:
        """What an address shows: `live`, or the fallback image's reason; blank for nothing."""
        file = self.folder / "store" / "image" / f"{name}.jpg.http"
        head = file.read_bytes().partition(b"\n\n")[0].decode() if file.exists() else ""
        found = re.search("^x-amz-meta-reason: (.*)$", head, re.MULTILINE)
        found = found or re.search("^x-amz-meta-state: (.*)$", head, re.MULTILINE)
        return found[1].strip() if found else ""

    def shows(self, *states: str) -> None:
        """Wait until the four addresses show these."""
        await_(lambda: tuple(map(self.state, AREAS)) == states, f"{states}")

    def audited(self) -> list[str]:
        """What the audit log tells, in its order."""
        return [str(entry["what"]) for entry in entries(self.folder / "log" / "audit.log")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world over a folder store."""
    with Street(cameras=4, slow=0.1) as street:
        yield World(street, tmp_path)


def id_of(said: str) -> str:
    """The hold that a command has ordered."""
    found = re.search("^hold (\\w{5}) is ordered", said, re.MULTILINE)
    assert found, said
    return found[1]


def test_a_hold_from_order_to_release(world: World) -> None:
    """Proved by --wait, obeyed by the daemon, nowhere public but as a word, over on release."""
    world.env["CCTV_NEVER_PUBLISH"] = "3"
    with world.daemon() as daemon:
        site = re.search(r"http://[\d.:]+", daemon.says("pictures can be seen at "))
        assert site
        world.shows("live", "live", "never-publish", "live")

        status, said = world.hold("--area", "north", "--wait", "20", "--by", "ann")
        name = id_of(said)
        assert (status, world.state("1"), world.state("2")) == (0, "held", "held"), said
        assert re.search(f"  from: +{MOMENT}\n  until: +it is released\n  by: +ann\n", said)
        assert "That means 2 of 3 cameras." in said
        assert "2 of 2 replaced in the store" in said
        assert re.search(r"daemon pid \d+ on .*: obeys", said)
        assert f"`cctv release {name}` ends it." in said

        asked = world.street.requests("1")
        world.shows("held", "held", "never-publish", "live")
        daemon.says(f"hold {name}: 2 of 2 replaced in the store")
        daemon.says("hold in force")
        status, listed = world.cctv("holds")
        assert status == 0
        assert f"hold {name}: IN FORCE\n  cameras: area north\n" in listed
        assert "Never published (CCTV_NEVER_PUBLISH): 3" in listed
        assert world.street.requests("1") == asked

        address = site[0]
        seen = [requests.get(f"{address}/{path}", timeout=10) for path in public_paths(name)]
        assert [answer.status_code for answer in seen] == [200, 200, 200, 404, 404]
        for answer in seen:
            text = f"{answer.headers} {answer.text}"
            assert "president" not in text
            assert "ann" not in re.findall(r"\w+", text)

        status, said = world.cctv("release", f" {name.upper()}, ", "--by", "bob")
        assert (status, f"hold {name} is released:" in said) == (0, True), said
        assert re.search(f"released by: bob\n  released at: {MOMENT}\n", said)
        world.shows("live", "live", "never-publish", "live")
        daemon.says("hold over")
        assert world.cctv("holds")[1].startswith("No hold is in force or to come.")
    ours = [what for what in world.audited() if what.startswith("hold")]
    assert sorted(ours) == ["hold in force", "hold ordered", "hold over", "hold released"]


def public_paths(name: str) -> list[str]:
    """What everybody can ask for, and what nobody may get."""
    return [
        "",
        "image/1.jpg",
        "image/status.json",
        f"private/holds/{name}.json",
        f"image/../private/holds/{name}.json",
    ]


def test_a_hold_survives_a_restart_and_needs_no_daemon(world: World) -> None:
    """Pictures of a daemon that was killed are replaced by the command; its successor obeys."""
    with world.daemon() as daemon:
        world.shows("live", "live", "live", "live")
        daemon.send(signal.SIGKILL)
        daemon.wait()
    status, said = world.hold("--all", "--wait", "1")
    assert tuple(map(world.state, AREAS)) == ("held",) * 4
    assert "4 pictures replaced from here." in said
    assert "4 of 4 replaced in the store" in said
    # it may be alive, as far as anybody knows
    assert status == 1
    assert re.search(r"does NOT obey \w{5} yet; it was last heard of \d+ s ago", said), said
    asked = [world.street.requests(name) for name in AREAS]
    with world.daemon() as daemon:
        daemon.says("hold in force")
        await_(lambda: "obeys" in world.cctv("holds")[1], "the new daemon obeys")
        assert tuple(map(world.state, AREAS)) == ("held",) * 4
        assert [world.street.requests(name) for name in AREAS] == asked
        assert world.cctv("release", "--all")[0] == 0
        world.shows("live", "live", "live", "live")


def test_a_daemon_that_has_left_is_not_waited_for(world: World) -> None:
    """After an orderly stop the proof is complete without it."""
    with world.daemon() as daemon:
        world.shows("live", "live", "live", "live")
        assert daemon.leave()[0] == 0
    began = time.monotonic()
    status, said = world.hold("--camera", "1", "--camera", "2, 3", "--wait", "20")
    assert (status, time.monotonic() - began < 15) == (0, True), said
    assert tuple(map(world.state, AREAS)) == ("held", "held", "held", "live")
    assert "No daemon has left word here" in said


def test_a_hold_in_the_future_says_everything_back(world: World) -> None:
    """Its moments in full, and nothing is touched before."""
    status, said = world.hold("--near=30.2,-97.7,1000", "--from", "+1h", "--until", "+2h")
    assert status == 2
    assert "no camera is within 1000 km of 30.2,-97.7; 4 of 4 records have no place" in said
    status, said = world.hold("--area", "SOUTH", "--from", "+1h", "--until", "+2h")
    assert status == 0, said
    assert re.search(f"from: +{MOMENT}\n  until: +{MOMENT}\n", said)
    assert "It is to come" in said
    assert not (world.folder / "store" / "image").exists()
    assert f"hold {id_of(said)}: to come" in world.cctv("holds")[1]
    status, said = world.hold("--all", "--from", "2020-01-01 10:00")
    assert status == 0
    assert "--from is past: the hold is in force from now on." in said


def test_a_reason_forges_no_line(world: World) -> None:
    """Newlines, colours and turned letters of a reason or a name stay within their line."""
    words = ["--reason", "a\nb\x1b[31m\u202ec", "--by", "x\r\ny"]
    status, said = world.cctv("hold", "--all", *words)
    assert status == 0
    assert "  reason:  a b?[31m?c\n" in said
    assert "  by:      x y\n" in said
    lines = (world.folder / "log" / "audit.log").read_text().splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["hold ordered"]


def test_releases_that_make_no_sense(world: World) -> None:
    """None named, all and some, one that is not there: nothing is ended, not even the others."""
    name = id_of(world.hold("--all")[1])
    for words, sentence in (
        ([], "name the holds to release"),
        ([name, "--all"], "not both"),
        ([name, "zzzzz"], "there is no hold 'zzzzz'"),
        ([name, "--by", " "], "--by is blank"),
    ):
        status, said = world.cctv("release", *words)
        assert (status, sentence in said) == (2, True), said
    assert f"hold {name}: IN FORCE" in world.cctv("holds")[1]
    assert world.cctv("release", name)[0] == 0
    status, said = world.cctv("release", name)
    assert status == 0
    assert f"This one was over already:\nhold {name}: over\n" in said
    assert "There was no hold to release." in world.cctv("release", "--all")[1]
    assert f"hold {name}: over" in world.cctv("holds", "--past")[1]


def test_two_overlap_and_one_stays(world: World) -> None:
    """What is still ordered is said."""
    first = id_of(world.hold("--all")[1])
    second = id_of(world.hold("--camera", "1")[1])
    assert f"Still ordered: {second} (`cctv holds`)." in world.cctv("release", first)[1]


def test_garbage_among_the_holds(world: World) -> None:
    """The others are listed and released all the same; the key is named, and the status is 1."""
    name = id_of(world.hold("--all")[1])
    file = world.folder / "store/private/holds" / f"{name}.json.http"
    (file.parent / "odd.json.http").write_bytes(file.read_bytes())
    for words in (["holds"], ["release", name]):
        status, said = world.cctv(*words)
        assert status == 1
        assert "private/holds/odd.json is a hold under a name that is not its own" in said
        assert f"hold {name}" in said
    status, said = world.cctv("release", "odd")
    assert status == 2
    assert "hold odd cannot be read; remove private/holds/odd.json from the store" in said


def test_an_order_that_the_store_refuses_is_said_to_be_unknown(world: World) -> None:
    """Not in force as far as anybody knows: exit 1, what to do, and no picture was touched."""
    (world.folder / "store").mkdir()
    (world.folder / "store" / "private").write_text("no folder")
    status, said = world.hold("--all", "--wait")
    assert status == 1
    assert re.search(r"^hold \w{5} is NOT known to be in force: .*cannot be written", said), said
    assert "Nothing else was done." in said
    assert world.audited() == ["hold ordered, not confirmed"]


async def test_an_order_that_s3_refuses(world: World) -> None:
    """Access denied is told with the right that is missing; no key, no password is."""
    async with sick_s3() as sick:
        sick.sickness = Sickness.ACCESS_DENIED
        env = dict(sick.environment) | {"BUCKET": "images", "CCTV_STORE": "s3"}
        status, said = await asyncio.to_thread(world.hold, "--camera", "1", **env)
        assert status == 1
        assert "is NOT known to be in force: " in said
        assert "s3:PutObject on images/private/holds/" in said
        status, said = await asyncio.to_thread(world.cctv, "release", "--all", **env)
        assert (status, "s3:ListBucket on images" in said) == (1, True), said
        assert "canary" not in said


def test_an_inventory_that_hangs_keeps_no_order(world: World) -> None:
    """Five seconds for one camera, none for all; an area is applied by each daemon's own list."""
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(2) as hands:
        env = {
            "CCTV_INVENTORY": "knack",
            "KNACK_APP_ID": "app",
            "KNACK_CONTAINER": "view_1",
            "KNACK_API_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        every = hands.submit(world.hold, "--all", **env)
        one = hands.submit(world.hold, "--camera", "1", **env)
        holds = world.folder / "store" / "private" / "holds"
        began = time.monotonic()
        await_(lambda: list(holds.glob("*.json.http")), "the order of all")
        assert time.monotonic() - began < 5
        for status, said in (every.result(), one.result()):
            assert status == 0, said
            assert "The inventory gave no answer within" in said
            assert "Which cameras that means is not known here" in said
    assert len(list(holds.glob("*.json.http"))) == 2


def test_on_s3_with_a_public_address(tmp_path: Path) -> None:
    """All of it on a real S3 server, proved at the addresses that viewers use."""
    with moto_s3() as s3, Street(cameras=4, slow=0.1) as street:
        public = f"{s3.endpoint}/{s3.bucket}"
        let_everybody_read_pictures(s3)
        env = {**s3.environment, "BUCKET": s3.bucket, "CCTV_STORE": "s3"}
        here = World(street, tmp_path, env | {"CCTV_PUBLIC_URL": public})
        with here.daemon() as daemon:
            pictures = [f"{public}/image/{name}.jpg" for name in AREAS]
            await_(lambda: all(map(is_live, pictures)), "four pictures")
            status, said = here.hold("--all", "--wait", "30")
            assert status == 0, said
            words = f"4 of 4 replaced in the store, 4 confirmed at {public}/image/"
            assert words in said
            assert {requests.get(url, timeout=10).content for url in pictures} == {CARD}
            private = f"{public}/private/holds/{id_of(said)}.json"
            assert requests.get(private, timeout=10).status_code == 403
            daemon.says(f"hold {id_of(said)}: {words}")
            assert here.cctv("release", "--all")[0] == 0
            await_(lambda: all(map(is_live, pictures)), "four pictures again")


def let_everybody_read_pictures(s3: RealS3) -> None:
    """The bucket policy of a public prefix; without it moto answers 403, as S3 does."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{s3.bucket}/image/*",
    }
    client = get_session().create_client(
        "s3",
        region_name="us-east-2",
        endpoint_url=s3.endpoint,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_bucket_policy(Bucket=s3.bucket, Policy=policy)
    client.close()


def is_live(url: str) -> bool:
    """Whether a picture is public there."""
    return requests.get(url, timeout=10).headers.get("x-amz-meta-state") == "live"
