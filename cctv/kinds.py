"""Kinds of setting: from a text to a value, or a ValueError that says what is accepted."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cctv.roster import is_id
from cctv.watch import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

PRIVATE = "private/"
"""What stands before the keys that viewers must not be able to read."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_WIDTHS = range(16, 16385)
_LONGEST = 31 * 24 * 3600
_INVENTORY_FILES = (".csv", ".json", ".geojson")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on; port 0 takes a free one."""

    host: str
    port: int


def text(value: str) -> str:
    """Any text."""
    return value


def seconds(at_least: float, *, or_zero: bool = False) -> Callable[[str], float]:
    """A number of seconds from `at_least` to a month; 0 too with `or_zero`."""
    accepted = f"a number of seconds from {at_least:g} to {_LONGEST}" + (
        ", or 0" if or_zero else ""
    )

    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if at_least <= number <= _LONGEST or (or_zero and number == 0):
            return number
        raise ValueError(accepted)

    return parse


def count(at_least: int) -> Callable[[str], int]:
    """A whole number, not below `at_least`."""

    def parse(value: str) -> int:
        if value.isascii() and value.isdigit() and int(value) >= at_least:
            return int(value)
        raise ValueError(f"a whole number, {at_least} or more")

    return parse


def width(value: str) -> int:
    """The largest width of a public picture in pixels; 0 for any."""
    if value.isascii() and value.isdigit() and (int(value) in _WIDTHS or int(value) == 0):
        return int(value)
    raise ValueError(f"a number of pixels from {_WIDTHS[0]} to {_WIDTHS[-1]}, or 0")


def policy(value: str) -> Policy:
    """What becomes of a picture that is whole and shows nothing new."""
    try:
        return Policy(value.lower())
    except ValueError:
        raise ValueError(" or ".join(Policy)) from None


def prefix(value: str) -> str:
    """What stands before every key: folders of letters, digits, `.`, `_`, `-`, each with `/`."""
    if value.startswith(PRIVATE):
        raise ValueError(f"outside {PRIVATE}, which is kept from viewers; image/ is usual")
    if _PREFIX.fullmatch(value):
        return value
    raise ValueError("folder names that end in a slash, such as image/")


def inventory(value: str) -> Path | None:
    """A file of cameras; None for the word `knack`."""
    if value.lower() == "knack":
        return None
    file = Path(value)
    if file.suffix.lower() not in _INVENTORY_FILES:
        raise ValueError(f"knack or a file that ends in {', '.join(_INVENTORY_FILES)}")
    return existing(value)


def existing(value: str) -> Path:
    """A file that is there."""
    if Path(value).is_file():
        return Path(value)
    raise ValueError("a file that exists")


def store(value: str) -> Path | None:
    """A folder; None for the word `s3`."""
    if value.lower() == "s3":
        return None
    if "://" in value or (Path(value).exists() and not Path(value).is_dir()):
        raise ValueError("s3 (its name then stands in BUCKET) or a folder")
    return Path(value)


def folder(value: str) -> Path:
    """A folder, which may be made later."""
    return Path(value)


def networks(value: str) -> tuple[Network, ...]:
    """Networks as CIDRs with commas or blanks between them."""
    try:
        return tuple(ipaddress.ip_network(part) for part in value.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"networks such as 10.20.0.0/16,10.30.0.0/16 ({error})") from None


def endpoint(value: str) -> Endpoint:
    """`host:port` to listen on."""
    found = _HOST_PORT.fullmatch(value)
    if found is None or int(found[2]) > 65535:  # noqa: PLR2004 - the highest port there is
        raise ValueError("host:port, such as 127.0.0.1:8080")
    return Endpoint(found[1].strip("[]"), int(found[2]))


def base_url(value: str) -> str:
    """`http(s)://host[:port]`, without a path."""
    parts = urlsplit(value)
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme in ("http", "https") and parts.hostname and bare and "@" not in value:
        return value.rstrip("/")
    raise ValueError("http(s)://host[:port] without a path such as /v1")


def public_url(value: str) -> str:
    """`http(s)://host[:port][/path]`, as viewers write it before a picture's key."""
    parts = urlsplit(value)
    bare = not (parts.query or parts.fragment or "@" in value)
    if parts.scheme in ("http", "https") and parts.hostname and bare:
        return value.rstrip("/")
    raise ValueError("http(s)://host, what stands before image/12.jpg, such as https://cdn.example")


def distribution(value: str) -> str:
    """The id of a CloudFront distribution."""
    if re.fullmatch(r"[A-Z0-9]{10,20}", value):
        return value
    raise ValueError("the id of a CloudFront distribution, such as E1A2B3C4D5E6F7")


def names(value: str) -> frozenset[str]:
    """Ids of cameras with commas or blanks between them."""
    found = value.replace(",", " ").split()
    if odd := [name for name in found if not is_id(name)]:
        raise ValueError(f"ids of cameras such as 612,613 ({odd[0]} is none)")
    return frozenset(found)


def removal(value: str) -> bool:
    """Whether the object of a camera that is not to be published is removed."""
    words = {"replace": False, "delete": True}
    try:
        return words[value.lower()]
    except KeyError:
        raise ValueError(" or ".join(words)) from None


def knack_field(value: str) -> str:
    """A Knack field key."""
    if re.fullmatch(r"field_[0-9]+", value):
        return value
    raise ValueError("a Knack field key such as field_638")


def timezone(value: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ValueError("the name of a time zone, such as America/Chicago") from None
