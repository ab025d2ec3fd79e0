"""A quarter of the town: a real fleet over real streets, of whose cameras some fall ill."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cctv import config, roster
from cctv.app import make_driver, resourceful
from cctv.darkroom import Darkroom
from cctv.drivers import TABLE
from cctv.drivers.guard import Guard
from cctv.drivers.http import env_name, open_kit
from cctv.fleet import Fleet
from cctv.gallery import Gallery
from cctv.journal import Journal
from cctv.maskbook import MaskBook
from cctv.observers import tell_all
from cctv.schedule import utc_now
from cctv.store.memory import MemoryStore
from cctv.watch import Rules
from cctv.ways import open_ways
from cctv.web.board import Board
from dev.scenes import SCENES
from dev.street import Street
from dev.street_pictures import huge_picture, picture
from tests.fakes.post import Post, posts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from cctv.drivers.http import HttpDriver
    from cctv.model import Outcome
    from cctv.seams import Driver
    from cctv.settings import Settings
    from dev.matrix_row import Row

PREFIX = "image/"
CERTIFICATE = "self"
# more than the longest row takes twice
PATIENCE = 100.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a quarter is made of: rows, neighbours who stay well, channels of one recorder.

    `interval` is in seconds; `env` is what else the program is told. Unless `spread`, all cameras
    have their slots close to each other.
    """

    rows: Sequence[Row]
    interval: float
    env: Mapping[str, str]
    neighbours: int = 0
    channels: int = 0
    spread: bool = True


@dataclass(slots=True)
class Quarter:
    """A fleet at work over its posts; all that it puts and tells is remembered."""

    settings: Settings
    posts: Mapping[str, Post]
    driver: HttpDriver
    drive: Driver
    store: MemoryStore = field(default_factory=MemoryStore)
    board: Board = field(default_factory=Board)
    fleet: Fleet = field(init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        timing, card = self.settings.timing, self.settings.fallback
        gallery = Gallery(self.store, PREFIX, timing.interval, card, utc_now)
        tell = tell_all([self.board, Journal(utc_now), self._note])
        self.fleet = Fleet(gallery, timing, self.drive, tell, lambda _: None)

    async def begin(self) -> None:
        """Publish from now on, by what the streets' records come to."""
        streets = {post.street for post in self.posts.values()}
        told = {(street, row["id"]): row for street in streets for row in street.records()}
        records = [post.record(told[post.street, post.number]) for post in self.posts.values()]
        await self.fleet.apply(roster.read(records, {}))

    async def until(self, done: Callable[[Post], bool]) -> None:
        """Wait until this holds for every post; in the end for most: a judge sees who is late."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not all(map(done, self.posts.values())):
                    self._news.clear()
                    await self._news.wait()

    async def sicken(self) -> None:
        """Let the camera of every row fall ill."""
        await asyncio.to_thread(_each, Post.sicken, self.posts.values())
        _each(Post.begin_illness, self.posts.values())

    async def heal(self) -> None:
        """Let all be well again."""
        _each(Post.end_illness, self.posts.values())
        await asyncio.to_thread(_each, Post.heal, self.posts.values())
        _each(Post.begin_health, self.posts.values())

    async def live_through(self) -> None:
        """All well, then all rows ill for as long as each wants, then all well again."""
        await self.begin()
        await self.until(Post.well)
        await self.sicken()
        await self.until(Post.settled)
        await self.heal()
        await self.until(Post.back)

    def _note(self, outcome: Outcome) -> None:
        name = outcome.camera.id
        self.posts[name].note(outcome, self.store.objects.get(f"{PREFIX}{name}.jpg"))
        self._news.set()


@asynccontextmanager
async def open_quarter(plan: Plan, folder: Path) -> AsyncIterator[Quarter]:
    """The quarter of this plan, with streets and a kit of its own; nothing is published yet."""
    async with AsyncExitStack() as stack:
        secure = sum(row.https for row in plan.rows)
        count = len(plan.rows) - secure + plan.neighbours + plan.channels
        plain = stack.enter_context(Street(cameras=count, nvr=plan.channels))
        tls = stack.enter_context(Street(cameras=secure, tls=CERTIFICATE))
        settings = _settings(plan, folder)
        guard, retry_after = Guard(settings.networks), settings.timing.retry_after
        kit = open_kit(guard, Darkroom().develop, utc_now, retry_after)
        driver = make_driver(settings, await stack.enter_async_context(kit), MaskBook(None, folder))
        ways = await stack.enter_async_context(open_ways(folder))
        drive = resourceful(driver, settings, ways, lambda: driver)
        posts = posts_of(plain, tls, plan.rows, spread=plan.spread)
        quarter = Quarter(settings, {post.id: post for post in posts}, driver, drive)
        try:
            yield quarter
        finally:
            await quarter.fleet.stop(1.0)


def warm() -> None:
    """Paint what the pictures of all streets are made of, so that no request waits for it."""
    for number in range(SCENES):
        picture(number)
    huge_picture(0)


def _each(do: Callable[[Post], None], posts: Iterable[Post]) -> None:
    for post in posts:
        do(post)


def _settings(plan: Plan, folder: Path) -> Settings:
    (folder / "none.csv").write_text("id,model,address\n")
    env = {
        "CCTV_INVENTORY": str(folder / "none.csv"),
        "CCTV_STORE": str(folder / "store"),
        "CCTV_STATE_DIR": str(folder),
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
        "CCTV_INTERVAL": str(plan.interval),
        **plan.env,
    }
    settings = config.read(env, map(env_name, TABLE))
    return replace(settings, rules=Rules(frozen_after=1.5 * plan.interval))
