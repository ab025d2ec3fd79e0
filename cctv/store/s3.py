"""Amazon S3, or what speaks its language, as the public place.

Credentials, region and endpoint come from AWS's own variables, profiles and roles; nothing of
them is read here. botocore's and aiohttp's errors end at `wall`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cctv.errors import StoreError
from cctv.model import Listed, Shelved, StoredObject
from cctv.store.s3_line import open_line
from cctv.store.s3_wall import Reply, code_of, status_of, wall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from cctv.seams import Archive
    from cctv.store.s3_line import Learn, Line

_OUTRUN = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


@dataclass(frozen=True, slots=True)
class S3Access:
    """The bucket, and the seconds one call may take in all."""

    bucket: str
    deadline: float


@asynccontextmanager
async def open_s3(
    access: S3Access,
    learn: Learn | None = None,
    seconds: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Archive]:
    """Open the bucket; whether it takes objects shows at a PUT.

    Credentials that are refused as out of date or unknown are read again, at most once a minute
    by the clock `seconds`. `learn` gets the date of every answer, good or bad, and the machine's
    times before and after: see `StoreClock.learn`.

    Raises:
        ConfigError: AWS's own settings make no client.
    """
    async with open_line(access.deadline, learn, seconds) as line:
        yield _S3Store(line, access, place=f"S3 bucket {access.bucket} at {line.host}")


@dataclass(frozen=True, slots=True)
class _S3Store:
    line: Line
    access: S3Access
    place: str

    async def put(self, key: str, thing: StoredObject) -> None:
        """See `Store.put`."""
        request = _request(thing)
        async with self._within(f"s3:PutObject on {self._target(key)}"):
            reply = await self._ask("put_object", Key=key, **request)
        self._check(reply, "ETag")

    async def replace(self, seen: Listed, thing: StoredObject) -> bool:
        """See `Replacer.replace`; a store that does not know `If-Match` may pass over it."""
        request = _request(thing) | {"Key": seen.key}
        async with self._within(f"s3:PutObject and s3:GetObject on {self._target(seen.key)}"):
            try:
                reply = await self._ask("put_object", IfMatch=f'"{seen.etag}"', **request)
            except ClientError as error:
                if code_of(error) in _OUTRUN:
                    return False
                if status_of(error.response) != HTTPStatus.NOT_IMPLEMENTED:
                    raise
                reply = await self._ask("put_object", **request)
        self._check(reply, "ETag")
        return True

    async def erase(self, key: str) -> None:
        """See `Eraser.erase`."""
        async with self._within(f"s3:DeleteObject on {self._target(key)}"):
            reply = await self._ask("delete_object", Key=key)
        if status_of(reply) != HTTPStatus.NO_CONTENT:
            raise StoreError(f"{self.place}: the answer is not S3's: check the endpoint")

    async def get(self, key: str) -> Shelved | None:
        """See `Shelf.get`."""
        async with self._within(self._reading(key)):
            try:
                reply = await self._ask("get_object", Key=key)
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return None
                raise
            async with reply["Body"] as stream:
                body = await stream.read()
        self._check(reply, "ETag", "LastModified")
        return _shelved(reply, body)

    async def labels(self, key: str) -> Mapping[str, str] | None:
        """See `Labels.labels`; a bucket that is not there looks like an object that is not."""
        async with self._within(self._reading(key)):
            try:
                reply = await self._ask("head_object", Key=key)
            except ClientError as error:
                if status_of(error.response) == HTTPStatus.NOT_FOUND:
                    return None
                raise
        self._check(reply, "ETag")
        return _metadata(reply)

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """See `Catalogue.listed`."""
        found: list[Listed] = []
        more: dict[str, str] | None = {}
        async with self._within(f"s3:ListBucket on {self.access.bucket}"):
            while more is not None:
                page = await self._ask("list_objects_v2", Prefix=prefix, **more)
                found += [self._line(entry) for entry in page.get("Contents", ())]
                more = self._rest(page)
        return sorted(found, key=lambda line: line.key)

    @asynccontextmanager
    async def _within(self, needs: str) -> AsyncIterator[None]:
        with wall(self.place, needs):
            async with asyncio.timeout(self.access.deadline):
                yield

    async def _ask(self, operation: str, **request: object) -> Reply:
        return await self.line.ask(operation, Bucket=self.access.bucket, **request)

    def _target(self, key: str) -> str:
        return f"{self.access.bucket}/{key}"

    def _reading(self, key: str) -> str:
        listing = f"s3:ListBucket on {self.access.bucket}, to be told when nothing is there"
        return f"s3:GetObject on {self._target(key)}, and {listing}"

    def _check(self, reply: Reply, *names: str) -> None:
        for name in names:
            if not reply.get(name):
                raise StoreError(f"{self.place}: the answer has no {name}: check the endpoint")

    def _line(self, entry: Reply) -> Listed:
        self._check(entry, "Key", "LastModified")
        tag = entry.get("ETag", "").strip('"')
        return Listed(entry["Key"], tag, _utc(entry["LastModified"]))

    def _rest(self, page: Reply) -> dict[str, str] | None:
        """Where the list goes on, or None at its end; any other page must not pass for an end."""
        token = page.get("NextContinuationToken")
        if page.get("IsTruncated") is False:
            return None
        if not token:
            raise StoreError(f"{self.place}: the answer is no list: check the endpoint")
        return {"ContinuationToken": token}


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


def _shelved(reply: Reply, body: bytes) -> Shelved:
    modified = _utc(reply["LastModified"])
    thing = StoredObject(
        body=body,
        # what somebody else put without one was out of date from the start
        expires=_utc(reply.get("Expires", modified)),
        metadata=_metadata(reply),
        cache_control=reply.get("CacheControl", ""),
        content_type=reply.get("ContentType", ""),
    )
    return Shelved(thing, reply["ETag"], modified)


def _metadata(reply: Reply) -> dict[str, str]:
    # a name keeps the letters that the server wrote it with
    return {name.lower(): value for name, value in reply.get("Metadata", {}).items()}
