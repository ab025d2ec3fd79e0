"""One file of the folder store: an object's headers and its bytes.

It reads like an HTTP answer without its first line: `Name: value` lines, an empty line, the body.
"""

from __future__ import annotations

import hashlib
import re
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from cctv.model import Shelved, StoredObject, tag_of

if TYPE_CHECKING:
    from datetime import datetime

META = "x-amz-meta-"
NAME = re.compile(r"[A-Za-z0-9-]+")
VALUE = re.compile(r"[ -~]*")

END = b"\n\n"
_TAG = re.compile(r'"[0-9a-f]{32}"')


def etag_of(body: bytes) -> str:
    """The entity tag of these bytes, with its quotes."""
    return f'"{tag_of(body)}"'


def packed(thing: StoredObject, now: datetime) -> bytes:
    """One file's content.

    Raises:
        ValueError: a header cannot be written as one line of printable ASCII.
    """
    head = {
        "Content-Type": thing.content_type,
        "Content-Length": str(len(thing.body)),
        "Cache-Control": thing.cache_control,
        "Expires": format_datetime(thing.expires, usegmt=True),
        "ETag": etag_of(thing.body),
        "Last-Modified": format_datetime(now, usegmt=True),
        **{META + name: value for name, value in thing.metadata.items()},
    }
    lines = [_line(name, value) for name, value in head.items()]
    return "\n".join([*lines, "", ""]).encode("ascii") + thing.body


def _line(name: str, value: str) -> str:
    if not (NAME.fullmatch(name) and VALUE.fullmatch(value)):
        raise ValueError(f"no header: {name!r}: {value!r}")
    return f"{name}: {value}"


def unpacked(data: bytes) -> Shelved | None:
    """The object in one file's content, or None when it is not whole."""
    body = data.partition(END)[2]
    found = glanced(data, len(data), body)
    return found if found and found.etag in (etag_of(body), _former_tag(body)) else None


def glanced(start: bytes, size: int, body: bytes = b"") -> Shelved | None:
    """The object in a file of `size` bytes, told by its start, which holds the headers.

    None when the bytes cannot be all there; whether they are the right ones is not looked at.
    """
    head, end, _ = start.partition(END)
    try:
        fields = _fields(head.decode("ascii"))
        whole = int(fields["Content-Length"]) == size - len(head) - len(END)
        return _shelved(fields, body) if end and whole else None
    except (ValueError, KeyError):
        return None


def _former_tag(body: bytes) -> str:
    """The tag that version 0.1.0 wrote; such files are there after an update."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _fields(head: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in head.split("\n"))
    return {name: value for name, _, value in pairs}


def _shelved(fields: dict[str, str], body: bytes) -> Shelved | None:
    thing = StoredObject(
        body=body,
        expires=parsedate_to_datetime(fields["Expires"]),
        metadata={n.removeprefix(META): v for n, v in fields.items() if n.startswith(META)},
        cache_control=fields["Cache-Control"],
        content_type=fields["Content-Type"],
    )
    if not _TAG.fullmatch(fields["ETag"]):
        return None
    return Shelved(thing, fields["ETag"], parsedate_to_datetime(fields["Last-Modified"]))
