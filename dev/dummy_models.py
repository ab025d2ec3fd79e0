"""The makes of camera a dummy street is dealt from, and the records its cameras have."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit

from dev.dummy_logins import BASIC, DIGEST, FOSCAM, OPEN, REOLINK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev.dummy_logins import Guard

HOSTS = 254
COLUMNS = ("id", "model", "address", "name", "latitude", "longitude", "area", "publish")

# 10 and 11 share no factor: the first 110 crossings all differ
TREES = (
    "Alder",
    "Aspen",
    "Beech",
    "Elder",
    "Hazel",
    "Laurel",
    "Linden",
    "Maple",
    "Myrtle",
    "Rowan",
)
BIRDS = ("Crane", "Dove", "Egret", "Finch", "Heron", "Ibis", "Kite", "Lark", "Owl", "Quail", "Tern")
CENTRE = (30.27, -97.74)
SPREAD = (0.12, 0.09)
DOWNTOWN = 0.04


@dataclass(frozen=True, slots=True)
class Model:
    """One make: the targets of its still pictures, and how it asks for the login.

    A target's path may hold `*`; its query names what a request must say, it may say more.
    """

    name: str
    stills: tuple[str, ...]
    guard: Guard
    realm: str = "camera"

    def serves(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether a request's path and query ask for this make's picture."""
        return any(_fits(urlsplit(still), path, query) for still in self.stills)


def _fits(still: SplitResult, path: str, query: Mapping[str, str]) -> bool:
    asks = all(query.get(name) == value for name, value in parse_qsl(still.query))
    return asks and fnmatchcase(path, still.path)


HIKVISION_STILL = "/ISAPI/Streaming/channels/101/picture"
DAHUA_STILL = "/cgi-bin/snapshot.cgi"
MODELS = (
    Model("Axis", ("/axis-cgi/jpg/image.cgi",), DIGEST, "AXIS_ACCC8E012345"),
    Model("Advidia", (HIKVISION_STILL,), DIGEST, "IP Camera(A1234)"),
    Model("Hikvision", (HIKVISION_STILL,), DIGEST, "IP Camera(H1234)"),
    Model("Sarix", ("/jpeg?id=2",), OPEN),
    Model("Spectra Enhanced", ("/jpeg?id=2",), OPEN),
    Model("Wisenet", ("/stw-cgi/video.cgi?msubmenu=snapshot&action=view",), DIGEST, "iPolis"),
    Model("Dahua", (DAHUA_STILL,), DIGEST, "Login to 4A0123456789"),
    Model("Amcrest", (DAHUA_STILL,), DIGEST, "Login to 4B0123456789"),
    Model("Foscam", ("/cgi-bin/CGIProxy.fcgi?cmd=snapPicture2",), FOSCAM),
    Model("Bosch", ("/snap.jpg",), DIGEST),
    Model("Vivotek", ("/cgi-bin/viewer/video.jpg",), BASIC, "streaming_server"),
    Model("Mobotix", ("/record/current.jpg", "/cgi-bin/image.jpg"), BASIC, "MOBOTIX"),
    Model("Panasonic", ("/SnapshotJPEG",), BASIC, "Panasonic network device"),
    Model("Sony", ("/oneshotimage.jpg",), BASIC, "Sony Network Camera"),
    Model("Reolink", ("/cgi-bin/api.cgi?cmd=Snap",), REOLINK),
    Model("Uniview", ("/images/snapshot.jpg",), DIGEST),
    Model("url", ("/snapshot/*.jpg",), OPEN),
)


def model_of(number: int) -> Model:
    """The model of camera `number`, from 1: dealt in turn from the table."""
    return MODELS[(number - 1) % len(MODELS)]


def address_of(number: int) -> str:
    """Where camera `number` lives: 127.0.1.1, and on to 127.0.1.254, 127.0.2.1 ..."""
    block, host = divmod(number - 1, HOSTS)
    return f"127.0.{1 + block}.{1 + host}"


def record_of(number: int, port: int) -> dict[str, str]:
    """Camera `number` as a row of an inventory, always in the same invented place."""
    chance = random.Random(number)
    place = (at + chance.uniform(-far, far) for at, far in zip(CENTRE, SPREAD, strict=True))
    latitude, longitude = place
    host = f"{address_of(number)}:{port}"
    model = model_of(number).name
    row = (
        str(number),
        model,
        f"http://{host}/snapshot/1.jpg" if model == "url" else host,
        f"{TREES[number % len(TREES)]} Ave at {BIRDS[number % len(BIRDS)]} St",
        f"{latitude:.6f}",
        f"{longitude:.6f}",
        _area(latitude),
        "yes",
    )
    return dict(zip(COLUMNS, row, strict=True))


def _area(latitude: float) -> str:
    north = latitude - CENTRE[0]
    if abs(north) < DOWNTOWN:
        return "CENTRAL"
    return "NORTH" if north > 0 else "SOUTH"
