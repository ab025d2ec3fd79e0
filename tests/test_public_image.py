"""One public address: a fresh frame or the fallback image, and the headers they go with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv import PUBLISHER
from cctv.errors import StoreError
from cctv.frame import Frame
from cctv.gallery import Gallery
from cctv.public_image import PublicImage
from cctv.reasons import Reason
from cctv.store.memory import MemoryStore, Mood
from tests.fakes.frames import jpeg
from tests.virtual import EPOCH, now, run

if TYPE_CHECKING:
    from cctv.model import StoredObject
    from cctv.seams import Store

CARD = jpeg(1, (32, 24))
DUE = EPOCH + timedelta(seconds=300)


def gallery(store: Store, interval: float = 300.0) -> Gallery:
    """A gallery in virtual time."""
    return Gallery(store, "image/", interval, CARD, now)


def test_live_object_carries_what_a_cache_needs() -> None:
    """Expires is the next due moment and a grace of 15 s; never max-age; the metadata is whole."""

    async def work() -> None:
        store = MemoryStore(now)
        await PublicImage(gallery(store), "12").show(Frame.of(jpeg(), EPOCH), DUE)
        thing = store.objects["image/12.jpg"].thing
        assert thing.body == jpeg()
        assert thing.content_type == "image/jpeg"
        assert thing.expires == DUE + timedelta(seconds=15)
        assert thing.cache_control == "public, must-revalidate, stale-if-error=0, no-transform"
        assert thing.metadata == {
            "state": "live",
            "captured-at": "2026-03-01T12:00:00.000Z",
            "fresh-until": "2026-03-01T12:07:30.000Z",
            "camera": "12",
            "publisher": PUBLISHER,
        }

    run(work)


def test_live_object_says_what_is_odd() -> None:
    """One warning, or several with blanks between; the picture is public all the same."""

    async def work() -> None:
        blank = Frame.of(jpeg(), EPOCH).flagged(Reason.BLANK)
        for frame, words in (
            (blank, "blank"),
            (blank.flagged(Reason.FROZEN), "blank frozen"),
        ):
            store = MemoryStore(now)
            await PublicImage(gallery(store), "12").show(frame, DUE)
            thing = store.objects["image/12.jpg"].thing
            assert thing.body == jpeg()
            assert (thing.metadata["state"], thing.metadata["warning"]) == ("live", words)

    run(work)


def test_fallback_object_says_why_and_since_when() -> None:
    """No captured-at, a reason of the closed set, and Expires at most 60 s ahead."""

    async def work() -> None:
        store = MemoryStore(now)
        await PublicImage(gallery(store), "12").show_fallback(Reason.TIMEOUT, EPOCH)
        thing = store.objects["image/12.jpg"].thing
        assert thing.body == CARD
        assert thing.expires == EPOCH + timedelta(seconds=60)
        assert thing.metadata == {
            "state": "unavailable",
            "reason": "timeout",
            "since": "2026-03-01T12:00:00.000Z",
            "camera": "12",
            "publisher": PUBLISHER,
        }

    run(work)


@given(st.floats(1, 7200), st.floats(0, 1))
def test_expiry_is_never_beyond_freshness(interval: float, part: float) -> None:
    """Whatever the interval, a cache lets go before the picture is too old to be public."""

    async def work() -> None:
        frame = Frame.of(jpeg(), EPOCH)
        due = EPOCH + timedelta(seconds=interval * part)
        live = gallery(MemoryStore(now), interval).live("12", frame, due)
        grace = min(15.0, interval / 5)
        assert live.expires <= due + timedelta(seconds=grace)
        assert live.expires <= EPOCH + timedelta(seconds=1.5 * interval)
        fallback = gallery(MemoryStore(now), interval).card("12", Reason.TIMEOUT, EPOCH)
        assert fallback.expires <= EPOCH + timedelta(seconds=60)

    run(work)


def test_confirmed_fallback_is_not_put_again_but_healed() -> None:
    """While it stands it costs one PUT in six cycles, which brings back what was deleted."""

    async def work() -> None:
        store = MemoryStore(now)
        image = PublicImage(gallery(store), "12")
        # in a process's first minute each card is put again: one before it may have left a PUT
        await asyncio.sleep(61)
        for cycle in range(13):
            await image.show_fallback(Reason.TIMEOUT, now())
            if cycle == 1:
                store.objects.clear()
            await asyncio.sleep(300)
        assert store.puts["image/12.jpg"] == 3
        assert store.objects["image/12.jpg"].thing.metadata["since"] == "2026-03-01T12:01:01.000Z"

    run(work)


def test_new_reason_is_told() -> None:
    """A camera that hung and now refuses the password says so at its address."""

    async def work() -> None:
        store = MemoryStore(now)
        image = PublicImage(gallery(store), "12")
        await image.show_fallback(Reason.TIMEOUT, now())
        await image.show_fallback(Reason.AUTH, now())
        assert store.objects["image/12.jpg"].thing.metadata["reason"] == "auth"

    run(work)


async def say(image: PublicImage, verb: str) -> None:
    """One of the two verbs."""
    if verb == "show":
        await image.show(Frame.of(jpeg(), now()), now() + timedelta(seconds=300))
    else:
        await image.show_fallback(Reason.TIMEOUT, now())


# what lands late is pinned in test_kept_promise
MOODS = [Mood.TAKE, Mood.REFUSE, Mood.TAKE_THEN_FAIL]
STEPS = st.lists(st.tuples(st.sampled_from(["show", "fall"]), st.sampled_from(MOODS)))


@given(STEPS)
def test_what_was_confirmed_is_what_stands(steps: list[tuple[str, Mood]]) -> None:
    """Whatever a store takes and then denies: after a verb that returned, its object is public."""

    async def work() -> None:
        store = MemoryStore(now)
        image = PublicImage(gallery(store), "12")
        for verb, mood in steps:
            store.mood = mood
            await asyncio.sleep(300)
            try:
                await say(image, verb)
            except StoreError:
                continue
            state = store.objects["image/12.jpg"].thing.metadata["state"]
            assert state == {"show": "live", "fall": "unavailable"}[verb]

    run(work)


@given(STEPS)
def test_dead_camera_ends_with_the_fallback(steps: list[tuple[str, Mood]]) -> None:
    """Whatever went before, one fallback that the store confirms is what the public sees."""

    async def work() -> None:
        store = MemoryStore(now)
        image = PublicImage(gallery(store), "12")
        for verb, mood in steps:
            store.mood = mood
            try:
                await say(image, verb)
            except StoreError:
                continue
        store.mood = Mood.TAKE
        await image.show_fallback(Reason.TIMEOUT, now())
        assert store.objects["image/12.jpg"].thing.metadata["state"] == "unavailable"

    run(work)


@dataclass
class SlowStore:
    """Takes its time for each object and remembers how many were in flight at once."""

    seconds: float = 10
    taken: list[str] = field(default_factory=list)
    in_flight: int = 0
    most: int = 0

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        del key
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.in_flight -= 1
        self.taken.append(thing.metadata["state"])


def frame() -> Frame:
    """A picture of now."""
    return Frame.of(jpeg(), now())


def cancelled(image: PublicImage) -> asyncio.Task[None]:
    """An upload whose caller leaves after a second."""

    async def work() -> None:
        show = asyncio.create_task(image.show(frame(), DUE))
        await asyncio.sleep(1)
        show.cancel()
        with pytest.raises(asyncio.CancelledError):
            await show

    return asyncio.create_task(work())


def test_cancelled_caller_does_not_break_its_upload_off() -> None:
    """The upload ends whole, and the fallback that follows it is the last to be taken."""

    async def work() -> None:
        store = SlowStore(2)
        image = PublicImage(gallery(store), "12")
        await cancelled(image)
        await image.show_fallback(Reason.REMOVED, now())
        assert store.taken == ["live", "unpublished"]
        assert store.most == 1
        image.close()

    run(work)


def test_card_does_not_wait_behind_a_slow_picture() -> None:
    """After two seconds a picture on its way is broken off: what must go, goes soon."""

    async def work() -> None:
        store = SlowStore(10)
        image = PublicImage(gallery(store), "12")
        await cancelled(image)
        began = now()
        await image.show_fallback(Reason.HELD, now())
        assert store.taken == ["held"]
        assert now() - began == timedelta(seconds=12)
        assert store.most == 1
        image.close()

    run(work)


def test_settled_waits_for_uploads_in_flight() -> None:
    """Leaving in good order means that nothing is half-written."""

    async def work() -> None:
        store = SlowStore()
        image = PublicImage(gallery(store), "12")
        fall = asyncio.create_task(image.show_fallback(Reason.REMOVED, now()))
        await asyncio.sleep(1)
        fall.cancel()
        await image.settled()
        assert store.taken == ["unpublished"]
        image.close()

    run(work)
