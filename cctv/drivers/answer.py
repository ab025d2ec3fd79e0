"""What is asked of a camera and what it answers, whichever reader carries it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from multidict import CIMultiDictProxy
    from yarl import URL


@dataclass(frozen=True, slots=True)
class Question:
    """One GET. `url` is sent as it is encoded and may hold a login, `headers` do; neither prints.

    `tls` is what to speak https with; None for http.
    """

    url: URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers, and the body's bytes as they arrive.

    `chunks` ends where the body does, or raises CutOffError where the connection broke in the
    middle of it; what came before counts all the same. Nothing is decompressed. Leaving the
    reader's context closes the connection, whatever is still to come.
    """

    status: int
    headers: CIMultiDictProxy[str]
    chunks: AsyncIterator[bytes] = field(repr=False)


class CutOffError(Exception):
    """The body did not arrive as announced: a reset, a wrong length, a broken chunk."""


Reader = Callable[[Question], AbstractAsyncContextManager[Answer]]
"""Asks, on a connection of its own that is closed afterwards; follows nothing, retries nothing.

Raises CaptureError where there is no answer to read: `unreachable`, `refused-address`, `tls`,
`protocol` (not HTTP as this reader knows it), `torn` (closed without an answer). It bounds the
connection itself (5 s); the whole is bounded by its caller.
"""
