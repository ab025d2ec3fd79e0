"""One login at one device: how the device takes it, and when it may not be tried; without I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from cctv.drivers import login as ways
from cctv.drivers.gate import TRIES, Gate, LoosePage
from cctv.errors import CaptureError
from cctv.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cctv.drivers.gate import Page
    from cctv.drivers.login import Challenge
    from cctv.model import Login

# how long a login that was taken is believed to be right, in seconds
_TRUST = 24 * 3600.0
# numbers below this are read at a glance
_GLANCE = 100


@dataclass(frozen=True, slots=True)
class _Try:
    """A login that goes out: for which challenge, when, for what, and whether from memory."""

    challenge: Challenge | None
    at: float
    target: str = ""
    remembered: bool = False

    @property
    def digest(self) -> bool:
        """Whether it is made with a nonce."""
        return self.challenge is not None and self.challenge.scheme == "digest"


class Key:
    """One login at one device (host and port), shared by all cameras and channels behind it.

    The caller does the requests, one at a time for each device, and tells what came of each:
    `accepted`, `refused`, or neither where the answer says nothing about the login (a lost
    connection, a 503). `now` gives monotonic seconds.

    A login is refused twice at most, then once in `retry_after` seconds (0: never again), counted
    from when it was sent, because devices shut out who tries too often: Hikvision after about 5
    refusals (evercam/evercam-server#91) and Dahua (rroller/dahua#729), for half an hour. Only a
    nonce that the device calls stale does not count. Being let in forgives everything. The refusals
    stand on `page`, which may outlive the process; None: they do not.
    """

    def __init__(
        self,
        login: Login,
        retry_after: float,
        now: Callable[[], float],
        page: Page | None = None,
    ) -> None:
        self._login = login
        self._now = now
        self._gate = Gate(retry_after, page or LoosePage())
        self._sent: _Try | None = None
        self._memory: Challenge | None = None
        # the newest nonce and how often it was used: a device may offer the same one anew
        self._used = ("", 0)
        self._taken_at = -math.inf
        self._took_digest = False
        # whether a remembered nonce was refused: from then on each serves once
        self._once = False
        # what was forbidden since the login was last taken, and what is forbidden to a right login
        self._doubtful: set[str] = set()
        self._forbidden: set[str] = set()

    def __repr__(self) -> str:
        return "Key(***)"

    @property
    def taken(self) -> bool:
        """Whether the device let this login in within the last day."""
        return self._now() - self._taken_at <= _TRUST

    def check(self) -> None:
        """Return where asking is of use now.

        Raises:
            CaptureError: `auth`, while the login may not be sent.
        """
        wait = self._gate.wait(self._now())
        if wait > 0:
            then = f"the next try is in {_span(wait)}" if wait < math.inf else "and not tried again"
            found = f"not tried: refused {self._times()}, {then}"
            raise CaptureError(Reason.AUTH, found, asked=False)

    def header(self, method: str, target: str) -> str | None:
        """The `Authorization` for the first request; None: ask without a login.

        It is made from what the device took the last time; after a refusal there is none.
        """
        self._sent = None
        return self._made(self._memory, method, target) if self._memory else None

    def answer(self, offers: Iterable[str], method: str, target: str, *, basic: bool = True) -> str:
        """The `Authorization` that answers a 401 with these `WWW-Authenticate` headers.

        Raises:
            CaptureError: `auth`: nothing offered can be answered, or the login may not be sent,
                or the device wants Basic and took a digest before (whoever sits at its address
                now would be handed the password itself), or wants it where `basic` is not allowed.
        """
        self._sent = self._memory = None
        self.check()
        offered = ways.parse(offers)
        best = ways.strongest(offered, self._login)
        if best is None:
            raise CaptureError(Reason.AUTH, ways.hindrance(offered))
        if best.scheme == "basic" and (self._took_digest or not basic):
            why = "from a camera that took Digest" if self._took_digest else "from a stranger"
            raise CaptureError(Reason.AUTH, f"HTTP 401 asking for Basic {why}: no password is sent")
        return self._made(best, method, target)

    def spend(self) -> None:
        """The login goes out now by other means than a header: in the query of the address.

        Raises:
            CaptureError: `auth`, while the login may not be sent.
        """
        self.check()
        self._sent = _Try(None, self._now())

    def accepted(self, info: str = "") -> None:
        """The last request was let in: the answer to it was the picture.

        `info` is the answer's `Authentication-Info`, which may hold the next nonce. For a request
        without a login this says nothing.
        """
        if self._sent is None:
            return
        tried, self._sent = self._sent, None
        self._gate.open()
        self._taken_at = self._now()
        self._took_digest |= tried.digest
        self._forbidden = (self._forbidden | self._doubtful) - {tried.target}
        self._doubtful.clear()
        self._memory = self._kept(tried, info)

    def refused(self, status: int, offers: Iterable[str] = ()) -> CaptureError | None:
        """The last request was answered by this HTTP status, 401 or 403: what to raise.

        None: no login is to blame (there was none, or its remembered nonce was stale), so the
        `offers` of this 401 are to be answered now. An error with the reason `busy`: ask again
        soon; a device that took the login within a day says 401 also when it is out of
        connections or asked too soon (Dahua, rroller/dahua#603; Amcrest,
        pnbruckner/homeassistant-config#130; Hikvision, home-assistant/core#162772). The second
        refusal in a row is `auth`, and so is every 403. A target that was forbidden before the same
        login was taken for another one is about rights: its 403 no longer counts for the others.
        """
        tried, self._sent, self._memory = self._sent, None, None
        if status == HTTPStatus.UNAUTHORIZED and (tried is None or _is_stale(tried, offers)):
            return None
        if tried is None:
            return CaptureError(Reason.AUTH, f"{_words(status)}, before any login")
        # some take a nonce but once and never call it stale (Dahua, rroller/dahua#603)
        self._once |= tried.remembered and tried.digest
        if status == HTTPStatus.FORBIDDEN and tried.target:
            self._doubtful.add(tried.target)
        if status == HTTPStatus.UNAUTHORIZED or tried.target not in self._forbidden:
            self._gate.count(tried.at)
        return self._refusal(status)

    def unanswered(self) -> bool:
        """The device closed the connection instead of answering the last login.

        Some refuse like this, so it counts; not where the login was taken within a day. Whether
        it counted: then asking again at once would spend another try.
        """
        tried, self._sent, self._memory = self._sent, None, None
        if tried is None or self.taken:
            return False
        self._gate.count(tried.at)
        return True

    def _made(self, challenge: Challenge, method: str, target: str) -> str:
        self._sent = _Try(challenge, self._now(), target, challenge is self._memory)
        count = self._use(challenge.nonce) if self._sent.digest else 0
        return ways.respond(challenge, self._login, method, target, count)

    def _use(self, nonce: str) -> int:
        """How often the nonce was used, this time included."""
        before, count = self._used
        self._used = (nonce, count + 1 if nonce == before else 1)
        return self._used[1]

    def _kept(self, tried: _Try, info: str) -> Challenge | None:
        """What the next login is made from; None where it needs a challenge of its own."""
        if tried.challenge is None or not tried.challenge.lasting or self._once:
            return None
        return tried.challenge.renewed(info)

    def _refusal(self, status: int) -> CaptureError:
        refusals, since = self._gate.refusals, self._now() - self._taken_at
        if since > _TRUST:
            return CaptureError(Reason.AUTH, _words(status))
        passing = status == HTTPStatus.UNAUTHORIZED and refusals == 1
        again = f", refused {self._times()}," * (refusals > 1)
        found = f"HTTP {status}{again} from a camera that took this login {_span(since)} ago"
        return CaptureError(Reason.BUSY if passing else Reason.AUTH, found)

    def _times(self) -> str:
        return "twice" if self._gate.refusals == TRIES else f"{self._gate.refusals} times"


def _is_stale(tried: _Try, offers: Iterable[str]) -> bool:
    """Whether a remembered nonce was too old, and nothing else was wrong."""
    return tried.remembered and tried.digest and any(offer.stale for offer in ways.parse(offers))


def _words(status: int) -> str:
    """A status as it is told, in the standard's words."""
    return f"HTTP {status} {HTTPStatus(status).phrase}"


def _span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < _GLANCE:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < _GLANCE else f"{minutes / 60:.0f} h"
