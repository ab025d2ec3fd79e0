"""Answering a camera's challenge: Digest (RFC 7616, RFC 2069) and Basic, whichever it asks for."""

from __future__ import annotations

import base64
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
_PARAMETER = re.compile(r"""[\s,]*([A-Za-z][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]*)""")
_SCHEME = re.compile(r"[\s,]*([A-Za-z][\w-]*)(?=[\s,]|$)(?!\s*=)")
_SESSION = "-SESS"
_RANK = {"SHA-256": 0, "SHA-256-SESS": 1, "MD5": 2, "MD5-SESS": 3}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way of logging in that a camera offers; `parameters` have lower-case names."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        """The digest's algorithm, upper case; MD5 where the camera names none."""
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def qops(self) -> list[str]:
        """The qualities of protection on offer, lower case; none in the manner of RFC 2069."""
        return re.findall(r"[^\s,]+", self.parameters.get("qop", "").lower())

    def hash(self, *parts: str) -> str:
        """The parts joined by colons, hashed in the digest's way."""
        text = ":".join(parts).encode()
        return _HASHES[self.algorithm.removesuffix(_SESSION)](text).hexdigest()


def parse(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge in all `WWW-Authenticate` headers, several in one header too."""
    return [challenge for header in headers for challenge in _split(header)]


def answer(headers: Iterable[str], login: Login, method: str, target: str) -> str | None:
    """The `Authorization` header that answers the strongest challenge; None if none is known.

    `target` is the path with its query, just as it is sent.
    """
    offered = parse(headers)
    digests = [offer for offer in offered if offer.scheme == "digest" and _answerable(offer)]
    if digests:
        best = min(digests, key=lambda offer: _RANK[offer.algorithm])
        return _digest(best, login, method, target)
    if any(offer.scheme == "basic" for offer in offered):
        return _basic(login)
    return None


def _split(header: str) -> Iterable[Challenge]:
    position = 0
    while found := _SCHEME.match(header, position):
        position, parameters = found.end(), {}
        while parameter := _PARAMETER.match(header, position):
            parameters[parameter[1].lower()] = _unquoted(parameter[2])
            position = parameter.end()
        yield Challenge(found[1].lower(), parameters)


def _unquoted(text: str) -> str:
    closed = len(text) > 1 and text[0] == text[-1] == '"'
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if closed else text


def _answerable(offer: Challenge) -> bool:
    """Whether the answer can be right; a wrong one would count as a wrong password."""
    whole = offer.algorithm in _RANK and {"realm", "nonce"} <= offer.parameters.keys()
    # bytes that are no UTF-8 cannot be sent back just as they came
    sendable = all(text.isprintable() for text in offer.parameters.values())
    plain = not offer.qops and not offer.algorithm.endswith(_SESSION)
    return whole and sendable and (plain or "auth" in offer.qops)


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _digest(offer: Challenge, login: Login, method: str, target: str) -> str:
    fields = {
        "username": _quoted(login.username),
        "realm": _quoted(offer.parameters["realm"]),
        "nonce": _quoted(offer.parameters["nonce"]),
        "uri": _quoted(target),
    }
    if "algorithm" in offer.parameters:
        fields["algorithm"] = offer.parameters["algorithm"]
    if "opaque" in offer.parameters:
        fields["opaque"] = _quoted(offer.parameters["opaque"])
    fields |= _proof(offer, login, offer.hash(method, target))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _proof(offer: Challenge, login: Login, asked: str) -> dict[str, str]:
    """That the password is known, and the numbers this was made with."""
    nonce, cnonce, count = offer.parameters["nonce"], secrets.token_hex(8), "00000001"
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
