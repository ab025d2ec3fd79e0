"""What the program was told, as values; `config` makes them from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from cctv import kinds
    from cctv.model import Login, Secret
    from cctv.schedule import Timing
    from cctv.watch import Rules


@dataclass(frozen=True, slots=True)
class Knack:
    """The Knack application that holds the records; `api_url` None leaves the host to knackpy."""

    app_id: str
    api_key: Secret | None
    container: str
    api_url: str | None
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the program was told. `knack` or `inventory`, `bucket` or `folder` is set.

    Durations are seconds. `logins` are by the model's name as in the environment, `CAMERA` for
    all others; `fallback` is the fallback image's bytes; `max_width` is pixels, 0 for any width.
    `never` are ids that are never published; `erase` tells that what is not published is removed.
    `public_url` and `distribution` are blank where there are none.
    """

    knack: Knack | None
    inventory: Path | None
    bucket: str | None
    folder: Path | None
    prefix: str
    timing: Timing
    freshness: float
    fetch_timeout: float
    refresh: float
    drivers: Path | None
    rules: Rules
    max_width: int
    masks: Path | None
    never: frozenset[str]
    erase: bool
    public_url: str
    distribution: str
    fallback: bytes
    networks: tuple[kinds.Network, ...]
    logins: Mapping[str, Login]
    log_dir: Path
    state_dir: Path
    http: kinds.Endpoint
    timezone: ZoneInfo
