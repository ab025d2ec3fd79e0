"""A quick street of one camera of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dev.dummy_api import Street

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_of_each() -> Iterator[Street]:
    """A quick street with one camera of each model."""
    with Street() as street:
        yield street


@pytest.fixture
def street(one_of_each: Street) -> Street:
    """The same street, every camera well."""
    for camera in one_of_each.cameras:
        one_of_each.set_mode(camera, "ok")
    return one_of_each
