"""The certificates that cameras speak TLS with, good ones and bad ones, made when first wanted."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
# what a modern library forbids itself: short keys, SHA-1, TLS before 1.2
_ANYTHING = "ALL:@SECLEVEL=0"


@dataclass(frozen=True, slots=True)
class Certificate:
    """How one is made: its name, the days it is valid from and until, and what is weak about it."""

    name: str = "127.0.0.1"
    first: int = -1000
    last: int = 1000
    weak: bool = False
    old: bool = False


CERTIFICATES = {
    "self": Certificate(),
    "expired": Certificate(last=-1),
    "wrong_name": Certificate("192.0.2.7"),
    "weak_key": Certificate(weak=True),
    "old": Certificate(old=True),
}


@cache
def context(kind: str) -> ssl.SSLContext:
    """What to speak TLS with as this kind of camera does."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    kept = CERTIFICATES[kind]
    if kept.weak or kept.old:
        made.set_ciphers(_ANYTHING)
    if kept.old:
        _age(made)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(b"".join(_pair(kind)))
        made.load_cert_chain(file.name)
    return made


def fingerprint(kind: str) -> str:
    """The SHA-256 of the certificate's DER bytes, in hex."""
    der = x509.load_pem_x509_certificate(_pair(kind)[0]).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def _age(made: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1


@cache
def _pair(kind: str) -> tuple[bytes, bytes]:
    """A certificate and its key, both PEM."""
    how = CERTIFICATES[kind]
    key = _weak_key() if how.weak else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, how.name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + how.first * DAY)
        .not_valid_after(now + how.last * DAY)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(how.name))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), secret


def _weak_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is breakable is the point
