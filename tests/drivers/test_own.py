"""The operator's own models: what a file may say, and every fault in one clear sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cctv.address import PLACEHOLDERS
from cctv.drivers import TABLE, own
from cctv.drivers.still import AUTHS, Still
from cctv.errors import ConfigError
from cctv.model import Camera, Login, Secret
from tests.fakes.camera import PICTURE, opened_driver, reply, scripted

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[Cohu]
path = "/jpegpull/snapshot"

["FLIR  AX8"]
path = "/api/image/current"
query = { imgformat = "JPEG", width = 640 }
auth = "none"

[acti]
path = "/cgi-bin/encoder"
query = { USER = "{username}", PWD = "{password}", CHANNEL = "{channel}", SNAPSHOT = "" }
auth = "query"
first_channel = 0
always_channel = true

[Sony]
path = "/oneshotimage1"
"""

READ = {
    "cohu": Still("cohu", "/jpegpull/snapshot"),
    "flir ax8": Still(
        "flir ax8", "/api/image/current", (("imgformat", "JPEG"), ("width", "640")), auth="none"
    ),
    "acti": Still(
        "acti",
        "/cgi-bin/encoder",
        (
            ("USER", "{username}"),
            ("PWD", "{password}"),
            ("CHANNEL", "{channel}"),
            ("SNAPSHOT", ""),
        ),
        auth="query",
        first_channel=0,
        always_channel=True,
    ),
    "sony": Still("sony", "/oneshotimage1"),
}

KEYS = "path, query, auth, first_channel, always_channel"
NAMES = "channel, id, password, random, username"
LOGIN = 'holds the login, which stands nowhere but in a query with auth = "query"'
BRACES = "has a brace without its partner, or more than a name between two"

FAULTS = {
    'path = "/x"': ["path stands outside a [model] table"],
    "[m]": ["[m] path is missing or does not begin with /"],
    '[m]\npath = "x"': ["[m] path is missing or does not begin with /"],
    '[m]\npath = ""': ["[m] path is missing or does not begin with /"],
    "[m]\npath = 3": ["[m] path is not a text"],
    '[m]\npath = "/x?id=2"': ["[m] path holds ? or #; parameters stand in query"],
    '[m]\npath = "/x#y"': ["[m] path holds ? or #; parameters stand in query"],
    '[m]\npath = "/{x}"': [f"[m] path holds {{x}}, which is unknown; accepted are {NAMES}"],
    '[m]\npath = "/{}"': [f"[m] path holds {{}}, which is unknown; accepted are {NAMES}"],
    '[m]\npath = "/{id"': [f"[m] path {BRACES}"],
    '[m]\npath = "/{id:3}"': [f"[m] path {BRACES}"],
    '[m]\npath = "/{password}"\nauth = "query"': [f"[m] path {LOGIN}"],
    '[m]\npath = "/x"\npaht = "/y"': [f"[m] paht is unknown; accepted are {KEYS}"],
    '[m]\npath = "/x"\nquery = "a=b"': ["[m] query is not a table"],
    '[m]\npath = "/x"\nquery = ["a"]': ["[m] query is not a table"],
    '[m]\npath = "/x"\nquery = { a = true }': ["[m] query.a is not a text or a whole number"],
    '[m]\npath = "/x"\nquery = { a = 1.5 }': ["[m] query.a is not a text or a whole number"],
    '[m]\npath = "/x"\nquery = { a = ["b"] }': ["[m] query.a is not a text or a whole number"],
    '[m]\npath = "/x"\nquery = { a = 2026-03-01 }': ["[m] query.a is not a text or a whole number"],
    '[m]\npath = "/x"\nquery = { a = "s3cret{" }': [f"[m] query.a {BRACES}"],
    '[m]\npath = "/x"\nquery = { a = "{x}" }': [
        f"[m] query.a holds {{x}}, which is unknown; accepted are {NAMES}"
    ],
    '[m]\npath = "/x"\nquery = { a = "{password}" }': [f"[m] query.a {LOGIN}"],
    '[m]\npath = "/x"\nauth = "digest"': [
        "[m] auth is 'digest', not one of challenge, query, none"
    ],
    '[m]\npath = "/x"\nauth = 3': ["[m] auth is not a text"],
    '[m]\npath = "/x"\nauth = ["query"]': ["[m] auth is not a text"],
    '[m]\npath = "/x"\nfirst_channel = "0"': ["[m] first_channel is not a whole number"],
    '[m]\npath = "/x"\nfirst_channel = true': ["[m] first_channel is not a whole number"],
    '[m]\npath = "/x"\nfirst_channel = -1': ["[m] first_channel is -1, not 0 or more"],
    '[m]\npath = "/x"\nalways_channel = 1': ["[m] always_channel is not true or false"],
    '[URL]\npath = "/x"': ["[URL] is taken: its records hold whole addresses"],
    '[" "]\npath = "/x"': ["[ ] names no model"],
    '["a b"]\npath = "/x"\n["A  B"]\npath = "/x"': [
        "[A  B] stands there twice, but for its letters or blanks"
    ],
    '[[m]]\npath = "/x"': ["m stands outside a [model] table"],
    'x = 1\n[m]\nauth = "x"\nfirst_channel = -1\ncolour = 1\n[n]\npath = "n"': [
        "x stands outside a [model] table",
        f"[m] colour is unknown; accepted are {KEYS}",
        "[m] path is missing or does not begin with /",
        "[m] auth is 'x', not one of challenge, query, none",
        "[m] first_channel is -1, not 0 or more",
        "[n] path is missing or does not begin with /",
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file of models is to stand."""
    return tmp_path / "drivers.toml"


@pytest.fixture
def good_file(file: Path) -> Path:
    """A file with nothing wrong."""
    file.write_text(GOOD)
    return file


def faults_of(file: Path) -> list[str]:
    """The sentences with which `file` is refused, without the setting and the file's name."""
    with pytest.raises(ConfigError) as caught:
        own.load(file)
    start = f"CCTV_DRIVERS={file}: "
    assert all(fault.startswith(start) for fault in caught.value.faults)
    return [fault.removeprefix(start) for fault in caught.value.faults]


def test_no_file() -> None:
    """Without a file the built-in models are all there are."""
    assert own.load(None) == TABLE


def test_a_good_file(good_file: Path) -> None:
    """The operator's models join the built-in ones, and replace those of the same name."""
    assert own.load(good_file) == TABLE | READ


def test_an_empty_file(file: Path) -> None:
    """A file without models adds none."""
    file.write_text("# none yet\n")
    assert own.load(file) == TABLE


@pytest.mark.parametrize(("text", "faults"), FAULTS.items())
def test_faults(file: Path, text: str, faults: list[str]) -> None:
    """Each fault is told once, all at once, and no value that may be a secret is repeated."""
    file.write_text(text)
    assert faults_of(file) == faults


def test_no_such_file(file: Path) -> None:
    """A file that is not there is a fault of the setting."""
    assert faults_of(file) == ["No such file or directory"]


@pytest.mark.parametrize(
    "data", [b"[m", b"m = \xff\xfe", b"[m]\n[m]", b"x = " + b"[" * 100_000], ids=range(4)
)
def test_no_toml(file: Path, data: bytes) -> None:
    """What is no TOML is one fault."""
    file.write_bytes(data)
    (fault,) = faults_of(file)
    assert fault.startswith("is not TOML: ")


async def test_an_own_model_is_asked(good_file: Path) -> None:
    """A model from the file gives a frame, with the login set for its name."""
    login = Login("viewer", Secret("a&b"))
    async with (
        scripted((reply(),)) as device,
        opened_driver({"ACTI": login}, table=own.load(good_file)) as driver,
    ):
        assert (await driver(Camera("7", "ACTi", device.address)).frame()).body == PICTURE
        line = "GET /cgi-bin/encoder?USER=viewer&PWD=a%26b&CHANNEL=0&SNAPSHOT= HTTP/1.1"
        assert device.requests[0].splitlines()[0] == line


def toml(value: object) -> str:
    """A value as TOML; tables are written inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=12)
NICE = st.sampled_from(["/x", "/{id}.jpg", "{channel}", "{", "{password}", "?", *AUTHS])
VALUE = st.none() | st.booleans() | st.integers(-9, 9) | TEXT | NICE
SCALAR = VALUE.filter(lambda value: value is not None)
ENTRY = st.dictionaries(
    st.sampled_from(["path", "query", "auth", "first_channel", "always_channel", "x"]),
    SCALAR | st.dictionaries(TEXT, SCALAR, max_size=3) | st.lists(st.integers(), max_size=2),
)
GOODISH = st.fixed_dictionaries(
    {"path": NICE | TEXT.map("/".__add__)},
    optional={
        "query": st.dictionaries(TEXT, TEXT | st.integers() | NICE, max_size=3),
        "auth": st.sampled_from(AUTHS),
        "first_channel": st.integers(0, 3),
        "always_channel": st.booleans(),
    },
)


@settings(deadline=None)
@given(tables=st.dictionaries(TEXT, ENTRY | GOODISH | SCALAR, max_size=3))
def test_any_tables(tables: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any tables are refused in sentences, or every model of them can be asked for."""
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text("\n".join(f"{toml(key)} = {toml(value)}" for key, value in tables.items()))
    try:
        table = own.load(file)
    except ConfigError:
        return
    assert table.keys() >= TABLE.keys()
    for model in table.keys() - TABLE.keys():
        target = table[model].target(Camera("7", model, "10.1.2.3"), Login("a", Secret("b")))
        assert target.startswith("/")
        assert target.isascii()
        assert target.isprintable()
        assert " " not in target


def test_the_placeholders_are_all_named() -> None:
    """The sentence about an unknown placeholder names each known one."""
    assert ", ".join(sorted(PLACEHOLDERS)) == NAMES
