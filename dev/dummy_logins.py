"""How dummy cameras ask for the login, each in its make's way."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from flask import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

FIELDS = ("username", "uri", "qop", "nonce", "nc", "cnonce", "response")
ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}
FOSCAM_REFUSAL = "<CGI_Result><result>-2</result></CGI_Result>"
REOLINK_REFUSAL = json.dumps(
    [{"cmd": "Snap", "code": 1, "error": {"detail": "please login first", "rspCode": -6}}]
)


class Login(NamedTuple):
    """A username and a password; both are public, as everything here."""

    username: str
    password: str


LOGIN = Login("viewer", "street-pass")


class Nonces:
    """The nonces one camera gave out: each serves `USES` requests, only the newest are known."""

    USES = 20
    KEPT = 64

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def fresh(self) -> str:
        """A nonce that nobody had before."""
        nonce = secrets.token_hex(16)
        with self._lock:
            self._counts[nonce] = 0
            if len(self._counts) > self.KEPT:
                del self._counts[next(iter(self._counts))]
        return nonce

    def spend(self, nonce: str, count: int) -> bool:
        """Whether `nonce` may be used for the `count`th time; counts only grow."""
        with self._lock:
            good = self._counts.get(nonce, self.USES) < count <= self.USES
            if good:
                self._counts[nonce] = count
        return good


@dataclass(frozen=True, slots=True)
class Lock:
    """What the door of one camera knows."""

    login: Login
    realm: str
    algorithm: str
    nonces: Nonces = field(default_factory=Nonces)


@dataclass(frozen=True, slots=True)
class Guard:
    """One way to ask: `check` returns None to those who may in, `refuse` needs no request."""

    check: Callable[[Lock, Request], Response | None]
    refuse: Callable[[Lock], Response]


def _welcome(_lock: Lock, _ask: Request) -> None:
    """Lets everybody in."""


def _unauthorized(challenge: str = "") -> Response:
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return Response("401 Unauthorized\n", 401, headers, content_type="text/plain")


def _basic(lock: Lock, ask: Request) -> Response | None:
    said = ask.authorization
    known = said and said.type == "basic" and (said.username, said.password) == lock.login
    return None if known else _refuse_basic(lock)


def _refuse_basic(lock: Lock) -> Response:
    return _unauthorized(f'Basic realm="{lock.realm}"')


def _digest(lock: Lock, ask: Request) -> Response | None:
    said = _said(ask)
    if not _signed(lock, ask, said):
        return _refuse_digest(lock)
    if not lock.nonces.spend(said["nonce"], int(said["nc"], 16)):
        return _refuse_digest(lock, stale=True)
    return None


def _refuse_digest(lock: Lock, *, stale: bool = False) -> Response:
    parts = f'realm="{lock.realm}", nonce="{lock.nonces.fresh()}", algorithm={lock.algorithm}'
    return _unauthorized(f'Digest {parts}, qop="auth"' + ", stale=true" * stale)


def _said(ask: Request) -> dict[str, str]:
    """The fields of a Digest login, each of them; empty where the request says nothing."""
    said = ask.authorization
    parts = said.parameters if said and said.type == "digest" else {}
    return {name: parts.get(name) or "" for name in FIELDS}


def _signed(lock: Lock, ask: Request, said: dict[str, str]) -> bool:
    """Whether our user signed just this method and target, the query included."""
    due = {"username": lock.login.username, "uri": ask.environ["REQUEST_URI"], "qop": "auth"}
    if not due.items() <= said.items() or not re.fullmatch("[0-9a-f]{8}", said["nc"]):
        return False
    signature = _signature(lock, ask.method, said)
    return hmac.compare_digest(signature.encode(), said["response"].encode())


def _signature(lock: Lock, method: str, said: dict[str, str]) -> str:
    who = _hash(lock, lock.login.username, lock.realm, lock.login.password)
    what = _hash(lock, method, said["uri"])
    return _hash(lock, who, said["nonce"], said["nc"], said["cnonce"], said["qop"], what)


def _hash(lock: Lock, *parts: str) -> str:
    text = ":".join(parts).encode()
    return hashlib.new(ALGORITHMS[lock.algorithm], text, usedforsecurity=False).hexdigest()


def _foscam(lock: Lock, ask: Request) -> Response | None:
    known = (ask.args.get("usr"), ask.args.get("pwd")) == lock.login
    return None if known else _refuse_foscam(lock)


def _refuse_foscam(_lock: Lock) -> Response:
    return Response(FOSCAM_REFUSAL, content_type="text/xml")


def _reolink(lock: Lock, ask: Request) -> Response | None:
    known = (ask.args.get("user"), ask.args.get("password")) == lock.login
    return None if known else _refuse_reolink(lock)


def _refuse_reolink(_lock: Lock) -> Response:
    return Response(REOLINK_REFUSAL, content_type="text/html")


OPEN = Guard(_welcome, lambda _lock: _unauthorized())
BASIC = Guard(_basic, _refuse_basic)
DIGEST = Guard(_digest, _refuse_digest)
FOSCAM = Guard(_foscam, _refuse_foscam)
REOLINK = Guard(_reolink, _refuse_reolink)
