"""Strategies for what devices say: answers of HTTP and challenges, with what is odd in them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.damage import bases, pictures
from tests.fuzz.logins import OFFERS

_ENDS = st.sampled_from(("\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", ""))
ODD = st.text(st.characters(max_codepoint=0x2FF), max_size=12)
"""Letters, blanks, control characters: whatever stands where nothing like it should."""

_DIGITS = st.integers(0, 3000).map(str) | st.sampled_from(("-1", "1e3", "9" * 20, "\xb2", ""))
_STATUS_LINES = st.sampled_from(
    (
        *("HTTP/1.1 200 OK", "HTTP/1.0 200", "ICY 200 OK", "http/1.1 401 Unauthorized"),
        *("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "HTTP/1.1 503", "HTTP/2 200", "SSH-2.0"),
    )
)
_HEADERS = st.one_of(
    _DIGITS.map("Content-Length: {}".format),
    st.sampled_from(
        (
            *("Transfer-Encoding: chunked", "transfer-encoding:identity", "Connection: close"),
            *("Server: a\r b", " continued", "\tcontinued", ": nameless", "nonsense", "X :y"),
        )
    ),
    st.sampled_from(OFFERS).map("WWW-Authenticate: {}".format),
    ODD.map("X: {}".format),
)


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in chunks, whose sizes may be written oddly."""
    out, at = [], 0
    while at < len(body):
        part = body[at : at + draw(st.integers(1, 2000))]
        line = draw(st.sampled_from(("{:x}", "{:X}", "{:04x}", " {:x} ", "{:x};a=b"))).format(
            len(part)
        )
        out.append(line.encode() + b"\r\n" + part + draw(st.sampled_from((b"\r\n", b"\n", b""))))
        at += len(part)
    return b"".join(out) + draw(st.sampled_from((b"0\r\n\r\n", b"0\r\n", b"")))


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer of a camera: a head, more or less, and a body in one of the ways."""
    lines = [draw(_STATUS_LINES), *draw(st.lists(_HEADERS, max_size=4)), ""]
    head = "".join(line + draw(_ENDS) for line in lines).encode("latin-1", "replace")
    body = draw(st.sampled_from(bases()) | pictures() | st.binary(max_size=30))
    data = head + draw(st.just(body) | _chunked(body))
    return _nicked(draw, data)


def _nicked(draw: st.DrawFn, data: bytes) -> bytes:
    """Now and then one byte is another, or the end is lost."""
    at = draw(st.integers(0, len(data)))
    return draw(st.sampled_from((data, data, data[:at], data[:at] + b"\xff" + data[at + 1 :])))


_NAMES = st.sampled_from(
    ("realm", "nonce", "opaque", "qop", "algorithm", "stale", "domain", "REALM", "x-y", "nextnonce")
)
_TOKENS = st.sampled_from(
    ("MD5", "md5-sess", "SHA-256", "SHA-256-sess", "SHA-512", "auth", "auth-int", "true", "", "'")
)
_QUOTED = (ODD | _TOKENS | st.just("auth,auth-int")).map('"{}"'.format)
_PARAMETERS = st.builds(
    "{}{}{}".format, _NAMES, st.sampled_from(("=", " = ", "==")), _QUOTED | _TOKENS
)
_SCHEMES = st.sampled_from(("Digest", "Basic", "DIGEST", "digest", "Negotiate", "Bearer", "", "a="))
_CHALLENGE = st.builds(
    "{} {}".format,
    _SCHEMES,
    st.lists(_PARAMETERS, max_size=6).flatmap(
        lambda each: st.sampled_from((", ", ",", " ", ",,")).map(lambda comma: comma.join(each))
    ),
)


def challenges() -> st.SearchStrategy[bytes]:
    """One or more `WWW-Authenticate` headers, each on its line."""
    offers = st.lists(_CHALLENGE | st.sampled_from(OFFERS) | ODD, min_size=1, max_size=3)
    joined = st.builds(lambda parts, by: by.join(parts), offers, st.sampled_from(("\n", ", ")))
    return joined.map(lambda text: text.encode("utf-8", "replace"))
