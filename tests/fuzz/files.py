"""Fuzz targets: files that an operator wrote."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image
from yarl import URL

from cctv import masks
from cctv.drivers import TABLE, own
from cctv.errors import ConfigError
from cctv.retouch import masked
from cctv.roster import is_id
from tests.fuzz.records import CAMERA, LOGIN, check_request
from tests.fuzz.refusals import CANARY, check_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from cctv.retouch import Polygon

T = TypeVar("T")


def check_drivers(data: bytes) -> None:
    """A file of models is refused in sentences, or each of its models can be asked for."""
    table = _loaded(own.load, data)
    if table is None:
        return
    assert table.keys() >= TABLE.keys()
    for model in table.keys() - TABLE.keys():
        still = table[model]
        for login in (LOGIN, None):
            target = still.target(CAMERA, login)
            assert target.startswith("/")
            check_request(URL(f"http://{CAMERA.address}{target}", encoded=True))
            assert CANARY not in target or still.auth == "query"


def check_masks(data: bytes) -> None:
    """A file of masks is refused in sentences, or each of its shapes covers something."""
    shapes = _loaded(masks.load, data)
    for name, polygons in (shapes or {}).items():
        assert is_id(name)
        for polygon in polygons:
            assert _encloses(polygon)
            black = Image.new("L", (40, 30))
            assert np.asarray(masked(black, (polygon,))).any()


def _encloses(polygon: Polygon) -> bool:
    """Whether not all corners lie on one line; reckoned without rounding."""
    (left, top), *rest = [(Fraction(across), Fraction(down)) for across, down in polygon]
    spokes = [(across - left, down - top) for across, down in rest]
    return any(a * d != b * c for (a, b), (c, d) in pairwise(spokes))


def _loaded(load: Callable[[Path], T], data: bytes) -> T | None:
    with NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        try:
            return load(Path(file.name))
        except ConfigError as error:
            check_refusal(error)
    return None
