"""The wall around S3's client: botocore's and aiohttp's errors become ours here, in our words."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError as HttpError
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from cctv.clock import wrong_by
from cctv.errors import ConfigError, StoreError
from cctv.schedule import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Reply = dict[str, Any]
"""A parsed answer, as botocore gives it."""


@contextmanager
def wall(place: str, needs: str) -> Iterator[None]:
    """Let StoreError through only; `needs` names the rights that the credentials must have.

    Raises:
        StoreError: whatever the client raised inside.
    """
    # `from None` below: a foreign text may hold a URL with a login, or what the server echoed
    try:
        yield
    except aws.ClientError as error:
        raise _refused(place, needs, error) from None
    except (aws.BotoCoreError, ResponseParserError, HttpError, OSError) as error:
        raise _failed(place, error) from None
    except (RuntimeError, ValueError):
        # botocore's own words for a credential process or role that gives nothing usable
        trouble = "the credentials cannot be renewed: check profile, role and clock"
        raise StoreError(f"{place}: {trouble}") from None


def code_of(error: aws.ClientError) -> str:
    """S3's own word for what is wrong; an answer to HEAD has none but its status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(reply: Mapping[str, Any]) -> int:
    """The status of an answer, of a good or a bad one."""
    return int(reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def date_of(reply: Mapping[str, Any]) -> datetime | None:
    """When the store answered, by its own clock, in whole seconds."""
    date = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    with suppress(ValueError, TypeError):
        found = parsedate_to_datetime(date)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


_CHECKSUMS = (
    "refused a header: if the endpoint is not Amazon's, it may not know checksums: "
    "set AWS_REQUEST_CHECKSUM_CALCULATION=when_required"
)
# S3's own code; trying again in a moment cannot help
_REFUSALS = {
    "NoSuchBucket": "there is no such bucket: check its name, the region and the endpoint",
    "AccessDenied": "access denied: the credentials need {needs}",
    "InvalidAccessKeyId": "the access key is not known: check AWS_ACCESS_KEY_ID and the endpoint",
    "SignatureDoesNotMatch": "the signature does not match: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired: renew them",
    "RequestExpired": "the credentials or the request have expired: renew them, check the clock",
    "InvalidToken": "the session token is not valid: renew the credentials",
    "RequestTimeTooSkewed": "{clock}",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "XAmzContentSHA256Mismatch": _CHECKSUMS,
    "NotImplemented": _CHECKSUMS,
}
_PASSING_CODES = {"SlowDown", "RequestTimeout", "OperationAborted"}
_PASSING_STATUS = {408, 429, 500, 502, 503, 504}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,60}")


def _refused(place: str, needs: str, error: aws.ClientError) -> StoreError:
    code, status = code_of(error), status_of(error.response)
    if error.operation_name == "HeadObject" and code == "403":
        code = "AccessDenied"
    if code in _REFUSALS:
        words = _REFUSALS[code].format(needs=needs, clock=_clock_words(error.response))
        return StoreError(f"{place}: {words}", passing=False)
    passing = status in _PASSING_STATUS or code in _PASSING_CODES
    shown = code if _CODE.fullmatch(code) else "without a code of S3's"
    return StoreError(f"{place}: answered HTTP {status} {shown}", passing=passing)


def _clock_words(reply: Mapping[str, Any]) -> str:
    date = date_of(reply)
    if date is None:
        return "this machine's clock is wrong: set it, and keep it set with NTP"
    return wrong_by((date - utc_now()).total_seconds())


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
    (
        (aws.ResponseStreamingError, aws.IncompleteReadError, aws.FlexibleChecksumError, HttpError),
        "the answer broke off or was damaged",
        True,
    ),
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
def settings_wall() -> Iterator[None]:
    """Name AWS's setting that makes no client.

    Raises:
        ConfigError: whatever the making of a client raised inside.
    """
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
