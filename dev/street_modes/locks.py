"""Refusals that mean something else than a wrong password, and devices that lock their door."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dev.street_digest import Digest, guarded
from dev.street_login import BASIC, PLAIN, Verdict, judged, refusal
from dev.street_mode import UNSEEN, Mode, ok
from dev.street_wire import End, chunk, head

if TYPE_CHECKING:
    from dev.street_talk import Talk

MOST_ATTEMPTS = 5
_DIGEST = Digest()
_ENDLESS = 10**12
_by_digest = guarded(_DIGEST)
_login = partial(Mode, login=True)


def _locked(talk: Talk) -> bool:
    return talk.camera.spell.attempts >= MOST_ATTEMPTS


async def _endless_refusal(talk: Talk) -> None:
    if judged(talk, _DIGEST.judge(talk)) is Verdict.RIGHT:
        await ok(talk)
        return
    (challenge,) = _DIGEST.challenges(talk)
    headers = PLAIN, f"WWW-Authenticate: {challenge}", "Transfer-Encoding: chunked"
    await talk.send(head(*headers, status="401 Unauthorized"))
    await talk.flood(chunk(b"no " * 1000), _ENDLESS)


async def _never(talk: Talk) -> None:
    if "authorization" in talk.request.headers and not _locked(talk):
        talk.camera.refuse()
    await talk.send(refusal(*([] if _locked(talk) else _DIGEST.challenges(talk))))


async def _lock(talk: Talk) -> None:
    if _locked(talk):
        await talk.send(refusal(status="403 Forbidden"))
    elif await _by_digest(talk):
        await ok(talk)


async def _flap(talk: Talk) -> None:
    if talk.camera.spell.requests % 3 == 2:  # noqa: PLR2004 - the middle one of three
        await talk.send(refusal(BASIC))
    else:
        await ok(talk)


async def _busy(talk: Talk) -> None:
    fourth = talk.camera.spell.requests % 4 == 0
    if talk.device.open > 1 or fourth:
        await talk.send(refusal(*_DIGEST.challenges(talk), close=True))
        await talk.end(End.CLOSE)
    if await _by_digest(talk):
        await ok(talk)


async def _silent(talk: Talk) -> None:
    await talk.send(refusal())


async def _closing(talk: Talk) -> None:
    verdict = judged(talk, _DIGEST.judge(talk))
    if verdict is Verdict.WRONG:
        await talk.end(End.CLOSE)
    elif verdict is Verdict.RIGHT:
        await ok(talk)
    else:
        await talk.send(refusal(*_DIGEST.challenges(talk)))


MODES = (
    _login(
        "wrong_password",
        "no password is right; counts attempts, and after 5 refuses without a challenge",
        "a password that was changed",
        _never,
    ),
    _login(
        "lock_403",
        "Digest; after 5 wrong passwords 403 to everybody",
        "Hikvision illegal login, evercam-server#91",
        _lock,
    ),
    _login(
        "flap_401",
        "a picture, 401, a picture, in turns",
        "Hikvision, home-assistant/core#162772",
        _flap,
    ),
    _login(
        "dahua_busy_401",
        "Digest; 401, close and a new nonce while two are connected, and every fourth time",
        "Dahua, rroller/dahua#603",
        _busy,
    ),
    _login("no_challenge_401", "401 without WWW-Authenticate", UNSEEN, _silent),
    _login("auth_closes", "Digest; a wrong password gets a close", UNSEEN, _closing),
    _login(
        "digest_401_endless_body",
        "Digest, and the refusal's body never ends",
        "deadlocks aiohttp's middleware",
        _endless_refusal,
    ),
)
