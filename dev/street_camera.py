"""What stands in the street: cameras, each with a mode, and the devices they are asked at."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dev.street_door import Doorway
from dev.street_pictures import picture
from dev.street_talk import Talk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dev.street_mode import Mode
    from dev.street_talk import Request

    Guard = Callable[[Talk], Awaitable[bool]]

KEPT = 200
"""How many of a camera's requests are remembered."""

# Hikvision's channels, and the parameter that most others have
_CHANNEL = re.compile(r"/channels/(\d+)0\d\b|[?&]channel=(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Spell:
    """A stretch of behaving one way, and what a mode remembers of it."""

    mode: Mode
    requests: int = 0
    picture: bytes = b""
    taken: float = 0.0
    attempts: int = 0
    answered: int = 0
    nonces: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """How many whole pictures a camera sent, and the last of them."""

    count: int = 0
    last: bytes = field(default=b"", repr=False)


class Camera:
    """One camera. What it knows may be read from any thread; only the street's own changes it."""

    def __init__(self, number: int, mode: Mode) -> None:
        self.id = str(number)
        self.number = number
        self.spell = Spell(mode)
        self.count = 0
        self.attempts = 0
        self.served = Served()
        self._requests: deque[Request] = deque(maxlen=KEPT)
        self._news = threading.Condition()

    def enter(self, mode: Mode) -> None:
        """Behave so from the next request on."""
        self.spell = Spell(mode)

    def picture(self) -> bytes:
        """A new whole picture."""
        return picture(self.number)

    def serve(self, picture: bytes) -> None:
        """Note that this picture goes out whole."""
        self.served = Served(self.served.count + 1, picture)

    def refuse(self) -> None:
        """Count a wrong password."""
        self.attempts += 1
        self.spell.attempts += 1

    def note(self, request: Request) -> None:
        """Remember a request."""
        with self._news:
            self.count += 1
            self.spell.requests += 1
            self._requests.append(request)
            self._news.notify_all()

    def requests(self) -> list[Request]:
        """The newest requests, the oldest first."""
        with self._news:
            return list(self._requests)

    def wait(self, count: int, timeout: float) -> None:
        """Block until `count` requests came since the street opened.

        Raises:
            TimeoutError: they did not, within `timeout` seconds.
        """
        with self._news:
            if not self._news.wait_for(lambda: self.count >= count, timeout):
                raise TimeoutError(f"{self.count} requests, not {count}, within {timeout:g} s")


class Device:
    """What is asked at one port: one camera, or a recorder with several.

    `guard`, if any, stands before every mode that asks for no login itself.
    """

    def __init__(self, cameras: Sequence[Camera], port: int, tls: str, guard: Guard | None) -> None:
        self.cameras = cameras
        self.connections = 0
        self.peak = 0
        self.capturing = 0
        self._tls = tls
        self._guard = guard
        self._talks: dict[Talk, asyncio.Task[None]] = {}
        self._doorway = Doorway(port, self._welcome)

    @property
    def port(self) -> int:
        """The port it is asked at, once it stands."""
        return self._doorway.port

    @property
    def open(self) -> int:
        """How many connections it has now."""
        return len(self._talks)

    @property
    def scheme(self) -> str:
        """What stands before its address: nothing, or https and so on."""
        mode = self.cameras[0].spell.mode
        secure = mode.secure or (self._tls and not mode.certificate)
        return "https://" if secure else ""

    async def stand(self, mode: Mode) -> None:
        """Open or shut the door as the mode wants it; connections that are there stay."""
        await self._doorway.stand(mode.door, self._certificate(mode))

    async def leave(self) -> None:
        """Shut the door and drop every connection."""
        self._doorway.remove()
        talks = dict(self._talks)
        for talk, task in talks.items():
            talk.abort()
            task.cancel()
        await asyncio.gather(*talks.values(), return_exceptions=True)

    def asked_for(self, target: str) -> Camera:
        """The camera that a target means; a single one whatever it says."""
        found = _CHANNEL.search(target)
        channel = int(found[1] or found[2]) if found else 1
        return self.cameras[(channel - 1) % len(self.cameras)]

    async def answer(self, talk: Talk) -> None:
        """Play to one request."""
        mode = talk.camera.spell.mode
        if self._guard is None or mode.login or await self._guard(talk):
            await mode.play(talk)

    @property
    def certificate(self) -> str:
        """The kind of certificate it shows now; blank for none."""
        return self._certificate(self.cameras[0].spell.mode)

    def _certificate(self, mode: Mode) -> str:
        return mode.certificate or ("" if mode.secure else self._tls)

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = Talk(self, reader, writer, self.connections)
        task = asyncio.create_task(talk.run(), name=f"camera {talk.camera.id}")
        self._talks[talk] = task
        self.peak = max(self.peak, len(self._talks))
        task.add_done_callback(lambda _: self._talks.pop(talk))
