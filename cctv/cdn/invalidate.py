"""Asking CloudFront to forget; credentials come from AWS's own places, and its errors end here."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from aiohttp import ClientError as HttpError
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from cctv import PUBLISHER
from cctv.names import Names
from cctv.proof import ProofError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SINGLE_PATHS = 15
_REGION = "us-east-1"
_FOREIGN = "answered something that is not CloudFront: check AWS_ENDPOINT_URL_CLOUDFRONT"


async def invalidate(
    distribution: str, keys: Sequence[str], prefix: str, deadline: float = 30.0
) -> str:
    """Have every edge of the CDN fetch these keys anew; the invalidation's id.

    More than fifteen are one path, all that begins with `prefix`. It is under way when this
    returns, and takes CloudFront some seconds to minutes. Blank where there are no keys.

    Raises:
        ProofError: CloudFront did not take the order, in time.
    """
    if not keys:
        return ""
    place = f"CloudFront distribution {distribution}"
    with _wall(place, distribution):
        async with asyncio.timeout(deadline):
            reply = await _ordered(distribution, _paths(keys, prefix))
    if not (found := _id(reply)):
        raise ProofError(f"{place}: {_FOREIGN}")
    return found


def _paths(keys: Sequence[str], prefix: str) -> list[str]:
    single = list(dict.fromkeys(keys))
    if len(single) > _SINGLE_PATHS:
        return [f"/{quote(prefix)}*"]
    return [f"/{quote(key)}" for key in single]


async def _ordered(distribution: str, paths: Sequence[str]) -> Mapping[str, object]:
    session = get_session()
    region = session.get_config_variable("region") or _REGION
    batch = {
        "Paths": {"Quantity": len(paths), "Items": paths},
        "CallerReference": f"{PUBLISHER} {secrets.token_hex(12)}",
    }
    async with session.create_client("cloudfront", region_name=region, config=_config()) as client:
        reply: Mapping[str, object] = await client.create_invalidation(
            DistributionId=distribution, InvalidationBatch=batch
        )
        return reply


def _config() -> AioConfig:
    return AioConfig(
        connect_timeout=5,
        read_timeout=10,
        # a repeated order has the same reference and is one order
        retries={"mode": "standard", "total_max_attempts": 3},
        user_agent_extra=PUBLISHER,
        connector_args={"resolver": Names()},
    )


def _id(reply: Mapping[str, object]) -> str:
    order = reply.get("Invalidation")
    return str(order.get("Id", "")) if isinstance(order, dict) else ""


@contextmanager
def _wall(place: str, distribution: str) -> Iterator[None]:
    # `from None` below: a foreign text may hold a URL with a login, or what the server echoed
    try:
        yield
    except aws.ClientError as error:
        raise ProofError(f"{place}: {_refused(error, distribution)}") from None
    except (aws.BotoCoreError, ResponseParserError, HttpError, OSError) as error:
        raise ProofError(f"{place}: {_failed(error)}") from None
    except (RuntimeError, ValueError):
        # botocore's own words for settings, a credential process or a role of no use
        trouble = "AWS settings: check profile, role, AWS_ENDPOINT_URL_CLOUDFRONT and clock"
        raise ProofError(f"{place}: {trouble}") from None


# CloudFront's own code
_REFUSALS = {
    "AccessDenied": "access denied: the credentials need cloudfront:CreateInvalidation"
    " on distribution {distribution}",
    "NoSuchDistribution": "there is no such distribution: check CCTV_DISTRIBUTION_ID and whose"
    " account the credentials are of",
    "TooManyInvalidationsInProgress": "too many invalidations are in progress: order it"
    " again in some minutes",
    "InvalidArgument": "the order was not accepted: check CCTV_PREFIX",
    "InvalidClientTokenId": "the access key is not known: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the signature does not match: check AWS_SECRET_ACCESS_KEY and this"
    " machine's clock",
    "ExpiredToken": "the credentials have expired: renew them",
    "Throttling": "asked too often: order it again in a minute",
}
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{1,60}")


def _refused(error: aws.ClientError, distribution: str) -> str:
    code = str(error.response.get("Error", {}).get("Code") or "")
    if code in _REFUSALS:
        return _REFUSALS[code].format(distribution=distribution)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    shown = code if _CODE.fullmatch(code) else "without a code of CloudFront's"
    return f"answered HTTP {status} {shown}"


# the first that fits
_FAILURES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((TimeoutError, aws.ConnectTimeoutError, aws.ReadTimeoutError), "no answer in time"),
    (
        (aws.NoCredentialsError, aws.PartialCredentialsError),
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
    ),
    ((aws.CredentialRetrievalError,), "credentials not fetched: check profile and role"),
    ((aws.ProfileNotFound,), "AWS_PROFILE: there is no such profile"),
    ((aws.ParamValidationError,), "its id or a key is not valid: check CCTV_DISTRIBUTION_ID"),
    ((aws.SSLError,), "TLS failed: check the endpoint's certificate and AWS_CA_BUNDLE"),
    ((aws.ProxyConnectionError,), "the proxy cannot be reached: check HTTPS_PROXY"),
    ((aws.EndpointConnectionError,), "the connection failed"),
    ((aws.ConnectionClosedError,), "closed the connection without an answer"),
    ((ResponseParserError,), _FOREIGN),
)


def _failed(error: Exception) -> str:
    for kinds, words in _FAILURES:
        if isinstance(error, kinds):
            return words
    return f"the client failed: {type(error).__name__}"
