"""Keeping the roster: believing, remembering, and working from what is known."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from cctv.errors import ConfigError, InventoryError
from cctv.keeper import Keeper
from cctv.lastgood import Known, LastGood
from cctv.model import Record
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cctv.roster import Roster


def rows(*numbers: int, off: Sequence[int] = ()) -> list[Record]:
    """Good records; those in `off` are disabled."""
    return [
        Record(str(number), "Axis", f"10.0.0.{number}", publish="no" if number in off else "yes")
        for number in numbers
    ]


@dataclass
class Office:
    """An inventory whose next answers are set by hand, and a keeper over it."""

    folder: Path
    answers: list[list[Record] | InventoryError] = field(default_factory=list)
    rosters: list[Roster] = field(default_factory=list)
    applied: asyncio.Event = field(default_factory=asyncio.Event)
    hang: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hang.set()
        self.keeper = self.restarted()

    def restarted(self) -> Keeper:
        """A new daemon over the same disk."""
        self.keeper = Keeper(self, LastGood(self.folder), self.apply, refresh=0)
        return self.keeper

    async def records(self) -> Sequence[Record]:
        """The next answer; see `seams.Inventory`."""
        await self.hang.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, InventoryError):
            raise answer
        return answer

    async def apply(self, roster: Roster) -> None:
        """What the fleet would do."""
        self.rosters.append(roster)
        self.applied.set()

    async def read(self, *answers: list[Record] | InventoryError) -> Roster:
        """Have the keeper look once for each answer; the roster in force then."""
        for answer in answers:
            self.answers.append(answer)
            await self.keeper.look()
        return self.rosters[-1]

    async def start(self, answer: list[Record] | InventoryError) -> Roster:
        """Restart with this answer; the first roster of the new daemon."""
        self.rosters.clear()
        self.applied.clear()
        self.answers.append(answer)
        running = asyncio.create_task(self.restarted().run())
        applied = asyncio.create_task(self.applied.wait())
        await asyncio.wait([running, applied], return_when=asyncio.FIRST_COMPLETED, timeout=10)
        for task in (running, applied):
            task.cancel()
        await asyncio.wait([running, applied])
        if not running.cancelled() and (error := running.exception()):
            raise error
        return self.rosters[0]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office with an empty disk."""
    return Office(tmp_path)


async def test_start_with_inventory_down_works_from_the_last_good_list(office: Office) -> None:
    """Knack is dead at 3 a.m., cron restarts the daemon: the pictures go on."""
    await office.read(rows(1, 2, 3))
    roster = await office.start(InventoryError("Knack did not answer within 60 s"))
    assert sorted(roster.cameras) == ["1", "2", "3"]


async def test_what_left_while_the_daemon_was_down_is_withdrawn(office: Office) -> None:
    """Removed or disabled between two lives, a camera does not keep its last picture public."""
    await office.read(rows(1, 2, 3, 4))
    roster = await office.start(rows(1, 3, 4, off=[3]))
    assert sorted(roster.cameras) == ["1", "4"]
    assert roster.withdrawn == {"2": Reason.REMOVED, "3": Reason.UNPUBLISHED}


async def test_withdrawal_is_owed_until_confirmed_even_through_a_restart(office: Office) -> None:
    """The store was down when the camera left, and the daemon restarted twice: still owed."""
    await office.read(rows(1, 2, 3, 4), rows(1, 3, 4))
    for _ in range(2):
        roster = await office.start(rows(1, 3, 4))
        assert roster.withdrawn == {"2": Reason.REMOVED}
    office.keeper.confirmed("2")
    after = await office.read(rows(1, 3, 4))
    assert not after.withdrawn
    roster = await office.start(rows(1, 3, 4))
    assert not roster.withdrawn


async def test_obeyed_order_is_not_owed_again_with_each_reading(office: Office) -> None:
    """A disabled camera that is deleted later leaves nothing behind on the disk."""
    await office.read(rows(1, 2, 3, 4, off=[4]))
    office.keeper.confirmed("4")
    roster = await office.read(rows(1, 2, 3, 4, off=[4]))
    assert roster.withdrawn == {"4": Reason.UNPUBLISHED}
    roster = await office.read(rows(1, 2, 3))
    assert not roster.withdrawn
    assert not (await LastGood(office.folder).load()).owed


async def test_disabled_again_is_owed_again(office: Office) -> None:
    """On, off, on, off: each order counts."""
    await office.read(rows(1, 2, off=[2]))
    office.keeper.confirmed("2")
    await office.read(rows(1, 2), rows(1, 2, off=[2]))
    assert (await LastGood(office.folder).load()).owed == {"2": Reason.UNPUBLISHED}


async def test_list_that_lost_too_much_is_believed_when_it_comes_twice(office: Office) -> None:
    """One bad answer of Knack blanks no camera; a real change needs one more reading."""
    await office.read(rows(*range(1, 11)))
    roster = await office.read(rows(1, 2, 3))
    assert len(roster.cameras) == 10
    roster = await office.read(rows(1, 2, 3))
    assert len(roster.cameras) == 3
    assert set(roster.withdrawn.values()) == {Reason.REMOVED}


async def test_two_different_short_lists_are_not_one_list_twice(office: Office) -> None:
    """A recovering Knack answers now these, now those: neither is believed."""
    roster = await office.read(rows(*range(1, 11)), rows(1, 2, 3), rows(4, 5, 6), rows(1, 2, 3))
    assert len(roster.cameras) == 10


async def test_doubted_list_is_remembered_through_a_restart(office: Office) -> None:
    """Without a refresh, the second time is the next restart."""
    await office.read(rows(*range(1, 11)), rows(1, 2, 3))
    roster = await office.start(rows(1, 2, 3))
    assert len(roster.cameras) == 3


async def test_operator_can_vouch_for_a_short_list(office: Office) -> None:
    """`cctv list --accept` makes it good at its first coming."""
    await office.read(rows(*range(1, 11)))
    await LastGood(office.folder).accept(frozenset({"1", "2", "3"}))
    roster = await office.read(rows(1, 2, 3))
    assert len(roster.cameras) == 3


async def test_operators_word_is_for_one_time(office: Office) -> None:
    """Spent when the list is adopted, for whatever reason: half a list later is doubted again."""
    everything, half = rows(*range(1, 11)), rows(*range(1, 6))
    await office.read(everything, half)
    await LastGood(office.folder).accept(frozenset(map(str, range(1, 6))))
    await office.read(half)
    roster = await office.read(everything, half)
    assert len(roster.cameras) == 10


async def test_empty_list_is_never_believed(office: Office) -> None:
    """Not twice, not ten times."""
    roster = await office.read(rows(*range(1, 11)), *[[] for _ in range(10)])
    assert len(roster.cameras) == 10


async def test_disabled_records_count_as_present(office: Office) -> None:
    """A security visit disables everything at once: that is an order, not a loss."""
    numbers = range(1, 11)
    roster = await office.read(rows(*numbers), rows(*numbers, off=numbers))
    assert not roster.cameras
    assert len(roster.withdrawn) == 10


async def test_orders_not_to_publish_are_obeyed_in_a_doubted_list(office: Office) -> None:
    """A list may be too short to be believed; what it orders explicitly is still done at once."""
    roster = await office.read(rows(*range(1, 11)), rows(1, 2, 3, off=[2]))
    assert len(roster.cameras) == 9
    assert roster.withdrawn == {"2": Reason.UNPUBLISHED}


async def test_order_in_a_doubted_list_outlives_what_comes_after(office: Office) -> None:
    """An empty list, a restart with Knack down: a camera that was switched off stays off."""
    await office.read(rows(*range(1, 11)))
    for answer in (rows(1, 2, 3, off=[2]), [], InventoryError("down")):
        roster = await office.read(answer)
        assert "2" not in roster.cameras
    roster = await office.start(InventoryError("down"))
    assert "2" not in roster.cameras
    assert roster.withdrawn == {"2": Reason.UNPUBLISHED}


async def test_everything_switched_off_is_still_owed_after_a_restart(office: Office) -> None:
    """All cameras off, the store dead, Knack refusing: the withdrawals are not forgotten."""
    await office.read(rows(1, 2, 3), rows(1, 2, 3, off=[1, 2, 3]))
    roster = await office.start(InventoryError("Knack refused", lasting=True))
    assert set(roster.withdrawn) == {"1", "2", "3"}
    await office.read(InventoryError("a slip in the CSV", lasting=True))


async def test_slow_inventory_does_not_hold_up_a_start(office: Office) -> None:
    """Knack hangs for minutes: after a little patience the last good list is worked from."""
    await office.read(rows(1, 2, 3))
    office.rosters.clear()
    office.applied.clear()
    office.hang.clear()
    office.answers.append(rows(1, 2, 3, 4))
    keeper = office.restarted()
    keeper.patience = 0.01
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        await office.applied.wait()
        office.applied.clear()
        office.hang.set()
        await office.applied.wait()
    running.cancel()
    assert [len(roster.cameras) for roster in office.rosters] == [3, 4]


async def test_saves_do_not_tear_each_other(office: Office) -> None:
    """Sixty saves at once: the last one stands, whole."""
    last_good = LastGood(office.folder)
    lists = [Known(ids=frozenset(map(str, range(size)))) for size in range(60)]
    await asyncio.gather(*map(last_good.save, lists))
    assert await last_good.load() == lists[-1]
    assert [file.name for file in office.folder.iterdir()] == ["inventory.json"]


async def test_hung_state_disk_does_not_end_a_reading(office: Office) -> None:
    """A FIFO in the place of the operator's word: the list counts as not vouched for."""
    await office.read(rows(*range(1, 11)))
    os.mkfifo(office.folder / "accepted.json")
    roster = await office.read(rows(1, 2, 3))
    assert len(roster.cameras) == 10


async def test_failing_inventory_changes_nothing(office: Office) -> None:
    """A running fleet does not notice that Knack is away."""
    await office.read(rows(1, 2))
    applied = len(office.rosters)
    await office.read(InventoryError("down"), InventoryError("still down"))
    assert len(office.rosters) == applied


async def test_first_start_with_a_lasting_fault_ends_the_program(office: Office) -> None:
    """A CSV without its columns is a setting that cannot be used, and is said in one sentence."""
    with pytest.raises(ConfigError, match="no column model"):
        await office.start(InventoryError("street.csv: has no column model", lasting=True))


async def test_lasting_fault_with_a_last_good_list_ends_nothing(office: Office) -> None:
    """The same fault at a restart: the pictures go on."""
    await office.read(rows(1, 2))
    roster = await office.start(InventoryError("Knack refused", lasting=True))
    assert sorted(roster.cameras) == ["1", "2"]


async def test_odd_record_is_reported_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """By id and reason, at the first reading; again only when it changes."""
    caplog.set_level(logging.INFO)
    odd = [*rows(1), Record("7", "", "10.0.0.7")]
    await office.read(odd, odd, odd)
    lines = [line for line in caplog.messages if "odd record" in line]
    assert lines == ['inventory: odd record camera=7 why="model is blank"']


async def test_trouble_is_told_once_and_its_end_too(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """One ERROR when Knack goes away, one INFO when it is back."""
    caplog.set_level(logging.INFO)
    down = InventoryError("Knack did not answer")
    await office.read(rows(1), down, down, down, rows(1))
    levels = [record.levelname for record in caplog.records]
    assert levels.count("ERROR") == 1
    told = "inventory: Knack did not answer (meanwhile the last good list stays in force)"
    assert told in caplog.messages
    assert "inventory: read again" in caplog.messages


async def test_unreadable_last_good_list_does_not_stop_a_start(office: Office) -> None:
    """A file that a power cut or an editor has spoiled costs its memory, nothing else."""
    await office.read(rows(1, 2))
    (office.folder / "inventory.json").write_text('{"format": 1, "ids": "spoilt"')
    roster = await office.start(rows(1, 2))
    assert len(roster.cameras) == 2


async def test_disk_that_takes_nothing_does_not_stop_a_start(tmp_path: Path) -> None:
    """The state folder is a file: the fleet works all the same, with a warning."""
    (tmp_path / "state").write_text("not a folder")
    office = Office(tmp_path / "state")
    roster = await office.start(rows(1, 2))
    assert len(roster.cameras) == 2


async def test_knack_down_at_the_start_is_asked_again_without_a_refresh(office: Office) -> None:
    """The last good list is a stopgap: the list itself is read as soon as Knack is back."""
    await office.read(rows(1, 2, 3))
    office.rosters.clear()
    office.answers = [*[InventoryError("down")] * 5, rows(1, 2, 3, 4)]
    keeper = office.restarted()
    keeper.again = 0.01
    running = asyncio.create_task(keeper.run())
    async with asyncio.timeout(20):
        while len(office.rosters) < 2:
            office.applied.clear()
            await office.applied.wait()
    running.cancel()
    assert [len(roster.cameras) for roster in office.rosters] == [3, 4]
    assert not office.answers
