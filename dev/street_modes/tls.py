"""TLS with certificates of all kinds, and TLS where it is not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dev.street_mode import UNSEEN, Mode, leave, ok
from dev.street_wire import End, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

_secure = partial(Mode, secure=True)


async def _silence(talk: Talk) -> None:
    await talk.end(End.HANG)


async def _plain_words(talk: Talk) -> None:
    await talk.listen()
    page = b"The plain HTTP request was sent to no TLS port\n"
    await talk.send(reply(page, "Content-Type: text/plain", status="400 Bad Request"))
    await talk.end(End.CLOSE)


MODES = (
    _secure(
        "tls_self",
        "a self-signed certificate for 127.0.0.1",
        "every camera out of the box",
        ok,
        certificate="self",
    ),
    _secure(
        "tls_expired",
        "a certificate that expired yesterday",
        "cameras after their first years",
        ok,
        certificate="expired",
    ),
    _secure(
        "tls_wrong_name",
        "a certificate for another address",
        UNSEEN,
        ok,
        certificate="wrong_name",
    ),
    _secure("tls_old", "TLS 1.0 and 1.1 only", "rroller/dahua#202", ok, certificate="old"),
    _secure(
        "tls_weak_key",
        "a certificate with an RSA key of 1,024 bits",
        "old devices that never renewed it",
        ok,
        certificate="weak_key",
    ),
    _secure(
        "tls_hang",
        "the TLS handshake is never answered",
        "Bosch, slow TLS set-up",
        leave,
        meets=_silence,
    ),
    _secure(
        "tls_plain",
        "plain HTTP where the address says https",
        "Bosch, wrong inventories",
        leave,
        meets=_plain_words,
    ),
    Mode(
        "http_speaks_tls",
        "TLS where the address says http",
        "Bosch, wrong inventories",
        ok,
        certificate="self",
    ),
)
