"""The street's logins: who gets in, what counts as a wrong password, what a lock does."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from dev.street import Street
from dev.street_login import BASIC, FOSCAM_REFUSAL, PASSWORD, USER
from tests.dev.street_client import asking, digest, head_of, hear, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.dev.street_client import Heard

RIGHT_BASIC = "Authorization: Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WRONG_BASIC = "Authorization: Basic " + base64.b64encode(b"user:no").decode()
TARGET = "/x.jpg?channel=1&a=b"
DIGESTS = {
    "digest_ok": ("algorithm=MD5", 'qop="auth"'),
    "digest_sha256": ("algorithm=SHA-256",),
    "digest_rfc2069": ('realm="street", nonce=',),
    "digest_sess": ("algorithm=MD5-sess",),
    "digest_authint_first": ('qop="auth-int,auth"',),
    "digest_one_time": ("Digest ",),
    "digest_strict_nc": ("Digest ",),
    "digest_stale": ("Digest ",),
    "digest_upper": ("DIGEST REALM = ", "QOP = ", "ALGORITHM = MD5"),
    "digest_domain_odd": ('domain="::"',),
    "digest_query_checked": ("Digest ",),
    "dahua_busy_401": ("Digest ",),
    "lock_403": ("Digest ",),
    "auth_closes": ("Digest ",),
    "wrong_password": ("Digest ",),
}


@pytest.fixture
def road() -> Iterator[Street]:
    """A street of one camera, which has counted nothing."""
    with Street(cameras=1) as street:
        yield street


def challenged(street: Street, mode: str) -> list[str]:
    """The challenges of a camera in this mode."""
    street.set_mode("1", mode)
    heard = hear(street, target=TARGET)
    assert heard.status == 401
    return heard.values("WWW-Authenticate")


def answer(street: Street, challenge: str, nc: int = 1, **change: str) -> Heard:
    """What comes after a challenge was answered."""
    return hear(street, digest(challenge, TARGET, nc=nc, **change), target=TARGET)


def got_in(heard: Heard) -> bool:
    """Whether the picture came."""
    return heard.status == 200 and strict(heard.body)


@pytest.mark.parametrize("mode", [mode for mode in DIGESTS if mode != "wrong_password"])
def test_digest(road: Street, mode: str) -> None:
    """The challenge reads so; the right password gets in, a wrong one counts."""
    (challenge,) = challenged(road, mode)
    assert all(text in challenge for text in DIGESTS[mode])
    assert got_in(answer(road, challenge))
    assert road.attempts("1") == 0
    wrong = answer(road, challenge, password="wrong")
    assert wrong.raw == b"" if mode == "auth_closes" else wrong.status == 401
    assert road.attempts("1") == 1


def test_rfc2069_has_no_qop(road: Street) -> None:
    """Nothing is said of qop."""
    (challenge,) = challenged(road, "digest_rfc2069")
    assert "qop" not in challenge


@pytest.mark.parametrize(
    ("mode", "algorithms", "good"),
    [
        ("digest_both", ["SHA-256", "MD5"], [0, 1]),
        ("digest_unknown_algorithm_then_md5", ["SHA-512-256", "MD5"], [1]),
        ("digest_unanswerable", ["SHA-512-256"], []),
    ],
)
def test_several_algorithms(
    road: Street, mode: str, algorithms: list[str], good: list[int]
) -> None:
    """Each has a header of its own, in this order; some cannot be answered."""
    challenges = challenged(road, mode)
    assert [text.partition("algorithm=")[2].split(",")[0] for text in challenges] == algorithms
    for place, challenge in enumerate(challenges):
        assert got_in(answer(road, challenge)) is (place in good)


def test_auth_int_does_not_work(road: Street) -> None:
    """It is offered first, and refused."""
    (challenge,) = challenged(road, "digest_authint_first")
    assert answer(road, challenge, qop="auth-int").status == 401


def test_a_nonce_serves_once(road: Street) -> None:
    """The second time it is refused with another nonce, which is not called stale or wrong."""
    (challenge,) = challenged(road, "digest_one_time")
    assert got_in(answer(road, challenge))
    again = answer(road, challenge)
    assert again.status == 401
    assert "stale" not in again.head
    assert again.values("WWW-Authenticate") != [challenge]
    assert road.attempts("1") == 0


def test_the_count_must_rise(road: Street) -> None:
    """The same count twice is refused, a higher one is not."""
    (challenge,) = challenged(road, "digest_strict_nc")

    def counted(count: int) -> int:
        return answer(road, challenge, count).status

    assert [counted(2), counted(2), counted(1), counted(3)] == [200, 401, 401, 200]


def test_every_second_answer_is_stale(road: Street) -> None:
    """Right answers get in, are called stale, get in."""
    (challenge,) = challenged(road, "digest_stale")
    heard = [answer(road, challenge) for _ in range(3)]
    assert [one.status for one in heard] == [200, 401, 200]
    assert "stale=true" in heard[1].head
    assert road.attempts("1") == 0


def test_a_nonce_of_another_is_stale(road: Street) -> None:
    """A right answer to a nonce that the camera never gave is stale, not wrong."""
    (challenge,) = challenged(road, "digest_ok")
    heard = answer(road, challenge, nonce="0" * 32)
    assert heard.status == 401
    assert "stale=true" in heard.head
    assert road.attempts("1") == 0


@pytest.mark.parametrize(("mode", "status"), [("digest_ok", 200), ("digest_query_checked", 401)])
def test_the_query_belongs_to_the_uri(road: Street, mode: str, status: int) -> None:
    """One camera looks whether the signed uri has the query, the other does not."""
    (challenge,) = challenged(road, mode)
    assert answer(road, challenge, uri="/x.jpg").status == status


def test_basic_first(road: Street) -> None:
    """Two headers, and both logins are good."""
    basic, challenge = challenged(road, "digest_basic_first")
    assert basic == BASIC
    assert got_in(answer(road, challenge))
    assert got_in(hear(road, RIGHT_BASIC))


def test_both_in_one_header(road: Street) -> None:
    """One header names both schemes, Basic first."""
    (both,) = challenged(road, "digest_one_header")
    assert both.startswith(f"{BASIC}, Digest realm=")
    assert got_in(answer(road, both.removeprefix(f"{BASIC}, ")))
    assert got_in(hear(road, RIGHT_BASIC))


def test_basic(road: Street) -> None:
    """Basic is asked for; a wrong password counts, no password does not."""
    assert challenged(road, "basic_ok") == [BASIC]
    assert road.attempts("1") == 0
    assert hear(road, WRONG_BASIC).status == 401
    assert got_in(hear(road, RIGHT_BASIC))
    assert road.attempts("1") == 1


@pytest.mark.parametrize("names", [("usr", "pwd"), ("user", "password"), ("USER", "PWD")])
def test_query(road: Street, names: tuple[str, str]) -> None:
    """The login stands in the query, under one of the names that makes use."""
    road.set_mode("1", "query_login")
    user, password = names
    asked = f"/cgi?{user}={USER}&{password}="
    assert hear(road).body == FOSCAM_REFUSAL
    assert road.attempts("1") == 0
    assert hear(road, target=asked + "wrong").body == FOSCAM_REFUSAL
    assert road.attempts("1") == 1
    assert got_in(hear(road, target=asked + quote(PASSWORD)))


def test_wrong_password_locks(road: Street) -> None:
    """Nobody gets in; it counts five attempts, then refuses everybody without a challenge."""
    (challenge,) = challenged(road, "wrong_password")
    heard = [answer(road, challenge) for _ in range(6)]
    assert {one.status for one in heard} == {401}
    assert [bool(one.values("WWW-Authenticate")) for one in heard] == [True] * 4 + [False] * 2
    assert road.attempts("1") == 5
    assert hear(road).values("WWW-Authenticate") == []


def test_lock_403(road: Street) -> None:
    """Five wrong passwords lock out the right one too."""
    (challenge,) = challenged(road, "lock_403")
    for _ in range(5):
        assert answer(road, challenge, password="wrong").status == 401
    assert answer(road, challenge).status == 403
    assert hear(road).status == 403
    assert road.attempts("1") == 5


def test_flap(road: Street) -> None:
    """A 401 now and then, from a camera that needs no login."""
    road.set_mode("1", "flap_401")
    assert [hear(road).status for _ in range(6)] == [200, 401, 200, 200, 401, 200]


def test_dahua_is_busy(road: Street) -> None:
    """A right answer is refused while two are connected, and every fourth time, with a close."""
    (challenge,) = challenged(road, "dahua_busy_401")
    with asking(road) as other:
        assert head_of(other).status == 401
        crowded = answer(road, challenge)
    assert (crowded.status, crowded.values("Connection")) == (401, ["close"])
    assert road.peak_connections("1") == 2
    assert answer(road, challenge).status == 401, "the fourth"
    assert road.attempts("1") == 0


def test_no_challenge(road: Street) -> None:
    """A 401 that does not say how to log in."""
    assert challenged(road, "no_challenge_401") == []


def test_endless_refusal(road: Street) -> None:
    """The refusal goes on for ever; the right password gets in."""
    road.set_mode("1", "digest_401_endless_body")
    heard = hear(road, target=TARGET)
    assert (heard.status, heard.end) == (401, "enough")
    assert got_in(answer(road, heard.values("WWW-Authenticate")[0]))


@pytest.mark.parametrize(
    ("login", "header", "target"),
    [("basic", RIGHT_BASIC, "/"), ("query", "X: x", f"/?usr={USER}&pwd={quote(PASSWORD)}")],
)
def test_login_before_any_mode(login: str, header: str, target: str) -> None:
    """A whole street may ask for a login, also of modes that are about something else."""
    with Street(cameras=2, login=login, modes={"1": "trunc_cl", "2": "digest_ok"}) as street:
        assert not hear(street).head.endswith(b"image/jpeg".decode())
        assert street.served("1").count == 0
        heard = hear(street, header, target=target)
        assert len(heard.body) == heard.length // 2
        assert "Digest" in hear(street, camera="2").head
