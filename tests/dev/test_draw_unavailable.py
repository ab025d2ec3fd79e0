"""The fallback card: what the program draws is what is committed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from dev.draw_unavailable import CARD, SLATE, SOFT, WHITE, check, draw, jpeg, same

SCRIPT = Path(__file__).resolve().parents[2] / "dev" / "draw_unavailable.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program


def test_the_committed_card_is_the_drawn_one() -> None:
    """`--check` agrees with the file in the package, and says nothing."""
    done = run("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_refuses_another_picture(tmp_path: Path) -> None:
    """`--check` fails on a card that shows something else, and names it."""
    file = tmp_path / "card.jpg"
    Image.new("RGB", (640, 360), SLATE).save(file)
    done = run("--check", "--file", str(file))
    assert done.returncode == 1
    assert str(file) in done.stderr


def test_draws_the_file(tmp_path: Path) -> None:
    """Without `--check` the file is written, and then agrees."""
    file = tmp_path / "card.jpg"
    assert run("--file", str(file)).returncode == 0
    assert check(file)


def test_the_same_bytes_each_time() -> None:
    """One Pillow draws one sequence of bytes."""
    assert jpeg() == jpeg()


def test_a_changed_letter_is_seen() -> None:
    """The comparison forgives a codec's rounding, never a stroke."""
    card, other = draw(), draw()
    ImageDraw.Draw(other).line((20, 300, 20, 308), SOFT)
    assert same(card, card.point(lambda part: min(255, part + 3)))
    assert not same(card, other)
    assert not same(card, card.resize((320, 180)))


def test_the_card_suits_every_viewer() -> None:
    """640x360, under 20 KB, baseline, no metadata, whole to the last marker."""
    body = CARD.read_bytes()
    assert len(body) < 20 * 1024
    assert body.startswith(b"\xff\xd8")
    assert body.endswith(b"\xff\xd9")
    with Image.open(CARD) as card:
        assert (card.format, card.mode, card.size) == ("JPEG", "RGB", (640, 360))
        assert not {"progressive", "exif", "comment", "icc_profile"} & set(card.info)


def luminance(colour: tuple[int, int, int]) -> float:
    """The relative luminance as WCAG defines it."""
    parts = [part / 255 for part in colour]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ink", [WHITE, SOFT])
def test_the_words_stand_out(ink: tuple[int, int, int]) -> None:
    """The contrast of both lines is above WCAG AA's 4.5 to 1."""
    assert (luminance(ink) + 0.05) / (luminance(SLATE) + 0.05) > 4.5
