"""Amazon S3, or what speaks its language, as the public place.

Credentials, region and endpoint come from AWS's own variables, profiles and roles; nothing of
them is read here. botocore's and aiohttp's errors end at `_wall`.
"""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as HttpError
from botocore import exceptions as aws
from botocore.handlers import add_expect_header
from botocore.parsers import ResponseParserError

from cctv import PUBLISHER
from cctv.errors import ConfigError, StoreError
from cctv.names import Names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from datetime import datetime

    from cctv.model import StoredObject
    from cctv.seams import Store


@dataclass(frozen=True, slots=True)
class S3Access:
    """The bucket, and the seconds one PUT may take in all."""

    bucket: str
    deadline: float


@asynccontextmanager
async def open_s3(access: S3Access) -> AsyncIterator[Store]:
    """Open the one client of the program's life; whether the bucket takes objects shows at a PUT.

    Raises:
        ConfigError: AWS's own settings make no client.
    """
    async with AsyncExitStack() as stack:
        with _settings_wall():
            session = get_session()
            region = session.get_config_variable("region") or "us-east-2"
            opened = session.create_client("s3", region_name=region, config=client_config())
            client = await stack.enter_async_context(opened)
        # S3's answer to `Expect: 100-continue` would be waited for without a timer
        client.meta.events.unregister("before-call.s3", add_expect_header)
        host = urlsplit(client.meta.endpoint_url).netloc.rpartition("@")[2]
        yield _S3Store(client, access, place=f"S3 bucket {access.bucket} at {host}")


def client_config() -> AioConfig:
    """The client's limits; the deadline of a PUT stands above them all."""
    return AioConfig(
        connect_timeout=5,
        read_timeout=10,
        max_pool_connections=64,
        # trying again is the policy of a wrapper
        retries={"mode": "standard", "total_max_attempts": 1},
        user_agent_extra=PUBLISHER,
        # aiodns, where it is installed, would be taken by itself, and leaks over months
        connector_args={"keepalive_timeout": 20, "resolver": Names()},
    )


class _Client(Protocol):
    async def put_object(self, **request: object) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class _S3Store:
    client: _Client
    access: S3Access
    place: str

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        bucket = self.access.bucket
        request = _request(thing)
        with _wall(self.place, f"{bucket}/{key}"):
            async with asyncio.timeout(self.access.deadline):
                reply = await self.client.put_object(Bucket=bucket, Key=key, **request)
        if not reply.get("ETag"):
            raise StoreError(f"{self.place}: the answer has no ETag: check the endpoint")


def _request(thing: StoredObject) -> dict[str, object]:
    return {
        "Body": thing.body,
        "ContentType": thing.content_type,
        "CacheControl": thing.cache_control,
        "Expires": _utc(thing.expires),
        "Metadata": dict(thing.metadata),
    }


def _utc(moment: datetime) -> datetime:
    """The same moment in UTC: botocore would write any other clock's time as if it were UTC's."""
    if moment.tzinfo is None:
        raise ValueError(f"no time zone: {moment}")
    return moment.astimezone(UTC)


@contextmanager
def _wall(place: str, target: str) -> Iterator[None]:
    # `from None` below: a foreign text may hold a URL with a login, or what the server echoed
    try:
        yield
    except aws.ClientError as error:
        raise _refused(place, target, error) from None
    except (aws.BotoCoreError, ResponseParserError, HttpError, OSError) as error:
        raise _failed(place, error) from None
    except (RuntimeError, ValueError):
        # botocore's own words for a credential process or role that gives nothing usable
        trouble = "the credentials cannot be renewed: check profile, role and clock"
        raise StoreError(f"{place}: {trouble}") from None


# S3's own code; trying again in a moment cannot help
_REFUSALS = {
    "NoSuchBucket": "there is no such bucket: check its name, the region and the endpoint",
    "AccessDenied": "access denied: the credentials need s3:PutObject on {target}",
    "InvalidAccessKeyId": "the access key is not known: check AWS_ACCESS_KEY_ID and the endpoint",
    "SignatureDoesNotMatch": "the signature does not match: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired: renew them",
    "InvalidToken": "the session token is not valid: renew the credentials",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it, and keep it set with NTP",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_DEFAULT_REGION",
}
_PASSING_CODES = {"SlowDown", "RequestTimeout", "OperationAborted"}
_PASSING_STATUS = {408, 429, 500, 502, 503, 504}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,60}")


def _refused(place: str, target: str, error: aws.ClientError) -> StoreError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _REFUSALS:
        return StoreError(f"{place}: {_REFUSALS[code].format(target=target)}", passing=False)
    passing = status in _PASSING_STATUS or code in _PASSING_CODES
    shown = code if _CODE.fullmatch(code) else "without a code of S3's"
    return StoreError(f"{place}: answered HTTP {status} {shown}", passing=passing)


# the first that fits; True: it may pass in a moment
_FAILURES: tuple[tuple[tuple[type[Exception], ...], str, bool], ...] = (
    ((TimeoutError, aws.ConnectTimeoutError, aws.ReadTimeoutError), "no answer in time", True),
    (
        (aws.NoCredentialsError, aws.PartialCredentialsError),
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
        False,
    ),
    ((aws.CredentialRetrievalError,), "credentials not fetched: check profile and role", True),
    ((aws.ParamValidationError,), "the bucket's name, the key or a header is not valid", False),
    ((aws.SSLError,), "TLS failed: check the endpoint's certificate and AWS_CA_BUNDLE", False),
    ((aws.ProxyConnectionError,), "the proxy cannot be reached: check HTTPS_PROXY", True),
    ((aws.EndpointConnectionError,), "the connection failed: {why}", True),
    ((aws.ConnectionClosedError,), "closed the connection without an answer", True),
    ((aws.HTTPClientError,), "the exchange failed: {why}", True),
    ((ResponseParserError,), "answered something that is not S3: check the endpoint", False),
)


def _failed(place: str, error: Exception) -> StoreError:
    for kinds, words, passing in _FAILURES:
        if isinstance(error, kinds):
            return StoreError(f"{place}: {words.format(why=_why(error))}", passing=passing)
    return StoreError(f"{place}: the client failed: {type(error).__name__}", passing=False)


def _why(error: Exception) -> str:
    """The operating system's words where there are some, else the kind; never a foreign text."""
    inner = getattr(error, "kwargs", {}).get("error")
    if not isinstance(inner, OSError) or inner.errno is None:
        return type(inner).__name__
    # the resolver counts downward from zero
    return os.strerror(inner.errno) if inner.errno > 0 else str(inner.strerror)


@contextmanager
def _settings_wall() -> Iterator[None]:
    try:
        yield
    except aws.ProfileNotFound:
        raise ConfigError(["AWS_PROFILE: there is no such profile"]) from None
    except aws.PartialCredentialsError:
        raise ConfigError(
            ["of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set without the other"]
        ) from None
    except aws.InvalidRegionError:
        raise ConfigError(["AWS_DEFAULT_REGION: not a region"]) from None
    except aws.BotoCoreError as error:
        raise ConfigError([f"AWS settings: {type(error).__name__}"]) from None
    except ValueError as error:
        if "endpoint" in str(error).lower():
            fault = "AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL: not a URL"
        else:
            fault = "AWS settings: the profile or its credential_process gives nothing usable"
        raise ConfigError([fault]) from None
