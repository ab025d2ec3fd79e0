"""Finding out as what a camera answers: few requests, in good order, and never after a refusal."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cctv.detect import Detecting, Way
from cctv.errors import CaptureError
from cctv.frame import Frame
from cctv.model import Camera
from cctv.reasons import Reason
from cctv.ways import Ways
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CAMERA = Camera("12", "Axis", "10.0.0.12")
FRAME = Frame.of(jpeg(), EPOCH)
SUSPECT = [Reason.NOT_FOUND, Reason.NOT_A_PICTURE, Reason.HTTP_ERROR]
MODELS = ["a", "b", "c", "d", "e", "f", "g"]
OWN = "own"
HANG = 86400.0


@dataclass
class Device:
    """What a device says in each model's way: a picture, a failure, or nothing for so long."""

    ways: Ways
    deadline: float = 60.0
    says: dict[str, Reason | float | None] = field(default_factory=dict)
    models: Sequence[str] = tuple(MODELS)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = Detecting(CAMERA, Mouth(self, OWN), self.deadline, self.others, self.ways)

    def others(self) -> list[Way]:
        """The other models' ways, in the order in which they are likely."""
        return [Way(model, Mouth(self, model), Mouth(self, model)) for model in self.models]

    async def cycle(self) -> str:
        """The models asked in one cycle, and what came of it."""
        self.asked.clear()
        try:
            frame = await self.source.frame()
        except CaptureError as error:
            return f"{' '.join(self.asked)}: {error.reason} {error}"
        assert frame is FRAME
        return f"{' '.join(self.asked)}: picture"


@dataclass
class Mouth:
    """One model's way of asking a device."""

    device: Device
    model: str

    async def frame(self) -> Frame:
        """What the device says to that; see `seams.Source`."""
        self.device.asked.append(self.model)
        say = self.device.says.get(self.model, Reason.NOT_FOUND)
        if isinstance(say, float):
            await asyncio.sleep(say)
            return FRAME
        if say is None:
            return FRAME
        raise CaptureError(say, f"by {self.model}")


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device that says 404 to everything."""
    return Device(Ways(tmp_path))


def cycles(device: Device, count: int = 1) -> list[str]:
    """What comes of that many cycles."""

    async def work() -> list[str]:
        return [await device.cycle() for _ in range(count)]

    return run(work)


def test_a_right_record_costs_one_request(device: Device) -> None:
    """The ways of others are not even looked at, and nothing is learned."""
    device.says = {OWN: None, "a": None}
    assert cycles(device) == ["own: picture"]
    assert device.ways.of(CAMERA) == ""


@pytest.mark.parametrize("reason", SUSPECT)
def test_three_others_in_a_cycle(device: Device, reason: Reason) -> None:
    """What a device of another make may say; each other once, and then all over again."""
    device.says = dict.fromkeys((OWN, *MODELS), reason)
    words = f"{reason} by own"
    assert cycles(device, 5) == [
        f"own a b c: {words}",
        f"own d e f: {words}",
        f"own g: {words}",
        f"own a b c: {words}",
        f"own d e f: {words}",
    ]


@pytest.mark.parametrize("reason", [each for each in Reason if each not in SUSPECT])
def test_another_failure_of_its_own_way_asks_no_other(device: Device, reason: Reason) -> None:
    """A refused login, a lost connection, a torn picture: none of them is the wrong model."""
    device.says = {OWN: reason, "a": None}
    assert cycles(device, 2) == [f"own: {reason} by own"] * 2


@pytest.mark.parametrize("reason", [each for each in Reason if each not in SUSPECT])
def test_another_failure_of_another_way_ends_the_cycle(device: Device, reason: Reason) -> None:
    """The next ones would knock at the same lock; what is told is what the record's way got."""
    device.says = {"b": reason, "c": None}
    assert cycles(device, 2) == ["own a b: not-found by own", "own c: picture"]


def test_what_gives_a_picture_is_used_from_then_on(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    """It is asked first, alone, and reported once, so that somebody corrects the record."""
    device.says = {"b": None}
    found = ["own a b: picture", "own b: picture", "b: picture", "b: picture"]
    assert cycles(device, 4) == found
    assert device.ways.of(CAMERA) == "b"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "record says Axis, answers as B camera=12; correct its model")
    ]


def test_an_error_page_does_not_undo_what_is_learned(device: Device) -> None:
    """A device that is starting says 404 for a minute: its way is asked first all the same."""
    device.says = {"b": None}
    cycles(device, 2)
    device.says = {"b": Reason.HTTP_ERROR}
    assert cycles(device) == ["b own c d: http-error by b"]
    device.says = {"b": None}
    assert cycles(device) == ["b: picture"]


def test_a_way_that_stopped_working_gives_place_to_another(device: Device) -> None:
    """The device was exchanged: three others in a cycle, the learned one among them."""
    device.ways.learn(CAMERA, "b")
    device.says = {"f": None}
    assert cycles(device, 5) == [
        "b own a c: not-found by b",
        "b own d e: not-found by b",
        "b own f: picture",
        "b own f: picture",
        "f: picture",
    ]


def test_a_way_that_stopped_working_gives_place_to_the_record(device: Device) -> None:
    """The device was exchanged for the one in the record: nothing is to be remembered."""
    device.ways.learn(CAMERA, "b")
    device.says = {OWN: None}
    assert cycles(device, 2) == ["b own: picture", "own: picture"]
    assert device.ways.of(CAMERA) == ""


@pytest.mark.parametrize("reason", [each for each in Reason if each not in SUSPECT])
def test_a_learned_way_that_fails_otherwise_asks_no_other(device: Device, reason: Reason) -> None:
    """A password that was changed locks no account, and what is learned stays."""
    device.ways.learn(CAMERA, "b")
    device.says = {"b": reason, OWN: None}
    assert cycles(device, 2) == [f"b: {reason} by b"] * 2
    assert device.ways.of(CAMERA) == "b"


def test_a_learned_model_that_is_gone_is_passed_over(device: Device) -> None:
    """The operator took it out of his file: three others are tried, as if nothing were known."""
    device.ways.learn(CAMERA, "gone")
    device.says = {"c": None}
    assert cycles(device, 3) == ["own a b c: picture", "own c: picture", "c: picture"]


def test_without_other_models_its_own_failure_is_told(device: Device) -> None:
    """A camera whose address is a whole URL."""
    device.models = []
    assert cycles(device, 2) == ["own: not-found by own"] * 2


async def _moment(device: Device) -> tuple[str, float]:
    found = await device.cycle()
    return found, asyncio.get_running_loop().time()


def test_the_deadline_of_its_own_way(device: Device) -> None:
    """A source that hangs is given up, and no other is asked."""
    device.says = {OWN: HANG}
    found = "own: timeout nothing within 60 s"
    assert run(lambda: _moment(device)) == (found, 60.0)


def test_the_deadline_while_others_are_asked(device: Device) -> None:
    """The failure of the record's way is what is told, and the next cycle goes on behind it."""
    device.says = {"b": HANG}
    found = "own a b: not-found by own"
    assert run(lambda: _moment(device)) == (found, 60.0)
    device.says = {}
    assert cycles(device) == ["own c d e: not-found by own"]


def test_the_deadline_is_one_for_all(device: Device) -> None:
    """Each way is quick enough by itself; all of them together are not."""
    device.says = {"a": Reason.NOT_FOUND, "b": 61.0}
    device.ways.learn(CAMERA, "a")
    assert run(lambda: _moment(device)) == ("a own b: not-found by a", 60.0)


def test_a_picture_just_before_the_deadline(device: Device) -> None:
    """It is learned from, as any other."""
    device.says = {"a": 59.9}
    assert cycles(device, 2) == ["own a: picture"] * 2
    assert device.ways.of(CAMERA) == "a"


def test_a_cancel_passes(device: Device) -> None:
    """The daemon stops in the midst of it: nothing is learned, nothing more is asked."""
    device.says = {"b": HANG}

    async def work() -> None:
        task = asyncio.create_task(device.source.frame())
        asyncio.get_running_loop().call_later(5, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(100)

    run(work)
    assert device.asked == ["own", "a", "b"]
    assert device.ways.of(CAMERA) == ""


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    """What is no CaptureError is not taken for the wrong model."""

    class Broken:
        async def frame(self) -> Frame:
            raise KeyError("bug")

    others: Callable[[], list[Way]] = list
    with pytest.raises(KeyError, match="bug"):
        run(Detecting(CAMERA, Broken(), 60.0, others, Ways(tmp_path)).frame)


def test_a_passing_fault_teaches_nothing(device: Device) -> None:
    """A device that answers every path, and once an error: its record is right all the same."""
    device.says = {"a": None}
    assert cycles(device) == ["own a: picture"]
    device.says = {OWN: None, "a": None}
    assert cycles(device) == ["own: picture"]
    device.says = {"a": None}
    assert cycles(device) == ["own b c d: not-found by own"]
    assert device.ways.of(CAMERA) == ""


def test_what_was_tried_makes_no_other_order(device: Device) -> None:
    """Equal for the same camera, way and deadline: a reload keeps the old one with its memory."""
    cycles(device)
    assert device.source == Detecting(CAMERA, device.source.own, 60.0, list, device.ways)
    assert device.source != Detecting(CAMERA, device.source.own, 61.0, list, device.ways)


SAYINGS = st.dictionaries(
    st.sampled_from([OWN, *MODELS]), st.sampled_from([None, *Reason, 30.0, HANG])
)


@given(st.lists(SAYINGS, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_device_says(
    tmp_path: Path, sayings: list[dict[str, Reason | float | None]]
) -> None:
    """In every cycle: the record's way once, three others at most, no way twice, in time."""

    async def work() -> None:
        device = Device(Ways(tmp_path))
        loop = asyncio.get_running_loop()
        for says in sayings:
            device.says = dict(says)
            began = loop.time()
            found = await device.cycle()
            assert loop.time() - began <= 60.0
            others = [model for model in device.asked if model != OWN]
            assert len(device.asked) == len(set(device.asked))
            assert len(others) <= 3
            last = device.says.get(device.asked[-1], Reason.NOT_FOUND)
            for model in device.asked[:-1]:
                assert device.says.get(model, Reason.NOT_FOUND) in SUSPECT
            assert found.endswith("picture") is (last is None or last == 30.0)

    run(work)
