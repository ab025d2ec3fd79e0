"""What the tests of the S3 store share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.s3 import SickS3, sick_s3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def sick(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SickS3]:
    """A sick bucket that every AWS variable leads to."""
    async with sick_s3() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server
