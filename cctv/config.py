"""The only reader of the environment: names and texts in, one frozen Settings out.

`SETTINGS` is the whole list. Everything is checked here, before the first socket, and every
fault is reported at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from dotenv import dotenv_values

from cctv import kinds, slips
from cctv.errors import CaptureError, ConfigError
from cctv.frame import whole
from cctv.model import Login, Secret
from cctv.schedule import Timing
from cctv.settings import Knack, Settings
from cctv.watch import Policy, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")

PACKAGE = Path(__file__).parent


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
FETCH_TIMEOUT = Setting("CCTV_FETCH_TIMEOUT", "15", kinds.seconds(0.1))
FAILURE_LIMIT = Setting("CCTV_FAILURE_LIMIT", "5", kinds.count(1))
RETRY_AFTER = Setting("CCTV_RETRY_AFTER", "1800", kinds.seconds(1, or_zero=True))
REFRESH = Setting("CCTV_INVENTORY_REFRESH", "0", kinds.seconds(1, or_zero=True))
DRIVERS = Setting("CCTV_DRIVERS", "", kinds.existing)
BLANK = Setting("CCTV_BLANK", "flag", kinds.policy)
FROZEN = Setting("CCTV_FROZEN", "unavailable", kinds.policy)
MAX_WIDTH = Setting("CCTV_MAX_WIDTH", "0", kinds.width)
MASKS = Setting("CCTV_MASKS", "", kinds.existing)
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
    FETCH_TIMEOUT,
    FAILURE_LIMIT,
    RETRY_AFTER,
    REFRESH,
    DRIVERS,
    BLANK,
    FROZEN,
    MAX_WIDTH,
    MASKS,
    FALLBACK_IMAGE,
    CAMERA_NETWORKS,
    LOG_DIR,
    STATE_DIR,
    HTTP,
    TIMEZONE,
)
LOGINS = ("CAMERA", "WISENET")
"""The predecessor's logins; any other model may have `<MODEL>_USERNAME/_PASSWORD` too."""

_AWS_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_CARD = "unavailable.jpg"


def environment(env_file: Path | None) -> dict[str, str]:
    """The process's environment over what `env_file`, else `./.env`, says; blanks are unset.

    AWS names of the file are also put into the process's environment, because the AWS library
    finds its credentials and endpoint there by itself.

    Raises:
        ConfigError: `env_file` was named and is not there, or the file cannot be read.
    """
    if env_file is not None and not env_file.is_file():
        raise ConfigError([f"--env-file {env_file}: is not a file that exists"])
    path = env_file or Path(".env")
    try:
        file = dotenv_values(path, interpolate=False)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: byte {error.start} is not UTF-8"]) from None
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        # the AWS library would take a blank for a value
        if not os.environ[name].strip():
            del os.environ[name]
    named = {name: value for name, value in file.items() if value}
    for name in (name for name in named if name.startswith("AWS_")):
        os.environ.setdefault(name, named[name])
    return named | {name: value for name, value in os.environ.items() if value.strip()}


def read(env: Mapping[str, str], models: Iterable[str] = (), *, places: bool = True) -> Settings:
    """The settings that `env` describes; `models` are names that may stand before `_USERNAME`.

    Without `places` it is no fault that no inventory or store is named.

    Raises:
        ConfigError: every fault at once.
    """
    reader = _Reader(env, {*LOGINS, *models})
    settings = reader.settings()
    if places:
        reader.insist_on_places(settings)
    if reader.faults:
        raise ConfigError(reader.faults)
    return settings


def aws_secrets() -> list[Secret]:
    """The AWS secrets in the environment, for taking them out of texts."""
    return [Secret(os.environ[name]) for name in _AWS_SECRETS if os.environ.get(name)]


class _Reader:
    """Reads names one by one and gathers what is wrong."""

    def __init__(self, env: Mapping[str, str], models: Iterable[str]) -> None:
        self._env = env
        self._models = sorted(models)
        self.faults = slips.all_of(env, [setting.name for setting in SETTINGS])

    def settings(self) -> Settings:
        inventory = self._take(INVENTORY, None)
        store = self._take(STORE, None)
        log_dir = self._take(LOG_DIR, None) or PACKAGE / "_log"
        return Settings(
            knack=None if inventory else self._knack(),
            inventory=inventory,
            bucket=None if store else self._env.get(BUCKET.name, ""),
            folder=store,
            prefix=self._take(PREFIX, ""),
            timing=Timing(
                interval=self._take(INTERVAL, 300.0),
                failure_limit=self._take(FAILURE_LIMIT, 5),
                retry_after=self._take(RETRY_AFTER, 1800.0),
            ),
            fetch_timeout=self._take(FETCH_TIMEOUT, 15.0),
            refresh=self._take(REFRESH, 0.0),
            drivers=self._take(DRIVERS, None),
            rules=Rules(
                blank=self._take(BLANK, Policy.FLAG), frozen=self._take(FROZEN, Policy.UNAVAILABLE)
            ),
            max_width=self._take(MAX_WIDTH, 0),
            masks=self._take(MASKS, None),
            fallback=self._fallback(),
            networks=self._take(CAMERA_NETWORKS, ()),
            logins=self._logins(),
            log_dir=log_dir,
            state_dir=self._take(STATE_DIR, None) or log_dir / "state",
            http=self._take(HTTP, kinds.Endpoint("", 0)),
            timezone=self._take(TIMEZONE, kinds.timezone("UTC")),
        )

    def _take(self, setting: Setting[T_co], otherwise: D) -> T_co | D:
        """The value; `otherwise` where there is neither a text nor a default, or a fault."""
        text = self._env.get(setting.name, setting.default).strip()
        if not text:
            return otherwise
        try:
            return setting.parse(text)
        except ValueError as error:
            shown = "(not shown: it holds an @)" if "@" in text else text
            self.faults.append(f"{setting.name}={shown} is not {error}")
            return otherwise

    def insist_on_places(self, settings: Settings) -> None:
        """Gather what is missing of the inventory and the store that are used."""
        knack = self._uses(INVENTORY, settings.inventory)
        needed = [KNACK_APP_ID, KNACK_CONTAINER] if knack else []
        needed += [BUCKET] if self._uses(STORE, settings.folder) else []
        for setting in needed:
            if not self._env.get(setting.name):
                self.faults.append(f"{setting.name} is not set{_INSTEAD.get(setting.name, '')}")

    def _uses(self, setting: Setting[Path | None], value: Path | None) -> bool:
        """Whether the default is in force, not a file or folder that was given and is wrong."""
        asked = self._env.get(setting.name, setting.default)
        return value is None and asked.strip().lower() == setting.default

    def _knack(self) -> Knack:
        key = self._env.get(KNACK_API_KEY.name)
        fields = {word: self._take(field, "") for word, field in KNACK_FIELDS.items()}
        asked = KNACK_API_URL.name in self._env
        return Knack(
            app_id=self._env.get(KNACK_APP_ID.name, ""),
            api_key=Secret(key) if key else None,
            container=self._env.get(KNACK_CONTAINER.name, ""),
            api_url=self._take(KNACK_API_URL, "") if asked else None,
            fields={word: key for word, key in fields.items() if key},
        )

    def _logins(self) -> dict[str, Login]:
        names = [name[:-9] for name in self._env if name.endswith("_USERNAME")]
        for name in self._models:
            user, word = f"{name}_USERNAME", f"{name}_PASSWORD"
            if (user in self._env) != (word in self._env):
                there, gone = (user, word) if user in self._env else (word, user)
                self.faults.append(f"{gone} is not set, though {there} is")
        return {
            name: Login(self._env[f"{name}_USERNAME"], Secret(self._env[f"{name}_PASSWORD"]))
            for name in names
            if f"{name}_PASSWORD" in self._env
        }

    def _fallback(self) -> bytes:
        file = self._take(FALLBACK_IMAGE, None)
        try:
            body = (file or PACKAGE / _CARD).read_bytes()
            whole(body)
        except OSError as error:
            self.faults.append(f"{FALLBACK_IMAGE.name}={file} cannot be read: {error.strerror}")
        except CaptureError as error:
            self.faults.append(f"{FALLBACK_IMAGE.name}={file} is no whole JPEG: {error}")
        else:
            return body
        return b""


_INSTEAD = {
    BUCKET.name: " (the S3 bucket; or CCTV_STORE=<folder> to do without one)",
    KNACK_APP_ID.name: " (the Knack application; or CCTV_INVENTORY=<file> to do without)",
    KNACK_CONTAINER.name: " (the Knack view or object with the cameras)",
}
