"""The image without Docker: the Dockerfile's steps, done in a bare virtual environment."""

from __future__ import annotations

import json
import os
import re
import signal
import venv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import cctv
from tests.deploy.programs import BIN, ROOT, run, running, surroundings, wait_until

if TYPE_CHECKING:
    import subprocess
    from contextlib import AbstractContextManager
    from typing import IO

    Running = AbstractContextManager[subprocess.Popen[bytes]]

DOCKERFILE = (ROOT / "Dockerfile").read_text()


class Step(NamedTuple):
    """An instruction of the Dockerfile."""

    word: str
    rest: str


def stages() -> list[list[Step]]:
    """The stages of the Dockerfile, each a list of steps that begins with FROM."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    steps = [Step(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    starts = [n for n, step in enumerate(steps) if step.word == "FROM"]
    return [steps[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def image() -> list[Step]:
    """The steps of the image that `docker build` makes: the first stage and the last."""
    first, *_, last = stages()
    assert first[0].rest.endswith(" AS app")
    assert last[0].rest == "app"
    return [*first, *last[1:]]


def last(word: str) -> str:
    """What the last instruction of this kind says; empty where there is none."""
    return next((step.rest for step in reversed(image()) if step.word == word), "")


def passes(path: Path) -> bool:
    """Whether .dockerignore lets a file through: the last pattern decides that fits it or above."""
    inside = [str(part) for part in (path, *path.parents)][:-1]
    verdict = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            form = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?")
            form = form.replace(r"\*", "[^/]*")
            if any(re.fullmatch(form, part) for part in inside):
                verdict = line.startswith("!")
    return verdict


def context() -> list[Path]:
    """The files that go into the build, relative to the project."""
    folders = [folder for folder in ROOT.iterdir() if folder.name in ("cctv", "dev", "deploy")]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    names = [file.relative_to(ROOT) for file in files]
    return [name for name in names if passes(name)]


class Container(NamedTuple):
    """A folder /app with an environment of its own, built as the Dockerfile says."""

    app: Path
    environment: dict[str, str]

    def start(self, *command: str, out: IO[str] | None = None) -> Running:
        """A command that runs in /app meanwhile, as by `docker run`."""
        return running(command, self.environment, self.app, out)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end outside of /app, as `docker exec -w` would."""
        return run(command, self.environment, Path("/"))


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    """A container built from the real steps; only paths and chown are played."""
    folder = tmp_path_factory.mktemp("container")
    app = folder / "app"
    app.mkdir()
    prefix = folder / "prefix"
    venv.create(prefix, with_pip=True)
    own = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = surroundings(folder, prefix / "bin", **own)

    def played(text: str) -> str:
        moved = text.replace("/usr/local/bin", str(prefix / "bin"))
        return re.sub(r"(?<![\w/])/app\b", str(app), moved)

    for word, rest in image():
        if word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in played(rest).split())
        elif word == "COPY":
            source, target = rest.split()
            _copy(source, target, app)
        elif word == "RUN":
            done = run(["sh", "-euc", f"chown() {{ :; }}; {played(rest)}"], environment, app)
            assert done.returncode == 0, done.stderr
    return Container(app, environment)


def _copy(source: str, target: str, app: Path) -> None:
    for name in context():
        if name.is_relative_to(source):
            place = app / target / name.relative_to(source)
            if target.endswith("/"):
                place = app / target / name.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / name).read_bytes())
            place.chmod((ROOT / name).stat().st_mode)


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile is clean."""
    ended = run([BIN / "hadolint", ROOT / "Dockerfile"], surroundings(ROOT))
    assert ended.stdout == ""
    assert ended.returncode == 0


def test_the_predecessors_command_is_the_programs() -> None:
    """No ENTRYPOINT stands before a command that is a path below /app with a run bit."""
    assert last("ENTRYPOINT") == ""
    assert last("WORKDIR") == "/app"
    assert json.loads(last("CMD")) == ["cctv/process_images.py"]
    script = ROOT / "cctv" / "process_images.py"
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env python3\n")


def test_the_image_is_careful() -> None:
    """A numeric user who is not root, a health check of its own, and a stop that is heard."""
    user, group = map(int, last("USER").split(":"))
    assert user > 0
    assert group > 0
    assert last("HEALTHCHECK").endswith('CMD ["cctv", "health"]')
    assert last("STOPSIGNAL") == "SIGTERM"
    assert f"ARG VERSION={cctv.__version__}\n" in DOCKERFILE


def test_only_hashed_wheels_go_in() -> None:
    """Both stages install from a lock file with hashes, and build nothing."""
    installs = [step.rest for stage in stages() for step in stage if "pip install" in step.rest]
    assert len(installs) == 2
    for install in installs:
        assert "--require-hashes" in install
        assert "--only-binary=:all:" in install


@pytest.mark.parametrize(
    "name", ["deploy/requirements.lock", "dev/street.lock", "dev/requirements.lock"]
)
def test_the_locks_name_no_place(name: str) -> None:
    """Every requirement has a version and hashes; no host and no folder stands in the file."""
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=\w)", text.strip())
    assert all(re.match(r"[\w.-]+==\S+ ", block) for block in blocks)
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|--(extra-)?index|--find-links|\s/", text)


def test_the_context_holds_no_secrets_and_no_litter() -> None:
    """Settings files, logs, history and caches stay out."""
    names = {"env_file", ".env", ".git/config", "cctv/_log/cctv.log", "cctv/__pycache__/x.pyc"}
    assert not any(passes(ROOT.joinpath(name).relative_to(ROOT)) for name in names)
    assert passes((ROOT / "cctv" / "unavailable.jpg").relative_to(ROOT))


@pytest.fixture
def settings(container: Container, tmp_path: Path) -> Container:
    """The container with settings for a folder and a list of one camera that is not there."""
    street = tmp_path / "street.csv"
    street.write_text("id,model,address\n7,Axis,127.0.0.1:9\n")
    told = {
        "CCTV_INVENTORY": str(street),
        "CCTV_STORE": str(tmp_path / "public"),
        "CCTV_HTTP": "127.0.0.1:0",
        "CCTV_INTERVAL": "2",
        "CCTV_CAMERA_NETWORKS": "127.0.0.0/8",
    }
    return container._replace(environment=container.environment | told)


def test_the_image_runs_the_daemon(settings: Container) -> None:
    """It logs to cctv/_log, `cctv` in the container knows it, and SIGTERM ends it with 0."""
    log = settings.app / "cctv" / "_log" / "cctv.log"
    with settings.start("cctv/process_images.py") as daemon:
        wait_until(lambda: log.exists() and "camera=7" in log.read_text(), "camera 7")
        wait_until(lambda: settings.run("cctv", "health").returncode == 0, "health")
        assert "1 cameras" in settings.run("cctv", "list").stdout
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0
    assert log.read_text().endswith("stopped\n")


def test_a_log_folder_of_somebody_else_stops_nothing(settings: Container, tmp_path: Path) -> None:
    """Where the log cannot be written the daemon says so on stdout, and goes on."""
    wall = tmp_path / "wall"
    wall.write_text("a file where a folder should be")
    settings.environment["CCTV_LOG_DIR"] = str(wall)
    said = tmp_path / "said"
    with said.open("w") as out, settings.start("cctv/process_images.py", out=out) as daemon:
        wait_until(lambda: "camera=7" in said.read_text(), "camera 7")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(15) == 0
    assert "log file not writable, stdout only" in said.read_text()
