"""The scripts for the server and for developers: what they call, and what they say."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.deploy.programs import BIN, ROOT, copy_tree, run, surroundings

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SCRIPTS = [*sorted((ROOT / "scripts").iterdir()), ROOT / ".ci" / "run"]
PREDECESSORS_PARTS = (
    "run",
    "--name cctv-images",
    "--network host",
    "-d",
    "--env-file",
    ":/app/cctv/_log",
    "cctv/process_images.py",
)
HARDENING = (
    "--restart unless-stopped",
    "--init",
    "--stop-timeout 30",
    "--read-only",
    "--tmpfs /tmp",
    "--cap-drop ALL",
    "--security-opt no-new-privileges",
    "--user 10001:10001",
)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server of the City with a docker that only notes what it is told."""
    return Server(tmp_path)


class Server:
    """Programs of our own first on the PATH; `told` is what docker and chown were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fakes = folder / "fakes"
        self.fakes.mkdir()
        self.notes = folder / "notes"
        self.env_file = folder / "env_file"
        self.env_file.write_text("BUCKET=b\n")
        self.program("docker", f'echo docker "$@" >> "{self.notes}"')
        self.program("chown", f'echo chown "$@" >> "{self.notes}"')
        self.program("sudo", 'exec "$@"')

    def program(self, name: str, *lines: str) -> None:
        """Have a program of this name, a shell script."""
        file = self.fakes / name
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the project to its end."""
        named = {"LAUNCH_ENV_FILE": self.env_file, "LAUNCH_LOG_DIR": self.folder / "log"}
        environment = {name: str(value) for name, value in named.items()} | more
        return self.call([ROOT / "scripts" / script, *arguments], **environment)

    def call(self, command: list[Path | str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in an environment with nothing of ours."""
        return run(command, surroundings(self.folder, self.fakes, **more))

    @property
    def told(self) -> list[str]:
        """One line for each call."""
        return self.notes.read_text().splitlines() if self.notes.exists() else []


def only(folder: Path, *names: str) -> Path:
    """A folder for a PATH on which there are these programs and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or "")
    return folder


def test_shellcheck_finds_nothing() -> None:
    """Every script is clean."""
    ended = run([BIN / "shellcheck", *SCRIPTS], surroundings(ROOT))
    assert ended.stdout == ""
    assert ended.returncode == 0


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_each_can_be_run_and_says_what_it_does(script: Path) -> None:
    """A run bit, bash found on the PATH, and a comment on top."""
    first, second, *_ = script.read_text().splitlines()
    assert os.access(script, os.X_OK)
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")


def test_launch_starts_the_container_as_the_predecessor_did(server: Server) -> None:
    """The predecessor's `docker run` with its name, network, files and command, hardened."""
    ended = server.run("launch.sh", "-v", LAUNCH_IMAGE="city/cctv:1")
    assert ended.returncode == 0, ended.stderr
    log = server.folder / "log"
    command = server.told[-1]
    assert command.startswith("docker run --name cctv-images --network host -d --env-file ")
    assert f"--env-file {server.env_file} -v {log}:/app/cctv/_log " in command
    assert command.endswith(" city/cctv:1 cctv/process_images.py -v")
    for part in (*PREDECESSORS_PARTS, *HARDENING):
        assert f"{part} " in f"{command} "


def test_launch_mounts_the_folder_of_files_that_settings_name(server: Server) -> None:
    """Where it exists, read-only and under its own name; a file in it can be replaced meanwhile."""
    config = server.folder / "config"
    asked = {"LAUNCH_CONFIG_DIR": str(config)}
    server.run("launch.sh", **asked)
    assert f"{config}:{config}:ro" not in server.told[-1]
    config.mkdir()
    server.run("launch.sh", **asked)
    assert f"-v {config}:{config}:ro" in server.told[-1]


def test_launch_replaces_the_old_container(server: Server) -> None:
    """The image is at hand before the old one is stopped; the log is the image's user's."""
    assert server.run("launch.sh").returncode == 0
    log = server.folder / "log"
    assert server.told[:-1] == [
        "docker image inspect atddocker/atd-cctv-images",
        "docker container inspect cctv-images",
        "docker stop cctv-images",
        "docker rm cctv-images",
        f"chown -R 10001:10001 {log}",
    ]
    assert log.is_dir()


def test_launch_leaves_the_old_container_when_there_is_no_new_image(server: Server) -> None:
    """When the image can neither be found nor pulled, the old container runs on."""
    server.program("docker", f'echo docker "$@" >> "{server.notes}"', "exit 1")
    assert server.run("launch.sh").returncode != 0
    assert [line.split()[1] for line in server.told] == ["image", "pull"]


def test_launch_names_a_missing_settings_file(server: Server) -> None:
    """One sentence, and docker is not called."""
    server.env_file.unlink()
    ended = server.run("launch.sh")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"there is no {server.env_file}" in ended.stderr
    assert server.told == []


def test_launch_names_a_missing_docker(tmp_path: Path) -> None:
    """One sentence."""
    path = only(tmp_path / "bin", "bash", "env")
    ended = run([ROOT / "scripts" / "launch.sh"], {"PATH": str(path)})
    assert ended.returncode == 1
    assert ended.stderr == "launch.sh: docker is not installed, or not in the PATH.\n"


def test_launch_and_the_image_agree_on_the_user() -> None:
    """The log folder is given to the very user the image runs as."""
    found = re.search(r"RUN_AS=(\S+)", (ROOT / "scripts" / "launch.sh").read_text())
    assert found
    assert f"USER {found[1]}\n" in (ROOT / "Dockerfile").read_text()


def test_restart_restarts_the_container(server: Server) -> None:
    """The predecessor's command, and its exit status."""
    assert server.run("restart.sh").returncode == 0
    assert server.told == ["docker restart cctv-images"]
    server.program("docker", "exit 3")
    assert server.run("restart.sh").returncode == 3


def test_restart_does_nothing_while_another_one_runs(server: Server) -> None:
    """A slow restart and the next cron job do not meet."""
    with (ROOT / "scripts" / "restart.sh").open() as script:
        fcntl.flock(script, fcntl.LOCK_EX)
        assert server.run("restart.sh").returncode == 0
    assert server.told == []


def test_venv_names_a_python_that_is_too_old(tmp_path: Path) -> None:
    """One sentence, and no folder is made."""
    tree = copy_tree(tmp_path / "tree", "scripts/venv.sh")
    path = only(tmp_path / "bin", "bash", "env", "dirname")
    ended = run([tree / "scripts" / "venv.sh", "x.lock"], {"PATH": str(path)})
    assert ended.returncode == 1
    assert ended.stderr.startswith("Python 3.11 or newer is needed")
    assert ended.stderr.count("\n") == 1
    assert not (tree / ".venv").exists()


def test_venv_takes_a_newer_python_and_names_its_missing_module(server: Server) -> None:
    """An old `python3` is passed over; a python without `venv` is told with the package's name."""
    tree = copy_tree(server.folder / "tree", "scripts/venv.sh")
    server.program("python3", "exit 1")
    server.program("python3.14", "exit 1")
    server.program("python3.13", 'case "$*" in *ensurepip*) exit 1; esac')
    ended = server.call([tree / "scripts" / "venv.sh", "x.lock"])
    assert ended.returncode == 1
    assert ended.stderr.endswith("apt install python3.13-venv\n")


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0)])
def test_a_skipped_test_fails_in_ci(server: Server, ci: str, status: int) -> None:
    """With CI=true a skipped test is a failure; pytest's arguments are passed on."""
    tree = copy_tree(server.folder / "tree", "scripts")
    (tree / "scripts" / "check").write_text("#!/bin/sh\n")
    (tree / "pytest.ini").write_text("[pytest]\n")
    (tree / "test_it.py").write_text(
        "import pytest\n\ndef test_well(): pass\n\n@pytest.mark.skip\ndef test_not(): pass\n"
    )
    server.program("chromium")
    command: list[Path | str] = [tree / "scripts" / "test.sh", "--strict-markers"]
    ended = server.call(command, CI=ci, VENV=sys.prefix)
    assert "1 passed, 1 skipped" in ended.stdout
    assert ended.returncode == status
