"""What a public image does by itself: no picture outlives its time, no card is given up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cctv.errors import StoreError, TooLateError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.public_image import PublicImage
from cctv.reasons import Reason
from cctv.store.memory import MemoryStore, Mood
from cctv.store.wrap import Timely
from tests.fakes.frames import jpeg
from tests.virtual import now, run

CARD = jpeg(1, (32, 24))
KEY = "image/12.jpg"
UPLOAD = 20.0


class Address:
    """One address over a store in memory, and what it told by itself."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore(now)
        self.told: list[tuple[Reason, bool]] = []
        gallery = Gallery(
            Timely(self.store, now), "image/", 300, CARD, now, freshness=450, upload=UPLOAD
        )
        self.image = PublicImage(gallery, "12", self.hear)

    def hear(self, reason: Reason, trouble: StoreError | None) -> None:
        """Remember what was told, and whether it went well."""
        self.told.append((reason, trouble is None))

    async def show(self, age: float = 0) -> None:
        """Show a picture that was taken `age` seconds ago."""
        taken = now() - timedelta(seconds=age)
        await self.image.show(Frame.of(jpeg(), taken), now() + timedelta(seconds=300))

    async def fall(self, reason: Reason = Reason.TIMEOUT) -> None:
        """Show the card."""
        await self.image.show_fallback(reason, now())

    @property
    def shows(self) -> str:
        """What the public sees."""
        return self.store.objects[KEY].thing.metadata["state"]

    @property
    def puts(self) -> int:
        """How often the store was asked."""
        return self.store.puts[KEY]


def test_a_picture_does_not_outlive_its_time() -> None:
    """When no other comes the card goes up so early that its upload ends in time."""

    async def work() -> None:
        address = Address()
        await address.show(age=30)
        await asyncio.sleep(450 - 30 - UPLOAD - 1)
        assert (address.shows, address.told) == ("live", [])
        await asyncio.sleep(2)
        assert (address.shows, address.told) == ("unavailable", [(Reason.STALE, True)])
        await asyncio.sleep(100_000)
        assert address.puts == 2

    run(work)


def test_each_picture_begins_its_own_time() -> None:
    """Pictures that come in time are never covered."""

    async def work() -> None:
        address = Address()
        for _ in range(50):
            await address.show()
            await asyncio.sleep(300)
            assert address.shows == "live"
        assert address.told == []
        address.image.close()

    run(work)


def test_a_dead_store_is_asked_until_it_takes_the_card() -> None:
    """A picture that runs out while the store refuses goes within seconds of its return."""

    async def work() -> None:
        address = Address()
        await address.show()
        address.store.mood = Mood.REFUSE
        await asyncio.sleep(3600)
        assert address.shows == "live"
        address.store.mood = Mood.TAKE
        await asyncio.sleep(2.5)
        assert address.shows == "unavailable"
        # each failure was told, and then what went well; that one is put a few times
        wells = [well for _, well in address.told]
        assert {reason for reason, _ in address.told} == {Reason.STALE}
        assert (wells[0], wells[-1]) == (False, True)
        assert wells == sorted(wells)

    run(work)


def test_a_card_that_was_refused_is_not_left_to_the_next_cycle() -> None:
    """The camera's own reason goes up as soon as the store takes it."""

    async def work() -> None:
        address = Address()
        await address.show()
        address.store.mood = Mood.REFUSE
        with pytest.raises(StoreError):
            await address.fall(Reason.AUTH)
        address.store.mood = Mood.TAKE
        await asyncio.sleep(6.5)
        assert address.store.objects[KEY].thing.metadata["reason"] == "auth"

    run(work)


def test_a_frame_that_the_store_did_not_confirm_goes_in_time_too() -> None:
    """It may stand there, or the one before: the elder's time counts."""

    async def work() -> None:
        address = Address()
        await address.show()
        await asyncio.sleep(300)
        address.store.mood = Mood.TAKE_THEN_FAIL
        with pytest.raises(StoreError):
            await address.show()
        address.store.mood = Mood.TAKE
        await asyncio.sleep(150 - UPLOAD + 1)
        assert address.shows == "unavailable"
        address.image.close()

    run(work)


def test_the_first_frame_refused_hides_what_nobody_knows() -> None:
    """At a start anything may stand there: when the frame fails, the card is tried at once."""

    async def work() -> None:
        address = Address()
        address.store.mood = Mood.REFUSE
        with pytest.raises(StoreError):
            await address.show()
        address.store.mood = Mood.TAKE
        await asyncio.sleep(6.5)
        assert address.shows == "unavailable"

    run(work)


def test_what_stood_before_is_replaced_within_the_time_that_was_said() -> None:
    """A camera's task that never gets anywhere leaves no picture of an earlier daemon."""

    async def work() -> None:
        address = Address()
        address.image.expect(300)
        await asyncio.sleep(299)
        assert address.puts == 0
        await asyncio.sleep(2)
        assert (address.shows, address.told) == ("unavailable", [(Reason.STALE, True)])

    run(work)


@pytest.mark.parametrize("late", [1.0, 10.0, 40.0])
def test_a_picture_that_lands_late_is_covered_again(late: float) -> None:
    """A PUT that was given up may land after the card: that one is put again, a few times."""

    async def work() -> None:
        address = Address(MemoryStore(now, Mood.LATE, late=late))
        with pytest.raises(StoreError):
            await address.show()
        address.store.mood = Mood.TAKE
        await address.fall(Reason.HELD)
        assert address.shows == "held"
        await address.store.landed()
        assert address.shows == "live"
        await asyncio.sleep(61 - late)
        assert address.shows == "held"
        puts = address.puts
        await asyncio.sleep(100_000)
        assert address.puts == puts

    run(work)


def test_a_picture_too_old_when_its_upload_begins_is_not_uploaded() -> None:
    """A machine that was frozen, or a long wait for a place at the store."""

    async def work() -> None:
        address = Address()
        with pytest.raises(TooLateError):
            await address.show(age=451)
        assert KEY not in address.store.objects
        await asyncio.sleep(7)
        assert address.shows == "unavailable"

    run(work)


def test_a_clock_that_jumps_makes_pictures_older() -> None:
    """The timer counts what the loop saw; after a frozen hour it must not wait for its end."""

    async def work() -> None:
        jump = timedelta(0)

        def clock() -> datetime:
            return now() + jump

        address = Address()
        gallery = Gallery(address.store, "image/", 300, CARD, clock, freshness=450, upload=UPLOAD)
        address.image = PublicImage(gallery, "12", address.hear)
        await address.show()
        jump = timedelta(hours=1)
        address.image.look_again()
        await asyncio.sleep(1)
        assert address.shows == "unavailable"
        # and one that is set back must not keep a picture longer
        await address.image.show(Frame.of(jpeg(), clock()), clock() + timedelta(seconds=300))
        jump = -timedelta(hours=1)
        address.image.look_again()
        await asyncio.sleep(451)
        assert address.shows == "unavailable"

    run(work)


def test_a_card_that_was_confirmed_under_a_frame_stands_no_more() -> None:
    """Hold, release while the card is on its way, a frame behind it, and hold again."""

    async def work() -> None:
        address = Address()
        await asyncio.sleep(61)
        held = asyncio.create_task(address.fall(Reason.HELD), name="held")
        await asyncio.sleep(0)
        framed = asyncio.create_task(address.show(), name="framed")
        await asyncio.wait([held, framed])
        assert address.shows == "live"
        await address.fall(Reason.HELD)
        assert address.shows == "held"
        address.image.close()

    run(work)


def test_a_card_of_a_new_process_is_put_again_in_its_first_minute() -> None:
    """The one before it may have been killed with a picture on its way."""

    async def work() -> None:
        address = Address()
        await address.fall(Reason.HELD)
        address.store.objects.clear()
        await address.store.put(KEY, address.image._gallery.own_card())  # noqa: SLF001 - a late one
        await asyncio.sleep(61)
        assert address.shows == "held"
        assert address.puts == 5

    run(work)


def test_one_failed_upload_at_the_start_hides_no_picture_of_before() -> None:
    """It may be fresh: who can read its time judges it, and the rest waits as it was told."""

    async def work() -> None:
        address = Address()
        address.image.expect(300)
        address.store.mood = Mood.REFUSE
        with pytest.raises(StoreError):
            await address.show()
        address.store.mood = Mood.TAKE
        await asyncio.sleep(290)
        assert address.puts == 1
        await asyncio.sleep(20)
        assert address.shows == "unavailable"

    run(work)


def test_a_closed_image_does_nothing_by_itself() -> None:
    """The daemon leaves, or the address is given up: no timer is left."""

    async def work() -> None:
        address = Address()
        await address.show()
        address.image.close()
        await asyncio.sleep(1000)
        assert (address.shows, address.puts) == ("live", 1)

    run(work)


def test_an_older_frame_has_not_more_time() -> None:
    """The object itself says until when it may be put, so that no wait on the way makes it late."""
    taken = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
    gallery = Gallery(MemoryStore(now), "image/", 300, CARD, lambda: taken, freshness=450)
    thing = gallery.live("12", Frame.of(jpeg(), taken), taken + timedelta(seconds=300))
    assert thing.not_after == taken + timedelta(seconds=450)
    assert gallery.card("12", Reason.HELD, taken).not_after is None
    assert replace(thing, not_after=None).expires <= taken + timedelta(seconds=450)
