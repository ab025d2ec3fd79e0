"""deploy/compose.yaml: its commands, run here in its order, bring pictures into its bucket."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml  # type: ignore[import-untyped] # its types are a package of their own

from cctv.config import LOGINS
from cctv.settings_table import SETTINGS
from tests.deploy.programs import (
    BIN,
    ROOT,
    copy_tree,
    get,
    is_live_jpeg,
    processes_in,
    run,
    running,
    surroundings,
    wait_until,
)
from tests.fakes.s3 import free_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Service = dict[str, Any]
TEXT = (ROOT / "deploy" / "compose.yaml").read_text()


def services(text: str = TEXT) -> dict[str, Service]:
    """The file's services by name."""
    return cast("dict[str, Service]", yaml.safe_load(text)["services"])


def test_every_setting_is_known() -> None:
    """The daemon's variables are settings, logins or AWS's own."""
    known = {setting.name for setting in SETTINGS}
    known |= {f"{login}_{part}" for login in LOGINS for part in ("USERNAME", "PASSWORD")}
    told = {name for name in services()["daemon"]["environment"] if not name.startswith("AWS_")}
    assert told <= known


def test_all_share_the_network_of_the_street() -> None:
    """The cameras are loopback addresses, so nobody has a network of their own; only S3 is open."""
    street, *others = services().values()
    assert {other["network_mode"] for other in others} == {"service:street"}
    assert street["ports"] == ["127.0.0.1:5000:5000"]
    assert not any("ports" in other for other in others)


def test_the_order_of_the_start() -> None:
    """The daemon waits for its list of cameras and its bucket, the bucket for its server."""
    waits = {name: service.get("depends_on", {}) for name, service in services().items()}
    assert waits["bucket"] == {"s3": {"condition": "service_healthy"}}
    assert waits["daemon"] == {
        "street": {"condition": "service_healthy"},
        "bucket": {"condition": "service_completed_successfully"},
    }


@pytest.mark.parametrize("service", ["street", "bucket", "daemon"])
def test_the_images_are_built_from_this_folder(service: str) -> None:
    """The context is the project, and a target is a stage of its Dockerfile."""
    build = services()[service]["build"]
    assert (ROOT / "deploy" / build["context"] / "Dockerfile").is_file()
    if "target" in build:
        assert f" AS {build['target']}\n" in (ROOT / "Dockerfile").read_text()


def test_the_commands_bring_pictures_into_the_bucket(tmp_path: Path) -> None:
    """Each command and health check runs as written, on other ports; anyone sees the pictures."""
    s3_port = free_port()
    text = TEXT.replace("5000", str(s3_port)).replace("8081", str(free_port()))
    place = _Place(copy_tree(tmp_path / "app", "cctv", "dev"), services(text))
    (place.app / "street").mkdir()
    with ExitStack() as stack:
        street = place.start(stack, "street", healthy=True)
        place.start(stack, "s3", healthy=True)
        assert place.start(stack, "bucket").wait(30) == 0
        daemon = place.start(stack, "daemon")
        bucket = f"http://127.0.0.1:{s3_port}/cctv-images/image"
        wait_until(lambda: is_live_jpeg(f"{bucket}/1.jpg"), "a picture of camera 1")
        wait_until(lambda: get(f"{bucket}/7.jpg")[1].get("x-amz-meta-reason") == "auth", "camera 7")
        for program in (daemon, street):
            program.send_signal(signal.SIGTERM)
            assert program.wait(15) == 0
    assert processes_in(place.app) == []


class _Place:
    """A folder in which services run side by side, as in one network."""

    def __init__(self, app: Path, services: Mapping[str, Service]) -> None:
        self.app = app
        self._services = services

    def start(
        self, stack: ExitStack, name: str, *, healthy: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a service, and wait for its health."""
        service = self._services[name]
        environment = surroundings(self.app, BIN, **service.get("environment", {}))
        command = _found([*service.get("entrypoint", []), *service.get("command", [])], self.app)
        program = stack.enter_context(running(command, environment, self.app))
        if healthy:
            check = _found(service["healthcheck"]["test"][1:], self.app)
            wait_until(lambda: run(check, environment).returncode == 0, f"the health of {name}")
        return program


def _found(command: Sequence[str], app: Path) -> list[str]:
    program = app / command[0] if os.sep in command[0] else BIN / command[0]
    return [str(program), *command[1:]]
