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
_PARAMETER = re.compile(r"""\s*([A-Za-z][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]*)\s*,?""")
_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][\w-]*)(?=\s|,|$)(?!\s*=)")
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


def parse(headers: Iterable[str]) -> list[Challenge]:
    """Every challenge in all `WWW-Authenticate` headers, several in one header too."""
    return [challenge for header in headers for challenge in _split(header)]


def answer(headers: Iterable[str], login: Login, method: str, target: str) -> str | None:
    """The `Authorization` header that answers the strongest challenge; None if none is known.

    `target` is the path with its query, just as it is sent.
    """
    offered = parse(headers)
    digests = [
        offer
        for offer in offered
        if offer.scheme == "digest" and offer.algorithm in _RANK and _answerable(offer)
    ]
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
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _answerable(offer: Challenge) -> bool:
    known = {"realm", "nonce"} <= offer.parameters.keys()
    return known and ("qop" not in offer.parameters or "auth" in _qops(offer))


def _qops(offer: Challenge) -> list[str]:
    return [word.strip().lower() for word in offer.parameters["qop"].split(",")]


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.reveal()}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def _digest(offer: Challenge, login: Login, method: str, target: str) -> str:
    realm, nonce = offer.parameters["realm"], offer.parameters["nonce"]
    cnonce, count = secrets.token_hex(8), "00000001"
    hashed = _hasher(offer.algorithm.removesuffix("-SESS"))
    secret = hashed(f"{login.username}:{realm}:{login.password.reveal()}")
    if offer.algorithm.endswith("-SESS"):
        secret = hashed(f"{secret}:{nonce}:{cnonce}")
    asked = hashed(f"{method}:{target}")
    fields = {
        "username": _quoted(login.username),
        "realm": _quoted(realm),
        "nonce": _quoted(nonce),
        "uri": _quoted(target),
    }
    if "algorithm" in offer.parameters:
        fields["algorithm"] = offer.parameters["algorithm"]
    if "opaque" in offer.parameters:
        fields["opaque"] = _quoted(offer.parameters["opaque"])
    if "qop" in offer.parameters:
        fields |= {"qop": "auth", "nc": count, "cnonce": _quoted(cnonce)}
        fields["response"] = _quoted(hashed(f"{secret}:{nonce}:{count}:{cnonce}:auth:{asked}"))
    else:
        fields["response"] = _quoted(hashed(f"{secret}:{nonce}:{asked}"))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _hasher(algorithm: str) -> Callable[[str], str]:
    return lambda text: _HASHES[algorithm](text.encode()).hexdigest()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
