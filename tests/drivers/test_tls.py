"""Whom a camera's TLS is believed: by its words, and on the wire with both readers."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cctv.drivers.tls import Contexts
from cctv.drivers.wall import tls_words
from cctv.errors import CaptureError
from cctv.reasons import Reason
from cctv.trust import Trust, parse
from tests.fakes.byhand import address_of, ask, leads_to, question
from tests.fakes.camera import DECADES, NOW, PICTURE, Link, reply, scripted, self_signed

if TYPE_CHECKING:
    from pathlib import Path

PIN = "0123456789abcdef" * 4
COLONS = ":".join(PIN[at : at + 2] for at in range(0, 64, 2)).upper()
ANSWER = (reply(), Link.CLOSE)


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("", Trust()),
        (" , ", Trust()),
        ("insecure", Trust(insecure=True)),
        ("Legacy", Trust(legacy=True)),
        (f"pin:{PIN}", Trust(PIN)),
        (f"PIN:{COLONS}", Trust(PIN)),
        (f" legacy,pin:{PIN} ", Trust(PIN, legacy=True)),
        (f"pin:{COLONS}\tlegacy", Trust(PIN, legacy=True)),
        ("legacy insecure, legacy", Trust(insecure=True, legacy=True)),
        (f"pin:{PIN} pin:{COLONS}", Trust(PIN)),
    ],
)
def test_words(text: str, trust: Trust) -> None:
    """Blanks, commas, letters of either case and a digest's colons are forgiven."""
    assert parse(text) == trust
    assert hash(parse(text)) == hash(trust)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("canary", "unknown word; accepted are pin: and .* insecure, and legacy"),
        (PIN, "unknown word"),
        ("insecure;legacy", "unknown word"),
        ("pin:", "not 64 hex digits; accepted are"),
        (f"pin:{PIN}0", "not 64 hex digits"),
        (f"pin:{PIN[:-1]}g", "not 64 hex digits"),
        (f"pin: {PIN}", "not 64 hex digits"),
        (f"pin:{PIN} pin:{PIN[::-1]}", "two pins"),
        (f"pin:{PIN} insecure", "both a pin and insecure"),
    ],
)
def test_other_words(text: str, found: str) -> None:
    """They are refused in words that say what is accepted, and do not repeat what was written."""
    with pytest.raises(ValueError, match=found) as caught:
        parse(text)
    assert "canary" not in str(caught.value)


def test_contexts_are_made_once() -> None:
    """One for each kind of trust; each pin is a kind of its own."""
    contexts = Contexts()
    assert contexts.of(parse("")) is contexts.of(Trust())
    assert contexts.of(parse(f"pin:{COLONS}")) is contexts.of(Trust(PIN))
    kinds = [Trust(), Trust(PIN), Trust(PIN[::-1]), Trust(legacy=True), Trust(insecure=True)]
    assert len({id(contexts.of(kind)) for kind in kinds}) == len(kinds)
    assert PIN not in repr(contexts)


def failed(error: OSError) -> CaptureError:
    """A handshake's end, as the tolerant reader tells it."""
    words = tls_words(error) if isinstance(error, ssl.SSLError) else "TLS failed: broken off"
    return CaptureError(Reason.TLS, words)


async def by_hand(address: str, context: ssl.SSLContext) -> bytes:
    """The body, as the tolerant reader gets it."""
    return (await ask(question(address, tls=context))).body


async def by_library(address: str, context: ssl.SSLContext) -> bytes:
    """The body, as aiohttp gets it; its errors hold the handshake's."""
    asked = question(address, tls=context)
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(asked.url, headers=asked.headers, ssl=context) as response,
        ):
            return await response.read()
    except aiohttp.ClientConnectorError as error:
        raise failed(error.os_error) from None


async def by_streams(address: str, context: ssl.SSLContext) -> bytes:
    """The body, as asyncio's own streams get it."""
    host, _, port = address.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    except OSError as error:
        raise failed(error) from None
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    # the camera hung up first, without TLS's own goodbye
    with suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()
    return body


Client = Callable[[str, ssl.SSLContext], Awaitable[bytes]]
CLIENTS = pytest.mark.parametrize("client", [by_hand, by_library, by_streams])


async def refused(client: Client, address: str, trust: Trust) -> str:
    """The words with which the handshake ends."""
    with pytest.raises(CaptureError) as caught:
        await client(address, Contexts().of(trust))
    assert caught.value.reason is Reason.TLS
    return str(caught.value)


def pin_of(folder: Path) -> str:
    """What the operator writes to pin the camera whose files are in `folder`."""
    pem = (folder / "camera.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()


@CLIENTS
async def test_a_certificate_out_of_the_box(client: Client, tmp_path: Path) -> None:
    """It is refused unless the camera is `insecure`, or pinned to it."""
    async with scripted(ANSWER, tls=self_signed(tmp_path)) as camera:
        found = "certificate refused: self-signed certificate"
        assert await refused(client, camera.address, Trust()) == found
        assert camera.requests == []
        for trust in (Trust(insecure=True), Trust(pin_of(tmp_path))):
            assert await client(camera.address, Contexts().of(trust)) == PICTURE


@CLIENTS
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_another_certificate_than_the_pinned(
    client: Client, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """The handshake ends with the digest to copy; no byte of the request is sent."""
    server = self_signed(tmp_path)
    server.maximum_version = version
    async with scripted(ANSWER, tls=server) as camera:
        found = f"certificate refused: another one than the pinned: sha256 {pin_of(tmp_path)}"
        assert await refused(client, camera.address, Trust(PIN)) == found
        await client(camera.address, Contexts().of(Trust(pin_of(tmp_path))))
        assert len(camera.requests) == 1


def vouched_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A camera at 127.0.0.1, or cam.example, whose certificate is one of the authorities'."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    public = key.public_key()
    made = x509.CertificateBuilder(name, name, public, x509.random_serial_number())
    made = made.not_valid_before(NOW - DECADES).not_valid_after(NOW + DECADES)
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("cam.example")]
    at = x509.SubjectAlternativeName(names)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    made = made.add_extension(at, critical=False).add_extension(identifier, critical=False)
    made = made.add_extension(issuer, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "camera.pem").write_bytes(certificate + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "camera.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "camera.pem")
    return context


@CLIENTS
@pytest.mark.parametrize("trust", [Trust(), Trust(legacy=True)])
async def test_a_certificate_that_is_vouched_for(
    client: Client, trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is accepted for the address it names, and for no other."""
    async with scripted(ANSWER, tls=vouched_for(tmp_path, monkeypatch)) as camera:
        assert await client(camera.address, Contexts().of(trust)) == PICTURE
        elsewhere = camera.address.replace("127.0.0.1", "localhost")
        assert "Hostname mismatch" in await refused(client, elsewhere, trust)
        assert len(camera.requests) == 1


async def test_a_name_with_its_last_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dot that ends a name stands in no certificate."""
    async with scripted(ANSWER, tls=vouched_for(tmp_path, monkeypatch)) as camera:
        leads_to(monkeypatch, "127.0.0.1")
        address = camera.address.replace("127.0.0.1", "cam.example.")
        assert await by_hand(address, Contexts().of(Trust())) == PICTURE


def demand(listener: socket.socket, server: ssl.SSLContext) -> None:
    """Ask one client for a certificate of its own, which it has not, and let it hang up first."""
    connection, _ = listener.accept()
    with server.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as camera:
        with pytest.raises(ssl.SSLError):
            camera.do_handshake()
        # beneath TLS; a close with bytes unread would be a reset, which may overtake the refusal
        while socket.socket.recv(camera, 65536):
            pass


async def test_a_camera_that_wants_a_certificate_of_ours(tmp_path: Path) -> None:
    """TLS 1.3 says so behind the handshake; it is `tls` all the same."""
    server = self_signed(tmp_path)
    server.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        camera = asyncio.create_task(asyncio.to_thread(demand, listener, server))
        found = "TLS failed: tlsv13 alert certificate required"
        assert await refused(by_hand, address_of(listener), Trust(insecure=True)) == found
        await camera


def from_2005(folder: Path) -> ssl.SSLContext:
    """A camera that speaks nothing newer than TLS 1.0."""
    context = self_signed(folder)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


@CLIENTS
async def test_a_camera_from_2005(client: Client, tmp_path: Path) -> None:
    """Only `legacy` speaks TLS 1.0 with it, and believes it no more than others."""
    async with scripted(ANSWER, tls=from_2005(tmp_path)) as camera:
        assert "TLS failed" in await refused(client, camera.address, Trust(insecure=True))
        found = "certificate refused: self-signed certificate"
        assert await refused(client, camera.address, Trust(legacy=True)) == found
        assert "another one" in await refused(client, camera.address, Trust(PIN, legacy=True))
        assert camera.requests == []
        for trust in (Trust(insecure=True, legacy=True), Trust(pin_of(tmp_path), legacy=True)):
            assert await client(camera.address, Contexts().of(trust)) == PICTURE


def test_legacy_meets_devices_without_rfc_5746() -> None:
    """OpenSSL 3 refuses them otherwise: "unsafe legacy renegotiation disabled"."""
    assert Contexts().of(Trust(legacy=True)).options & 0x4
    assert not Contexts().of(Trust()).options & 0x4
