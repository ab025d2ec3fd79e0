"""Answering a camera's challenge: Digest (RFC 7616, RFC 2069) and Basic, whichever it asks for."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cctv.model import Login

_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "SHA-256": hashlib.sha256,
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
}
_VALUE = r""""(?:[^"\\]|\\.)*"|'[^']*'|[^\s,]*"""
_PARAMETER = re.compile(rf"[\s,]*([A-Za-z][\w-]*)\s*=\s*({_VALUE})")
_SCHEME = re.compile(r"[\s,]*([A-Za-z][\w-]*)(?=[\s,]|$)(?!\s*=)")
_SESSION = "-SESS"
_RANK = {"SHA-256": 0, "SHA-256-SESS": 1, "MD5": 2, "MD5-SESS": 3}
# what an answer repeats from the challenge
_REPEATED = ("realm", "nonce", "opaque", "algorithm")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way of logging in that a camera offers; `parameters` have lower-case names."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        """The digest's algorithm, upper case; MD5 where the camera names none."""
        return (self.parameters.get("algorithm") or "MD5").upper()

    @property
    def nonce(self) -> str:
        """The text a digest is made with; empty where the camera gives none."""
        return self.parameters.get("nonce", "")

    @property
    def qops(self) -> list[str]:
        """The qualities of protection on offer, lower case; none in the manner of RFC 2069."""
        return re.findall(r"[^\s,]+", self.parameters.get("qop", "").lower())

    @property
    def stale(self) -> bool:
        """Whether the camera says that only the nonce was too old: the password was right."""
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def lasting(self) -> bool:
        """Whether later requests may be answered from this challenge too.

        Not where the algorithm has a session: some servers take its key from the first request,
        as RFC 7616 (3.4.2) has it, others from the request at hand.
        """
        return not self.algorithm.endswith(_SESSION)

    def renewed(self, info: str) -> Challenge:
        """The challenge for the next request, given an `Authentication-Info` header (3.5)."""
        said = next(iter(_split(f"Digest {info}")), self)
        nonce = said.parameters.get("nextnonce", self.nonce)
        later = dataclasses.replace(self, parameters=self.parameters | {"nonce": nonce})
        return later if _answerable(later) else self

    def hash(self, *parts: str) -> str:
        """The parts joined by colons, hashed in the digest's way."""
        text = ":".join(parts).encode()
        return _HASHES[self.algorithm.removesuffix(_SESSION)](text).hexdigest()


def parse(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge in all `WWW-Authenticate` headers, several in one header too."""
    return [challenge for header in headers for challenge in _split(header)]


def strongest(offered: Iterable[Challenge], login: Login) -> Challenge | None:
    """The challenge to answer: the strongest digest, else Basic; None if neither can be."""
    able = (offer for offer in offered if _possible(offer, login))
    return min(able, key=_rank, default=None)


def hindrance(offered: Iterable[Challenge]) -> str:
    """Why `strongest` found nothing in this 401; none of the camera's own words."""
    schemes = {offer.scheme for offer in offered}
    if not schemes:
        return "HTTP 401 Unauthorized, and it does not say how to log in"
    if "basic" in schemes:
        return "HTTP 401 asking for Basic, which cannot carry a username with a colon"
    return "HTTP 401 asking for a login in a way that is not known here"


def respond(offer: Challenge, login: Login, method: str, target: str, count: int = 1) -> str:
    """The `Authorization` header that answers an offer which `strongest` chose.

    `target` is the path with its query, just as it is sent. `count` is how many requests,
    this one included, were made with the nonce of the offer; Basic has none.
    """
    if offer.scheme == "basic":
        return _basic(login)
    return _digest(offer, login, method, target, f"{count:08x}")


def _split(header: str) -> Iterable[Challenge]:
    position = 0
    while found := _SCHEME.match(header, position):
        position, parameters = found.end(), {}
        while parameter := _PARAMETER.match(header, position):
            parameters[parameter[1].lower()] = _unquoted(parameter[2])
            position = parameter.end()
        yield Challenge(found[1].lower(), parameters)


def _unquoted(text: str) -> str:
    quote = text[0] if len(text) > 1 and text[0] == text[-1] else ""
    if quote == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text[1:-1] if quote == "'" else text


def _rank(offer: Challenge) -> int:
    """The strongest first."""
    return len(_RANK) if offer.scheme == "basic" else _RANK[offer.algorithm]


def _possible(offer: Challenge, login: Login) -> bool:
    """Whether this login can be sent in the way of the offer."""
    if offer.scheme == "basic":
        # there the first colon ends the username
        return ":" not in login.username
    return offer.scheme == "digest" and _answerable(offer)


def _answerable(offer: Challenge) -> bool:
    """Whether the answer can be right; a wrong one would count as a wrong password."""
    whole = offer.algorithm in _RANK and "realm" in offer.parameters and offer.nonce != ""
    # bytes that are no UTF-8 cannot be sent back just as they came
    sendable = all(offer.parameters.get(name, "").isprintable() for name in _REPEATED)
    plain = not offer.qops and not offer.algorithm.endswith(_SESSION)
    return whole and sendable and (plain or "auth" in offer.qops)


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _digest(offer: Challenge, login: Login, method: str, target: str, count: str) -> str:
    fields = {
        "username": _quoted(login.username),
        "realm": _quoted(offer.parameters["realm"]),
        "nonce": _quoted(offer.nonce),
        "uri": _quoted(target),
    }
    if offer.parameters.get("algorithm"):
        fields["algorithm"] = offer.parameters["algorithm"]
    if "opaque" in offer.parameters:
        fields["opaque"] = _quoted(offer.parameters["opaque"])
    fields |= _proof(offer, login, offer.hash(method, target), count)
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _proof(offer: Challenge, login: Login, asked: str, count: str) -> dict[str, str]:
    """That the password is known, and the numbers this was made with."""
    nonce, cnonce = offer.nonce, secrets.token_hex(8)
    secret = offer.hash(login.username, offer.parameters["realm"], login.password.reveal())
    if offer.algorithm.endswith(_SESSION):
        secret = offer.hash(secret, nonce, cnonce)
    if not offer.qops:
        return {"response": _quoted(offer.hash(secret, nonce, asked))}
    response = offer.hash(secret, nonce, count, cnonce, "auth", asked)
    numbers = {"qop": "auth", "nc": count, "cnonce": _quoted(cnonce)}
    return numbers | {"response": _quoted(response)}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
