"""scripts/demo.sh: a look at the whole thing, on any Linux with Python."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.deploy.programs import (
    copy_tree,
    get,
    is_live_jpeg,
    processes_in,
    run,
    running,
    surroundings,
    wait_until,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A fresh checkout, with a settings file of another program in it."""
    tree = copy_tree(tmp_path / "a tree", "cctv", "dev", "scripts")
    (tree / ".env").write_text("CCTV_NONSENSE=1\nCCTV_STORE=s3\n")
    return tree


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_pictures_and_leaves_nothing(tree: Path, end: signal.Signals) -> None:
    """With busy ports and a littered shell it shows live pictures; a signal ends every process."""
    said = tree / "said"
    littered = surroundings(
        tree, VENV=sys.prefix, BUCKET="someone's", CCTV_NONSENSE="1", PYTHONPATH="/nowhere"
    )
    with ExitStack() as stack:
        for port in (8080, 8081):
            # where somebody else has it, so much the better
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        terminal = stack.enter_context(said.open("w"))
        script = [tree / "scripts" / "demo.sh"]
        demo = stack.enter_context(running(script, littered, out=terminal))
        wait_until(lambda: "Ctrl-C" in said.read_text() or demo.poll() is not None, "the address")
        found = re.search(r"pictures can be seen at (http://127\.0\.0\.1:(\d+)/)", said.read_text())
        assert found, said.read_text()
        assert found[2] != "8080"
        status, _, page = get(found[1])
        assert status == 200
        assert b"/image/1.jpg" in page
        wait_until(lambda: is_live_jpeg(f"{found[1]}image/1.jpg"), "camera 1")
        wait_until(lambda: get(f"{found[1]}image/7.jpg")[1].get("x-amz-meta-reason") == "auth", "7")
        demo.send_signal(end)
        assert demo.wait(20) == 128 + end
    assert processes_in(tree) == []
    assert "stopped" in (tree / ".demo" / "daemon.out").read_text()


def test_a_program_that_fails_is_named(tree: Path) -> None:
    """When the daemon cannot start, the demo ends with its words and leaves no process."""
    (tree / "cctv" / "__main__.py").write_text("raise SystemExit('no such luck')\n")
    ended = run([tree / "scripts" / "demo.sh"], surroundings(tree, VENV=sys.prefix))
    assert ended.returncode == 1
    assert "no such luck" in ended.stderr
    assert ended.stderr.endswith("demo.sh: no picture came.\n")
    assert processes_in(tree) == []
