"""Which addresses may be asked, by the rule and on the wire."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_network

import pytest

from cctv.drivers.guard import Guard
from cctv.errors import CaptureError
from cctv.reasons import Reason
from tests.fakes.camera import LOOPBACK, PICTURE, reply, scripted, shot

DEFAULT = Guard()
CAMERAS = Guard((ip_network("10.20.0.0/16"), ip_network("fd00:1::/32")))
EVERYTHING = Guard((ip_network("0.0.0.0/0"), ip_network("::/0")))

ALWAYS_REFUSED = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",  # noqa: S104 - an address that must not be asked
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "ff02::1",
    "ff02::1%2",
    "::%2",
    "0.1.2.3",
    "239.255.255.250",
    "255.255.255.255",
]
METADATA = [
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:42::42",
    "fd00:100::100:200",
    "fd00:a9fe:a9fe::1",
    "fd00:c1::a9fe:a9fe",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd00:ec2::254%eth0",
    "fd20:ce::254",
]
BESIDE_METADATA = [
    "100.100.100.199",
    "168.63.129.17",
    "192.0.0.193",
    "fd00:ec1:ffff::1",
    "fd00:ec3::1",
    "fd20:ce::253",
]


def carriers(inner: str) -> list[str]:
    """Every IPv6 way of writing, or of reaching, an IPv4 address."""
    number = int(IPv4Address(inner))
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    client = number ^ 0xFFFF_FFFF
    return [
        f"::ffff:{inner}",
        f"::{high}:{low}",
        f"::ffff:0:{inner}",
        f"64:ff9b::{high}:{low}",
        f"2002:{high}:{low}::9",
        f"2001:0:808:808:0:0:{client >> 16:x}:{client & 0xFFFF:x}",
    ]


LOOPBACKS = [
    *("127.0.0.1", "127.255.255.254", "::1", "::1%lo"),
    *carriers("127.0.0.1"),
]
ORDINARY = [
    *("10.1.2.3", "192.168.0.9", "8.8.8.8", "fd00::9", "2001:db8::1", "fd00::9%eth0"),
    *("64:ff9b:2::1", "2003::1", "::1:0:0:0"),
    *carriers("10.1.2.3"),
    *BESIDE_METADATA,
]


@pytest.mark.parametrize("address", [*ALWAYS_REFUSED, *METADATA])
def test_some_are_never_asked(address: str) -> None:
    """Addresses that are no one device's, and the clouds' own, even where a list has them."""
    assert not DEFAULT.permits(address)
    assert not EVERYTHING.permits(address)


@pytest.mark.parametrize("inner", ["169.254.169.254", "0.0.0.9", "100.100.100.200", "224.0.0.1"])
def test_none_hides_inside_another(inner: str) -> None:
    """An IPv6 address that stands for an IPv4 one is judged as that one."""
    for address in carriers(inner):
        assert not DEFAULT.permits(address), address
        assert not EVERYTHING.permits(address), address


@pytest.mark.parametrize("address", LOOPBACKS)
def test_loopback_must_be_named(address: str) -> None:
    """Loopback is asked only where a network in the list has it, in either notation."""
    assert not DEFAULT.permits(address)
    assert not CAMERAS.permits(address)
    assert EVERYTHING.permits(address)


@pytest.mark.parametrize("address", ORDINARY)
def test_without_a_list_all_others_are_asked(address: str) -> None:
    """Private and public addresses are asked where no networks are set."""
    assert DEFAULT.permits(address)
    assert EVERYTHING.permits(address)


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("10.20.0.1", True),
        ("::ffff:10.20.0.1", True),
        ("10.21.0.1", False),
        ("192.168.0.9", False),
        ("fd00:1::9", True),
        ("fd00:2::9", False),
    ],
)
def test_a_list_is_exclusive(address: str, *, permitted: bool) -> None:
    """Where networks are set, nothing outside them is asked."""
    assert CAMERAS.permits(address) is permitted


def test_a_list_holds_what_an_address_stands_for() -> None:
    """A camera in the list may be reached through IPv6 too, one outside may not."""
    assert all(CAMERAS.permits(address) for address in carriers("10.20.0.1"))
    assert not any(CAMERAS.permits(address) for address in carriers("10.21.0.1"))


async def refused(address: str, guard: Guard = DEFAULT) -> str:
    """The words with which asking `address` is refused."""
    with pytest.raises(CaptureError) as caught:
        await shot(address, guard=guard)
    assert caught.value.reason is Reason.REFUSED_ADDRESS
    return str(caught.value)


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to `addresses`, IPv4 or IPv6."""

    def resolve(_host: str, port: int, *_: object, **__: object) -> list[object]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_no_packet_arrives(host: str) -> None:
    """A refused address is not even connected to, be it written out or behind a name."""
    async with scripted((reply(),)) as camera:
        address = camera.address.replace("127.0.0.1", host)
        assert await refused(address) == f"{host} may not be asked"
        await shot(camera.address, guard=LOOPBACK)
        assert camera.connections == 1


async def test_a_named_network_is_asked() -> None:
    """Loopback in the list of networks is asked, by its name too."""
    async with scripted((reply(),)) as camera:
        for host in ("127.0.0.1", "localhost"):
            address = camera.address.replace("127.0.0.1", host)
            assert (await shot(address, guard=LOOPBACK)).body == PICTURE


async def test_an_address_outside_the_list() -> None:
    """With a list set, an ordinary address outside it is refused without a connection."""
    assert await refused("192.0.2.1", CAMERAS) == "192.0.2.1 may not be asked"


@pytest.mark.parametrize(
    "address", ["[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "169.254.169.254"]
)
async def test_no_notation_gets_around(address: str) -> None:
    """Other ways of writing a forbidden address end at the same rule."""
    await refused(address)


@pytest.mark.parametrize(
    "addresses",
    [("::1", "127.0.0.1"), ("127.0.0.1", "127.0.0.2", "::1"), ("169.254.169.254", "fe80::1")],
)
async def test_a_name_with_several_refused_addresses(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is `refused-address` also where the connector combines several failures."""
    resolves_to(monkeypatch, *addresses)
    assert await refused("cam.example") == "cam.example may not be asked"


async def test_a_name_with_one_good_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name's addresses those that may be asked are asked, the others are not."""
    async with scripted((reply(),)) as camera:
        resolves_to(monkeypatch, "169.254.169.254", "::1", "127.0.0.1")
        port = camera.address.rpartition(":")[2]
        assert (await shot(f"cam.example:{port}", guard=LOOPBACK)).body == PICTURE


async def test_a_name_that_is_partly_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a permitted address failed too, the camera is `unreachable`, in plain words."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    resolves_to(monkeypatch, "127.0.0.1", "::1")
    with pytest.raises(CaptureError) as caught:
        await shot(f"cam.example:{port}", guard=LOOPBACK)
    assert caught.value.reason is Reason.UNREACHABLE
    assert str(caught.value) == "connection failed: none of its addresses answered"
