"""The dummy cameras' logins, against a client of other people's making."""

from __future__ import annotations

import hashlib
import re

import pytest
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from dev.dummy_api import Street
from dev.dummy_logins import LOGIN, Login, Nonces
from tests.dev.client import BASIC_STILLS, DIGEST_STILLS, STILLS, WISENET, get, send

WRONG = Login("viewer", "guess")


@pytest.mark.parametrize("model", DIGEST_STILLS)
def test_digest_models_refuse_with_a_challenge(street: Street, model: str) -> None:
    """A wrong password is answered 401 with an MD5 challenge for qop=auth."""
    answer = get(street, model, WRONG)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Digest realm=")
    assert 'algorithm=MD5, qop="auth"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("model", BASIC_STILLS)
def test_basic_models_refuse_with_a_challenge(street: Street, model: str) -> None:
    """A wrong password is answered 401 with a Basic challenge."""
    answer = get(street, model, WRONG)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_foscam_refuses_with_xml(street: Street) -> None:
    """Foscam says 200 and means no."""
    answer = get(street, "Foscam", WRONG)
    assert answer.status_code == 200
    assert re.search(r"<CGI_Result>\s*<result>-\d+</result>", answer.text)


def test_reolink_refuses_with_json(street: Street) -> None:
    """Reolink says 200 text/html, and please log in."""
    answer = get(street, "Reolink", WRONG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.json()[0]["error"]["rspCode"] == -6


@pytest.mark.parametrize("model", DIGEST_STILLS)
def test_digest_models_take_no_basic_login(street: Street, model: str) -> None:
    """The right password in the wrong scheme is refused."""
    assert send(street, model, HTTPBasicAuth(*LOGIN), STILLS[model]).status_code == 401


def test_sha256_street() -> None:
    """A street can sign with SHA-256, and with a login of its own."""
    login = Login("operator", "p:ss wörd")
    with Street(cameras=1, login=login, algorithm="SHA-256") as street:
        answer = get(street, "Axis", street.login)
        assert answer.status_code == 200
        assert "algorithm=SHA-256" in answer.history[0].headers["WWW-Authenticate"]
        assert get(street, "Axis").status_code == 401


def test_every_challenge_is_fresh(street: Street) -> None:
    """No nonce is given out twice."""
    challenges = [send(street, "Axis", None, STILLS["Axis"]).headers for _ in range(3)]
    assert len({headers["WWW-Authenticate"] for headers in challenges}) == 3


def md5(*parts: str) -> str:
    """The hash of the parts, colons between them."""
    return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def signed(challenge: str, target: str, count: str = "00000001") -> str:
    """A Digest login for `target`, written out by hand."""
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    who = md5(LOGIN.username, said["realm"], LOGIN.password)
    response = md5(who, said["nonce"], count, "c0ffee", "auth", md5("GET", target))
    return (
        f'Digest username="{LOGIN.username}", realm="{said["realm"]}", nonce="{said["nonce"]}", '
        f'uri="{target}", qop=auth, nc={count}, cnonce="c0ffee", response="{response}"'
    )


@pytest.mark.parametrize(
    ("target", "count", "status"),
    [
        (WISENET, "00000001", 200),
        (WISENET.partition("?")[0], "00000001", 401),
        (WISENET, "zz", 401),
    ],
)
def test_the_signature_covers_the_query(
    street: Street, target: str, count: str, status: int
) -> None:
    """A login signed for the path alone, or with a broken count, is refused."""
    challenge = send(street, "Wisenet", None, WISENET).headers["WWW-Authenticate"]
    login = signed(challenge, target, count)
    assert send(street, "Wisenet", None, WISENET, login).status_code == status


def test_a_login_works_once(street: Street) -> None:
    """The same Authorization sent again is stale, and says so."""
    first = get(street, "Axis")
    used = first.request.headers["Authorization"]
    assert isinstance(used, str)
    again = send(street, "Axis", None, STILLS["Axis"], used)
    assert again.status_code == 401
    assert "stale=true" in again.headers["WWW-Authenticate"]


def test_a_nonce_wears_out(street: Street) -> None:
    """One nonce serves some requests; then a client is told a new one and goes on."""
    auth = HTTPDigestAuth(*LOGIN)
    answers = [send(street, "Axis", auth, STILLS["Axis"]) for _ in range(Nonces.USES + 1)]
    assert {answer.status_code for answer in answers} == {200}
    challenged = [number for number, answer in enumerate(answers) if answer.history]
    assert challenged == [0, Nonces.USES]
    assert "stale=true" in answers[-1].history[0].headers["WWW-Authenticate"]


def test_only_the_newest_nonces_are_known() -> None:
    """A street that is asked all day does not grow."""
    nonces = Nonces()
    oldest, *others = [nonces.fresh() for _ in range(Nonces.KEPT + 1)]
    assert not nonces.spend(oldest, 1)
    assert all(nonces.spend(nonce, 1) for nonce in others)
