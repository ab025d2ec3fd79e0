"""deploy/edge: the functions' own tests, run by Node.js, and that these tests would notice."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deploy.programs import ROOT, run, surroundings

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

NODE = shutil.which("node")
EDGE = ROOT / "deploy" / "edge"
# each makes a function let something old through, or send something good away
MUTANTS = [
    ("fresh.js", "Date.now() < moment", "Date.now() <= moment"),
    ("fresh.js", "Date.now() < moment(until.value)", "!(Date.now() >= moment(until.value))"),
    ("fresh.js", "new Date(time).toISOString() === text", "true"),
    ("fresh.js", "response.body = {", "response.other = {"),
    ("fresh.js", "'no-store'", "'public'"),
    ("fresh.js", "!(state && state.value === 'live') && ", ""),
    ("fresh.js", " && !isCopyOfUnknownAge(response, uri)", ""),
    ("fresh.js", " && !/\\.json$/.test(uri)", ""),
    ("fresh.js", "/\\/unavailable\\.jpg$/.test(uri)", "false"),
    ("fresh.js", "/\\/unavailable\\.jpg$/", "/unavailable\\.jpg$/"),
    ("fresh.js", "request.method !== 'HEAD'", "true"),
    ("fresh.js", ".replace(/^[\\/\\\\]+/, '/')", ""),
    ("fresh.js", "|etag|", "|via|"),
    ("request.js", "  'if-none-match',\n", ""),
    ("request.js", "  'if-modified-since',\n", ""),
    ("request.js", ",\n  'range'\n", "\n"),
]

if NODE is None and os.environ.get("CI"):
    raise RuntimeError("node is not installed, and in CI no test may be left out")

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def judged(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """What Node.js says of the functions in `folder`."""
    command = [str(NODE), "--test", "--test-reporter=tap", str(folder / "fresh.test.js")]
    return run(command, surroundings(home))


def test_the_functions_pass_their_tests(tmp_path: Path) -> None:
    """Every test of fresh.test.js passes; none is left out."""
    done = judged(EDGE, tmp_path)
    assert done.returncode == 0, done.stdout
    count = {word: int(n) for word, n in re.findall(r"^# (\w+) (\d+)$", done.stdout, re.MULTILINE)}
    assert count["pass"] == count["tests"] > 40


@pytest.mark.parametrize(("name", "right", "wrong"), MUTANTS)
def test_a_wrong_function_is_noticed(tmp_path: Path, name: str, right: str, wrong: str) -> None:
    """Each of these mistakes fails a test."""
    shutil.copytree(EDGE, tmp_path / "edge")
    function = tmp_path / "edge" / name
    text = function.read_text()
    assert text.count(right) == 1
    function.write_text(text.replace(right, wrong))
    done = judged(tmp_path / "edge", tmp_path)
    assert done.returncode == 1, done.stdout
    assert "SyntaxError" not in done.stdout
