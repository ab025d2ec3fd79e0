"""Fuzz targets: what a device says about logging in, and a login's history at such a device."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field

from cctv.drivers import login as ways
from cctv.drivers.key import Key
from cctv.errors import CaptureError
from cctv.model import Login, Secret
from cctv.reasons import Reason
from tests.fuzz.refusals import CANARY, check_refusal

TARGET = "/axis-cgi/jpg/image.cgi?camera=1&x=%20"
PASSWORD = f'p:@%#ü"\\ {CANARY}'
LOGIN = Login('the "viewer\\ü', Secret(PASSWORD))
PAUSE = 1800.0
OFFERS = (
    'Basic realm="x"',
    'Digest realm="x", nonce="1"',
    'Digest realm="x", nonce="2", qop="auth", algorithm=MD5',
    'Digest realm="x", nonce="3", qop="auth,auth-int", algorithm=SHA-256',
    'Digest realm="x", nonce="4", qop="auth", algorithm=MD5-sess',
    'Digest realm="x", nonce="5", qop="auth", stale=true',
    'Digest realm="x", nonce="6", qop="auth-int"',
    "",
)

_PAIR = re.compile(r'([a-z]+)=("(?:[^"\\]|\\.)*"|[^",\s]+)')
_MOST_STEPS = 300
# tries may be so much early
_EARLY = 0.05 * PAUSE


def check_login(data: bytes) -> None:
    """Any challenge is answered by the standard's arithmetic, or not at all."""
    for text in {data.decode("latin-1"), data.decode("utf-8", "surrogateescape")}:
        offered = ways.parse(text.split("\n"))
        best = ways.strongest(offered, LOGIN)
        if best is None:
            assert ways.hindrance(offered).startswith("HTTP 401 ")
            continue
        assert best in offered
        _check_answer(best, 1)
        later = best.renewed(text) if best.scheme == "digest" and best.lasting else best
        _check_answer(later, 0xABC)


def _check_answer(offer: ways.Challenge, count: int) -> None:
    header = ways.respond(offer, LOGIN, "GET", TARGET, count)
    assert header.isprintable()
    assert PASSWORD not in header
    if offer.scheme == "basic":
        pair = base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
        assert pair == f"{LOGIN.username}:{PASSWORD}"
    else:
        _check_digest(offer, _said(header), f"{count:08x}")


def _said(header: str) -> dict[str, str]:
    """The fields of a Digest login, which is nothing else but fields."""
    pairs = _PAIR.findall(header)
    assert header == "Digest " + ", ".join(f"{name}={value}" for name, value in pairs)
    assert len(pairs) == len(dict(pairs))
    bare = {name: value[1:-1] if value[0] == '"' else value for name, value in pairs}
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in bare.items()}


def _check_digest(offer: ways.Challenge, said: dict[str, str], count: str) -> None:
    assert (said["username"], said["uri"]) == (LOGIN.username, TARGET)
    for name in ("realm", "nonce", "opaque"):
        assert said.get(name) == offer.parameters.get(name)
    assert said.get("algorithm", "MD5").upper() == offer.algorithm
    assert said.get("nc", count) == count
    assert said.get("qop", "auth") == "auth"
    assert said["response"] == _response(said)


def _response(said: dict[str, str]) -> str:
    """RFC 7616, section 3.4, anew."""
    algorithm = said.get("algorithm", "MD5").upper()
    kind = hashlib.sha256 if algorithm.startswith("SHA-256") else hashlib.md5

    def digest(*parts: str) -> str:
        return kind(":".join(parts).encode()).hexdigest()

    secret = digest(said["username"], said["realm"], PASSWORD)
    if algorithm.endswith("-SESS"):
        secret = digest(secret, said["nonce"], said["cnonce"])
    asked = digest("GET", said["uri"])
    middle = [said[name] for name in ("nc", "cnonce", "qop")] if "qop" in said else []
    return digest(secret, said["nonce"], *middle, asked)


def check_key(data: bytes) -> None:
    """A device that answers as the bytes say is never sent a login too often, nor the bare one.

    The first byte says whether the login goes with the query; each other one is an answer: its
    status, its challenge, and how long the next visit waits.
    """
    _Talk(in_query=bool(data[:1] > b"\x7f")).go(data[1:_MOST_STEPS])


@dataclass(slots=True)
class _Talk:
    """One device and one login, with the sums that the device's own lock would do."""

    in_query: bool
    now: float = 1000.0
    took_digest: bool = False
    # when the logins were sent that were refused since one was taken
    refused: list[float] = field(default_factory=list)

    def go(self, answers: bytes) -> None:
        key = Key(LOGIN, PAUSE, lambda: self.now)
        assert CANARY not in repr(key)
        steps = iter(answers)
        for step in steps:
            self.now += (0.0, 10.0, PAUSE / 2, PAUSE * 0.96)[step >> 5 & 3]
            try:
                self._visit(key, step, next(steps, 0))
            except CaptureError as error:
                check_refusal(error, Reason.AUTH, Reason.BUSY)

    def _visit(self, key: Key, first: int, second: int) -> None:
        """One visit, as `visit` does it; the device answers with one step or two."""
        key.check()
        if self.in_query:
            key.spend()
            self._send("query")
            self._judge(key, first, "query", remembered=False)
            return
        header = key.header("GET", TARGET)
        if header:
            self._send(header)
        if self._judge(key, first, header, remembered=True):
            header = key.answer([OFFERS[first >> 2 & 7]], "GET", TARGET)
            self._send(header)
            self._judge(key, second, header, remembered=False)

    def _send(self, header: str) -> None:
        """A login goes out: twice, then once in a pause, whatever was refused before."""
        more = len(self.refused) - 1
        assert more < 1 or self.now - self.refused[1] >= more * PAUSE - _EARLY
        assert not (self.took_digest and header.startswith("Basic"))

    def _judge(self, key: Key, step: int, header: str | None, *, remembered: bool) -> bool:
        """The device's word; whether the visit goes on with an answer to its challenge."""
        status, offer = (200, 401, 403, 503)[step & 3], OFFERS[step >> 2 & 7]
        if status == 200:
            key.accepted(f'nextnonce="{step}"' if step >> 7 else "")
            self.took_digest |= bool(header) and str(header).startswith("Digest")
            self.refused = [] if header else self.refused
        elif status == 401 or (status == 403 and header):
            stale = remembered and "stale" in offer and str(header).startswith("Digest")
            if header and not (stale and status == 401):
                self.refused.append(self.now)
            refusal = key.refused(status, [offer])
            assert (refusal is None) == (status == 401 and (header is None or stale))
            if refusal is not None:
                raise refusal
            return True
        return False
