"""How devices judge a login and refuse it: by Basic, or in the query; Digest has its own file."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from dev.street_wire import reply

if TYPE_CHECKING:
    from dev.street_talk import Request, Talk

USER, PASSWORD = "user", "pass word:%"
"""What every device lets in; public, as everything here."""
REALM = "street"
BASIC = f'Basic realm="{REALM}"'
PLAIN = "Content-Type: text/plain"
FOSCAM_REFUSAL = b"<CGI_Result><result>-2</result></CGI_Result>"

_NAMES = {"user", "usr", "username"}, {"password", "pwd"}

Guard = Callable[["Talk"], Awaitable[bool]]
"""Whether a request may in; else it was answered."""


class Verdict(Enum):
    """What a device finds in a request."""

    RIGHT = auto()
    WRONG = auto()
    """a password that is not the one: it counts"""
    NONE = auto()
    """no login, or one that counts for nothing"""
    STALE = auto()
    """the right password, with a nonce that is no longer liked"""


def judge_basic(request: Request) -> Verdict:
    """What a Basic login is worth."""
    right = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    said = request.headers.get("authorization")
    if said is None:
        return Verdict.NONE
    return Verdict.RIGHT if said == f"Basic {right}" else Verdict.WRONG


def judge_query(request: Request) -> Verdict:
    """What a login in the query is worth; its parameters have one of several names."""
    query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    said = [
        next((values[0] for name, values in query.items() if name.lower() in names), None)
        for names in _NAMES
    ]
    if said == [None, None]:
        return Verdict.NONE
    return Verdict.RIGHT if said == [USER, PASSWORD] else Verdict.WRONG


def refusal(*challenges: str, status: str = "401 Unauthorized", close: bool = False) -> bytes:
    """The answer with these challenges, each in a header of its own."""
    headers = [f"WWW-Authenticate: {text}" for text in challenges]
    headers += ["Connection: close"] * close
    return reply(b"Unauthorized\n", PLAIN, *headers, status=status)


def judged(talk: Talk, verdict: Verdict) -> Verdict:
    """The same verdict; a wrong password is counted."""
    if verdict is Verdict.WRONG:
        talk.camera.refuse()
    return verdict


async def by_basic(talk: Talk) -> bool:
    """Asks for Basic."""
    right = judged(talk, judge_basic(talk.request)) is Verdict.RIGHT
    if not right:
        await talk.send(refusal(BASIC))
    return right


async def by_query(talk: Talk) -> bool:
    """Wants the login in the query, and refuses as Foscam does."""
    right = judged(talk, judge_query(talk.request)) is Verdict.RIGHT
    if not right:
        await talk.send(reply(FOSCAM_REFUSAL, PLAIN))
    return right
