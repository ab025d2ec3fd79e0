"""The nouns: values without I/O, frozen, compared by what they hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cctv.errors import CaptureError, StoreError
    from cctv.frame import Frame
    from cctv.reasons import Reason


class Secret:
    """A text that prints as `***`; `reveal()` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that must send it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Login:
    """A username and a password, kept apart from every URL."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Record:
    """One row of an inventory as it came: text, nothing checked; blank where it says nothing.

    `publish` is one of the words `roster` knows for yes and no; blank means yes. `odd` is what the
    inventory itself found wrong with the row; such a row is no camera.
    """

    id: str = ""
    model: str = ""
    address: str = ""
    name: str = ""
    latitude: str = ""
    longitude: str = ""
    area: str = ""
    channel: str = ""
    publish: str = ""
    tls: str = ""
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera that is to be published; its record made sense.

    `address` is `host`, `host:port` or `http(s)://host[:port]`, without blanks (for the model
    `url`, a whole URL); `channel` counts from 1, whatever the device counts from. `tls` is how
    its certificate is judged, in the words of `trust`; blank is the usual way.
    """

    id: str
    model: str
    address: str
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    area: str = ""
    channel: int | None = None
    tls: str = ""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store holds under one key: the bytes and the headers a viewer gets with them.

    `expires` is aware, UTC. `metadata` keys are lower case words with hyphens, its values
    printable ASCII; a store hands them out as `x-amz-meta-<key>`. After `not_after` it may not be
    put any more: it would be out of date (None: it never is).
    """

    body: bytes = field(repr=False)
    expires: datetime
    metadata: Mapping[str, str]
    cache_control: str
    content_type: str = "image/jpeg"
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shelved:
    """A stored object as it is read back, with what the store added; times hold whole seconds."""

    thing: StoredObject
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a store's list: a key, when the store took what stands there, and its bytes' tag.

    `etag` has no quotes; for an object put whole it is the MD5 of the bytes in hexadecimal digits
    (`tag_of`), with S3's own encryption too, but for keys of KMS.
    """

    key: str
    etag: str
    modified: datetime


def by_number(name: str) -> tuple[int, str]:
    """For sorting ids as people count: 9 before 10, numbers before `north`."""
    return (int(name), "") if name.isascii() and name.isdigit() else (10**65, name)


def tag_of(body: bytes) -> str:
    """The entity tag of these bytes, without quotes, as S3 makes it."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Cycle:
    """One turn of one camera: when it began, when the next is due (aware, UTC).

    `ask` is False while the camera is left alone; the fallback image is still seen to.
    """

    due: datetime
    next_due: datetime
    ask: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cycle came to; observers get every one of them."""

    camera: Camera
    cycle: Cycle


@dataclass(frozen=True, slots=True)
class Published(Outcome):
    """A fresh frame is public, confirmed by the store."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Unavailable(Outcome):
    """The camera gave no picture; `not_stored` is set when the fallback could not go up either."""

    error: CaptureError
    not_stored: StoreError | None = None


@dataclass(frozen=True, slots=True)
class NotStored(Outcome):
    """The camera gave a frame, the store did not take it: the camera is not to blame."""

    error: StoreError


@dataclass(frozen=True, slots=True)
class Rested(Outcome):
    """The camera was left alone; its fallback image stands, or `not_stored` says why not."""

    reason: Reason
    not_stored: StoreError | None = None


@dataclass(frozen=True, slots=True)
class Expired(Outcome):
    """The public picture grew too old before the next one came, whatever kept that.

    Its fallback image stands, or `not_stored` says why not; it is tried until it does.
    """

    not_stored: StoreError | None = None
