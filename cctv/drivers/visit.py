"""One visit to a camera: the requests it takes to be let in, and the picture that comes of it."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from cctv import PUBLISHER
from cctv.drivers import collect
from cctv.drivers.answer import Question
from cctv.drivers.still import Telltale
from cctv.errors import CaptureError
from cctv.jpeg import SOI
from cctv.reasons import Reason

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from yarl import URL

    from cctv.drivers.answer import Answer, Reader
    from cctv.drivers.device import Device
    from cctv.drivers.key import Key
    from cctv.drivers.purse import Loan

_HEADERS = {
    "Accept": "image/jpeg,*/*;q=0.1",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache",
    "User-Agent": PUBLISHER,
}
_CHALLENGED = 401
# 490 is how Hanwha's devices shut out who tried too often
_FORBIDDEN = frozenset({403, 490})
_REDIRECTS = range(300, 400)
_STATUSES = {
    401: Reason.AUTH,
    403: Reason.AUTH,
    490: Reason.AUTH,
    404: Reason.NOT_FOUND,
    410: Reason.NOT_FOUND,
    503: Reason.BUSY,
}
# what many makes answer with HTTP 200 in the place of a picture
_TELLTALES = (
    Telltale(rb"(?i)device\s?busy|too many (users|connections)", Reason.BUSY),
    Telltale(rb"(?i)login has been locked|please log ?in|unauthori[sz]ed", Reason.AUTH),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Asks one device for one picture. `key` is its login, None for none.

    `in_query` tells that `url` holds the login; otherwise it answers the device's challenge, by
    Basic only where that is allowed.
    """

    url: URL = field(repr=False)
    device: Device
    read: Reader
    loan: Loan
    key: Key | None = None
    in_query: bool = False
    basic: bool = True
    tls: ssl.SSLContext | None = None
    telltales: tuple[Telltale, ...] = ()

    async def body(self) -> bytes:
        """What came of the picture; whole or not is for `Frame.of` to say.

        Raises:
            CaptureError: the device refused, for one reason.
        """
        if self.key is None:
            return await self._unlocked()
        self.key.check()
        if self.in_query:
            return await self._spent(self.key)
        return await self._challenged(self.key)

    async def _unlocked(self) -> bytes:
        async with self._ask(None) as answer:
            if answer.status == _CHALLENGED:
                raise CaptureError(Reason.AUTH, "HTTP 401 Unauthorized, and no login is set for it")
            return await self._picture(answer)

    async def _challenged(self, key: Key) -> bytes:
        target = self.url.raw_path_qs
        header = key.header("GET", target)
        async with self._ask(header) as answer:
            if not self._refused(answer, key, header):
                return await self._let_in(answer, key)
            offers = answer.headers.getall("WWW-Authenticate", [])
        header = key.answer(offers, "GET", target, basic=self.basic)
        async with self._ask(header) as answer:
            self._refused(answer, key, header)
            return await self._let_in(answer, key)

    def _refused(self, answer: Answer, key: Key, header: str | None) -> bool:
        """Whether this is a challenge to answer now; raises where the login was refused."""
        status = answer.status
        if status == _CHALLENGED or (header and status in _FORBIDDEN):
            refusal = key.refused(status, answer.headers.getall("WWW-Authenticate", []))
            if refusal is not None:
                raise refusal
        return status == _CHALLENGED

    async def _let_in(self, answer: Answer, key: Key) -> bytes:
        body = await self._paid(answer, key)
        if SOI in body:
            key.accepted(answer.headers.get("Authentication-Info", ""))
        return body

    async def _paid(self, answer: Answer, key: Key) -> bytes:
        """What the login brought; a refusal may come as a text with HTTP 200."""
        try:
            return await self._picture(answer)
        except CaptureError as error:
            if error.reason is Reason.AUTH:
                raise key.refused(_CHALLENGED) or error from None
            raise

    async def _spent(self, key: Key) -> bytes:
        key.spend()
        async with self._ask(None) as answer:
            body = await self._paid(answer, key)
        if SOI in body:
            key.accepted()
        return body

    @asynccontextmanager
    async def _ask(self, header: str | None) -> AsyncIterator[Answer]:
        login = {"Authorization": header} if header else {}
        answered = False
        try:
            async with self.read(Question(self.url, _HEADERS | login, self.tls)) as answer:
                answered = True
                self._note(answer)
                yield answer
        except CaptureError as error:
            lost = error.reason is Reason.TORN and not answered
            if lost and self.key is not None and self.key.unanswered():
                raise CaptureError(error.reason, str(error), again=False) from None
            raise

    def _note(self, answer: Answer) -> None:
        said = (answer.headers.get("Server", ""), *answer.headers.getall("WWW-Authenticate", []))
        self.device.signature = " ".join(said)[:500]

    async def _picture(self, answer: Answer) -> bytes:
        if answer.status != HTTPStatus.OK:
            reason = _STATUSES.get(answer.status, Reason.HTTP_ERROR)
            raise CaptureError(reason, _status_words(answer))
        body = await collect.picture(answer, self.loan)
        for telltale in (*self.telltales, *_TELLTALES) if SOI not in body else ():
            if telltale.matches(body):
                raise CaptureError(telltale.reason, "answered a refusal instead of a picture")
        return body


def _status_words(answer: Answer) -> str:
    """The standard's words; those of the camera could repeat the request, a login in it."""
    status = answer.status
    known = status in {each.value for each in HTTPStatus}
    words = f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"
    if status in _REDIRECTS and re.match("(?i)https:", answer.headers.get("Location", "")):
        return f"{words} to https; its address may want https:// in front"
    return words
