"""Which addresses may be asked: whoever edits a record chooses where this server connects."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

    from cctv.kinds import Network

Address = IPv4Address | IPv6Address

_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this network"; Linux takes 0.0.0.0 for itself
        "255.255.255.255",  # broadcast
        # where clouds hand out a machine's credentials, as far as it is not link-local
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle Cloud Classic
        "fd00:42::42",  # Scaleway
        "fd00:100::100:200",  # Alibaba
        "fd00:a9fe:a9fe::1",  # Akamai
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:ec2::/32",  # AWS: metadata, pod identities, DNS and time
        "fd20:ce::254",  # Google
        "64:ff9b:1::/48",  # NAT64 of one's own (RFC 8215): where it leads cannot be told
    )
)
# the IPv6 networks whose last 32 bits are an IPv4 address
_CARRIERS = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible (RFC 4291)
        "::ffff:0:0/96",  # IPv4-mapped (RFC 4291)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
    )
)
# what stands before the IPv4 address in a tunnel's interface (RFC 5214)
_ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))
_UNSPECIFIED_AND_LOOPBACK = (IPv6Address("::"), IPv6Address("::1"))


class RefusedAddressError(OSError):
    """The address a name or record leads to is not one of a camera."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges every address at connect time, so that names and literals meet the same rule.

    Link-local, multicast, broadcast and unspecified addresses and the clouds' metadata services
    are never asked. Loopback only where `allowed` names it; everything else where it is in
    `allowed`, or where `allowed` is empty. An IPv6 address that stands for an IPv4 one is judged,
    and looked up in `allowed`, as that one.
    """

    allowed: tuple[Network, ...] = ()

    def open(self, info: AddrInfoType) -> socket.socket:
        """A socket for this address, for whoever connects.

        Raises:
            RefusedAddressError: it may not be asked.
        """
        family, kind, protocol, _, target = info
        if not self.permits(str(target[0])):
            # one text for all: of a name's several failures only equal ones come through as raised
            raise RefusedAddressError("may not be asked")
        return socket.socket(family, kind, protocol)

    def permits(self, text: str) -> bool:
        """Whether the IP address `text` may be asked; it may have a zone id."""
        address = _meant(ipaddress.ip_address(text.partition("%")[0]))
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        if any(address in network for network in _NEVER):
            return False
        listed = any(address in network for network in self.allowed)
        return listed or (not self.allowed and not address.is_loopback)


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where its packets end up; else the address itself."""
    if isinstance(address, IPv4Address) or address in _UNSPECIFIED_AND_LOOPBACK:
        return address
    tunnelled = address.packed[8:12] in _ISATAP
    if tunnelled or any(address in carrier for carrier in _CARRIERS):
        return IPv4Address(address.packed[-4:])
    client = address.teredo[1] if address.teredo else None
    return address.sixtofour or client or address
