"""Blank and frozen pictures: what counts as one, and what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.reasons import Reason
from cctv.retouch import Retouch
from cctv.watch import Policy, Rules, Watched
from tests.fakes.frames import ScriptedSource, jpeg
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from collections.abc import Callable

SAME, OTHER = jpeg(1), jpeg(2)
FLAG = Rules(blank=Policy.FLAG, frozen=Policy.FLAG)
REFUSE = Rules(blank=Policy.UNAVAILABLE, frozen=Policy.UNAVAILABLE)
TIMEOUT = CaptureError(Reason.TIMEOUT, "no whole answer")
Step = Frame | bytes | CaptureError


@dataclass
class Played:
    """A source that gives or raises what stands next in its script."""

    script: list[Step]
    now: Callable[[], timedelta] = timedelta

    async def frame(self) -> Frame:
        """The next of the script; see `seams.Source`."""
        step = self.script.pop(0)
        if isinstance(step, CaptureError):
            raise step
        return step if isinstance(step, Frame) else Frame.of(step, now() + self.now())


async def said(watched: Watched) -> str:
    """What one cycle comes to, in a word: the warnings, or why there is no picture."""
    try:
        frame = await watched.frame()
    except CaptureError as error:
        return f"no picture: {error.reason}"
    return " ".join(frame.warnings) or "fine"


def played(moments: list[float], script: list[Step], rules: Rules = FLAG) -> list[str]:
    """What is said of a script whose steps come at these seconds."""

    async def work() -> list[str]:
        watched = Watched(Played(script), rules)
        words = []
        for moment in moments:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            words.append(await said(watched))
        return words

    return run(work)


@pytest.mark.parametrize(
    ("moments", "word"),
    [
        ([0.0, 450.0, 900.0], "frozen"),
        ([0.0, 450.0, 895.0], "fine"),
        ([0.0, 450.0, 899.9], "frozen"),
        ([0.0, 900.0], "fine"),
        ([0.0, 86400.0], "fine"),
        ([0.0, 900.0, 900.5], "frozen"),
        ([0.0, 300.0, 600.0], "fine"),
        ([0.0, 300.0, 600.0, 900.0], "frozen"),
        ([0.0, 300.0, 600.0, 900.0, 1200.0], "frozen"),
        ([float(second) for second in range(0, 900, 10)], "fine"),
        ([float(second) for second in range(0, 910, 10)], "frozen"),
    ],
)
def test_frozen_takes_three_cycles_and_fifteen_minutes(moments: list[float], word: str) -> None:
    """Both at once, but for a breath; neither a slow grid nor a fast one is earlier."""
    assert played(moments, [SAME] * len(moments))[-1] == word


def test_numbers_of_the_rules_count() -> None:
    """What an operator is told in the documentation is what is done."""
    rules = Rules(frozen=Policy.FLAG, frozen_cycles=2, frozen_after=10.0)
    assert played([0.0, 9.0, 10.0], [SAME] * 3, rules) == ["fine", "fine", "frozen"]
    assert (Rules().frozen_cycles, Rules().frozen_after) == (3, 900.0)
    assert (Rules().blank, Rules().frozen) == (Policy.FLAG, Policy.UNAVAILABLE)


def test_a_new_picture_ends_it_at_once() -> None:
    """And the counting begins anew, also when the old picture comes back."""
    script: list[Step] = [SAME, SAME, SAME, SAME, OTHER, SAME, SAME]
    moments = [0.0, 300.0, 600.0, 900.0, 1200.0, 1500.0, 2400.0]
    assert played(moments, script) == [*["fine"] * 3, "frozen", *["fine"] * 3]


def test_a_cache_of_some_seconds_is_not_frozen() -> None:
    """A camera that makes a picture every ten seconds and is asked every two."""
    pictures: list[Step] = [jpeg(second // 10) for second in range(0, 1000, 2)]
    words = played([float(second) for second in range(0, 1000, 2)], pictures)
    assert set(words) == {"fine"}


def test_two_pictures_in_turn_are_not_the_same_picture() -> None:
    """What is told is told of one picture only."""
    assert set(played([600.0 * turn for turn in range(10)], [SAME, OTHER] * 5)) == {"fine"}


def test_failures_in_between_neither_count_nor_end_it() -> None:
    """A frozen camera that is also hard to reach is still frozen."""
    script: list[Step] = [SAME, TIMEOUT, SAME, TIMEOUT, SAME]
    told = played([0.0, 300.0, 600.0, 900.0, 1200.0], script)
    assert told == ["fine", "no picture: timeout", "fine", "no picture: timeout", "frozen"]
    script = [SAME, TIMEOUT, TIMEOUT, SAME]
    assert played([0.0, 300.0, 600.0, 900.0], script)[-1] == "fine"


@pytest.mark.parametrize("step", [-28800.0, 28800.0])
def test_a_clock_that_is_set_changes_nothing(step: float) -> None:
    """Eight hours back end no frozen picture, eight hours ahead make none of a cache."""

    async def work() -> list[str]:
        source = Played([SAME] * 6)
        watched, words = Watched(source, FLAG), []
        for _ in range(6):
            words.append(await said(watched))
            source.now = lambda: timedelta(seconds=step)
            await asyncio.sleep(225)
        return words

    assert run(work) == [*["fine"] * 4, "frozen", "frozen"]


def test_what_the_device_writes_beside_the_picture_does_not_count() -> None:
    """A new comment with the time of day, and the sensor stands still all the same."""
    script: list[Step] = []
    for number in range(4):
        comment = f"taken at {number}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        script.append(SAME[:2] + segment + SAME[2:])
    assert played([0.0, 300.0, 600.0, 900.0], script)[-1] == "frozen"


def test_frozen_refused_says_for_how_long() -> None:
    """The fallback image is shown instead, with a reason of its own."""

    async def work() -> None:
        watched = Watched(ScriptedSource([SAME], now))
        for _ in range(3):
            await watched.frame()
            await asyncio.sleep(305)
        with pytest.raises(CaptureError, match=r"^the same picture for 15 min$") as caught:
            await watched.frame()
        assert caught.value.reason is Reason.FROZEN
        await asyncio.sleep(3600)
        with pytest.raises(CaptureError, match=r"^the same picture for 75 min$"):
            await watched.frame()

    run(work)


BLANK = Frame.of(SAME, EPOCH).flagged(Reason.BLANK)


def test_blank_is_flagged_or_refused() -> None:
    """As the operator's policy says."""
    assert played([0.0], [BLANK], FLAG) == ["blank"]
    assert played([0.0], [BLANK], REFUSE) == ["no picture: blank"]


def test_blank_is_never_frozen() -> None:
    """A black night whose noise is clipped is the same picture every time: blank says it all."""
    moments = [0.0, 300.0, 600.0, 900.0, 86400.0]
    refuse = Rules(blank=Policy.FLAG, frozen=Policy.UNAVAILABLE)
    for rules in (FLAG, refuse, Rules(frozen=Policy.FLAG, frozen_cycles=1, frozen_after=0.0)):
        assert played(moments, [BLANK] * 5, rules) == ["blank"] * 5
    assert played(moments, [BLANK] * 5, REFUSE) == ["no picture: blank"] * 5


@pytest.mark.parametrize("rules", [FLAG, Rules(blank=Policy.UNAVAILABLE, frozen=Policy.FLAG)])
def test_blank_begins_a_new_spell(rules: Rules) -> None:
    """Shown or not: what follows is counted from its own first picture."""
    script: list[Step] = [SAME, SAME, SAME, BLANK, SAME, SAME, SAME, SAME]
    told = played([300.0 * turn for turn in range(8)], script, rules)
    assert told[4:] == ["fine", "fine", "fine", "frozen"]


def test_what_a_mask_leaves_is_not_judged() -> None:
    """A mask over the only lit part makes every night the same; the camera still works."""
    covered = Retouch((((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),))
    night: list[Step] = [Frame.of(jpeg(shade), EPOCH, covered) for shade in range(4)]
    assert len({step.body for step in night if isinstance(step, Frame)}) == 1
    moments = [0.0, 300.0, 600.0, 900.0]
    assert set(played(moments, night)) == {"fine"}
    still: list[Step] = [Frame.of(SAME, EPOCH, covered) for _ in moments]
    assert played(moments, still)[-1] == "frozen"


def test_a_fine_frame_passes_untouched() -> None:
    """The very frame of the source, without a copy."""
    frame = Frame.of(SAME, EPOCH)
    assert run(Watched(Played([frame])).frame) is frame


def test_failures_and_bugs_pass_as_they_are() -> None:
    """What the source raises is not judged here."""
    with pytest.raises(CaptureError) as caught:
        run(Watched(Played([TIMEOUT])).frame)
    assert caught.value is TIMEOUT
    with pytest.raises(IndexError):
        run(Watched(Played([])).frame)


def test_what_was_seen_makes_no_other_order() -> None:
    """A watched source equals a new one of the same source and rules: the old one is kept."""
    source = Played([SAME])
    watched = Watched(source, FLAG)
    run(watched.frame)
    assert watched == Watched(source, FLAG)
    assert watched != Watched(source, REFUSE)
