"""Strategies for what people write: files of models and masks, addresses, words about TLS."""

from __future__ import annotations

from hypothesis import strategies as st

from cctv.drivers.still import AUTHS
from tests.fuzz.grammar import ODD

_PLACES = st.sampled_from(
    (
        "/x",
        "/{id}.jpg",
        "/{channel}",
        "{username}",
        "{password}",
        "{random}",
        "{",
        "{nothing}",
        "{{}}",
        "{id!r}",
    )
)
_TOML_VALUES = st.one_of(
    _PLACES.map('"{}"'.format),
    ODD.map(lambda text: "'" + text.replace("'", "") + "'"),
    st.sampled_from(
        (*(f'"{auth}"' for auth in AUTHS), "1", "-1", "0x10", "true", "1.5", "{}", "[]")
    ),
)
_TOML_LINES = st.builds(
    "{} = {}".format,
    st.sampled_from(("path", "path", "auth", "first_channel", "always_channel", "query.a", "odd")),
    _TOML_VALUES,
)


def driver_files() -> st.SearchStrategy[bytes]:
    """A file of models: some right, some not, some no TOML."""
    heads = st.sampled_from(("[acme]", "[Acme Two]", "[url]", "[' ']", "[axis]", "", '["\u00fc"]'))
    tables = st.builds(
        lambda head, lines: "\n".join(
            [head, *{line.split(" ")[0]: line for line in lines}.values()]
        ),
        heads,
        st.lists(_TOML_LINES, max_size=5),
    )
    good = st.builds('[m{}]\npath = "/{}"\n'.format, st.integers(0, 9), _PLACES)
    return st.lists(tables | good, max_size=3).map("\n".join).map(str.encode)


_PARTS = st.sampled_from(
    ("0", "1", "0.5", "0.25", "1.0", "0.999999", "1e-9", "nan", "-0.0", "-0.25", "2")
)
_CORNERS = st.builds("[{}, {}]".format, _PARTS | st.floats(0, 1).map(str), _PARTS)
_SHAPES = st.lists(_CORNERS, min_size=2, max_size=6).map(lambda each: f"[{', '.join(each)}]")


def mask_files() -> st.SearchStrategy[bytes]:
    """A file of masks: right ones, lines, points, corners outside."""
    names = st.sampled_from(("1", "2", "a_b", "unavailable", '"ü"', "-x"))
    shapes = st.lists(_SHAPES, max_size=3).map(lambda each: f"[{', '.join(each)}]")
    lines = st.builds("{} = {}".format, names, shapes | _TOML_VALUES)
    return st.lists(lines, max_size=3).map("\n".join).map(str.encode)


def addresses() -> st.SearchStrategy[bytes]:
    """Addresses as people write them, from parts that may not belong together."""
    schemes = st.sampled_from(("", "", "http://", "HTTPS://", "//", "rtsp://", "http:/"))
    hosts = st.sampled_from(
        (
            *("10.1.2.3", "camera-1.example", "[fd00::9]", "[::ffff:1.2.3.4]", "1.2.3", "0x7f.1"),
            *("a..b", "x.", "user:canary@host", "ho st", "\u212a.example", "[::1%eth0]", "[v1.a]"),
        )
    )
    ports = st.sampled_from(("", "", ":80", ":0", ":65536", ":00443", ":", ":\u0661"))
    tails = st.sampled_from(
        (
            *("", "/", "/x?channel={channel}&u={username}", "?p={password}", "/{id!r}", "/{", "#x"),
            *("/%zz%", "/\0", "/\x7f\u2028", "/\ud800", "/a\\b", "/..//@", "/{{id}}", "/%7Bid%7D"),
        )
    )
    text = st.builds("{}{}{}{}".format, schemes, hosts | ODD, ports, tails | ODD.map("/".__add__))
    return text.map(lambda each: each.encode("utf-8", "replace"))


def trust_words() -> st.SearchStrategy[bytes]:
    """Words about TLS, right and nearly right."""
    words = st.sampled_from(
        (
            *(
                "insecure",
                "LEGACY",
                "pin:" + "ab" * 32,
                "pin:" + "AB:" * 31 + "CD",
                "pin:",
                "PIN:9",
            ),
            *("pin:" + "\u0660" * 64, "no", "insecure,legacy", "\u00a0", "\u0130nsecure"),
        )
    )
    return st.lists(words | ODD, max_size=3).map(" ".join).map(str.encode)


def packed_addresses() -> st.SearchStrategy[bytes]:
    """The beginnings of IPv4 and IPv6 addresses, and texts of both."""
    starts = st.sampled_from(
        (
            *(
                b"\xa9\xfe\xa9\xfe",
                b"\x7f\0\0\1",
                b"\0\0\0\0",
                b"\x64\x64\x64\xc8",
                b"\xa8\x3f\x81\x10",
            ),
            *(b"\xfe\x80", b"\x20\x02\x7f\0", b"\0\x64\xff\x9b", b"\0" * 10, b"\xff\xff\xff\xff"),
        )
    )
    texts = st.ip_addresses().map(str) | st.sampled_from(("::ffff:7f00:1", "::1%lo", "127.1", "%"))
    packed = st.builds(bytes.__add__, starts | st.just(b""), st.binary(max_size=16))
    return packed | texts.map(str.encode)
