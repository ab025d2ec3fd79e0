"""The line to S3: its one client, made anew when the credentials were; and what answers tell."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import exceptions as aws
from botocore.handlers import add_expect_header

from cctv import PUBLISHER
from cctv.errors import ConfigError
from cctv.names import Names
from cctv.schedule import utc_now
from cctv.sockets import bounded
from cctv.store.s3_wall import Reply, code_of, date_of, settings_wall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    Learn = Callable[[datetime, datetime, datetime], None]

log = logging.getLogger(__name__)

_STALE = {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "RequestExpired"}
# seconds: between two clients, and for the making of one
_PAUSE, _MAKING = 60.0, 30.0


def client_config() -> AioConfig:
    """The client's limits; the deadline of a call stands above them all."""
    return AioConfig(
        connect_timeout=5,
        read_timeout=10,
        max_pool_connections=64,
        # trying again is the policy of a wrapper
        retries={"mode": "standard", "total_max_attempts": 1},
        user_agent_extra=PUBLISHER,
        # aiodns, where it is installed, would be taken by itself, and leaks over months
        connector_args={"keepalive_timeout": 20, "resolver": Names(), "socket_factory": bounded},
    )


@asynccontextmanager
async def open_line(
    grace: float, learn: Learn | None, seconds: Callable[[], float]
) -> AsyncIterator[Line]:
    """Open the line; a client that was replaced is closed after `grace` seconds, or at the end.

    `learn` gets every answer's date and the machine's times around it; `seconds` is the clock
    that tells when credentials may be read again.

    Raises:
        ConfigError: AWS's own settings make no client.
    """
    line = Line(await _dialled(None), grace, learn, seconds)
    try:
        yield line
    finally:
        await line.hang_up()


class Line:
    """Asks S3; raises what the client raises, and knows no deadline."""

    def __init__(
        self, dialled: _Dialled, grace: float, learn: Learn | None, seconds: Callable[[], float]
    ) -> None:
        self._dialled = dialled
        self._grace = grace
        self._learn = learn
        self._seconds = seconds
        self._renewal: asyncio.Task[None] | None = None
        self._renewed: float | None = None

    @property
    def host(self) -> str:
        """The endpoint's host and port."""
        return str(urlsplit(self._dialled.client.meta.endpoint_url).netloc.rpartition("@")[2])

    async def ask(self, operation: str, **request: object) -> Reply:
        """What the client's method of this name answers."""
        dialled, sent = self._dialled, utc_now()
        try:
            reply: Reply = await getattr(dialled.client, operation)(**request)
        except aws.ClientError as error:
            self._heard(error.response, sent)
            if code_of(error) in _STALE:
                self._renew(dialled)
            raise
        except aws.NoCredentialsError:
            self._renew(dialled)
            raise
        self._heard(reply, sent)
        return reply

    async def hang_up(self) -> None:
        """Close every client."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
        await self._dialled.close()

    def _heard(self, reply: Reply, sent: datetime) -> None:
        date = date_of(reply)
        if self._learn is not None and date is not None:
            self._learn(date, sent, utc_now())

    def _renew(self, refused: _Dialled) -> None:
        """Begin to read the credentials again, unless that was done or begun a moment ago."""
        now = self._seconds()
        early = self._renewed is not None and now - self._renewed < _PAUSE
        busy = self._renewal is not None and not self._renewal.done()
        if refused is self._dialled and not early and not busy:
            self._renewed = now
            self._renewal = asyncio.create_task(self._redial(), name="s3 credentials")

    async def _redial(self) -> None:
        former = self._dialled
        try:
            async with asyncio.timeout(_MAKING):
                self._dialled = await _dialled(former)
        except (ConfigError, OSError, RuntimeError) as error:
            fault = error if isinstance(error, ConfigError) else type(error).__name__
            log.warning("the store's credentials cannot be read again: %s", fault)
            return
        log.info("the store's credentials were refused, and have been read again")
        try:
            await asyncio.sleep(self._grace)
        finally:
            await former.close()


class _Dialled:
    """A client, and how it is closed."""

    def __init__(self, client: Any, loader: object, stack: AsyncExitStack) -> None:  # noqa: ANN401 - botocore makes its methods while it runs
        self.client = client
        self.loader = loader
        self.close = stack.aclose


async def _dialled(former: _Dialled | None) -> _Dialled:
    """A client of a new session, which reads credentials anew; what is slow to load is kept."""
    async with AsyncExitStack() as stack:
        with settings_wall():
            session = get_session()
            if former is not None:
                session.register_component("data_loader", former.loader)
            region = session.get_config_variable("region") or "us-east-2"
            opened = session.create_client("s3", region_name=region, config=client_config())
            client = await stack.enter_async_context(opened)
        # S3's answer to `Expect: 100-continue` would be waited for without a timer
        client.meta.events.unregister("before-call.s3", add_expect_header)
        loader = session.get_component("data_loader")
        return _Dialled(client, loader, stack.pop_all())
    raise AssertionError  # the stack swallows nothing
