"""The operator's file of privacy masks: taken whole, or not at all."""

from __future__ import annotations

from math import cos, sin
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cctv import masks
from cctv.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = "[[0, 0.6], [0.4, 0.6], [0.4, 1]]"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the masks are written."""
    return tmp_path / "masks.toml"


def faults(file: Path, text: str) -> list[str]:
    """What is wrong with a file of this text, without its name."""
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        masks.load(file)
    name = f"CCTV_MASKS={file}: "
    assert all(fault.startswith(name) for fault in caught.value.faults)
    return [fault.removeprefix(name) for fault in caught.value.faults]


def test_without_a_file_nothing_is_masked() -> None:
    """The setting is blank by default."""
    assert masks.load(None) == {}


def test_shapes_come_by_camera(file: Path) -> None:
    """Several shapes, several cameras, whole numbers and fractions, comments between."""
    file.write_text(
        f"# the school\n12 = [{SHAPE}, [[0, 0], [1, 0], [1, 1], [0, 1]]]\n"
        f'"south-5" = [\n  {SHAPE},\n]\n'
    )
    triangle = ((0.0, 0.6), (0.4, 0.6), (0.4, 1.0))
    assert masks.load(file) == {
        "12": (triangle, ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))),
        "south-5": (triangle,),
    }


def test_a_file_without_cameras_masks_nothing(file: Path) -> None:
    """An empty file is no fault."""
    file.write_text("# nothing yet\n")
    assert masks.load(file) == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f'"a b" = [{SHAPE}]', "'a b' is not the id of a camera"),
        (f'"../x" = [{SHAPE}]', "'../x' is not the id of a camera"),
        (f"unavailable = [{SHAPE}]", "'unavailable' is not the id of a camera"),
        ("12 = 'all'", "12 has no list of shapes"),
        ("12 = true", "12 has no list of shapes"),
        (f"[12]\nshape = [{SHAPE}]", "12 has no list of shapes"),
        (f"12.1 = [{SHAPE}]", "12 has no list of shapes"),
        ("12 = [[0.5, 0.6]]", "12, shape 1: is not a list of 3 corners or more"),
        ("12 = [[[0, 0], [1, 1]]]", "12, shape 1: is not a list of 3 corners or more"),
        (f"12 = [{SHAPE}, 7]", "12, shape 2: is not a list of 3 corners or more"),
        ("12 = [[[0, 0], [1, 0], [1]]]", "[1] is not a corner such as [0.25, 0.5]"),
        ("12 = [[[0, 0], [1, 0], [1, 1, 1]]]", "[1, 1, 1] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [1, 1.01]]]", "[1, 1.01] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [-0.1, 1]]]", "[-0.1, 1] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [640, 480]]]", "[640, 480] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [nan, 1]]]", "[nan, 1] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [inf, 1]]]", "[inf, 1] is not a corner"),
        ("12 = [[[0, 0], [1, 0], [true, true]]]", "[True, True] is not a corner"),
        ("12 = [[[0, 0], [1, 0], ['0', '1']]]", "['0', '1'] is not a corner"),
        ("12 = [[[0, 0], [1, 0], 1]]", "1 is not a corner"),
        ("12 = [[[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]]", "12, shape 1: encloses nothing"),
        ("12 = [[[0, 0.5], [0.5, 0.5], [1, 0.5]]]", "12, shape 1: encloses nothing"),
        ("12 = [[[0.5, 0], [0.5, 0.5], [0.5, 1]]]", "12, shape 1: encloses nothing"),
        ("12 = [[[0, 0], [0.5, 0.5], [1, 1]]]", "12, shape 1: encloses nothing"),
        ("12 = [[[0.1, 0.3], [0.2, 0.6], [0.3, 0.9]]]", "12, shape 1: encloses nothing"),
    ],
)
def test_a_fault_gets_one_sentence(file: Path, text: str, fault: str) -> None:
    """The camera, the shape, what was found, and what is accepted."""
    (found,) = faults(file, text)
    assert fault in found


def test_all_faults_come_at_once_and_nothing_is_used(file: Path) -> None:
    """A mask in doubt is no mask: one slip in the file and none of it is loaded."""
    text = f"1 = [{SHAPE}]\n2 = 0\n3 = [[[0, 0]], {SHAPE}, [[0, 0], [2, 2], [0, 1]]]\n"
    assert [fault.split(":")[0] for fault in faults(file, text)] == [
        "2 has no list of shapes; [] is for a camera of which nothing is hidden",
        "3, shape 1",
        "3, shape 3",
    ]


@pytest.mark.parametrize(
    "text",
    ["12 = [[[0, 0]", f"12 = [{SHAPE}]\n12 = [{SHAPE}]", "12: all", "a = " + "[" * 100_000],
    ids=["not closed", "a camera twice", "another language", "too deep"],
)
def test_what_is_not_toml_is_told(file: Path, text: str) -> None:
    """One sentence with the library's words, and no traceback."""
    (found,) = faults(file, text)
    assert found.startswith("is not TOML: ")


def test_another_encoding_is_told(file: Path) -> None:
    """A comment typed on an old machine."""
    file.write_bytes("# Straße".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"is not TOML: .* can't decode byte 0xdf"):
        masks.load(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Gone since the settings were checked, or a folder."""
    with pytest.raises(ConfigError, match=r"CCTV_MASKS=.*: No such file or directory"):
        masks.load(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match=r"CCTV_MASKS=.*: Is a directory"):
        masks.load(tmp_path)


PARTS = st.floats(0, 0.9)
SIZES = st.floats(0.01, 0.1)


@given(
    st.tuples(PARTS, PARTS), st.tuples(SIZES, SIZES), st.integers(0, 3), st.sampled_from([1, -1])
)
def test_every_rectangle_is_taken(
    corner: tuple[float, float], size: tuple[float, float], first: int, way: int
) -> None:
    """Wherever it begins and whichever way it goes around."""
    (left, top), (width, height) = corner, size
    right, lower = left + width, top + height
    around = [[left, top], [right, top], [right, lower], [left, lower]]
    shape = around[first:] + around[:first]
    assert masks._shape_fault(shape[::way]) == ""  # noqa: SLF001 - without a file for each shape


@pytest.mark.parametrize(
    "shape",
    [
        [[0, 0], [1, 0], [0, 1], [1, 1]],
        [[0.5, 0], [0.8, 1], [0, 0.4], [1, 0.4], [0.2, 1]],
    ],
    ids=["a bow tie", "a star"],
)
def test_a_shape_that_crosses_itself_is_refused(shape: list[list[float]]) -> None:
    """Its inside is a matter of opinion, and a part that should be grey would stay open."""
    fault = "crosses itself; make two shapes of it"
    assert masks._shape_fault(shape) == fault  # noqa: SLF001 - without a file for each shape


def test_a_shape_has_its_limits() -> None:
    """Each edge is compared with each other one."""
    circle = [[(1 + cos(x / 32)) / 2, (1 + sin(x / 32)) / 2] for x in range(201)]
    assert masks._shape_fault(circle[:200]) == ""  # noqa: SLF001 - without a file for each shape
    assert masks._shape_fault(circle) == "has more than 200 corners"  # noqa: SLF001 - the same
