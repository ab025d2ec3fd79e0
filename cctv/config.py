"""The only reader of the environment: names and texts in, one frozen Settings out.

Everything is checked here, before the first socket, and every
fault is reported at once.
"""

from __future__ import annotations

import os
from enum import Flag, auto
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dotenv import dotenv_values

from cctv import kinds, slips
from cctv import settings_table as at
from cctv.errors import CaptureError, ConfigError
from cctv.frame import whole
from cctv.model import Login, Secret
from cctv.schedule import Timing
from cctv.settings import Knack, Settings
from cctv.watch import Policy, Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

T = TypeVar("T")
D = TypeVar("D")

PACKAGE = Path(__file__).parent
LOGINS = ("CAMERA", "WISENET")
"""The predecessor's logins; any other model may have `<MODEL>_USERNAME/_PASSWORD` too."""

_FRESH, _LEAST_FRESH = 1.5, 1.2
_OF_CAMERAS = {at.INVENTORY.name, at.DRIVERS.name, at.MASKS.name}
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


class Places(Flag):
    """What a command cannot do without."""

    NONE = 0
    INVENTORY = auto()
    STORE = auto()
    BOTH = INVENTORY | STORE


def read(
    env: Mapping[str, str], models: Iterable[str] = (), *, places: Places = Places.BOTH
) -> Settings:
    """The settings that `env` describes; `models` are names that may stand before `_USERNAME`.

    Only of those `places` it is a fault that they are not named. Where the store alone is needed
    a file that concerns cameras may be missing: it must not keep anybody from an order.

    Raises:
        ConfigError: every fault at once.
    """
    reader = _Reader(env, {*LOGINS, *models})
    settings = reader.settings()
    if places is Places.STORE:
        reader.forgive(_OF_CAMERAS)
    reader.insist_on(places, settings)
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
        self.faults = slips.all_of(env, [setting.name for setting in at.SETTINGS])

    def forgive(self, names: Collection[str]) -> None:
        """Leave out what is wrong with these settings."""
        self.faults = [f for f in self.faults if f.partition("=")[0] not in names]

    def settings(self) -> Settings:
        timing = Timing(
            interval=self._take(at.INTERVAL, 300.0),
            failure_limit=self._take(at.FAILURE_LIMIT, 5),
            retry_after=self._take(at.RETRY_AFTER, 1800.0),
        )
        inventory = self._take(at.INVENTORY, None)
        store = self._take(at.STORE, None)
        log_dir = self._take(at.LOG_DIR, None) or PACKAGE / "_log"
        return Settings(
            knack=None if inventory else self._knack(),
            inventory=inventory,
            bucket=None if store else self._env.get(at.BUCKET.name, ""),
            folder=store,
            prefix=self._take(at.PREFIX, ""),
            timing=timing,
            freshness=self._freshness(timing.interval),
            fetch_timeout=self._take(at.FETCH_TIMEOUT, 15.0),
            refresh=self._take(at.REFRESH, 0.0),
            drivers=self._take(at.DRIVERS, None),
            rules=Rules(
                blank=self._take(at.BLANK, Policy.FLAG),
                frozen=self._take(at.FROZEN, Policy.UNAVAILABLE),
            ),
            max_width=self._take(at.MAX_WIDTH, 0),
            masks=self._take(at.MASKS, None),
            never=self._take(at.NEVER_PUBLISH, frozenset()),
            erase=self._take(at.REMOVED, otherwise=False),
            public_url=self._take(at.PUBLIC_URL, ""),
            distribution=self._take(at.DISTRIBUTION_ID, ""),
            fallback=self._fallback(),
            networks=self._take(at.CAMERA_NETWORKS, ()),
            logins=self._logins(),
            log_dir=log_dir,
            state_dir=self._take(at.STATE_DIR, None) or log_dir / "state",
            http=self._take(at.HTTP, kinds.Endpoint("", 0)),
            timezone=self._take(at.TIMEZONE, kinds.timezone("UTC")),
        )

    def _take(self, setting: at.Setting[T], otherwise: D) -> T | D:
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

    def _freshness(self, interval: float) -> float:
        """How old a public picture may become; there must be time for the next one to come."""
        freshness = self._take(at.FRESHNESS, interval * _FRESH)
        if freshness < interval * _LEAST_FRESH:
            least = f"{interval * _LEAST_FRESH:g} seconds or more, {_LEAST_FRESH:g} times"
            given = f"{at.FRESHNESS.name}={freshness:g}"
            self.faults.append(f"{given} is not {least} {at.INTERVAL.name}")
        return freshness

    def insist_on(self, places: Places, settings: Settings) -> None:
        """Gather what is missing of the inventory and the store that are used."""
        knack = Places.INVENTORY in places and self._uses(at.INVENTORY, settings.inventory)
        needed = [at.KNACK_APP_ID, at.KNACK_CONTAINER] if knack else []
        store = Places.STORE in places and self._uses(at.STORE, settings.folder)
        needed += [at.BUCKET] if store else []
        for setting in needed:
            if not self._env.get(setting.name):
                self.faults.append(f"{setting.name} is not set{_INSTEAD.get(setting.name, '')}")

    def _uses(self, setting: at.Setting[Path | None], value: Path | None) -> bool:
        """Whether the default is in force, not a file or folder that was given and is wrong."""
        asked = self._env.get(setting.name, setting.default)
        return value is None and asked.strip().lower() == setting.default

    def _knack(self) -> Knack:
        key = self._env.get(at.KNACK_API_KEY.name)
        fields = {word: self._take(field, "") for word, field in at.KNACK_FIELDS.items()}
        asked = at.KNACK_API_URL.name in self._env
        return Knack(
            app_id=self._env.get(at.KNACK_APP_ID.name, ""),
            api_key=Secret(key) if key else None,
            container=self._env.get(at.KNACK_CONTAINER.name, ""),
            api_url=self._take(at.KNACK_API_URL, "") if asked else None,
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
        file = self._take(at.FALLBACK_IMAGE, None)
        try:
            body = (file or PACKAGE / _CARD).read_bytes()
            whole(body)
        except OSError as error:
            self.faults.append(f"{at.FALLBACK_IMAGE.name}={file} cannot be read: {error.strerror}")
        except CaptureError as error:
            self.faults.append(f"{at.FALLBACK_IMAGE.name}={file} is no whole JPEG: {error}")
        else:
            return body
        return b""


_INSTEAD = {
    at.BUCKET.name: " (the S3 bucket; or CCTV_STORE=<folder> to do without one)",
    at.KNACK_APP_ID.name: " (the Knack application; or CCTV_INVENTORY=<file> to do without)",
    at.KNACK_CONTAINER.name: " (the Knack view or object with the cameras)",
}
