"""Room for unfinished pictures: bounded, given back, and never a reason to wait for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv.drivers.purse import Loan, Purse
from tests.virtual import run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def ended(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run `work`; a standstill fails after some virtual days, and takes no time."""
    run(lambda: asyncio.wait_for(work(), 1_000_000))


async def waits(task: asyncio.Task[None]) -> bool:
    """Whether a task is still not done after an hour."""
    await asyncio.sleep(3600)
    return not task.done()


def test_room_is_given_back_at_the_end() -> None:
    """What several chunks took is free again once the picture is done with."""

    async def work() -> None:
        purse = Purse(10)
        with purse.loan() as loan:
            await loan.take(4)
            await loan.take(5)
            assert (loan.held, purse.lent) == (9, 9)
        assert (loan.held, purse.lent) == (0, 0)

    ended(work)


def test_a_failure_gives_back_too() -> None:
    """A picture that is torn costs no room for ever."""

    async def work() -> None:
        purse = Purse(10)

        async def read() -> None:
            with purse.loan() as loan:
                await loan.take(7)
                raise ValueError("torn")

        with pytest.raises(ValueError, match="torn"):
            await read()
        assert purse.lent == 0

    ended(work)


def test_the_limit_itself_is_lent_and_not_a_byte_more() -> None:
    """Ten of ten at once; the eleventh waits for a giving back."""

    async def work() -> None:
        purse = Purse(10)
        with purse.loan() as second:
            with purse.loan() as first:
                await first.take(4)
                await second.take(6)
                one_more = asyncio.create_task(second.take(1))
                assert await waits(one_more)
                assert purse.lent == 10
            await one_more
            assert (second.held, purse.lent) == (7, 7)

    ended(work)


def test_an_empty_purse_lends_more_than_its_limit() -> None:
    """A chunk larger than all the room would otherwise wait for nobody."""

    async def work() -> None:
        purse = Purse(10)
        with purse.loan() as loan:
            await loan.take(25)
            assert purse.lent == 25

    ended(work)


def test_two_that_wait_for_each_other_both_end() -> None:
    """The one that has held bytes the longest goes on beyond the limit, the other after it."""

    async def work() -> None:
        purse = Purse(10)
        ended: list[str] = []

        async def read(name: str, began: asyncio.Event) -> None:
            with purse.loan() as loan:
                await loan.take(5)
                await began.wait()
                await loan.take(5)
                ended.append(name)

        began = asyncio.Event()
        first = asyncio.create_task(read("first", began))
        second = asyncio.create_task(read("second", began))
        await asyncio.sleep(1)
        assert purse.lent == 10
        began.set()
        await asyncio.gather(second, first)
        assert ended == ["first", "second"]
        assert purse.lent == 0

    ended(work)


def test_the_next_eldest_goes_on_when_the_eldest_is_gone() -> None:
    """Its privilege is handed on, by the order in which bytes were first held."""

    async def work() -> None:
        purse = Purse(10)
        with purse.loan() as third, purse.loan() as second:
            with purse.loan() as first:
                await first.take(1)
                await second.take(5)
                await third.take(4)
                younger = asyncio.create_task(third.take(8))
                older = asyncio.create_task(second.take(8))
                assert await waits(younger)
                assert not older.done()
            await older
            assert await waits(younger)
            assert purse.lent == 17
            younger.cancel()
            await asyncio.wait([younger])

    ended(work)


def test_who_is_cancelled_while_waiting_owes_nothing() -> None:
    """A camera whose time is up leaves the queue; what it held is there for the others."""

    async def work() -> None:
        purse = Purse(10)

        async def read() -> None:
            with purse.loan() as loan:
                await loan.take(3)
                await loan.take(5)

        with purse.loan() as eldest, purse.loan() as other:
            await eldest.take(7)
            reading = asyncio.create_task(read())
            wanting = asyncio.create_task(other.take(3))
            assert await waits(reading)
            assert not wanting.done()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await wanting
            assert purse.lent == 10

    ended(work)


def test_many_waiters_are_all_served_in_the_end() -> None:
    """Nobody is forgotten where a giving back has room for some of them only."""

    async def work() -> None:
        purse = Purse(10)

        async def read() -> None:
            with purse.loan() as loan:
                await loan.take(6)
                await asyncio.sleep(1)

        async with asyncio.timeout(51), asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(read())
        assert purse.lent == 0

    ended(work)


CHUNKS = st.lists(st.integers(1, 40), min_size=1, max_size=5)
READERS = st.lists(st.tuples(CHUNKS, st.integers(0, 20), st.booleans()), max_size=12)


@given(READERS, st.integers(1, 60))
def test_whatever_comes_all_end_within_the_bound(
    readers: list[tuple[list[int], int, bool]], limit: int
) -> None:
    """In any order and size, some of them cancelled: no standstill, one picture over at most."""

    async def work() -> None:
        purse = Purse(limit)
        most = 0

        async def read(chunks: list[int], pause: int) -> None:
            nonlocal most
            with purse.loan() as loan:
                for count in chunks:
                    await loan.take(count)
                    most = max(most, purse.lent)
                    await asyncio.sleep(pause)

        loop = asyncio.get_running_loop()
        tasks = []
        for chunks, pause, leaves in readers:
            tasks.append(asyncio.create_task(read(chunks, pause)))
            if leaves:
                loop.call_later(pause * 1.5, tasks[-1].cancel)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=100_000)
            assert not late
        assert purse.lent == 0
        assert most <= limit + max((sum(chunks) for chunks, _, _ in readers), default=0)

    ended(work)


def test_a_loan_alone_needs_no_loop_to_be_made() -> None:
    """Purses are made before the program runs."""
    assert Loan(Purse()).held == 0
