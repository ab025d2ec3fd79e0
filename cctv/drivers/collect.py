"""From the body of an answer to the bytes of its first whole picture, and no byte longer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from cctv.drivers.answer import CutOffError
from cctv.errors import CaptureError
from cctv.jpeg import NotWholeError, OversizeError, Walk
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from cctv.drivers.answer import Answer
    from cctv.drivers.purse import Loan

BODY_LIMIT = 8_000_000
"""Bytes; the largest still picture of any make is a quarter of it."""

_IDLE = 5.0


async def picture(answer: Answer, loan: Loan, idle: float = _IDLE) -> bytes:
    """The body up to the end of its first whole picture; all that came where there is none.

    Returns as soon as the end of a picture is there: lengths that are too long (Dahua: by 48
    bytes), streams without an end, and parts of a multipart body need no care of their own. What
    a broken connection left is returned too; whether it is whole is for `Frame.of` to say.

    Raises:
        CaptureError: `too-big` beyond a cap; `torn` when the connection broke before any byte;
            `timeout` when a body that has begun falls silent for `idle` seconds in the middle.
    """
    body = bytearray()
    walk = Walk(body)
    try:
        async with aclosing(_paced(answer, body, idle)) as chunks:
            async for chunk in chunks:
                await loan.take(len(chunk))
                body += chunk
                extent = walk.on()
                if (extent.end if extent else len(body)) > BODY_LIMIT:
                    raise CaptureError(Reason.TOO_BIG, f"more than {BODY_LIMIT:,} bytes")
                if extent:
                    return bytes(body[: extent.end])
    except OversizeError as error:
        raise CaptureError(Reason.TOO_BIG, f"JPEG {error}") from None
    except CutOffError:
        if not body:
            found = "closed the connection before any picture"
            raise CaptureError(Reason.TORN, found) from None
    except NotWholeError:
        # no further byte can help; `Frame.of` says what is wrong with those that came
        pass
    return bytes(body)


async def _paced(answer: Answer, body: bytearray, idle: float) -> AsyncGenerator[bytes, None]:
    """The chunks, each within `idle` seconds of the one before; the first takes what it takes."""
    chunks = aiter(answer.chunks)
    while True:
        try:
            async with asyncio.timeout(idle if body else None):
                chunk = await anext(chunks, None)
        except TimeoutError:
            found = f"silent for {idle:g} s in the middle, after {len(body)} bytes"
            raise CaptureError(Reason.TIMEOUT, found) from None
        if chunk is None:
            return
        yield chunk
