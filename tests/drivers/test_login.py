"""Reading challenges of many shapes, and answers that other implementations agree with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import HTTPDigestAuth, _basic_auth_str

from cctv.drivers import login
from cctv.drivers.login import Challenge
from cctv.model import Login, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TARGET = "/axis-cgi/jpg/image.cgi?camera=1&x=%20"

SHAPES: dict[str, tuple[list[str], list[tuple[str, dict[str, str]]]]] = {
    "nothing": ([], []),
    "blank": (["", " ", ","], []),
    "a scheme alone": (["Negotiate"], [("negotiate", {})]),
    "quoted and bare": (
        ['Digest realm="a b", nonce=n, qop="auth,auth-int"'],
        [("digest", {"realm": "a b", "nonce": "n", "qop": "auth,auth-int"})],
    ),
    "capitals": (['DIGEST REALM="A", Nonce="N"'], [("digest", {"realm": "A", "nonce": "N"})]),
    "no commas": (['Digest realm="a" nonce="n"'], [("digest", {"realm": "a", "nonce": "n"})]),
    "too many commas": (
        [', Digest realm="a",, nonce="n" , ,'],
        [("digest", {"realm": "a", "nonce": "n"})],
    ),
    "blanks around =": (['Digest realm = "a"'], [("digest", {"realm": "a"})]),
    "a comma within quotes": (['Basic realm="a, b=c"'], [("basic", {"realm": "a, b=c"})]),
    "a scheme's name within quotes": (
        ['Basic realm="x, Digest realm=y"'],
        [("basic", {"realm": "x, Digest realm=y"})],
    ),
    "escapes": ([r'Basic realm="a \"b\" \\c"'], [("basic", {"realm": r'a "b" \c'})]),
    "two in one header": (
        ['Basic realm="a", Digest realm="b", nonce="n"'],
        [("basic", {"realm": "a"}), ("digest", {"realm": "b", "nonce": "n"})],
    ),
    "a scheme alone before another": (
        ['Negotiate, Basic realm="a"'],
        [("negotiate", {}), ("basic", {"realm": "a"})],
    ),
    "two headers": (
        ['Basic realm="a"', 'Digest realm="b"'],
        [("basic", {"realm": "a"}), ("digest", {"realm": "b"})],
    ),
    "an = within": (
        ['Digest nonce="a==", opaque=b=='],
        [("digest", {"nonce": "a==", "opaque": "b=="})],
    ),
    "an open quote": (['Basic realm="a'], [("basic", {"realm": '"a'})]),
    "single quotes": (
        ["Digest realm='a, \"b', nonce='n'"],
        [("digest", {"realm": 'a, "b', "nonce": "n"})],
    ),
    "an open single quote": (["Basic realm='a"], [("basic", {"realm": "'a"})]),
    "one quote alone": (["Basic realm=', x=\""], [("basic", {"realm": "'", "x": '"'})]),
    "garbage": (["=;=", '"', "\\"], []),
}


@pytest.mark.parametrize(("headers", "read"), SHAPES.values(), ids=SHAPES)
def test_shapes(headers: list[str], read: list[tuple[str, dict[str, str]]]) -> None:
    """Challenges are found in whatever shape cameras write them."""
    assert login.parse(headers) == [Challenge(*each) for each in read]


@settings(deadline=None)
@given(st.lists(st.text() | st.text(" \t,='\"\\abDigest", max_size=200), max_size=4))
def test_any_text(headers: list[str]) -> None:
    """No header makes reading fail, and what is read has names in lower case."""
    for challenge in login.parse(headers):
        assert challenge.scheme == challenge.scheme.lower()
        assert all(name == name.lower() for name in challenge.parameters)


@settings(deadline=None)
@given(st.lists(st.text('Digestrealmnoncqp ,="\\\udce9', max_size=200), max_size=4))
def test_any_answer(headers: list[str]) -> None:
    """No header makes answering fail, and every answer can be sent as a header."""
    sent = header_for([f"Digest {each}" for each in headers], user("viewer", "p"), "GET", TARGET)
    assert sent is None or (sent.isprintable() and sent.encode("utf-8"))


@pytest.mark.parametrize(
    "unit",
    [
        *[
            " ",
            ",",
            " ,",
            '"',
            'a="',
            "a=",
            "a ",
            'a="\\',
            "\\",
            'a="b" ',
            "Digest ",
            "-",
            "=",
            "a",
        ],
        *["'", "a='", "a='b\"", "a='\\", "a=\"'", "a = '", 'a=\' b="\\" '],
    ],
)
def test_reading_is_quick(unit: str) -> None:
    """Headers far longer than aiohttp lets pass are read in no time, whatever they repeat."""
    begin = time.process_time()
    for start in ("", "Digest ", 'Digest realm="a" ', "Digest a", 'Digest a="', "Digest a='"):
        login.parse([start + (unit * 100_000)[:100_000] + "!"])
    assert time.process_time() - begin < 3


def header_for(headers: list[str], who: Login, method: str, target: str) -> str | None:
    """The `Authorization` for the strongest challenge; None where none can be answered."""
    offer = login.strongest(login.parse(headers), who)
    return login.respond(offer, who, method, target) if offer else None


def user(username: str, password: str) -> Login:
    """A login."""
    return Login(username, Secret(password))


def fields_of(authorization: str | None) -> Mapping[str, str]:
    """The fields of an answer, read by our own reader: the server's end."""
    (challenge,) = login.parse([authorization or ""])
    return challenge.parameters


def answered(monkeypatch: pytest.MonkeyPatch, who: Login, challenge: str, cnonce: str) -> str:
    """The answer to `challenge` for /dir/index.html, with `cnonce` for the random number."""
    monkeypatch.setattr("secrets.token_hex", lambda _: cnonce)
    return header_for([challenge], who, "GET", "/dir/index.html") or ""


def test_rfc_2617_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of RFC 2617, section 3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    said = answered(monkeypatch, user("Mufasa", "Circle Of Life"), challenge, "0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in said
    assert 'opaque="5ccc069c403ebaf9f0171e9517f40e41"' in said
    assert "algorithm" not in said


RFC_7616 = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


@pytest.mark.parametrize("algorithm", RFC_7616)
def test_rfc_7616_examples(monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    """The examples of RFC 7616, section 3.9.1."""
    challenge = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    said = answered(monkeypatch, user("Mufasa", "Circle of Life"), challenge, cnonce)
    assert f'response="{RFC_7616[algorithm]}"' in said
    assert f"algorithm={algorithm}, " in said


def test_rfc_2069_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of RFC 2069, section 2.4, with its erratum 749: no qop, no numbers."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    said = answered(monkeypatch, user("Mufasa", "CircleOfLife"), challenge, "unused")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in said
    assert not {"qop", "nc", "cnonce"} & fields_of(said).keys()


@pytest.mark.parametrize("password", ["plain", ":@%#&+ ü", 'quo"te\\'])
@pytest.mark.parametrize("username", ["viewer", "jürgen"])
@pytest.mark.parametrize("algorithm", ["", "MD5", "MD5-sess", "SHA-256"])
def test_requests_agrees(
    monkeypatch: pytest.MonkeyPatch, algorithm: str, username: str, password: str
) -> None:
    """The library requests answers the same, given the same random number."""
    given = {"realm": "IP Camera(A1)", "nonce": "abc==", "qop": "auth", "opaque": "x"}
    given |= {"algorithm": algorithm} if algorithm else {}
    auth = HTTPDigestAuth(username, password)
    auth.init_per_thread_state()
    vars(auth)["_thread_local"].chal = given
    build: Callable[[str, str], str] = auth.build_digest_header
    theirs = fields_of(build("GET", f"http://cam{TARGET}"))
    monkeypatch.setattr("secrets.token_hex", lambda _: theirs["cnonce"])
    challenge = "Digest " + ", ".join(f'{name}="{value}"' for name, value in given.items())
    ours = fields_of(header_for([challenge], user(username, password), "GET", TARGET))
    assert ours == theirs


@pytest.mark.parametrize("password", ["plain", ":@%#&+ ü"])
def test_basic(password: str) -> None:
    """Basic is what requests sends, with letters in UTF-8."""
    sent = header_for(['Basic realm="x"'], user("viewer", password), "GET", TARGET)
    assert sent == _basic_auth_str(b"viewer", password.encode())


def test_every_answer_has_its_own_number() -> None:
    """No two answers share a cnonce."""
    challenge = ['Digest realm="a", nonce="n", qop="auth"']
    said = [header_for(challenge, user("v", "p"), "GET", TARGET) for _ in range(3)]
    assert len({fields_of(each)["cnonce"] for each in said}) == 3


RANKS = ["SHA-256", "SHA-256-sess", "MD5", "md5-sess"]


@settings(deadline=None)
@given(st.permutations(RANKS), st.integers(1, len(RANKS)))
def test_the_strongest_is_answered(order: list[str], count: int) -> None:
    """Of several digests the strongest is answered, in whatever order they come."""
    offered = order[:count]
    challenges = [f'Digest realm="a", nonce="n", qop=auth, algorithm={each}' for each in offered]
    said = header_for(challenges, user("v", "p"), "GET", TARGET)
    assert fields_of(said)["algorithm"] == min(offered, key=RANKS.index)


def test_quotes_are_escaped() -> None:
    """A quote or backslash in a name cannot end the field it stands in."""
    challenge = [r'Digest realm="a\"b", nonce="n"']
    said = fields_of(header_for(challenge, user('v" \\', "p"), "GET", TARGET))
    assert (said["username"], said["realm"]) == ('v" \\', 'a"b')


def test_the_nonce_is_counted() -> None:
    """The count of a nonce is sent as eight hexadecimal digits, and proved."""
    offer = Challenge("digest", {"realm": "a", "nonce": "n", "qop": "auth"})
    said = [
        fields_of(login.respond(offer, user("v", "p"), "GET", TARGET, turn)) for turn in (1, 27)
    ]
    assert [each["nc"] for each in said] == ["00000001", "0000001b"]
    secret, asked = offer.hash("v", "a", "p"), offer.hash("GET", TARGET)
    for each in said:
        due = offer.hash(secret, "n", each["nc"], each["cnonce"], "auth", asked)
        assert each["response"] == due


@pytest.mark.parametrize("odd", ['nonce=""', "nonce=", "realm=b", 'nonce="\udcff"', 'nonce="a\tb"'])
def test_no_answer_that_must_be_wrong(odd: str) -> None:
    """Where a nonce is missing, empty or no text, nothing is sent: it would count as wrong."""
    assert header_for([f'Digest realm="a", {odd}'], user("v", "p"), "GET", TARGET) is None


def test_what_is_not_repeated_may_be_odd() -> None:
    """Odd text in a field that no answer repeats is no hindrance."""
    challenge = ['Digest realm="a", nonce="n", domain="http://[::1", x="\udcff"']
    assert header_for(challenge, user("v", "p"), "GET", TARGET)


@pytest.mark.parametrize("named", ["", 'algorithm="", ', "algorithm=, "])
def test_md5_unless_named(named: str) -> None:
    """Without a name the algorithm is MD5, and the answer does not name it."""
    said = fields_of(
        header_for([f'Digest {named}realm="a", nonce="n"'], user("v", "p"), "GET", TARGET)
    )
    assert len(said["response"]) == 32
    assert "algorithm" not in said


def test_userhash_is_declined() -> None:
    """A camera that could take a hashed username gets the plain one, as RFC 7616 lets us."""
    challenge = ['Digest realm="a", nonce="n", qop="auth", userhash=true, charset=UTF-8']
    said = fields_of(header_for(challenge, user("jürgen", "p"), "GET", TARGET))
    assert said["username"] == "jürgen"
    assert "userhash" not in said


def test_a_colon_in_a_username() -> None:
    """Basic would cut the username at its colon, so it is not sent; a digest is."""
    challenges = ['Basic realm="a"', 'Digest realm="a", nonce="n"']
    assert header_for(challenges[:1], user("a:b", "p"), "GET", TARGET) is None
    assert fields_of(header_for(challenges, user("a:b", "p"), "GET", TARGET))["username"] == "a:b"


def test_basic_comes_last() -> None:
    """Basic is the answer only where no digest can be."""
    challenges = ['Basic realm="a"', 'Digest realm="a", nonce="n", algorithm=MD5-sess, qop=auth']
    sent = header_for(challenges, user("v", "p"), "GET", TARGET)
    assert sent
    assert sent.startswith("Digest ")
    beyond = ['Digest realm="a", nonce="n", algorithm=SHA-512-256', *challenges[:1]]
    assert header_for(beyond, user("v", "p"), "GET", TARGET) == "Basic djpw"
