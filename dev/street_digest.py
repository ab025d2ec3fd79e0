"""Digest, in all the ways in which devices were seen to ask for it."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev.street_login import (
    BASIC,
    PASSWORD,
    REALM,
    USER,
    Verdict,
    by_basic,
    by_query,
    judge_basic,
    judged,
    refusal,
)

if TYPE_CHECKING:
    from dev.street_login import Guard
    from dev.street_talk import Request, Talk

KEPT_NONCES = 64
_HASHES = {"MD5": "md5", "SHA-256": "sha256"}
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Digest:
    """How a device asks for Digest, and what else it wants than the right response.

    `offers` are its algorithms, the best first, each in a header of its own; `qop` is blank for
    RFC 2069. With `once` a nonce serves one request, with `rising` its count must grow, with
    `stale` every second right answer is refused as stale, with `whole_uri` the query belongs to
    what is signed. `basic` says where Basic is offered too. `domain` and `upper` are oddities of
    the challenge's text.
    """

    offers: tuple[str, ...] = ("MD5",)
    qop: str = "auth"
    once: bool = False
    rising: bool = False
    stale: bool = False
    whole_uri: bool = False
    basic: str = ""
    domain: str = ""
    upper: bool = False

    def challenges(self, talk: Talk, *, stale: bool = False) -> list[str]:
        """The values of WWW-Authenticate, with a new nonce in all of them."""
        nonce = _new_nonce(talk)
        texts = [self._challenge(nonce, offer, stale=stale) for offer in self.offers]
        if self.basic == "same header":
            return [", ".join((BASIC, *texts))]
        return [BASIC, *texts] if self.basic == "first" else texts

    def _challenge(self, nonce: str, algorithm: str, *, stale: bool) -> str:
        parts = [f'realm="{REALM}"', f'nonce="{nonce}"', f"algorithm={algorithm}"]
        parts += [f'domain="{self.domain}"'] * bool(self.domain)
        parts += [f'qop="{self.qop}"'] * bool(self.qop) + ["stale=true"] * stale
        if self.upper:
            pairs = (part.split("=", 1) for part in parts)
            return "DIGEST " + " ,  ".join(f"{name.upper()} = {text}" for name, text in pairs)
        return f"Digest {', '.join(parts)}"

    def judge(self, talk: Talk) -> Verdict:
        """What the login of a request is worth."""
        scheme, _, rest = talk.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and self.basic:
            return judge_basic(talk.request)
        if not scheme:
            return Verdict.NONE
        said = {name.lower(): text or bare for name, text, bare in _PARAMETER.findall(rest)}
        if scheme.lower() != "digest" or not self._signed(talk.request, said):
            return Verdict.WRONG
        return self._spend(talk, said)

    def _signed(self, request: Request, said: dict[str, str]) -> bool:
        algorithm = said.get("algorithm", "MD5")
        known = algorithm in self.offers and algorithm.removesuffix("-sess") in _HASHES
        names = said.get("username"), said.get("realm"), said.get("qop", "")
        if not known or names != (USER, REALM, "auth" if "auth" in self._qops() else ""):
            return False
        uri, target = said.get("uri", ""), request.target
        if not self.whole_uri:
            uri, target = urlsplit(uri).path, urlsplit(target).path
        return uri == target and said.get("response") == _response(request.method, algorithm, said)

    def _qops(self) -> list[str]:
        return self.qop.replace(" ", "").split(",")

    def _spend(self, talk: Talk, said: dict[str, str]) -> Verdict:
        """Whether the nonce is still good; the response was right."""
        spell, nonce = talk.camera.spell, said.get("nonce", "")
        last = spell.nonces.get(nonce)
        if last is None:
            return Verdict.NONE if self.once else Verdict.STALE
        count = int(said.get("nc") or "0", 16)
        if self.rising and count <= last:
            return Verdict.NONE
        spell.nonces[nonce] = count
        if self.once:
            del spell.nonces[nonce]
        spell.answered += 1
        return Verdict.STALE if self.stale and spell.answered % 2 == 0 else Verdict.RIGHT


def _new_nonce(talk: Talk) -> str:
    nonces, nonce = talk.camera.spell.nonces, secrets.token_hex(16)
    nonces[nonce] = 0
    if len(nonces) > KEPT_NONCES:
        del nonces[next(iter(nonces))]
    return nonce


def _response(method: str, algorithm: str, said: dict[str, str]) -> str:
    """What the response must be (RFC 7616; without qop RFC 2069)."""

    def hashed(*parts: str) -> str:
        name = _HASHES[algorithm.removesuffix("-sess")]
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    ours = hashed(USER, REALM, PASSWORD)
    if algorithm.endswith("-sess"):
        ours = hashed(ours, said.get("nonce", ""), said.get("cnonce", ""))
    names = ("nonce", "nc", "cnonce", "qop") if said.get("qop") else ("nonce",)
    asked = hashed(method, said.get("uri", ""))
    return hashed(ours, *(said.get(name, "") for name in names), asked)


def guarded(digest: Digest) -> Guard:
    """Asks for Digest so."""

    async def guard(talk: Talk) -> bool:
        verdict = judged(talk, digest.judge(talk))
        if verdict is not Verdict.RIGHT:
            challenges = digest.challenges(talk, stale=verdict is Verdict.STALE)
            await talk.send(refusal(*challenges))
        return verdict is Verdict.RIGHT

    return guard


GUARDS: dict[str, Guard] = {"basic": by_basic, "digest": guarded(Digest()), "query": by_query}
"""What a whole street can ask for, by its word."""
