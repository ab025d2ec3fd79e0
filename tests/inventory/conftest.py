"""A fake Knack with a small fleet, and the children that a test starts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.knack import FakeKnack, camera_row

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Iterator


@pytest.fixture
def knack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKnack]:
    """A Knack with cameras 1 to 3; the third is disabled. No proxy stands before it."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    rows = [camera_row(1), camera_row(2), camera_row(3, disabled=True)]
    with FakeKnack(rows) as fake:
        yield fake


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Process, tuple[str, ...], Any]]:
    """Every child the test starts, really starts, with its argv and its environment."""
    started: list[tuple[Process, tuple[str, ...], Any]] = []
    start = asyncio.create_subprocess_exec

    async def noting(*argv: str, **how: Any) -> Process:  # noqa: ANN401 - passed on as it came
        process = await start(*argv, **how)
        started.append((process, argv, how["env"]))
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
    return started
