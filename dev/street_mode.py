"""A mode: one way for a camera to behave, and how such ways are put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from dev.street_wire import End, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

UNSEEN = "not seen yet"
"""Stands where a source would: what a specification, or a mode's neighbours, suggest."""

Play = Callable[["Talk"], Awaitable[None]]
"""Answers one request; raises OSError when the client is gone."""


class Door(Enum):
    """What a client finds at the camera's port."""

    OPEN = auto()
    SHUT = auto()
    """connections are refused"""
    STUCK = auto()
    """its queue is full and nobody accepts: a connection is never made"""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to behave: its name, a line of words, where it was `seen`, and what it plays.

    `meets` is played when a connection opens, before anything is read. `secure` modes have an
    https address; those with a `certificate` (one of `street_tls.CERTIFICATES`) speak TLS.
    `login` modes ask for a login themselves.
    """

    name: str
    words: str
    seen: str
    play: Play
    meets: Play | None = None
    door: Door = Door.OPEN
    secure: bool = False
    certificate: str = ""
    login: bool = False


def whole(make: Callable[[bytes], bytes] = reply, end: End = End.KEEP) -> Play:
    """Plays what `make` makes of a new picture, which is whole in it; then ends so."""
    return _answer(make, end, served=True)


def broken(make: Callable[[bytes], bytes], end: End = End.KEEP) -> Play:
    """Plays what `make` makes of a new picture, which nobody must show; then ends so."""
    return _answer(make, end, served=False)


def says(answer: bytes, end: End = End.KEEP) -> Play:
    """Plays this answer, without any picture; then ends so."""
    return _answer(lambda _: answer, end, served=False)


def _answer(make: Callable[[bytes], bytes], end: End, *, served: bool) -> Play:
    async def play(talk: Talk) -> None:
        picture = talk.picture()
        if served:
            talk.served(picture)
        await talk.send(make(picture))
        await talk.end(end)

    return play


async def ok(talk: Talk) -> None:
    """Answers a new picture."""
    picture = talk.picture()
    talk.served(picture)
    await talk.send(reply(picture))


async def leave(talk: Talk) -> None:
    """Closes without a word."""
    await talk.end(End.CLOSE)
