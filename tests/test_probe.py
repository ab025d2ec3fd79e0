"""`cctv probe`, wrong models, certificates and masks, as a technician meets them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from dev.street import Street
from tests.fakes.daemon import Daemon, await_, command

if TYPE_CHECKING:
    from pathlib import Path

ENV = {
    "CCTV_STORE": "store",
    "CCTV_INVENTORY": "street.csv",
    "CCTV_HTTP": "127.0.0.1:0",
    "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
    "CCTV_INTERVAL": "4",
    "CCTV_LOG_DIR": "log",
    "CAMERA_USERNAME": "user",
    "CAMERA_PASSWORD": "pass word:%",
}
# a probe wants neither inventory nor store
ALONE = {name: text for name, text in ENV.items() if name.startswith("CAMERA")} | {
    "CCTV_CAMERA_NETWORKS": "127.0.0.0/8"
}


def test_a_probe_finds_the_model(tmp_path: Path) -> None:
    """Every way gets a row with what it came to, and the one that works is named."""
    with Street(cameras=1, modes={"1": "wrong_model:wisenet"}) as street:
        status, text = command("probe", street.address("1"), env=ALONE, folder=tmp_path)
    assert status == 0, text
    rows = {line.split()[0]: line for line in text.splitlines() if "/" in line}
    assert " ok 640x360 pixels" in rows["wisenet"]
    assert rows["axis"].endswith("not-found: HTTP 404 Not Found")
    assert len(rows) > 10
    assert text.splitlines()[-1] == "It answers as wisenet: write that model into its record."


def test_a_probe_of_nobody_stops_at_once(tmp_path: Path) -> None:
    """Where nothing is reached one way is tried, not fourteen."""
    with Street(cameras=1, modes={"1": "refused"}) as street:
        status, text = command("probe", street.address("1"), env=ALONE, folder=tmp_path)
    assert status == 1
    assert text.count("unreachable: connection failed: Connection refused") == 1
    assert "No other way was tried. The camera could not be connected to." in text


def test_a_probe_locks_nobody_out(tmp_path: Path) -> None:
    """A password that is refused is given twice, not once for every way."""
    with Street(cameras=1, modes={"1": "wrong_password"}) as street:
        status, text = command("probe", street.address("1"), env=ALONE, folder=tmp_path)
        assert street.attempts("1") == 2
    assert status == 1
    assert "not tried: refused twice" in text


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("nonsense/1",), "ADDRESS 'nonsense/1' is not host, host:port or http(s)://host[:port]"),
        (("10.0.0.1", "--tls", "trustful"), "--tls holds an unknown word"),
        (("10.0.0.1", "--channel", "0"), "--channel 0 is not from 1 to 999"),
    ],
)
def test_a_probe_of_nonsense(words: tuple[str, ...], fault: str, tmp_path: Path) -> None:
    """What is odd about the command line is said in words, with status 2."""
    status, text = command("probe", *words, env=ALONE, folder=tmp_path)
    assert (status, fault in text) == (2, True), text


def test_a_wrong_model_is_found_out_kept_and_told(tmp_path: Path) -> None:
    """The daemon publishes all the same, knows it after a restart, and the commands say so."""
    with Street(cameras=1, modes={"1": "wrong_model:wisenet"}) as street:
        (tmp_path / "street.csv").write_text(street.csv())
        learned = tmp_path / "log" / "state" / "ways.json"
        with Daemon(ENV, tmp_path) as daemon:
            daemon.says("record says Axis, answers as Wisenet camera=1; correct its model")
            await_(learned.exists, "what was learned on disk")
        before = len(street.requests("1"))
        with Daemon(ENV, tmp_path) as daemon:
            daemon.says("pictures can be seen at")
            street.wait_for_requests("1", before + 1, 40)
            assert street.requests("1")[before].target.startswith("/stw-cgi/video.cgi")
        status, text = command("check", "--all", env=ENV, folder=tmp_path)
    assert status == 0, text
    assert "camera 1: record says Axis, answers as Wisenet; correct its model" in text


def test_a_certificate_of_ones_own(tmp_path: Path) -> None:
    """Refused as it is, taken by its pin, and not by another pin, which the message corrects."""
    with Street(cameras=1, tls="self") as street:
        pin = street.certificate("1")
        row = street.records()[0]
        results = {}
        for tls in ("", f"pin:{pin}", f"pin:{'0' * 64}", "insecure"):
            (tmp_path / "street.csv").write_text(
                f"id,model,address,tls\n1,{row['model']},{row['address']},{tls}\n"
            )
            results[tls] = command("check", "--all", env=ENV, folder=tmp_path)
    assert "tls: certificate refused: self-signed certificate" in results[""][1]
    assert results[f"pin:{pin}"][0] == results["insecure"][0] == 0
    assert f"another one than the pinned: sha256 {pin}" in results[f"pin:{'0' * 64}"][1]


def test_masks_and_width_are_in_every_picture_that_is_saved(tmp_path: Path) -> None:
    """What is hidden is hidden in a technician's own copy too."""
    (tmp_path / "masks.toml").write_text("1 = [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]]\n")
    env = {**ENV, "CCTV_MASKS": "masks.toml", "CCTV_MAX_WIDTH": "320"}
    with Street(cameras=1) as street:
        (tmp_path / "street.csv").write_text(street.csv())
        status, text = command("snap", "1", "-o", "1.jpg", env=env, folder=tmp_path)
    assert (status, "320x180 pixels" in text) == (0, True), text
    with Image.open(tmp_path / "1.jpg") as picture:
        lower = np.asarray(picture.convert("L"))[100:]
    assert abs(lower.astype(int) - 128).max() <= 2


def test_faulty_masks_stop_the_start_and_not_the_daemon(tmp_path: Path) -> None:
    """At the start a mask in doubt is status 2; at a reload the last good masks stay."""
    env = {**ENV, "CCTV_MASKS": "masks.toml"}
    masks = tmp_path / "masks.toml"
    masks.write_text("1 = [[[0, 0], [1, 1]]]\nnobody = [[[0, 0], [1, 0], [1, 1]]]\n")
    with Street(cameras=1) as street:
        (tmp_path / "street.csv").write_text(street.csv())
        status, text = command("check", env=env, folder=tmp_path)
        assert (status, "1, shape 1: is not a list of 3 corners or more" in text) == (2, True)
        masks.write_text("1 = [[[0, 0], [1, 0], [1, 1]]]\nnobody = [[[0, 0], [1, 0], [1, 1]]]\n")
        with Daemon(env, tmp_path) as daemon:
            daemon.says("CCTV_MASKS has shapes for a camera the inventory lacks camera=nobody")
            masks.unlink()
            daemon.send(signal.SIGHUP)
            daemon.says("masks: the last good ones stay")
