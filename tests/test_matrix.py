"""The fault matrix: a fleet meets every way of the street at once, and each row is judged."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops

from cctv import config
from cctv.frame import Frame
from cctv.gallery import rfc3339
from cctv.model import Published
from cctv.reasons import Reason
from cctv.schedule import phase, utc_now
from dev import matrix
from dev.matrix_rows import ROWS
from dev.street import MODES
from tests.fakes.quarter import Plan, open_quarter, warm

if TYPE_CHECKING:
    from pathlib import Path

    from dev.matrix_row import Row
    from tests.fakes.post import Post, Turn

CARD = (config.PACKAGE / "unavailable.jpg").read_bytes()
MOVED = "/moved.jpg"
# the street's login, and a wrong one for two models, one of which takes it in the query
LOGINS = {
    "CAMERA_USERNAME": "user",
    "CAMERA_PASSWORD": "pass word:%",
    "SONY_USERNAME": "user",
    "SONY_PASSWORD": "wrong",
    "FOSCAM_USERNAME": "user",
    "FOSCAM_PASSWORD": "wrong",
}
# no camera is left alone for other failures than a refused login: each recovers at once
TIRELESS = {**LOGINS, "CCTV_FAILURE_LIMIT": "100"}
PAUSE, TRIES = 12.0, 2
MOST = 3
PAUSING = {**LOGINS, "CCTV_RETRY_AFTER": f"{PAUSE:g}"}
SLOW = [row for row in ROWS if row.slow]
FOUND = [row for row in ROWS if row.cycles > MOST]
QUICK = [row for row in ROWS if row not in SLOW and row not in FOUND]
# a short pause: they are live again after it
LOCKS = [replace(row, cycles=5, rests=False) for row in ROWS if row.rests]
PLANS = {
    # so long that the deadlines for a connection and for a whole answer can be told apart
    "slow": Plan(SLOW, 18.0, TIRELESS, neighbours=4, channels=8, spread=False),
    "quick": Plan(QUICK, 12.0, TIRELESS, neighbours=24, channels=4),
    # what takes many cycles
    "found": Plan(FOUND, 8.0, TIRELESS, neighbours=2),
    "locks": Plan(LOCKS, 6.0, PAUSING, neighbours=2),
}
Story = dict[str, list["Post"]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What all posts of all plans lived through; the plans run side by side."""

    async def tell() -> list[list[Post]]:
        return await asyncio.gather(
            *(_life(plan, tmp_path_factory.mktemp(name)) for name, plan in PLANS.items())
        )

    warm()
    return dict(zip(PLANS, asyncio.run(tell()), strict=True))


async def _life(plan: Plan, folder: Path) -> list[Post]:
    async with open_quarter(plan, folder) as quarter:
        await quarter.live_through()
        return list(quarter.posts.values())


def post_of(story: Story, row: Row) -> Post:
    """The post of this row of the matrix."""
    posts = chain.from_iterable(story[plan] for plan in ("slow", "quick", "found"))
    return next(post for post in posts if post.row == row)


def told(turns: list[Turn]) -> str:
    """What turns came to, for whoever reads a failure."""
    words = [getattr(turn.outcome, "error", type(turn.outcome).__name__) for turn in turns]
    return "; ".join(map(str, words))


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two JPEGs hold the very same pixels, whatever else is in them."""
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        if first.size != second.size:
            return False
        difference = ImageChops.difference(first.convert("RGB"), second.convert("RGB"))
    return difference.getbbox() is None


def test_every_mode_has_a_row_and_every_row_a_mode() -> None:
    """A new way to behave is not merged without saying what must come of it."""
    assert {row.mode for row in ROWS} == set(MODES)
    assert [name for name, times in Counter(row.name for row in ROWS).items() if times > 1] == []
    assert len(MODES) >= 70


def test_document_is_up_to_date() -> None:
    """dev/fault-matrix.md is what `python dev/matrix.py --write` writes."""
    assert matrix.FILE.read_text("utf-8") == matrix.document()


def test_same_picture_tells_pictures_apart() -> None:
    """The judge's own eye: one more pixel, or another number on the plate, is another picture."""
    with Image.open(io.BytesIO(CARD)) as card:
        file = io.BytesIO()
        card.save(file, "PNG")
        other = io.BytesIO()
        card.putpixel((0, 0), (255, 255, 255))
        card.save(other, "PNG")
    assert same_picture(CARD, file.getvalue())
    assert not same_picture(CARD, other.getvalue())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(story: Story, row: Row) -> None:
    """While its camera is ill, the public object is what the row says, and nothing else."""
    post = post_of(story, row)
    assert post.before.reason is None, told([post.before])
    turn = post.verdict
    assert turn.public is not None
    assert turn.reason == row.reason, told(post.ill)
    found = turn.public.thing.metadata
    assert found["state"] == row.verdict
    assert (found.get("reason"), found.get("warning")) == (row.reason, row.warning)
    if row.reason is None:
        judge_picture(turn)
    else:
        assert turn.public.thing.body == CARD
    judge_manners(post, row)


def judge_picture(turn: Turn) -> None:
    """What is public is whole, of this cycle, and the very picture that the camera sent."""
    assert isinstance(turn.outcome, Published)
    assert turn.public is not None
    thing, captured_at = turn.public.thing, turn.outcome.frame.captured_at
    assert thing.metadata["captured-at"] == rfc3339(captured_at)
    assert captured_at >= turn.outcome.cycle.due
    Frame.of(thing.body, utc_now())
    assert same_picture(thing.body, turn.served.last)


def judge_manners(post: Post, row: Row) -> None:
    """How often it was asked, with how many wrong passwords, and where it was not asked."""
    turns = len(post.ended_ill)
    assert post.ill[-1].requests - post.before.requests <= row.requests * turns
    assert post.ill[-1].refusals - post.before.refusals <= row.refusals
    assert MOVED not in {request.target for request in post.street.requests(post.number)}


@pytest.mark.parametrize("row", [row for row in ROWS if row.reason], ids=lambda row: row.name)
def test_sick_row_is_never_live(story: Story, row: Row) -> None:
    """Not in a single cycle: what is no picture once is none the next time."""
    ill = post_of(story, row).ill[row.cycles - 1 :]
    # a busy machine may be too slow for some answers
    assert {turn.reason for turn in ill} <= {row.reason, Reason.TIMEOUT}, told(ill)
    assert {turn.public.thing.body for turn in ill if turn.public} == {CARD}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_recovers(story: Story, row: Row) -> None:
    """Well again, a camera is live again; one that refused a login is left alone first."""
    again = post_of(story, row).again
    assert isinstance(again[-1].outcome, Published) != row.rests, told(again)


@pytest.mark.parametrize("row", LOCKS, ids=lambda row: row.name)
def test_refused_login_is_tried_again(story: Story, row: Row) -> None:
    """Two tries, then one in each pause; and the camera is live again after the pause."""
    post = next(post for post in story["locks"] if post.row == row)
    first, last = post.ill[0], post.ill[-1]
    seconds = (last.outcome.cycle.due - first.outcome.cycle.due).total_seconds()
    # a pause may end a twentieth early
    assert last.refusals - post.before.refusals <= TRIES + seconds / (0.95 * PAUSE), told(post.ill)
    assert last.requests > first.requests, told(post.ill)
    assert isinstance(post.again[-1].outcome, Published), told(post.again)


@pytest.mark.parametrize("plan", PLANS)
def test_neighbours_keep_every_slot(story: Story, plan: str) -> None:
    """Whatever becomes of the others, who is well has a new picture in each slot of the grid."""
    interval = PLANS[plan].interval
    neighbours = [post for post in story[plan] if post.row is None]
    assert len(neighbours) == PLANS[plan].neighbours + PLANS[plan].channels
    for post in neighbours:
        assert {turn.reason for turn in post.turns} == {None}, (post.id, told(post.turns))
        # the first cycle of a start is not on the grid
        dues = [turn.outcome.cycle.due.timestamp() for turn in post.turns[1:]]
        slots = [round(due / interval - phase(post.id)) for due in dues]
        assert slots == list(range(slots[0], slots[0] + len(slots))), post.id
        assert len(slots) >= 2


def test_recorder_is_asked_for_one_channel_at_a_time(story: Story) -> None:
    """Eight channels want their pictures at once; none is told that the device is busy."""
    channels = story["slow"][-PLANS["slow"].channels :]
    assert len({post.street.address(post.number) for post in channels}) == 1
    # the street may still be closing the one before
    assert channels[0].street.peak_connections(channels[0].number) <= 2
    for post in channels:
        assert post.turns[-1].requests == len(post.turns)


def test_no_address_shows_the_picture_of_another(story: Story) -> None:
    """Every picture that was public bears its own camera's id, and none was public twice."""
    turns = chain.from_iterable(post.turns for post in story["quick"] if post.row is None)
    bodies = [turn.public.thing.body for turn in turns if turn.public and turn.reason is None]
    assert len(set(bodies)) == len(bodies)
