"""Which addresses may be asked: whoever edits a record chooses where this server connects."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

    from cctv.kinds import Network


class RefusedAddressError(OSError):
    """The address a name or record leads to is not one of a camera."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges every address at connect time, so that names and literals meet the same rule.

    Link-local (the cloud's metadata service among them), multicast and unspecified addresses
    are never asked. Loopback only where `allowed` names it; everything else where it is in
    `allowed`, or where `allowed` is empty.
    """

    allowed: tuple[Network, ...] = ()

    def open(self, info: AddrInfoType) -> socket.socket:
        """A socket for this address, for aiohttp's connector.

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
        address = ipaddress.ip_address(text)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        address = mapped or address
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        listed = any(address in network for network in self.allowed)
        return listed or (not self.allowed and not address.is_loopback)
