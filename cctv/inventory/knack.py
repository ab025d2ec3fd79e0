"""Knack: the City's data tracker, read with knackpy in a child process that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from cctv.errors import InventoryError
from cctv.model import Record

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping, Sequence

    from cctv.model import Secret

# -P: nothing that lies in the working directory may pass for a library
_CHILD = ("-P", "-m", "cctv.inventory.knack_child")
_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_QUOTE = 300

# The child runs a library that is not ours: it gets what Python and a proxy need, no passwords.
_HANDED_DOWN = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|PYTHON\w+|(HTTPS?|ALL|NO)_PROXY",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class KnackAccess:
    """Where the list is, how to get at it and how long that may take.

    `container` is a view's or an object's key, or a name that only one of them has. `api_url` is
    a base without `/v1`, for every call; None means Knack's own hosts. `fields` leads from our
    words (id, address, model, disabled; name, area, latitude, longitude, channel) to Knack's
    field keys; a blank key is a word without a field. `metadata_cache` is a file; None or
    unwritable means that nothing is kept. `deadline` is in seconds, for one read.
    """

    app_id: str
    api_key: Secret | None
    container: str
    api_url: str | None
    fields: Mapping[str, str]
    metadata_cache: Path | None
    deadline: float = 60.0


class KnackInventory:
    """The rows of one Knack view or object; no read outlives its deadline or its caller."""

    def __init__(self, access: KnackAccess) -> None:
        self._access = access

    async def records(self) -> Sequence[Record]:
        """Every row that has an id, disabled ones too, in Knack's order.

        Raises:
            InventoryError: not read, wholly and in time; `lasting` if a setting is to blame.
        """
        ended = await self._read()
        if ended.status != 0:
            raise self._error(f"the Knack reader failed (exit {ended.status}): {ended.last_words}")
        answer: _Answer = json.loads(ended.answer)
        if "error" in answer:
            raise self._error(answer["error"]["message"], lasting=answer["error"]["lasting"])
        return [Record(**row) for row in answer["records"]]

    async def _read(self) -> _Ended:
        deadline = self._access.deadline
        try:
            async with asyncio.timeout(deadline):
                return await _run(_request(self._access))
        except TimeoutError:
            raise InventoryError(f"Knack did not answer within {deadline:g} s") from None
        except OSError as error:
            raise InventoryError(f"the Knack reader did not start: {error.strerror}") from error

    def _error(self, message: str, *, lasting: bool = False) -> InventoryError:
        clean = _redacted(message, self._access.api_key)
        return InventoryError(clean[:_LONGEST_QUOTE], lasting=lasting)


class _Fault(TypedDict):
    """What the child says when it could not read."""

    kind: str
    message: str
    lasting: bool


class _Answer(TypedDict, total=False):
    """What the child prints: one of the two."""

    records: list[dict[str, str]]
    error: _Fault


class _Ended(NamedTuple):
    """A child that came to its end by itself."""

    status: int | None
    answer: bytes
    stderr: bytes

    @property
    def last_words(self) -> str:
        lines = self.stderr.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")


def _request(access: KnackAccess) -> bytes:
    """What the child needs to know, for its stdin: argv and environment can be read by others."""
    cache = access.metadata_cache
    return json.dumps(
        {
            "app_id": access.app_id,
            "api_key": access.api_key.reveal() if access.api_key else None,
            "container": access.container,
            "api_url": access.api_url,
            "fields": {word: key for word, key in access.fields.items() if key},
            "metadata_cache": str(cache.absolute()) if cache else None,
            "deadline": access.deadline,
        }
    ).encode()


async def _run(request: bytes) -> _Ended:
    """One child from start to end; when this is cancelled, it is killed and gone."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_CHILD, stdin=pipe, stdout=pipe, stderr=pipe, env=_environment()
    )
    try:
        answer, stderr = await process.communicate(request)
    finally:
        await _end(process)
    return _Ended(process.returncode, answer, stderr)


async def _end(process: Process) -> None:
    """Kill the child if it still runs; it leaves no zombie and no open pipe."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def _environment() -> dict[str, str]:
    """The child's environment: this package importable, wherever the parent was started."""
    handed_down = {name: text for name, text in os.environ.items() if _HANDED_DOWN.fullmatch(name)}
    paths = [str(_ROOT), *filter(None, [handed_down.get("PYTHONPATH")])]
    return handed_down | {"PYTHONPATH": os.pathsep.join(paths)}


def _redacted(text: str, key: Secret | None) -> str:
    """The text without the key, as it is or as Python and JSON quote it."""
    plain = key.reveal() if key else ""
    for form in filter(None, (plain, repr(plain)[1:-1], json.dumps(plain)[1:-1])):
        text = text.replace(form, "***")
    return text
