"""A login's memory of its device: what is sent first, what is never sent, and the pauses."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cctv.drivers.key import Key
from cctv.errors import CaptureError
from cctv.model import Login, Secret
from cctv.reasons import Reason

TARGET = "/axis-cgi/jpg/image.cgi?camera=1&x=%20"
PASSWORD = 'p:@%#ü"\\ canary'
RIGHT = Login("viewer", Secret(PASSWORD))
WRONG = Login("viewer", Secret("wrong canary"))
PAUSE = 1800.0
DAY = 24 * 3600.0
BASIC = 'Basic realm="x"'


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """What a monotonic clock shows now."""
        return self.seconds


QUOTED = {"username", "realm", "nonce", "uri", "response", "cnonce", "opaque"}


def said_in(header: str) -> dict[str, str]:
    """The fields of a Digest login; quoted just where RFC 7616, section 3.4, has it."""
    scheme, _, rest = header.partition(" ")
    pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^",\s]+)', rest)
    assert scheme == "Digest"
    assert rest == ", ".join(f"{name}={value}" for name, value in pairs)
    assert len(pairs) == len(dict(pairs))
    assert {name for name, value in pairs if value[0] == '"'} == QUOTED & dict(pairs).keys()
    return {name: re.sub(r"\\(.)", r"\1", value.strip('"')) for name, value in pairs}


@dataclass
class Device:
    """Checks digests as RFC 7616 has it. A nonce serves `uses` requests, one after the other."""

    clock: Clock
    algorithm: str = "MD5"
    qop: str = "auth"
    uses: int = 1_000_000
    says_stale: bool = False
    password: str = PASSWORD
    info: str = ""
    asked: list[str | None] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    def judge(self, target: str, header: str | None) -> tuple[int, list[str]]:
        """The status of the answer, and its challenges."""
        self.asked.append(header)
        if header is None:
            return 401, [self.challenge()]
        said = said_in(header)
        if self._proved(said, target) and self._spent(said):
            return 200, []
        stale = self._proved(said, target) and self.says_stale
        if not stale:
            self.refused_at.append(self.clock())
        return 401, [self.challenge(stale=stale)]

    def challenge(self, *, stale: bool = False) -> str:
        """One with a nonce that nobody had before."""
        nonce = f"nonce-{next(self._numbers)}"
        self._counts[nonce] = 0
        qop = f', qop="{self.qop}"' if self.qop else ""
        more = f', algorithm={self.algorithm}, opaque="o=="' + ", stale=TRUE" * stale
        return f'Digest realm="IP Camera(A1)", nonce="{nonce}"{qop}{more}'

    def _proved(self, said: dict[str, str], target: str) -> bool:
        parts = (said["username"], said["realm"], self.password)
        secret = self._hash(*parts)
        if self.algorithm.endswith("-sess"):
            secret = self._hash(secret, said["nonce"], said["cnonce"])
        numbers = [said[name] for name in ("nc", "cnonce", "qop")] if self.qop else []
        due = self._hash(secret, said["nonce"], *numbers, self._hash("GET", target))
        same = {"username": "viewer", "realm": "IP Camera(A1)", "uri": target, "opaque": "o=="}
        same |= {"algorithm": self.algorithm, "response": due} | (
            {"qop": "auth"} if numbers else {}
        )
        return same.items() <= said.items() and said.keys() - same.keys() <= {
            "nonce",
            "nc",
            "cnonce",
        }

    def _spent(self, said: dict[str, str]) -> bool:
        assert not self.qop or re.fullmatch("[0-9a-f]{8}", said["nc"])
        before = self._counts[said["nonce"]]
        now = int(said["nc"], 16) if self.qop else before + 1
        self._counts[said["nonce"]] = now
        return before < now <= self.uses

    def _hash(self, *parts: str) -> str:
        name = self.algorithm.removesuffix("-sess").replace("-", "").lower()
        return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()


def visit(key: Key, device: Device, target: str = TARGET) -> CaptureError | None:
    """One picture, asked for as a driver does; what it fails for."""
    try:
        key.check()
        sent = key.header("GET", target)
        while (answer := device.judge(target, sent))[0] != 200:
            if error := key.refused(*answer):
                return error
            sent = key.answer(answer[1], "GET", target)
    except CaptureError as error:
        return error
    key.accepted(device.info)
    return None


def told(error: CaptureError | None) -> tuple[Reason, str] | None:
    """What an error says."""
    return (error.reason, str(error)) if error else None


def new(login: Login = RIGHT, pause: float = PAUSE) -> tuple[Key, Clock]:
    """A key that knows nothing yet, and its clock."""
    clock = Clock()
    return Key(login, pause, clock), clock


def taken(pause: float = PAUSE, offer: str = BASIC) -> tuple[Key, Clock]:
    """A key whose login was taken once."""
    key, clock = new(pause=pause)
    key.answer([offer], "GET", TARGET)
    key.accepted()
    return key, clock


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int,auth", "auth, auth-int", "AUTH"])
def test_digests(algorithm: str, qop: str) -> None:
    """A strict server lets every request in; all but the first are right at once."""
    key, clock = new()
    device = Device(clock, algorithm, qop)
    assert [visit(key, device, f"{TARGET}&n={turn}") for turn in range(20)] == [None] * 20
    # a session's key is made anew for each request
    assert len(device.asked) == (40 if algorithm.endswith("-sess") else 21)
    sent = [said_in(header) for header in device.asked if header]
    assert len({said["cnonce"] for said in sent}) == 20


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_rfc_2069(algorithm: str) -> None:
    """Without qop there are no numbers, and the challenge serves again all the same."""
    key, clock = new()
    device = Device(clock, algorithm, qop="")
    assert [visit(key, device) for _ in range(5)] == [None] * 5
    assert len(device.asked) == 6


def test_one_time_nonces() -> None:
    """A device whose nonces serve once refuses one remembered nonce, and never sees another."""
    key, clock = new()
    device = Device(clock, uses=1)
    assert visit(key, device) is None
    clock.seconds += 300
    found = "HTTP 401 from a camera that took this login 5 min ago"
    assert told(visit(key, device)) == (Reason.BUSY, found)
    assert [visit(key, device) for _ in range(50)] == [None] * 50
    assert len(device.refused_at) == 1
    assert [header is None for header in device.asked[3:]] == [True, False] * 50


def test_one_time_nonces_are_not_forgotten() -> None:
    """What was learnt of a device's nonces outlives a refusal of another kind."""
    key, clock = new()
    device = Device(clock, uses=1)
    assert visit(key, device) is None
    assert visit(key, device)
    device.password = "another"
    assert visit(key, device)
    device.password = PASSWORD
    clock.seconds += PAUSE
    assert [visit(key, device) for _ in range(5)] == [None] * 5


def test_one_time_nonces_learnt_by_403() -> None:
    """A remembered nonce may be refused by 403 (rroller/dahua#647); it is learnt from as well."""
    key, clock = taken(offer=Device(Clock()).challenge())
    assert key.header("GET", TARGET)
    assert key.refused(403)
    device = Device(clock)
    assert [visit(key, device) for _ in range(3)] == [None] * 3
    assert len(device.asked) == 6


def test_busy_is_no_one_time_nonce() -> None:
    """A fresh digest that is refused says nothing about how often nonces serve."""
    key, clock = new()
    device = Device(clock, password="another")
    assert visit(key, device)
    device.password = PASSWORD
    assert [visit(key, device) for _ in range(3)] == [None] * 3
    assert len(device.asked) == 2 + 4


def test_stale() -> None:
    """A nonce called stale is answered at once, as often as it happens, and never counted."""
    key, clock = new()
    device = Device(clock, uses=2, says_stale=True)
    assert [visit(key, device) for _ in range(60)] == [None] * 60
    assert device.refused_at == []
    # the first request of all is without a login; each nonce serves twice, its third is stale
    assert device.asked.count(None) == 1
    assert len(device.asked) == 1 + 60 + 29


def test_stale_for_ever() -> None:
    """Calling fresh nonces stale does not open the gate to more tries."""
    key, _ = taken(offer=Device(Clock()).challenge())
    offers = ['Digest realm="r", nonce="n", qop="auth", stale=true']
    assert key.header("GET", TARGET)
    assert key.refused(401, offers) is None
    for reason in (Reason.BUSY, Reason.AUTH):
        key.answer(offers, "GET", TARGET)
        error = key.refused(401, offers)
        assert error
        assert error.reason is reason
    with pytest.raises(CaptureError, match="not tried"):
        key.answer(offers, "GET", TARGET)


def test_wrong_password() -> None:
    """The first refusals are the password's fault; after two it is not tried."""
    key, clock = new(WRONG)
    device = Device(clock)
    assert told(visit(key, device)) == (Reason.AUTH, "HTTP 401 Unauthorized")
    clock.seconds += 300
    assert told(visit(key, device)) == (Reason.AUTH, "HTTP 401 Unauthorized")
    clock.seconds += 90
    found = "not tried: refused twice, the next try is in 27 min"
    assert told(visit(key, device)) == (Reason.AUTH, found)
    assert len(device.asked) == 4


def test_once_after_each_pause() -> None:
    """After a pause there is one try; the words count on."""
    key, clock = new(WRONG)
    device = Device(clock)
    for _ in range(2):
        visit(key, device)
    clock.seconds += PAUSE
    assert told(visit(key, device)) == (Reason.AUTH, "HTTP 401 Unauthorized")
    found = "not tried: refused 3 times, the next try is in 28 min"
    assert told(visit(key, device)) == (Reason.AUTH, found)


@pytest.mark.parametrize(("pause", "words"), [(60.0, "57 s"), (7200.0, "2 h"), (5400.0, "86 min")])
def test_words_for_a_wait(pause: float, words: str) -> None:
    """A wait is told in the unit that fits."""
    key, _ = new(WRONG, pause)
    for _ in range(2):
        key.answer([BASIC], "GET", TARGET)
        key.refused(401)
    with pytest.raises(CaptureError, match=f"refused twice, the next try is in {words}$"):
        key.check()


def test_never_again() -> None:
    """With a pause of 0 a login refused twice is not sent again."""
    key, clock = new(WRONG, 0)
    device = Device(clock)
    for _ in range(2):
        visit(key, device)
    clock.seconds += 1000 * DAY
    found = "not tried: refused twice, and not tried again"
    assert told(visit(key, device)) == (Reason.AUTH, found)
    assert len(device.refused_at) == 2


def test_pause_counts_from_sending() -> None:
    """The pause begins when a login is sent, and ends 5 % early: a fixed grid loses no slot."""
    key, clock = new(WRONG)
    for _ in range(2):
        key.answer([BASIC], "GET", TARGET)
        # the answer takes its time
        clock.seconds += 25
        key.refused(401)
    clock.seconds += PAUSE * 0.95 - 25 - 1e-6
    with pytest.raises(CaptureError):
        key.check()
    clock.seconds += 2e-6
    key.check()


def test_early_tries_do_not_add_up() -> None:
    """However often it is asked, one pause after the other has its full length."""
    key, clock = new(WRONG)
    device = Device(clock)
    for _ in range(int(DAY)):
        visit(key, device)
        clock.seconds += 1
    assert len(device.refused_at) == 2 + DAY / PAUSE
    assert min(later - sooner for sooner, later in pairwise(device.refused_at[1:])) >= 0.95 * PAUSE


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("uses", [1, 2, 1_000_000])
@pytest.mark.parametrize("says_stale", [False, True])
def test_a_day_of_a_wrong_password(uses: int, *, known: bool, says_stale: bool) -> None:
    """16 channels at 300 s, each asking twice in a cycle: no device sees five tries in 30 min.

    With `known` the password was right until it was changed at the device.
    """
    key, clock = new(RIGHT if known else WRONG)
    device = Device(clock, uses=uses, says_stale=says_stale)
    assert (visit(key, device) is None) is known
    device.password = "changed"
    begin = clock.seconds
    for turn in range(16 * 288):
        clock.seconds = begin + turn * 300 / 16
        for _ in range(2):
            visit(key, device, f"/{turn % 16}")
            clock.seconds += 2
    assert len(device.refused_at) == 2 + DAY / PAUSE
    at = device.refused_at
    assert all(later - sooner > PAUSE for sooner, later in zip(at, at[3:], strict=False))


def test_a_grid_tries_in_every_pause() -> None:
    """A camera alone, asked every 300 s with a second's unrest, is tried every 1800 s."""
    key, clock = new(WRONG)
    device = Device(clock)
    for turn in range(288):
        clock.seconds = turn * 300 + (turn * 7 % 10) / 10
        visit(key, device)
    assert len(device.refused_at) == 2 + 47


def test_not_the_passwords_fault() -> None:
    """A first 401 from a device that took the login is `busy`, a second is `auth` and the last."""
    key, clock = taken()
    clock.seconds += 300
    key.header("GET", TARGET)
    found = "HTTP 401 from a camera that took this login 5 min ago"
    assert told(key.refused(401, [BASIC])) == (Reason.BUSY, found)
    assert key.header("GET", TARGET) is None
    assert key.refused(401, [BASIC]) is None
    key.answer([BASIC], "GET", TARGET)
    found = "HTTP 401, refused twice, from a camera that took this login 5 min ago"
    assert told(key.refused(401, [BASIC])) == (Reason.AUTH, found)
    with pytest.raises(CaptureError, match="not tried"):
        key.check()


@pytest.mark.parametrize(("age", "reason"), [(DAY, Reason.BUSY), (DAY + 1, Reason.AUTH)])
def test_trust_ends(age: float, reason: Reason) -> None:
    """What was taken a day ago says nothing any more."""
    key, clock = taken()
    clock.seconds += age
    key.header("GET", TARGET)
    error = key.refused(401, [BASIC])
    assert error
    assert error.reason is reason


def test_being_let_in_forgives() -> None:
    """A device that answers every other login by 401 is never left alone."""
    key, _ = taken()
    for _ in range(100):
        key.check()
        key.header("GET", TARGET)
        assert key.refused(401, [BASIC])
        key.answer([BASIC], "GET", TARGET)
        key.accepted()


def test_forbidden() -> None:
    """A 403 to a login counts and is `auth` at once; one without a login counts for nothing."""
    key, clock = taken()
    clock.seconds += 10
    for turn in range(2):
        key.check()
        assert (key.header("GET", TARGET) is None) is bool(turn)
        if turn:
            key.answer([BASIC], "GET", TARGET)
        error = key.refused(403)
        assert error
        assert error.reason is Reason.AUTH
        assert str(error).endswith("from a camera that took this login 10 s ago")
    with pytest.raises(CaptureError):
        key.check()
    key, _ = new()
    for _ in range(5):
        key.header("GET", TARGET)
        assert told(key.refused(403)) == (Reason.AUTH, "HTTP 403 Forbidden, before any login")
    key.check()


def test_forbidden_channels_do_not_shut_out_the_others() -> None:
    """Once the login was taken for another channel, a channel's 403 is about its rights."""
    key, clock = taken()

    def ask(target: str, status: int) -> None:
        clock.seconds += 300
        key.check()
        if key.header("GET", target) is None:
            key.answer([BASIC], "GET", target)
        if status == 200:
            key.accepted()
        else:
            assert key.refused(status)

    ask("/1", 403)
    ask("/3", 200)
    for _ in range(5):
        ask("/1", 403)
    # another channel is not known to be forbidden: its refusals count, as every 401 does
    ask("/2", 403)
    ask("/1", 401)
    with pytest.raises(CaptureError, match="not tried"):
        key.check()


def test_a_close_instead_of_an_answer_counts_until_the_login_is_taken() -> None:
    """Some devices refuse a password by hanging up: two of those, and the gate is closed."""
    key, clock = new()
    for _ in range(2):
        key.check()
        key.header("GET", TARGET)
        assert key.unanswered() is False
        key.answer([BASIC], "GET", TARGET)
        assert key.unanswered() is True
        clock.seconds += 300
    with pytest.raises(CaptureError, match="not tried: refused twice"):
        key.check()
    key, _ = taken()
    for _ in range(9):
        key.answer([BASIC], "GET", TARGET)
        assert key.unanswered() is False
    key.check()


def test_basic() -> None:
    """Basic is sent first once it was taken, and not after a refusal."""
    key, _ = new()
    assert key.header("GET", TARGET) is None
    sent = key.answer([BASIC], "GET", TARGET)
    assert key.header("GET", TARGET) is None
    key.answer([BASIC], "GET", TARGET)
    key.accepted()
    assert key.header("GET", TARGET) == sent
    assert key.refused(401, [BASIC])
    assert key.header("GET", TARGET) is None


def test_from_basic_to_digest() -> None:
    """A device that took Basic may change to Digest."""
    key, clock = taken()
    device = Device(clock)
    key.header("GET", TARGET)
    assert key.refused(401, [device.challenge()])
    assert [visit(key, device) for _ in range(2)] == [None] * 2


def test_no_downgrade() -> None:
    """Whoever asks for Basic where Digest was taken gets no password."""
    key, _ = taken(offer=Device(Clock()).challenge())
    with pytest.raises(CaptureError, match="Basic from a camera that took Digest") as caught:
        key.answer([BASIC], "GET", TARGET)
    assert caught.value.reason is Reason.AUTH
    assert key.header("GET", TARGET) is None
    key.spend()
    key.accepted()
    with pytest.raises(CaptureError, match="Basic from a camera that took Digest"):
        key.answer([BASIC], "GET", TARGET)
    assert key.answer([BASIC, Device(Clock()).challenge()], "GET", TARGET).startswith("Digest ")


@pytest.mark.parametrize(
    ("username", "offers", "words"),
    [
        ("v", [], "does not say how"),
        ("v", ["Negotiate", "Digest canary"], "not known here"),
        ("v", ['Digest realm="canary", nonce="n", qop="auth-int"'], "not known here"),
        ("a:b", [BASIC], "a username with a colon"),
    ],
)
def test_unanswerable(username: str, offers: list[str], words: str) -> None:
    """What cannot be answered is `auth`, told in our words; nothing is sent or counted."""
    key, _ = new(Login(username, Secret(PASSWORD)))
    for _ in range(5):
        with pytest.raises(CaptureError, match=words) as caught:
            key.answer(offers, "GET", TARGET)
        assert caught.value.reason is Reason.AUTH
        assert "canary" not in str(caught.value)


ODD = {
    "no realm": 'Digest nonce="n", qop="auth"',
    "no nonce": 'Digest realm="r", qop="auth"',
    "empty nonce": 'Digest realm="r", nonce="", qop="auth"',
    "single quotes": "Digest realm='a b', nonce='n', qop='auth'",
    "upper case": 'DIGEST REALM="r", NONCE="n", QOP="AUTH", ALGORITHM="md5"',
    "unquoted": "Digest realm=r, nonce=n, qop=auth, algorithm=MD5",
    "trailing comma": 'Digest realm="r", nonce="n", qop="auth",',
    "odd domain": 'Digest realm="r", nonce="n", qop="auth", domain="http://[::1"',
    "domain ::": 'Digest realm="r", nonce="n", qop="auth", domain="::"',
    "a port too high": 'Digest realm="r", nonce="n", domain="http://a:99999/"',
    "latin-1": 'Digest realm="K\udcfcche", nonce="n", qop="auth"',
    "utf-8": 'Digest realm="Küche", nonce="n", qop="auth"',
    "unknown algorithm": 'Digest realm="r", nonce="n", algorithm=SHA-512-256',
    "auth-int alone": 'Digest realm="r", nonce="n", qop="auth-int"',
    "userhash": 'Digest realm="r", nonce="n", qop="auth", userhash=true, charset=UTF-8',
    "stale from the start": 'Digest realm="r", nonce="n", qop="auth", stale=true',
    "an open quote": 'Digest realm="r, nonce=n',
    "nothing": "Digest",
}


@pytest.mark.parametrize("offer", ODD.values(), ids=ODD)
def test_odd_challenges_do_not_poison(offer: str) -> None:
    """After an odd challenge, answered or not, let in or not, the next is read afresh."""
    for taken_first in (False, True):
        key, clock = new()
        try:
            key.answer([offer], "GET", TARGET)
        except CaptureError as error:
            assert error.reason is Reason.AUTH  # noqa: PT017 - some of the table are answered
        else:
            if taken_first:
                key.accepted(offer)
                assert key.header("GET", TARGET)
            key.refused(401, [offer])
        assert visit(key, Device(clock)) is None


ANY = st.text() | st.text("Digestrealmnoncqp ,='\"\\\udce9", max_size=200)


@settings(deadline=None)
@given(st.lists(ANY.map(lambda text: f"Digest {text}") | ANY, max_size=3), ANY)
def test_any_text(offers: list[str], info: str) -> None:
    """Whatever a device says, nothing but a CaptureError comes of it, and the next is read."""
    key, clock = new()
    with contextlib.suppress(CaptureError):
        key.answer(offers, "GET", TARGET)
    key.accepted(info)
    if key.header("GET", TARGET):
        key.refused(401, offers)
    assert visit(key, Device(clock)) is None


def test_next_nonce() -> None:
    """The nonce that a device names for the next request is taken, with a count of its own."""
    key, clock = new()
    device = Device(clock, uses=1)
    for _ in range(3):
        (nonce,) = re.findall('nonce="(.*?)"', device.challenge())
        device.info = f'rspauth="x", nextnonce="{nonce}", qop=auth'
        assert visit(key, device) is None
    assert len(device.asked) == 4
    assert device.refused_at == []


@pytest.mark.parametrize(
    "info", ["", "nextnonce", 'nextnonce=""', 'nextnonce="\udcff"', "=", "a b, nextnonce=x"]
)
def test_odd_next_nonce(info: str) -> None:
    """Odd words about the next nonce change nothing."""
    key, clock = new()
    device = Device(clock, info=info)
    assert [visit(key, device) for _ in range(3)] == [None] * 3
    assert len(device.asked) == 4


def test_next_nonce_is_for_digest() -> None:
    """It says nothing to Basic."""
    key, _ = new()
    sent = key.answer([BASIC], "GET", TARGET)
    key.accepted('nextnonce="x"')
    assert key.header("GET", TARGET) == sent


def test_a_nonce_offered_again() -> None:
    """The count goes on where a device offers the same nonce again, after a refusal or a loss."""
    key, _ = new()
    offer = ['Digest realm="r", nonce="n", qop="auth"']
    sent = [key.answer(offer, "GET", TARGET) for _ in range(2)]
    key.accepted()
    sent += [key.header("GET", TARGET) or ""]
    assert key.refused(401, offer)
    sent += [key.answer(offer, "GET", TARGET)]
    assert [said_in(header)["nc"] for header in sent] == [f"{turn:08x}" for turn in range(1, 5)]


def test_a_lost_answer_says_nothing() -> None:
    """Without an answer the memory stays, and its count goes on."""
    key, clock = new()
    device = Device(clock)
    assert visit(key, device) is None
    for _ in range(10):
        assert key.header("GET", TARGET)
    assert visit(key, device) is None
    assert said_in(device.asked[-1] or "")["nc"] == "0000000c"


def test_let_in_without_a_login() -> None:
    """That a device shows its picture to anyone says nothing about the login."""
    key, _ = new()
    for _ in range(2):
        key.answer([BASIC], "GET", TARGET)
        key.refused(401)
    key.header("GET", TARGET)
    key.accepted()
    with pytest.raises(CaptureError):
        key.check()


def test_in_the_query() -> None:
    """A login in the query is counted and trusted as any other, and no header comes of it."""
    key, clock = new()
    key.spend()
    key.accepted('nextnonce="x"')
    assert key.header("GET", TARGET) is None
    clock.seconds += 5
    for reason in (Reason.BUSY, Reason.AUTH):
        key.spend()
        error = key.refused(401, ['Digest realm="r", nonce="n", stale=true'])
        assert error
        assert error.reason is reason
    with pytest.raises(CaptureError, match="not tried: refused twice"):
        key.spend()


def test_stale_says_nothing_of_basic() -> None:
    """A remembered Basic login has no nonce: its refusal counts, whatever is called stale."""
    key, clock = taken()
    key.header("GET", TARGET)
    assert key.refused(401, [Device(clock).challenge(stale=True)])


def test_basic_between_two_uses_of_a_nonce() -> None:
    """The count of a nonce outlives an answer by Basic."""
    key, _ = new()
    digest = 'Digest realm="r", nonce="n", qop="auth"'
    sent = [key.answer([offer], "GET", TARGET) for offer in (digest, BASIC, digest)]
    assert [said_in(sent[turn])["nc"] for turn in (0, 2)] == ["00000001", "00000002"]


def test_let_in_after_a_lost_answer() -> None:
    """A picture that came without a login does not forgive what came of the login before."""
    key, _ = new()
    key.answer([BASIC], "GET", TARGET)
    assert key.refused(401)
    key.answer([BASIC], "GET", TARGET)
    key.header("GET", TARGET)
    key.accepted()
    key.answer([BASIC], "GET", TARGET)
    assert key.refused(401)
    with pytest.raises(CaptureError, match="refused twice"):
        key.check()


def test_being_let_in_forgets_the_pause() -> None:
    """After a login was let in, the next pause is as long as the first."""
    key, clock = new()
    for _ in range(2):
        key.answer([BASIC], "GET", TARGET)
        key.refused(401)
    clock.seconds += 0.95 * PAUSE
    key.answer([BASIC], "GET", TARGET)
    key.accepted()
    for _ in range(2):
        key.answer([BASIC], "GET", TARGET)
        key.refused(401)
    clock.seconds += 0.95 * PAUSE
    key.check()


def test_nothing_prints() -> None:
    """Neither the key nor an error shows the login."""
    key, clock = new(WRONG)
    told_by = [repr(key), str(key)] + [str(visit(key, Device(clock))) for _ in range(3)]
    assert not any("canary" in text or "viewer" in text for text in told_by)


class Talks(RuleBasedStateMachine):
    """Any device, at any pace: what comes of each login is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.key = Key(RIGHT, PAUSE, self.clock)
        self.nonces = (f"n{number}" for number in count())
        self.offer = ""
        self.used: dict[str, int] = {}
        self.refused_at: list[float] = []

    @rule(seconds=st.sampled_from([0.5, 20.0, 300.0, 0.94 * PAUSE, PAUSE, DAY + 1]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.seconds += seconds

    @rule(
        algorithm=st.sampled_from(["MD5", "SHA-256", "MD5-sess"]),
        stale=st.sampled_from(["", ", stale=true"]),
    )
    def renew(self, algorithm: str, stale: str) -> None:
        """From now on the device offers a fresh nonce."""
        nonce = next(self.nonces)
        self.offer = f'Digest realm="r", nonce="{nonce}", qop=auth, algorithm={algorithm}{stale}'

    @rule()
    def become_basic(self) -> None:
        """From now on the device offers Basic."""
        self.offer = BASIC

    @rule(verdict=st.sampled_from(["in", "401", "403", "lost"]))
    def ask_in_the_query(self, verdict: str) -> None:
        """One picture, the login in the query."""
        try:
            self.key.spend()
        except CaptureError:
            return
        assert not self._told(verdict, "query", first=True)

    @rule(verdicts=st.lists(st.sampled_from(["in", "next", "401", "403", "lost"]), max_size=4))
    def ask(self, verdicts: list[str]) -> None:
        """One picture; the device decides about each request, sound or not."""
        try:
            self.key.check()
            sent = self.key.header("GET", TARGET)
            first = True
            for verdict in verdicts:
                self._count(sent)
                if not self._told(verdict, sent, first=first):
                    return
                sent, first = self.key.answer([self.offer], "GET", TARGET), False
        except CaptureError:
            return

    def _told(self, verdict: str, sent: str | None, *, first: bool) -> bool:
        """Tell the key and keep the books; whether the offer is to be answered."""
        if verdict in {"in", "next"}:
            self.refused_at = [] if sent else self.refused_at
            self.key.accepted(self._next() if verdict == "next" else "")
        elif verdict != "lost":
            digest = sent is not None and sent.startswith("Digest ")
            stale = first and digest and verdict == "401" and "stale" in self.offer
            # what is forbidden to a right login says nothing of the password
            rights = verdict == "403" and TARGET in self.key._forbidden  # noqa: SLF001 - its books
            if sent and not stale and not rights:
                self.refused_at.append(self.clock())
            return self.key.refused(int(verdict), [self.offer]) is None
        return False

    def _next(self) -> str:
        """A device that names the next nonce has done with the one before."""
        nonce = f'nonce="{next(self.nonces)}"'
        self.offer = re.sub('nonce=".*?"', nonce, self.offer)
        return f"next{nonce}"

    def _count(self, sent: str | None) -> None:
        if sent and sent.startswith("Digest "):
            said = said_in(sent)
            assert int(said["nc"], 16) > self.used.get(said["nonce"], 0)
            self.used[said["nonce"]] = int(said["nc"], 16)

    @invariant()
    def never_locked_out(self) -> None:
        """From the second refusal in a row on, one pause lies between any two."""
        later = self.refused_at[1:]
        assert all(after - before >= 0.95 * PAUSE for before, after in pairwise(later))


TestTalks = Talks.TestCase
TestTalks.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
