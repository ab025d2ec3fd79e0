"""What waits for the store is bounded: a slow one must not fill the memory with pictures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cctv.backlog import Backlog
from cctv.fleet import Fleet
from cctv.gallery import Gallery
from cctv.model import NotStored, Outcome
from cctv.roster import Roster
from tests.fakes.frames import ScriptedSource, jpeg
from tests.fakes.town import CARD, TIMING, camera
from tests.virtual import now, run

if TYPE_CHECKING:
    from cctv.model import Camera, StoredObject


class Stuck:
    """A store that takes nothing for a while, and counts the bytes of pictures that wait for it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.waiting = self.most = 0

    async def put(self, key: str, thing: StoredObject) -> None:
        """Wait for the gate."""
        del key
        size = len(thing.body) if thing.not_after else 0
        self.waiting += size
        self.most = max(self.most, self.waiting)
        try:
            await self.gate.wait()
        finally:
            self.waiting -= size


def test_no_camera_is_asked_while_too_much_waits() -> None:
    """Twenty cameras, room for five pictures: the store stops, and the rest are not asked."""

    async def work() -> None:
        outcomes: list[Outcome] = []
        store, sources = Stuck(), dict[str, ScriptedSource]()
        gallery = Gallery(
            store, "image/", 300, CARD, now, upload=20, backlog=Backlog(5 * len(jpeg()))
        )

        def drive(one: Camera) -> ScriptedSource:
            return sources.setdefault(one.id, ScriptedSource([jpeg()], now))

        fleet = Fleet(gallery, TIMING, drive, outcomes.append, lambda _: None)
        names = [str(number) for number in range(20)]
        await fleet.apply(Roster({name: camera(name) for name in names}))
        await asyncio.sleep(100)
        assert store.most == 5 * len(jpeg())
        assert sum(len(source.asked) for source in sources.values()) == 5
        assert sum(isinstance(outcome, NotStored) for outcome in outcomes) == 15
        store.gate.set()
        await asyncio.sleep(400)
        states = {name: at.state for name, at in fleet.standings().items()}
        assert set(states.values()) == {"live"}
        await fleet.stop(5)

    run(work)


async def test_room_is_waited_for() -> None:
    """Who asks while there is none gets it as soon as something has gone."""
    backlog = Backlog(10)
    with backlog.holding(9):
        assert await backlog.room(0.01)
        with backlog.holding(1):
            assert not await backlog.room(0.01)
            waiting = asyncio.create_task(backlog.room(30), name="waits")
            await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting
