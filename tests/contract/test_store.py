"""What every store promises, whatever it is made of."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from cctv.errors import StoreError
from cctv.model import Listed, StoredObject, tag_of
from cctv.store.folder import open_folder
from cctv.store.memory import MemoryStore
from cctv.store.s3 import S3Access, open_s3
from cctv.store.wrap import Limited, Retrying
from tests.fakes.s3 import moto_s3, rclone_s3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from cctv.seams import Archive, Shelf
    from tests.fakes.s3 import RealS3

Read = tuple[bytes, dict[str, str]]
NOON = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class Place:
    """A store, a way to read it from outside, and the headers it is known to drop."""

    store: Archive
    read: Callable[[str], Awaitable[Read]]
    drops: frozenset[str] = frozenset()

    async def holds(self, key: str, *versions: StoredObject) -> bool:
        """Whether `key` reads as exactly one of the versions, bytes and headers together."""
        body, headers = await self.read(key)
        return any(
            body == wanted and self._kept(expected).items() <= headers.items()
            for wanted, expected in map(wire, versions)
        )

    def _kept(self, headers: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in headers.items() if name not in self.drops}


def thing(version: str = "one", size: int = 1000) -> StoredObject:
    """An object whose body, length and metadata all tell the version."""
    return StoredObject(
        body=version.encode() * size,
        expires=NOON,
        cache_control=f"public, must-revalidate, {version}",
        metadata={"state": "live", "version": version},
    )


def wire(stored: StoredObject) -> Read:
    """The bytes and the headers that a viewer is to get."""
    return stored.body, {
        "content-type": stored.content_type,
        "content-length": str(len(stored.body)),
        "cache-control": stored.cache_control,
        "expires": format_datetime(stored.expires, usegmt=True),
        **{f"x-amz-meta-{name}": value for name, value in stored.metadata.items()},
    }


def off(shelf: Shelf) -> Callable[[str], Awaitable[Read]]:
    """How a shelf is read."""

    async def read(key: str) -> Read:
        found = await shelf.get(key)
        assert found is not None
        return wire(found.thing)

    return read


@asynccontextmanager
async def on_s3(server: RealS3, drops: frozenset[str] = frozenset()) -> AsyncIterator[Place]:
    """The S3 store before a real server."""
    async with open_s3(S3Access(server.bucket, DEADLINE)) as store:
        yield Place(store, server.read, drops)


@asynccontextmanager
async def in_folder(root: Path) -> AsyncIterator[Place]:
    """The folder store on the machine's own disk."""
    async with open_folder(root, lambda: NOON, DEADLINE) as store:
        yield Place(store, off(store))


@asynccontextmanager
async def in_memory() -> AsyncIterator[Place]:
    """The memory store."""
    store = MemoryStore()
    yield Place(store, off(store))


@pytest.fixture(scope="module")
def moto() -> Iterator[RealS3]:
    """One moto server for all tests here."""
    with moto_s3() as server:
        yield server


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealS3]:
    """One rclone server for all tests here."""
    with rclone_s3(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture(params=["moto", "rclone", "folder", "memory"])
async def place(
    request: pytest.FixtureRequest,
    moto: RealS3,
    rclone: RealS3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Place]:
    """Each store in turn."""
    server = {"moto": moto, "rclone": rclone}.get(request.param)
    for name, value in server.environment.items() if server else ():
        monkeypatch.setenv(name, value)
    places = {
        "moto": lambda: on_s3(moto),
        "rclone": lambda: on_s3(rclone, drops=frozenset({"expires"})),
        "folder": lambda: in_folder(tmp_path / "public"),
        "memory": in_memory,
    }
    async with places[request.param]() as opened:
        yield opened


@pytest.fixture
def key() -> str:
    """A key that no other test has used."""
    return f"image/{secrets.token_hex(4)}.jpg"


async def test_what_was_put_is_read_with_all_its_headers(place: Place, key: str) -> None:
    """Bytes, type, length, expiry, cache rule and metadata come back as they were given."""
    await place.store.put(key, thing())
    assert await place.holds(key, thing())


async def test_a_server_drops_only_what_it_is_known_to_drop(place: Place, key: str) -> None:
    """The exceptions of this suite are true ones: rclone loses `Expires`, nobody else anything."""
    await place.store.put(key, thing())
    _, headers = await place.read(key)
    assert wire(thing())[1].keys() - headers.keys() == place.drops


async def test_the_type_is_kept_where_the_name_does_not_tell_it(place: Place, key: str) -> None:
    """The type of an object is the one it was put with, not a guess from its key."""
    status = StoredObject(b"{}", NOON, {}, "no-cache", content_type="application/json")
    await place.store.put(key, status)
    assert await place.holds(key, status)


async def test_an_empty_body_and_no_metadata_are_an_object_too(place: Place, key: str) -> None:
    """Nothing in a store depends on there being bytes or metadata."""
    empty = StoredObject(b"", NOON, {}, "no-cache")
    await place.store.put(key, empty)
    assert await place.holds(key, empty)


async def test_a_second_put_replaces_bytes_and_headers(place: Place, key: str) -> None:
    """No header of the old object is left on the new one."""
    older = StoredObject(b"old", NOON, {"state": "unavailable", "reason": "torn"}, "no-cache")
    await place.store.put(key, older)
    await place.store.put(key, thing("two"))
    _, headers = await place.read(key)
    assert await place.holds(key, thing("two"))
    assert "x-amz-meta-reason" not in headers


async def test_two_keys_do_not_mix(place: Place, key: str) -> None:
    """A key that begins like another, or lies under it, is a different object."""
    keys = {key: thing("one"), f"{key}.jpg": thing("two"), f"{key}s/a.jpg": thing("six")}
    for each, version in keys.items():
        await place.store.put(each, version)
    assert [await place.holds(each, version) for each, version in keys.items()] == [True] * 3


@pytest.mark.parametrize("steps", range(0, 24, 2))
async def test_a_cancelled_put_leaves_the_old_or_the_new(
    place: Place, key: str, steps: int
) -> None:
    """Wherever a put is cut off, a reader finds one whole version, and the next put works."""
    old, new, last = (thing(version, 50_000) for version in ("old", "new", "last"))
    await place.store.put(key, old)
    putting = asyncio.create_task(place.store.put(key, new))
    for _ in range(steps):
        await asyncio.sleep(0)
    putting.cancel()
    await asyncio.wait([putting])
    assert await place.holds(key, old, new)
    await Retrying(place.store, DEADLINE).put(key, last)
    assert await place.holds(key, new, last)


async def test_a_hundred_puts_at_once_all_arrive(place: Place, key: str) -> None:
    """Many cameras whose pictures come in the same moment do not harm each other."""
    things = {f"{key}/{n}.jpg": thing(f"number {n}") for n in range(100)}
    # as the daemon does: rclone, making one folder a hundred times at once, answers some with 500
    store = Retrying(place.store, DEADLINE)
    await asyncio.gather(*(store.put(each, one) for each, one in things.items()))
    held = [await place.holds(each, one) for each, one in things.items()]
    assert held == [True] * 100


# rclone itself tears an object when one key is written twice at once; the daemon never does that,
# because PublicImage keeps one PUT in flight for each address
@pytest.mark.parametrize("place", ["moto", "folder", "memory"], indirect=True)
async def test_puts_of_one_key_at_once_leave_one_whole_version(place: Place, key: str) -> None:
    """Even without the order that the core keeps, no two versions are ever mixed."""
    versions = [thing(f"number {n}") for n in range(20)]
    puts = (place.store.put(key, version) for version in versions)
    ends = await asyncio.gather(*puts, return_exceptions=True)
    # moto answers some with 500, which the contract allows
    assert {type(end) for end in ends} <= {type(None), StoreError}
    assert await place.holds(key, *versions)


# rclone's server keeps no `Expires`: what is read back there has none of its own
@pytest.mark.parametrize("place", ["moto", "folder", "memory"], indirect=True)
async def test_the_shelf_gives_back_what_was_put(place: Place, key: str) -> None:
    """Bytes, headers and metadata are those of the object; `not_after` is the put's alone."""
    await place.store.put(key, replace(thing(), not_after=NOON + timedelta(days=9999)))
    found = await place.store.get(key)
    assert found is not None
    assert found.thing == thing()


async def test_the_shelf_tells_tag_and_time(place: Place, key: str) -> None:
    """The tag is the MD5 of the bytes, in quotes; the time is aware, in whole seconds."""
    await place.store.put(key, thing())
    found = await place.store.get(key)
    assert found is not None
    assert (found.thing.body, found.etag) == (thing().body, f'"{tag_of(thing().body)}"')
    assert found.thing.metadata == thing().metadata
    assert (found.last_modified.utcoffset(), found.last_modified.microsecond) == (timedelta(0), 0)


async def test_what_was_never_put_is_nothing(place: Place, key: str) -> None:
    """A key that nothing stands under, above one and below one are all None, and no failure."""
    await place.store.put(key, thing())
    for other in (f"{key}.jpg", f"{key}/under", "image"):
        assert await place.store.get(other) is None
        assert await place.store.labels(other) is None


async def test_labels_are_the_metadata(place: Place, key: str) -> None:
    """All of it, its names in lower case, and nothing else."""
    await place.store.put(key, thing())
    assert await place.store.labels(key) == thing().metadata


async def test_a_prefix_with_nothing_is_an_empty_list(place: Place, key: str) -> None:
    """A first start, before anything was put, is no failure."""
    assert await place.store.listed(f"{key}/") == []


async def test_the_list_holds_all_that_begins_so(place: Place, key: str) -> None:
    """Neighbours are left out, folders are no objects, and the order is that of the keys."""
    inside = [f"{key}/{name}" for name in ("2.jpg", "10.jpg", "a/b/3.jpg", "2.json", "Z.jpg")]
    for each in [*inside, f"{key}s/4.jpg", key[:-1]]:
        await place.store.put(each, thing(each))
    lines = await place.store.listed(f"{key}/")
    assert [line.key for line in lines] == sorted(inside)
    assert [line.etag for line in lines] == [tag_of(thing(each).body) for each in sorted(inside)]
    assert [line.key for line in await place.store.listed(f"{key}/2")] == sorted(inside)[1:3]


async def test_what_is_listed_can_be_read(place: Place, key: str) -> None:
    """A line of the list and the object itself tell the same tag and the same second."""
    await place.store.put(f"{key}/1.jpg", thing())
    (line,) = await place.store.listed(f"{key}/")
    found = await place.store.get(line.key)
    assert found is not None
    assert f'"{line.etag}"' == found.etag
    assert line.modified.utcoffset() == timedelta(0)
    assert line.modified.replace(microsecond=0) == found.last_modified


async def test_a_list_longer_than_a_page_is_whole(place: Place, key: str) -> None:
    """S3 tells a thousand at a time; a fleet has more."""
    keys = sorted(f"{key}/{n}.jpg" for n in range(1005))
    store = Limited(Retrying(place.store, DEADLINE), 16)
    await asyncio.gather(*(store.put(each, thing(size=1)) for each in keys))
    assert [line.key for line in await place.store.listed(f"{key}/")] == keys


async def seen(place: Place, key: str) -> Listed:
    """The line of the list for a key that stands."""
    return next(line for line in await place.store.listed(key) if line.key == key)


async def test_what_still_stands_is_replaced(place: Place, key: str) -> None:
    """Bytes and headers are the new ones, and the answer says so."""
    await place.store.put(key, thing("old"))
    assert await place.store.replace(await seen(place, key), thing("new"))
    assert await place.holds(key, thing("new"))


# rclone's server passes over `If-Match`: see the test for it
@pytest.mark.parametrize("place", ["moto", "folder", "memory"], indirect=True)
async def test_what_is_newer_is_not_replaced(place: Place, key: str) -> None:
    """Who was quicker stays public; where nothing stands any more nothing is put."""
    await place.store.put(key, thing("old"))
    line = await seen(place, key)
    await place.store.put(key, thing("fresh"))
    assert not await place.store.replace(line, thing("late"))
    assert await place.holds(key, thing("fresh"))
    await place.store.erase(key)
    assert not await place.store.replace(line, thing("late"))
    assert await place.store.get(key) is None


@pytest.mark.parametrize("place", ["rclone"], indirect=True)
async def test_a_server_that_cannot_compare_takes_it_in_any_case(place: Place, key: str) -> None:
    """The contract allows what this server does; once it compares, the test above is due."""
    await place.store.put(key, thing("old"))
    line = await seen(place, key)
    await place.store.put(key, thing("fresh"))
    assert await place.store.replace(line, thing("late"))
    assert await place.holds(key, thing("late"))


# moto's threads compare and put in two steps, and rclone does not compare
@pytest.mark.parametrize("place", ["folder", "memory"], indirect=True)
async def test_one_of_many_replacements_wins(place: Place, key: str) -> None:
    """Those that saw the same object do not overwrite each other."""
    await place.store.put(key, thing("old"))
    line = await seen(place, key)
    versions = [thing(f"number {n}") for n in range(10)]
    wins = await asyncio.gather(*(place.store.replace(line, version) for version in versions))
    assert wins.count(True) == 1
    assert await place.holds(key, versions[wins.index(True)])


async def test_what_is_erased_is_nowhere(place: Place, key: str) -> None:
    """Neither on the shelf, nor in the list; its neighbour stays, and it can be put again."""
    neighbour = f"{key}.jpg"
    for each in (key, neighbour):
        await place.store.put(each, thing())
    await place.store.erase(key)
    assert await place.store.get(key) is None
    assert await place.store.labels(key) is None
    assert [line.key for line in await place.store.listed(key)] == [neighbour]
    await place.store.put(key, thing("two"))
    assert await place.holds(key, thing("two"))


async def test_erasing_nothing_is_no_error(place: Place, key: str) -> None:
    """Neither a key that is gone nor one in a folder that never was."""
    await place.store.put(key, thing())
    for each in (key, key, f"{key}/under/nothing.jpg"):
        await place.store.erase(each)
    assert await place.store.get(key) is None
