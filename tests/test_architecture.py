"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cctv"
MODULES = sorted(PACKAGE.rglob("*.py"))


def broad(handler: ast.ExceptHandler) -> bool:
    """Whether it takes every Exception there is."""
    if handler.type is None:
        return True
    return any(
        isinstance(node, ast.Name) and node.id in {"Exception", "BaseException"}
        for node in ast.walk(handler.type)
    )


def test_broad_excepts_stand_at_known_places() -> None:
    """The two bulkheads; the end of the program; and the one that carries a thread's error over."""
    found = [
        module.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and broad(node)
    ]
    assert sorted(found) == ["aside.py", "cli.py", "fleet.py", "observers.py"]


def test_environment_is_read_in_one_place() -> None:
    """config.py; and the Knack child's parent, which passes on what programs need to run."""
    readers = [
        module.name
        for module in MODULES
        if "os.environ" in module.read_text("utf-8") or "getenv" in module.read_text("utf-8")
    ]
    assert readers == ["config.py", "knack.py"]


def test_daemon_does_not_load_the_knack_library() -> None:
    """It runs in a child; the daemon's memory stays small, its loop unblocked."""
    look = "import sys, cctv.cli; print(*(m for m in ('knackpy', 'requests') if m in sys.modules))"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_file_fits_the_head(module: Path) -> None:
    """A file that grows past this misses a noun."""
    assert len(module.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_tasks_have_names(module: Path) -> None:
    """No bare create_task: each has an owner and a name, for the one who reads a stack dump."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "create_task":
            assert any(word.arg == "name" for word in node.keywords), ast.unparse(node)
