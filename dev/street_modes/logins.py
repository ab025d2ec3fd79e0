"""Logins: `user` and `pass word:%`, in all the ways in which devices ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.street_digest import Digest, guarded
from dev.street_login import by_basic, by_query
from dev.street_mode import UNSEEN, Mode, Play, ok

if TYPE_CHECKING:
    from dev.street_login import Guard
    from dev.street_talk import Talk


def _behind(guard: Guard) -> Play:
    """A picture for those whom the guard lets in."""

    async def play(talk: Talk) -> None:
        if await guard(talk):
            await ok(talk)

    return play


def _digest(name: str, words: str, seen: str, digest: Digest) -> Mode:
    return Mode(name, words, seen, _behind(guarded(digest)), login=True)


MODES = (
    Mode("basic_ok", "Basic", "Vivotek, Panasonic, Cohu", _behind(by_basic), login=True),
    Mode(
        "query_login",
        "the login in the query, refused as Foscam does",
        "Foscam, evercam-server#79",
        _behind(by_query),
        login=True,
    ),
    _digest("digest_ok", "Digest, MD5, qop auth", "Axis, Hikvision", Digest()),
    _digest("digest_sha256", "Digest, SHA-256 only", "RFC 7616", Digest(("SHA-256",))),
    _digest(
        "digest_both",
        "Digest, SHA-256 and MD5 offered",
        "RFC 7616, 3.7",
        Digest(("SHA-256", "MD5")),
    ),
    _digest("digest_rfc2069", "Digest without qop", "RFC 2069; old firmware", Digest(qop="")),
    _digest("digest_sess", "Digest, MD5-sess", "RFC 7616, 3.4.2", Digest(("MD5-sess",))),
    _digest(
        "digest_authint_first",
        'Digest, qop="auth-int,auth", and only auth works',
        "firmware that cannot do auth-int",
        Digest(qop="auth-int,auth"),
    ),
    _digest(
        "digest_one_time",
        "Digest, each nonce good for one request, and never called stale",
        "Dahua NVR, rroller/dahua#603",
        Digest(once=True),
    ),
    _digest(
        "digest_strict_nc",
        "Digest, refuses a count that does not rise",
        "rroller/dahua#617",
        Digest(rising=True),
    ),
    _digest(
        "digest_stale",
        "Digest, every second right answer is refused with stale=true",
        "RFC 7616, 3.3",
        Digest(stale=True),
    ),
    _digest(
        "digest_basic_first",
        "Basic in the first header, Digest in the second; both are good",
        "encode/httpx#1234",
        Digest(basic="first"),
    ),
    _digest(
        "digest_one_header",
        "Basic and Digest in one header; both are good",
        "encode/httpx#1234",
        Digest(basic="same header"),
    ),
    _digest(
        "digest_upper",
        "Digest, its names in capitals, blanks around its signs",
        UNSEEN,
        Digest(upper=True),
    ),
    _digest(
        "digest_unknown_algorithm_then_md5",
        "Digest, SHA-512-256 offered first, then MD5",
        "RFC 7616; ends aiohttp's middleware",
        Digest(("SHA-512-256", "MD5")),
    ),
    _digest(
        "digest_domain_odd",
        'Digest, domain="::"',
        "Hikvision, hikvision_next#50",
        Digest(domain="::"),
    ),
    _digest(
        "digest_unanswerable",
        "Digest, SHA-512-256 with auth-int only: nobody gets in",
        "RFC 7616",
        Digest(("SHA-512-256",), qop="auth-int"),
    ),
    _digest(
        "digest_query_checked",
        "Digest, refuses when the signed uri lacks the query",
        "Axis; Evercam signs only the path",
        Digest(whole_uri=True),
    ),
)
