"""How far a camera's TLS is trusted: by the system's authorities, by a pin, or not at all."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cctv.trust import Trust

# OP_LEGACY_SERVER_CONNECT, for devices without RFC 5746; Python names it from 3.12 on
_LEGACY_SERVER_CONNECT = 0x4


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts for all cameras, each made once: one that verifies costs 20 ms and 0.8 MB."""

    _made: dict[Trust, ssl.SSLContext] = field(default_factory=dict, repr=False)

    def of(self, trust: Trust) -> ssl.SSLContext:
        """What to speak TLS with; its handshake ends as an ssl.SSLError where trust does.

        A pin is checked within the handshake, so that no request, with a login in it, is sent
        to anybody else.
        """
        if trust not in self._made:
            self._made[trust] = _context(trust)
        return self._made[trust]


def _context(trust: Trust) -> ssl.SSLContext:
    if trust.pin or trust.insecure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = ssl.create_default_context()
    if trust.pin:
        context.sslobject_class = _pinned(trust.pin)
    if trust.legacy:
        # TLS 1.0: Python bars what is older still, and warns where 1.0 is named
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= _LEGACY_SERVER_CONNECT
    return context


def _pinned(pin: str) -> type[ssl.SSLObject]:
    """The class of TLS connections that end in the handshake unless `pin` is shown."""

    class Pinned(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if shown != pin:
                raise _another(shown)

    return Pinned


def _another(shown: str) -> ssl.SSLCertVerificationError:
    """As OpenSSL's own refusals are, whose words stand in `verify_message`."""
    found = f"another one than the pinned: sha256 {shown}"
    error = ssl.SSLCertVerificationError(1, found)
    error.verify_code, error.verify_message = 0, found
    return error
