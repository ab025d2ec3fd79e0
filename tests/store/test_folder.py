"""The folder store on a real disk: one that is full, read-only, torn, or hangs."""

# ruff: noqa: ASYNC240 -- a test's own look at the disk may hold up its loop

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.errors import ConfigError, StoreError
from cctv.model import Shelved, StoredObject, tag_of
from cctv.store.envelope import etag_of, glanced, packed, unpacked
from cctv.store.folder import FolderStore, open_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NOON = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
KEY = "image/7.jpg"
# generous: real time only ends a test that hangs
LIMIT = 30.0
# long enough for a disk that works, on a busy machine
SHORT = 1.0

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126))
NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)
OBJECTS = st.builds(
    StoredObject,
    body=st.binary(),
    expires=st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    metadata=st.dictionaries(NAMES, TEXT),
    cache_control=TEXT,
    content_type=TEXT,
)


def thing(version: str = "one", size: int = 10_000) -> StoredObject:
    """An object whose body and metadata both tell the version."""
    return StoredObject(version.encode() * size, NOON, {"version": version}, "public")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The store's folder, which opening the store makes."""
    return tmp_path / "public"


@pytest.fixture
async def store(root: Path) -> AsyncIterator[FolderStore]:
    """An open store with all the time it needs."""
    async with open_folder(root, lambda: NOON, LIMIT) as opened:
        yield opened


async def reason(root: Path) -> str:
    """What is said about a root that does not open."""
    with pytest.raises(ConfigError) as caught:
        async with open_folder(root, lambda: NOON, LIMIT):
            pass
    (fault,) = caught.value.faults
    return fault


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while: permissions mean nothing to root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def hanging(path: Path) -> Iterator[None]:
    """A file whose reader waits for ever, as on a disk that is gone; freed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    try:
        yield
    finally:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


async def test_the_file_reads_like_an_http_answer(store: FolderStore, root: Path) -> None:
    """The format is pinned: other programs may serve these files."""
    await store.put(KEY, StoredObject(b"picture", NOON, {"state": "live"}, "public"))
    assert (root / f"{KEY}.http").read_text() == (
        "Content-Type: image/jpeg\n"
        "Content-Length: 7\n"
        "Cache-Control: public\n"
        "Expires: Wed, 01 Jul 2026 12:00:30 GMT\n"
        'ETag: "5456fc54c74a297ce994998c2873b370"\n'
        "Last-Modified: Wed, 01 Jul 2026 12:00:30 GMT\n"
        "x-amz-meta-state: live\n"
        "\n"
        "picture"
    )


@given(stored=OBJECTS)
def test_what_is_packed_is_unpacked(stored: StoredObject) -> None:
    """Every object of printable headers comes back as it was, with its tag and its time."""
    assert unpacked(packed(stored, NOON)) == Shelved(stored, etag_of(stored.body), NOON)


@given(stored=OBJECTS, data=st.data())
def test_a_file_cut_anywhere_is_no_object(stored: StoredObject, data: st.DataObject) -> None:
    """Whatever a power cut leaves of a file, it is never taken for an object."""
    whole = packed(stored, NOON)
    assert unpacked(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@given(noise=st.binary())
def test_noise_is_no_object(noise: bytes) -> None:
    """A file that somebody else wrote there is not an object, and no bug either."""
    assert unpacked(noise) is None


async def test_a_torn_file_is_absent_and_then_replaced(store: FolderStore, root: Path) -> None:
    """Cut off, or of the right length but zeroed: None, until the next put."""
    await store.put(KEY, thing())
    path = root / f"{KEY}.http"
    whole = path.read_bytes()
    for torn in (whole[:-1], whole[:-4096] + bytes(4096), bytes(len(whole)), b""):
        path.write_bytes(torn)
        assert await store.get(KEY) is None
    await store.put(KEY, thing("two"))
    later = NOON + timedelta(seconds=1)
    assert await store.get(KEY) == Shelved(thing("two"), etag_of(thing("two").body), later)


@pytest.mark.parametrize("key", ["image", "image/8.jpg", f"{KEY}/8.jpg", f"{KEY}.http/8.jpg"])
async def test_what_was_never_put_is_absent(store: FolderStore, key: str) -> None:
    """A missing file, a folder and a path through a file are all None."""
    await store.put(KEY, thing())
    assert await store.get(key) is None


@pytest.mark.parametrize(
    "key",
    ["", "/", "/etc/a", "a//b", "a/", "..", "a/../b", ".", "a/./b", ".a", "a/.tmp-b", "a\nb", "ä"],
)
async def test_a_key_that_leads_elsewhere_is_a_bug(
    store: FolderStore, root: Path, key: str
) -> None:
    """No key leaves the root, hides itself, or is anything but printable ASCII."""
    with pytest.raises(ValueError, match="no key for a store"):
        await store.put(key, thing())
    with pytest.raises(ValueError, match="no key for a store"):
        await store.get(key)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "stored",
    [
        StoredObject(b"", NOON, {"camera": "7\nx-amz-meta-state: live"}, "public"),
        StoredObject(b"", NOON, {"camera": "7\r"}, "public"),
        StoredObject(b"", NOON, {"camera\n": "7"}, "public"),
        StoredObject(b"", NOON, {"a: b": "7"}, "public"),
        StoredObject(b"", NOON, {}, "public\n\n"),
        StoredObject(b"", NOON, {}, "public", content_type="image/jpeg\n"),
        StoredObject(b"", NOON, {"name": "Zürich"}, "public"),
        StoredObject(b"", NOON.replace(tzinfo=None), {}, "public"),
    ],
)
async def test_a_header_that_is_no_line_is_a_bug(store: FolderStore, stored: StoredObject) -> None:
    """No value can write a second header, and a naive time is never guessed at."""
    with pytest.raises(ValueError, match=r"no header|usegmt"):
        await store.put(KEY, stored)
    assert await store.get(KEY) is None


async def test_a_reader_always_sees_one_version(store: FolderStore, root: Path) -> None:
    """While a writer writes without a pause, tag, bytes and metadata always belong together."""
    versions = [thing(version, 100_000) for version in ("one", "two", "three")]
    await store.put(KEY, versions[0])
    seen: list[Shelved | None] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.append(unpacked((root / f"{KEY}.http").read_bytes()))

    reading = threading.Thread(target=read)
    reading.start()
    try:
        for n in range(150):
            await store.put(KEY, versions[n % 3])
    finally:
        ended.set()
        reading.join()
    whole = [(version, etag_of(version.body)) for version in versions]
    assert seen
    assert all(found and (found.thing, found.etag) in whole for found in seen)


async def test_nothing_but_objects_is_left(store: FolderStore, root: Path) -> None:
    """Neither a put nor one that fails or is cancelled leaves a temporary file."""
    await store.put(KEY, thing())
    with pytest.raises(ValueError, match="no header"):
        await store.put(KEY, StoredObject(b"", NOON, {"a": "\n"}, "public"))
    cancelled = asyncio.create_task(store.put(KEY, thing("two")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await store.put(KEY, thing("three"))
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["7.jpg.http"]


async def test_old_leftovers_go_when_the_store_is_opened(root: Path) -> None:
    """What a killed writer left is removed; what another program writes right now is not."""
    (root / "image").mkdir(parents=True)
    old, young = root / "image" / ".tmp-old", root / "image" / ".tmp-young"
    old.write_bytes(b"half a pict")
    os.utime(old, (0, 0))
    young.write_bytes(b"half a pict")
    async with open_folder(root, lambda: NOON, LIMIT):
        assert list(root.rglob("*.*")) == [young]


async def test_a_missing_root_is_made(root: Path) -> None:
    """A first start needs nothing prepared."""
    async with open_folder(root / "deep" / "down", lambda: NOON, LIMIT) as store:
        await store.put(KEY, thing())
    assert (root / "deep" / "down" / f"{KEY}.http").is_file()


async def test_a_root_that_is_not_allowed_is_a_setting_to_correct(root: Path) -> None:
    """An operator reads the setting's name, the path and the system's own words."""
    root.mkdir()
    root.chmod(0o500)
    with without_privileges():
        assert await reason(root) == f"CCTV_STORE={root}: cannot be written: Permission denied"


async def test_a_root_that_is_a_file_is_a_setting_to_correct(root: Path) -> None:
    """A file in the root's place is said to be no folder, and stays."""
    root.write_text("mine")
    assert await reason(root) == f"CCTV_STORE={root}: cannot be written: Not a directory"
    assert root.read_text() == "mine"


async def test_a_root_that_vanished_is_not_made_again(store: FolderStore, root: Path) -> None:
    """A disk that was unmounted under the store is a StoreError, not a new folder beside it."""
    root.rmdir()
    with pytest.raises(StoreError) as caught:
        await store.put(KEY, thing())
    assert str(caught.value) == f"{root}/{KEY}.http: cannot be written: No such file or directory"
    assert not caught.value.passing
    assert not root.exists()


async def test_permissions_that_went_are_said(store: FolderStore, root: Path) -> None:
    """The words name the path and the fault, and trying again is known to be useless."""
    root.chmod(0o500)
    with without_privileges(), pytest.raises(StoreError, match="Permission denied") as caught:
        await store.put(KEY, thing())
    assert not caught.value.passing


FULL = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from cctv.errors import StoreError
from cctv.model import StoredObject
from cctv.store.folder import open_folder

NOON = datetime(2026, 7, 1, tzinfo=UTC)

async def main(root):
    async with open_folder(root, lambda: NOON, 20) as store:
        await store.put("a.jpg", StoredObject(b"small", NOON, {}, "public"))
        try:
            await store.put("a.jpg", StoredObject(b"x" * 1_000_000, NOON, {}, "public"))
        except StoreError as error:
            print(error, error.passing)
        print((await store.get("a.jpg")).thing.body, [path.name for path in root.iterdir()])

asyncio.run(main(Path(sys.argv[1])))
"""
KEPT = "b'small' ['a.jpg.http']"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command from the project's folder, in real time, with a limit."""
    return subprocess.run(  # noqa: S603 -- the commands are this file's own
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )


def test_a_full_disk_keeps_the_old_object(root: Path) -> None:
    """On a tmpfs of 64 KB: the words, nothing half written, and the old object still there."""
    root.mkdir()
    mount = 'mount -t tmpfs -o size=64k none "$1"'
    alone = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    try:
        possible = run(*alone, mount, "sh", str(root)).returncode == 0
    except FileNotFoundError:
        possible = False
    if not possible:
        pytest.skip("a tmpfs cannot be mounted here: it takes unshare and user namespaces")
    done = run(*alone, mount + ' && exec "$2" -c "$3" "$1"', "sh", str(root), sys.executable, FULL)
    assert done.stdout.splitlines() == [
        f"{root}/a.jpg.http: cannot be written: No space left on device False",
        KEPT,
    ]


def test_a_file_that_may_not_grow_keeps_the_old_object(root: Path) -> None:
    """A write that ends in the middle, by a limit on file sizes, harms nothing."""
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
    done = run(sys.executable, "-c", limited + FULL, str(root))
    assert done.stdout.splitlines() == [
        f"{root}/a.jpg.http: cannot be written: File too large False",
        KEPT,
    ]


async def test_a_hung_disk_costs_the_deadline(root: Path) -> None:
    """A read that hangs ends as a StoreError, and so does the one that waits behind it."""
    async with open_folder(root, lambda: NOON, SHORT) as store:
        with hanging(root / f"{KEY}.http"):
            async with asyncio.timeout(LIMIT):
                ends = await asyncio.gather(
                    store.get(KEY), store.get("other"), return_exceptions=True
                )
    assert [str(end) for end in ends] == [
        f"{root}/{key}.http: cannot be read: the disk did not answer in time"
        for key in (KEY, "other")
    ]
    assert all(isinstance(end, StoreError) and end.passing for end in ends)


async def test_a_disk_that_comes_back_is_used_again(root: Path) -> None:
    """What hung gives its turn back as soon as it ends."""
    async with open_folder(root, lambda: NOON, SHORT) as store:
        await store.put("other", thing())
        with hanging(root / f"{KEY}.http"), pytest.raises(StoreError, match="in time"):
            await store.get(KEY)
        async with asyncio.timeout(LIMIT):
            while (found := await _tried(store, "other")) is None:
                pass
    assert found.thing == thing()


async def _tried(store: FolderStore, key: str) -> Shelved | None:
    try:
        return await store.get(key)
    except StoreError:
        return None


async def test_a_thread_that_does_not_start_is_a_passing_trouble(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on threads costs one put, not the store."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(StoreError, match="no thread can be started") as caught:
            await store.put(KEY, thing())
    assert caught.value.passing
    await store.put(KEY, thing())


HUNG = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from cctv.errors import StoreError
from cctv.store.folder import open_folder

async def main(root):
    async with open_folder(root, lambda: datetime.now(UTC), 1) as store:
        try:
            await store.get("a")
        except StoreError as error:
            print(error)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_hung_disk_does_not_hold_the_process(root: Path) -> None:
    """The program ends by itself while a read is still hanging."""
    root.mkdir()
    with hanging(root / "a.http"):
        done = run(sys.executable, "-W", "error", "-c", HUNG, str(root))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("the disk did not answer in time\n")


async def test_a_put_that_was_given_up_never_lands(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that hangs past its deadline leaves the object alone when it wakes up."""
    awake, opened = threading.Event(), Path.open

    def slow(path: Path, mode: str = "r") -> object:
        awake.wait(LIMIT)
        return opened(path, mode)

    async with open_folder(root, lambda: NOON, SHORT) as store:
        await store.put(KEY, thing("old"))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", slow)
            with pytest.raises(StoreError, match="in time"):
                await store.put(KEY, thing("given up"))
            awake.set()
            await store.put("next", thing())
        found = await store.get(KEY)
    assert found is not None
    assert found.thing == thing("old")


def former(stored: StoredObject) -> bytes:
    """A file as version 0.1.0 wrote it: its tag is of another kind."""
    tag = hashlib.sha256(stored.body).hexdigest()[:32].encode()
    return packed(stored, NOON).replace(tag_of(stored.body).encode(), tag, 1)


async def test_a_file_of_the_former_version_is_whole(store: FolderStore, root: Path) -> None:
    """After an update every picture is still there, and can be replaced by what the list tells."""
    (root / "image").mkdir()
    (root / f"{KEY}.http").write_bytes(former(thing()))
    found = await store.get(KEY)
    assert found is not None
    assert found.thing == thing()
    assert await store.labels(KEY) == thing().metadata
    (line,) = await store.listed("image/")
    assert f'"{line.etag}"' == found.etag
    assert await store.replace(line, thing("two"))
    assert [line.etag for line in await store.listed("")] == [tag_of(thing("two").body)]


async def test_a_torn_file_of_the_former_version_is_absent(store: FolderStore, root: Path) -> None:
    """Accepting two kinds of tag accepts no other bytes."""
    (root / "image").mkdir()
    (root / f"{KEY}.http").write_bytes(former(thing())[:-1] + b"?")
    assert await store.get(KEY) is None


@given(stored=OBJECTS)
def test_the_head_tells_all_but_the_bytes(stored: StoredObject) -> None:
    """What `labels` and `listed` go by is what the whole file holds."""
    whole = packed(stored, NOON)
    found = glanced(whole[: len(whole) - len(stored.body)], len(whole))
    assert found == Shelved(replace(stored, body=b""), etag_of(stored.body), NOON)


@given(stored=OBJECTS, data=st.data())
def test_a_head_of_a_file_cut_anywhere_is_none(stored: StoredObject, data: st.DataObject) -> None:
    """The length alone finds every file that a power cut left short."""
    whole = packed(stored, NOON)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert glanced(whole[:cut], cut) is None


@given(noise=st.binary(), size=st.integers(0, 1000))
def test_noise_is_no_head(noise: bytes, size: int) -> None:
    """A file that somebody else wrote there is not listed, and no bug either."""
    assert glanced(noise, size) is None


async def test_a_head_longer_than_one_read_is_understood(store: FolderStore) -> None:
    """Metadata has no limit in a folder."""
    long = StoredObject(b"picture", NOON, {f"note-{n}": "x" * 100 for n in range(200)}, "public")
    await store.put(KEY, long)
    assert await store.labels(KEY) == long.metadata
    assert [line.key for line in await store.listed("image/")] == [KEY]


async def test_the_list_leaves_out_what_is_no_object(store: FolderStore, root: Path) -> None:
    """Temporary, hidden, foreign and short files, and names that no key has."""
    await store.put(KEY, thing())
    whole = (root / f"{KEY}.http").read_bytes()
    for name in (".tmp-1.http", ".hidden.http", "plain.jpg", "n\u00e4h.jpg.http", "a\nb.http"):
        (root / "image" / name).write_bytes(whole)
    (root / "image" / "short.jpg.http").write_bytes(whole[:-1])
    (root / "image" / "noise.jpg.http").write_bytes(b"noise")
    (root / "image" / "folder.jpg.http").mkdir()
    (root / ".hidden").mkdir()
    (root / ".hidden" / "8.jpg.http").write_bytes(whole)
    assert [line.key for line in await store.listed("")] == [KEY]


@pytest.mark.parametrize("prefix", ["/", "..", "../", "a/../", "/etc/", "a//", ".a/b", "a\nb/"])
async def test_a_prefix_leads_nowhere_else(store: FolderStore, prefix: str) -> None:
    """No list is made of what is outside the root or hidden."""
    if "/" in prefix:
        with pytest.raises(ValueError, match="no prefix for a store"):
            await store.listed(prefix)
    else:
        assert await store.listed(prefix) == []


async def test_a_root_that_vanished_is_no_empty_list(store: FolderStore, root: Path) -> None:
    """A disk that was unmounted has told nothing; and what is on it has not been erased."""
    root.rmdir()
    with pytest.raises(StoreError, match="cannot be listed: No such file or directory"):
        await store.listed("image/")
    with pytest.raises(StoreError, match="cannot be removed: No such file or directory"):
        await store.erase(KEY)


@pytest.mark.parametrize("closed", ["image", "image/deep", f"{KEY}.http"])
async def test_what_cannot_be_read_is_no_shorter_list(
    store: FolderStore, root: Path, closed: str
) -> None:
    """Wholly or not at all: a folder or a file that is closed to us is not left out."""
    await store.put(KEY, thing())
    await store.put("image/deep/8.jpg", thing())
    mode = (root / closed).stat().st_mode
    (root / closed).chmod(0)
    try:
        with without_privileges(), pytest.raises(StoreError, match="listed: Permission denied"):
            await store.listed("image/")
    finally:
        (root / closed).chmod(mode)


async def test_what_may_not_be_removed_is_said(store: FolderStore, root: Path) -> None:
    """An object that stays is never told to be gone."""
    await store.put(KEY, thing())
    (root / "image").chmod(0o500)
    with without_privileges(), pytest.raises(StoreError, match="removed: Permission denied"):
        await store.erase(KEY)
    assert await store.get(KEY) is not None


async def test_listing_and_labels_cost_the_deadline_of_a_hung_disk(root: Path) -> None:
    """They end as a StoreError, as a read does."""
    for verb in (FolderStore.labels, FolderStore.listed):
        async with open_folder(root, lambda: NOON, SHORT) as store:
            with hanging(root / f"{KEY}.http"):
                async with asyncio.timeout(LIMIT):
                    with pytest.raises(StoreError, match="did not answer in time") as caught:
                        await verb(store, KEY)
            assert caught.value.passing
        (root / f"{KEY}.http").unlink()


async def test_an_object_gone_while_the_list_is_made_is_left_out(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program's removal is no fault of the list."""
    await store.put(KEY, thing())
    await store.put("image/8.jpg", thing())
    opened = Path.open

    def racing(path: Path, mode: str = "r") -> object:
        (root / f"{KEY}.http").unlink(missing_ok=True)
        return opened(path, mode)

    monkeypatch.setattr(Path, "open", racing)
    assert [line.key for line in await store.listed("image/")] == ["image/8.jpg"]
