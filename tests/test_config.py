"""The environment, read once and whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cctv import config
from cctv.config import Places, environment, read
from cctv.errors import ConfigError
from cctv.model import Login, Secret
from cctv.schedule import Timing
from cctv.settings_table import SETTINGS
from cctv.watch import Policy, Rules
from tests.fakes.frames import jpeg

if TYPE_CHECKING:
    from pathlib import Path

CITY = {
    "AWS_ACCESS_KEY_ID": "AKIA1",
    "AWS_SECRET_ACCESS_KEY": "aws-canary",
    "BUCKET": "the-bucket",
    "CAMERA_USERNAME": "viewer",
    "CAMERA_PASSWORD": "pa #ss${HOME}",
    "WISENET_USERNAME": "wise",
    "WISENET_PASSWORD": "net",
    "KNACK_APP_ID": "app",
    "KNACK_API_KEY": "knack-canary",
    "KNACK_CONTAINER": "view_395",
}


def faults(env: dict[str, str]) -> tuple[str, ...]:
    """What is wrong with these settings."""
    with pytest.raises(ConfigError) as caught:
        read(env)
    return caught.value.faults


def test_predecessors_variables_are_enough() -> None:
    """The City's env_file works unchanged, and everything else has the documented default."""
    found = read(CITY)
    assert found.bucket == "the-bucket"
    assert found.prefix == "image/"
    assert found.timing == Timing(300.0, 5, 1800.0)
    assert (found.fetch_timeout, found.refresh) == (15.0, 0.0)
    assert found.logins["CAMERA"] == Login("viewer", Secret("pa #ss${HOME}"))
    assert found.logins["WISENET"] == Login("wise", Secret("net"))
    assert found.knack is not None
    assert found.knack.api_url is None
    assert found.knack.fields == {
        "id": "field_947",
        "address": "field_638",
        "model": "field_639",
        "disabled": "field_1866",
    }
    assert found.log_dir == config.PACKAGE / "_log"
    assert found.state_dir == found.log_dir / "state"
    assert found.rules == Rules(Policy.FLAG, Policy.UNAVAILABLE, 3, 900.0)
    assert (found.max_width, found.masks) == (0, None)


def test_nothing_set_names_every_missing_variable_at_once() -> None:
    """One message for all three, so that nobody starts the container four times."""
    found = faults({})
    assert [fault.split()[0] for fault in found] == ["KNACK_APP_ID", "KNACK_CONTAINER", "BUCKET"]


def test_file_and_folder_need_neither_knack_nor_bucket(tmp_path: Path) -> None:
    """A small user needs no cloud at all."""
    cameras = tmp_path / "cameras.csv"
    cameras.write_text("id,model,address\n")
    found = read({"CCTV_INVENTORY": str(cameras), "CCTV_STORE": str(tmp_path)})
    assert (found.inventory, found.folder) == (cameras, tmp_path)
    assert found.knack is None
    assert found.bucket is None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("CCTV_INTERVAL", "0", "CCTV_INTERVAL=0 is not a number of seconds from 1 to 2678400"),
        ("CCTV_INTERVAL", "5m", "CCTV_INTERVAL=5m is not a number"),
        ("CCTV_INTERVAL", "nan", "CCTV_INTERVAL=nan is not a number"),
        ("CCTV_INTERVAL", "1e12", "CCTV_INTERVAL=1e12 is not a number of seconds from 1"),
        ("CCTV_STORE", "s3://bucket", "is not s3 (its name then stands in BUCKET) or a folder"),
        ("CCTV_FETCH_TIMEOUT", "-1", "CCTV_FETCH_TIMEOUT=-1 is not a number"),
        ("CCTV_FAILURE_LIMIT", "2.5", "CCTV_FAILURE_LIMIT=2.5 is not a whole number, 1 or more"),
        ("CCTV_RETRY_AFTER", "0.5", "is not a number of seconds from 1 to 2678400, or 0"),
        ("CCTV_PREFIX", "image", "is not folder names that end in a slash, such as image/"),
        ("CCTV_PREFIX", "../", "is not folder names"),
        ("CCTV_INVENTORY", "cameras.xlsx", "is not knack or a file that ends in .csv"),
        ("CCTV_INVENTORY", "gone.csv", "CCTV_INVENTORY=gone.csv is not a file that exists"),
        ("CCTV_DRIVERS", "gone.toml", "CCTV_DRIVERS=gone.toml is not a file that exists"),
        ("CCTV_CAMERA_NETWORKS", "10.1.2.3/8", "is not networks such as 10.20.0.0/16"),
        ("CCTV_HTTP", "8080", "CCTV_HTTP=8080 is not host:port"),
        ("CCTV_HTTP", "h:99999", "CCTV_HTTP=h:99999 is not host:port"),
        ("CCTV_TIMEZONE", "Austin", "is not the name of a time zone, such as America/Chicago"),
        ("CCTV_BLANK", "hide", "CCTV_BLANK=hide is not flag or unavailable"),
        ("CCTV_MAX_WIDTH", "15", "=15 is not a number of pixels from 16 to 16384, or 0"),
        ("CCTV_MAX_WIDTH", "16385", "=16385 is not a number of pixels from 16 to 16384, or 0"),
        ("CCTV_MAX_WIDTH", "640px", "=640px is not a number of pixels"),
        ("CCTV_MAX_WIDTH", "６４０", "is not a number of pixels"),  # noqa: RUF001 - full-width digits
        ("CCTV_MASKS", "gone.toml", "CCTV_MASKS=gone.toml is not a file that exists"),
        ("KNACK_FIELD_ID", "947", "KNACK_FIELD_ID=947 is not a Knack field key"),
        ("KNACK_FIELD_TLS", "tls", "KNACK_FIELD_TLS=tls is not a Knack field key"),
        ("KNACK_API_URL", "https://api.knack.com/v1", "without a path such as /v1"),
        ("CCTV_INTERVALL", "60", "CCTV_INTERVALL is unknown; is CCTV_INTERVAL meant?"),
        ("CCTV_ZZZ", "1", "CCTV_ZZZ is unknown; names with CCTV_ are listed in the README"),
        ("BUCKET", '"quoted"', "BUCKET is wrapped in quotes"),
        ("AXIS_PASSWORD", "'quoted'", "AXIS_PASSWORD is wrapped in quotes"),
    ],
)
def test_wrong_value_gets_one_sentence(name: str, text: str, words: str) -> None:
    """The setting, what was found, and what is accepted."""
    found = faults({**CITY, name: text})
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(("text", "width"), [("0", 0), ("16", 16), ("640", 640), ("16384", 16384)])
def test_width_in_pixels(text: str, width: int) -> None:
    """Both ends of what is accepted, and 0 for any."""
    assert read({**CITY, "CCTV_MAX_WIDTH": text}).max_width == width


@pytest.mark.parametrize(
    ("blank", "frozen", "rules"),
    [
        ("unavailable", "flag", Rules(Policy.UNAVAILABLE, Policy.FLAG)),
        ("FLAG", "Unavailable", Rules(Policy.FLAG, Policy.UNAVAILABLE)),
        ("", " ", Rules(Policy.FLAG, Policy.UNAVAILABLE)),
    ],
)
def test_policies_for_odd_pictures(blank: str, frozen: str, rules: Rules) -> None:
    """Each for itself, in letters of any size; blank is the default."""
    assert read({**CITY, "CCTV_BLANK": blank, "CCTV_FROZEN": frozen}).rules == rules


def test_masks_are_a_file(tmp_path: Path) -> None:
    """It is read later, by whoever knows what a shape is."""
    file = tmp_path / "masks.toml"
    file.write_text("")
    assert read({**CITY, "CCTV_MASKS": str(file)}).masks == file


def test_a_knack_field_for_certificates() -> None:
    """Beside the four that the predecessor had."""
    found = read({**CITY, "KNACK_FIELD_TLS": "field_7"})
    assert found.knack is not None
    assert found.knack.fields["tls"] == "field_7"


def test_without_places_neither_inventory_nor_store_is_missed(tmp_path: Path) -> None:
    """A command that asks one address needs neither; what is there is still read and judged."""
    found = read({}, places=Places.NONE)
    assert (found.inventory, found.folder, found.bucket) == (None, None, "")
    assert read(CITY, places=Places.NONE) == read(CITY)
    with pytest.raises(ConfigError) as caught:
        read(
            {"CCTV_INTERVAL": "x", "CCTV_STORE": "s3://b", "AXIS_USERNAME": "a"},
            ["AXIS"],
            places=Places.NONE,
        )
    assert len(caught.value.faults) == 3
    csv = tmp_path / "cameras.csv"
    csv.write_text("")
    assert read({"CCTV_INVENTORY": str(csv)}, places=Places.NONE).inventory == csv


def test_all_faults_come_at_once() -> None:
    """Three mistakes, three sentences, one start."""
    env = {"CCTV_INTERVAL": "x", "CCTV_HTTP": "y", "KNACK_APP_ID": "a", "KNACK_CONTAINER": "b"}
    assert len(faults(env)) == 3


def test_half_a_login_is_a_fault() -> None:
    """A username without its password would ask 1,500 cameras in vain."""
    env = {name: text for name, text in CITY.items() if name != "WISENET_PASSWORD"}
    assert faults(env) == ("WISENET_PASSWORD is not set, though WISENET_USERNAME is",)


def test_any_model_may_have_its_login() -> None:
    """`<MODEL>_USERNAME/_PASSWORD`, and a foreign lone name is left alone."""
    found = read({**CITY, "AXIS_USERNAME": "a", "AXIS_PASSWORD": "b", "DB_USERNAME": "c"})
    assert found.logins["AXIS"] == Login("a", Secret("b"))
    assert "DB" not in found.logins


def test_login_in_an_address_is_not_repeated() -> None:
    """A fault must not print a password."""
    (fault,) = faults({**CITY, "KNACK_API_URL": "https://me:canary@knack.local"})
    assert "canary" not in fault


def test_secrets_do_not_print() -> None:
    """Settings can be logged whole."""
    text = repr(read(CITY))
    assert "canary" not in text
    assert "pa #ss" not in text


def test_operators_card_is_taken_byte_by_byte(tmp_path: Path) -> None:
    """Consumers know the card by its hash: not a byte may differ; and it must be a JPEG."""
    card = tmp_path / "unavailable.jpg"
    card.write_bytes(jpeg() + b"their own trailer")
    assert read({**CITY, "CCTV_FALLBACK_IMAGE": str(card)}).fallback == card.read_bytes()
    card.write_bytes(jpeg()[:200])
    (fault,) = faults({**CITY, "CCTV_FALLBACK_IMAGE": str(card)})
    assert "is no whole JPEG: JPEG cut off after 200 bytes" in fault


def test_operators_card_may_be_plain(tmp_path: Path) -> None:
    """One flat colour, or grey in its lower half: what is odd for a camera is a card's style."""
    card = tmp_path / "unavailable.jpg"
    for lower in (0, 120):
        image = Image.new("RGB", (320, 240), "white")
        image.paste((128, 128, 128), (0, lower, 320, 240))
        image.save(card, "JPEG")
        assert read({**CITY, "CCTV_FALLBACK_IMAGE": str(card)}).fallback == card.read_bytes()


def test_env_file_stands_behind_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment wins, blanks count as unset, and `${…}` and `#` are left as they stand."""
    file = tmp_path / "env_file"
    file.write_text("BUCKET=file\nKNACK_APP_ID=file\nCAMERA_PASSWORD='a#b${HOME}'\nEMPTY=\n")
    monkeypatch.setenv("BUCKET", "environment")
    monkeypatch.setenv("KNACK_APP_ID", " ")
    found = environment(file)
    assert found["BUCKET"] == "environment"
    assert found["KNACK_APP_ID"] == "file"
    assert found["CAMERA_PASSWORD"] == "a#b${HOME}"
    assert "EMPTY" not in found


def test_aws_names_of_a_file_reach_the_aws_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credential chain reads the process's environment, so they are put there."""
    file = tmp_path / "env_file"
    file.write_text("AWS_ENDPOINT_URL_S3=http://127.0.0.1:9\n")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    environment(file)
    assert os.environ["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:9"
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")


def test_named_env_file_must_exist(tmp_path: Path) -> None:
    """A slip in --env-file is told, not passed over."""
    with pytest.raises(ConfigError, match="is not a file that exists"):
        environment(tmp_path / "gone")


def test_env_file_of_another_encoding_is_told(tmp_path: Path) -> None:
    """A password typed on an old Windows machine: a sentence, not a traceback."""
    file = tmp_path / "env_file"
    file.write_bytes("CAMERA_PASSWORD=Straße".encode("latin-1"))
    with pytest.raises(ConfigError, match="byte 20 is not UTF-8"):
        environment(file)


def test_blank_aws_names_are_unset_for_the_aws_library_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`AWS_PROFILE=` in an env file means none, not a profile without a name."""
    file = tmp_path / "env_file"
    file.write_text("AWS_ACCESS_KEY_ID=of-the-file\n")
    monkeypatch.setenv("AWS_PROFILE", "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", " ")
    environment(file)
    assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_ACCESS_KEY_ID"] == "of-the-file"


def test_half_a_login_of_any_known_model_is_a_fault() -> None:
    """Without it the camera would be asked with the login for all, and lock it."""
    with pytest.raises(ConfigError, match="AXIS_PASSWORD is not set, though AXIS_USERNAME is"):
        read({**CITY, "AXIS_USERNAME": "a"}, models=["AXIS"])


NAMES = st.sampled_from([setting.name for setting in SETTINGS])


@given(st.dictionaries(NAMES, st.text(max_size=12).filter(lambda text: "\0" not in text)))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300, deadline=None)
def test_any_text_makes_settings_or_sentences(env: dict[str, str]) -> None:
    """Whatever stands in the environment: settings, or a ConfigError with whole sentences."""
    try:
        found = read(env)
    except ConfigError as error:
        assert error.faults  # noqa: PT017 - one of two
    else:
        assert found.timing.interval >= 1


def test_a_wrong_inventory_keeps_nobody_from_an_order(tmp_path: Path) -> None:
    """What concerns cameras may be missing where only the store is needed; the store may not."""
    env = {"CCTV_INVENTORY": "gone.csv", "CCTV_MASKS": "gone.toml", "CCTV_STORE": str(tmp_path)}
    assert read(env, places=Places.STORE).folder == tmp_path
    with pytest.raises(ConfigError, match=r"CCTV_INVENTORY=gone.csv"):
        read(env)
    with pytest.raises(ConfigError) as caught:
        read({"CCTV_INVENTORY": "gone.csv", "CCTV_INTERVAL": "no"}, places=Places.STORE)
    assert [fault.split()[0] for fault in caught.value.faults] == ["CCTV_INTERVAL=no", "BUCKET"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CCTV_FRESHNESS", "350", "is not 360 seconds or more, 1.2 times CCTV_INTERVAL"),
        ("CCTV_NEVER_PUBLISH", "612,../x", "is not ids of cameras such as 612,613 (../x is none)"),
        ("CCTV_REMOVED", "hide", "is not replace or delete"),
        ("CCTV_PUBLIC_URL", "cdn.example", "is not http(s)://host"),
        ("CCTV_DISTRIBUTION_ID", "e1", "is not the id of a CloudFront distribution"),
        ("CCTV_PREFIX", "private/image/", "is not outside private/"),
    ],
)
def test_wrong_orders_of_what_is_public(name: str, value: str, words: str) -> None:
    """One sentence each, with what was found and what is accepted."""
    with pytest.raises(ConfigError) as caught:
        read({**CITY, name: value})
    (fault,) = caught.value.faults
    assert fault.startswith(f"{name}={value} {words}")


def test_what_is_public_is_read() -> None:
    """Ids with commas or blanks; the address without its last slash."""
    found = read(
        {
            **CITY,
            "CCTV_NEVER_PUBLISH": "612, 613 614",
            "CCTV_REMOVED": "Delete",
            "CCTV_PUBLIC_URL": "https://cdn.example/",
            "CCTV_FRESHNESS": "400",
        }
    )
    assert found.never == {"612", "613", "614"}
    assert (found.erase, found.public_url, found.freshness) == (True, "https://cdn.example", 400)
    assert read(CITY).freshness == 450
