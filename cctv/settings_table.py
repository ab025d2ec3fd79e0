"""The whole list of settings: each name of the environment, its default, and its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from cctv import kinds

if TYPE_CHECKING:
    from collections.abc import Callable

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co]):
    """One name of the environment: its default as text, and what makes a value of the text."""

    name: str
    default: str
    parse: Callable[[str], T_co]


BUCKET = Setting("BUCKET", "", kinds.text)
KNACK_APP_ID = Setting("KNACK_APP_ID", "", kinds.text)
KNACK_API_KEY = Setting("KNACK_API_KEY", "", kinds.text)
KNACK_CONTAINER = Setting("KNACK_CONTAINER", "", kinds.text)
KNACK_API_URL = Setting("KNACK_API_URL", "https://api.knack.com", kinds.base_url)
KNACK_FIELDS = {
    "id": Setting("KNACK_FIELD_ID", "field_947", kinds.knack_field),
    "address": Setting("KNACK_FIELD_ADDRESS", "field_638", kinds.knack_field),
    "model": Setting("KNACK_FIELD_MODEL", "field_639", kinds.knack_field),
    "disabled": Setting("KNACK_FIELD_DISABLED", "field_1866", kinds.knack_field),
    "name": Setting("KNACK_FIELD_NAME", "", kinds.knack_field),
    "area": Setting("KNACK_FIELD_AREA", "", kinds.knack_field),
    "latitude": Setting("KNACK_FIELD_LATITUDE", "", kinds.knack_field),
    "longitude": Setting("KNACK_FIELD_LONGITUDE", "", kinds.knack_field),
    "channel": Setting("KNACK_FIELD_CHANNEL", "", kinds.knack_field),
    "tls": Setting("KNACK_FIELD_TLS", "", kinds.knack_field),
}
INVENTORY = Setting("CCTV_INVENTORY", "knack", kinds.inventory)
STORE = Setting("CCTV_STORE", "s3", kinds.store)
PREFIX = Setting("CCTV_PREFIX", "image/", kinds.prefix)
INTERVAL = Setting("CCTV_INTERVAL", "300", kinds.seconds(1))
FRESHNESS = Setting("CCTV_FRESHNESS", "", kinds.seconds(1))
FETCH_TIMEOUT = Setting("CCTV_FETCH_TIMEOUT", "15", kinds.seconds(0.1))
FAILURE_LIMIT = Setting("CCTV_FAILURE_LIMIT", "5", kinds.count(1))
RETRY_AFTER = Setting("CCTV_RETRY_AFTER", "1800", kinds.seconds(1, or_zero=True))
REFRESH = Setting("CCTV_INVENTORY_REFRESH", "0", kinds.seconds(1, or_zero=True))
DRIVERS = Setting("CCTV_DRIVERS", "", kinds.existing)
BLANK = Setting("CCTV_BLANK", "flag", kinds.policy)
FROZEN = Setting("CCTV_FROZEN", "unavailable", kinds.policy)
MAX_WIDTH = Setting("CCTV_MAX_WIDTH", "0", kinds.width)
MASKS = Setting("CCTV_MASKS", "", kinds.existing)
NEVER_PUBLISH = Setting("CCTV_NEVER_PUBLISH", "", kinds.names)
REMOVED = Setting("CCTV_REMOVED", "replace", kinds.removal)
PUBLIC_URL = Setting("CCTV_PUBLIC_URL", "", kinds.public_url)
DISTRIBUTION_ID = Setting("CCTV_DISTRIBUTION_ID", "", kinds.distribution)
FALLBACK_IMAGE = Setting("CCTV_FALLBACK_IMAGE", "", kinds.existing)
CAMERA_NETWORKS = Setting("CCTV_CAMERA_NETWORKS", "", kinds.networks)
LOG_DIR = Setting("CCTV_LOG_DIR", "", kinds.folder)
STATE_DIR = Setting("CCTV_STATE_DIR", "", kinds.folder)
HTTP = Setting("CCTV_HTTP", "127.0.0.1:8080", kinds.endpoint)
TIMEZONE = Setting("CCTV_TIMEZONE", "UTC", kinds.timezone)

SETTINGS: tuple[Setting[object], ...] = (
    BUCKET,
    KNACK_APP_ID,
    KNACK_API_KEY,
    KNACK_CONTAINER,
    KNACK_API_URL,
    *KNACK_FIELDS.values(),
    INVENTORY,
    STORE,
    PREFIX,
    INTERVAL,
    FRESHNESS,
    FETCH_TIMEOUT,
    FAILURE_LIMIT,
    RETRY_AFTER,
    REFRESH,
    DRIVERS,
    BLANK,
    FROZEN,
    MAX_WIDTH,
    MASKS,
    NEVER_PUBLISH,
    REMOVED,
    PUBLIC_URL,
    DISTRIBUTION_ID,
    FALLBACK_IMAGE,
    CAMERA_NETWORKS,
    LOG_DIR,
    STATE_DIR,
    HTTP,
    TIMEZONE,
)
