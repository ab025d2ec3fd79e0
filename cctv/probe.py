"""`cctv probe`: what hangs at an address? It is asked in every model's way, one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cctv import address, app
from cctv.commands import show, told
from cctv.errors import CaptureError, ConfigError
from cctv.model import Camera
from cctv.reasons import WORDS, Reason
from cctv.roster import CHANNELS
from cctv.table import table
from cctv.trust import parse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from cctv.drivers.http import HttpSource
    from cctv.settings import Settings

# where nothing is reached, no other way reaches it
# so many ways are no sign of a make: the device answers every path
_SEVERAL = 3
_HOPELESS = frozenset({Reason.UNREACHABLE, Reason.REFUSED_ADDRESS, Reason.TLS, Reason.TIMEOUT})


async def probe(settings: Settings, options: argparse.Namespace) -> int:
    """Ask one address in every model's way, and say which ways give a picture."""
    place = _checked(options)
    camera = Camera("probe", options.login, place, channel=options.channel, tls=options.tls)
    show(f"asking {address.shown(place)} in every model's way, one after the other")
    async with app.open_driver(settings) as driver:
        tried = await _ask(driver.all_ways(camera))
    rows = [(each.model, each.path, f"{each.seconds:.1f}", each.found) for each in tried]
    show(table(("model", "asked for", "seconds", "answer"), rows))
    show(_verdict(tried))
    return 0 if any(each.good for each in tried) else 1


@dataclass(frozen=True, slots=True)
class Tried:
    """What one model's way came to, in `seconds`; `reason` is None where it gave a picture."""

    model: str
    path: str
    seconds: float
    found: str
    reason: Reason | None = None

    @property
    def good(self) -> bool:
        """Whether it gave a picture."""
        return self.reason is None


def _checked(options: argparse.Namespace) -> str:
    """The address as records have it; ConfigError says what of the command line is odd."""
    faults = []
    place = ""
    try:
        place = address.parse(options.address)
    except ValueError as error:
        faults.append(f"ADDRESS '{address.shown(options.address)}' {error}")
    try:
        parse(options.tls)
    except ValueError as error:
        faults.append(f"--tls {error}")
    if options.channel is not None and options.channel not in CHANNELS:
        faults.append(f"--channel {options.channel} is not from {CHANNELS[0]} to {CHANNELS[-1]}")
    if faults:
        raise ConfigError(faults)
    return place


async def _ask(ways: Iterable[tuple[str, HttpSource]]) -> list[Tried]:
    """What came of each way, up to the one that shows that no other can work."""
    tried: list[Tried] = []
    for model, source in ways:
        tried.append(await _try(model, source))
        if tried[-1].reason in _HOPELESS and not any(each.good for each in tried):
            break
    return tried


async def _try(model: str, source: HttpSource) -> Tried:
    path = source.still.target(source.camera, None).partition("?")[0]
    began = time.monotonic()
    try:
        frame = await source.frame()
    except CaptureError as error:
        took = time.monotonic() - began
        return Tried(model, path, took, _found(source, error), error.reason)
    return Tried(model, path, time.monotonic() - began, f"ok {told(frame)}")


def _found(source: HttpSource, error: CaptureError) -> str:
    kept = source.still.auth == "query" and error.reason is Reason.AUTH
    note = "; its login stands in the address, and is not sent here" if kept else ""
    return f"{error.reason}: {error}{note}"


def _verdict(tried: Sequence[Tried]) -> str:
    good = [each.model for each in tried if each.good]
    if len(good) > _SEVERAL:
        return f"It answers in {len(good)} ways: any of these models will do."
    if good:
        return f"It answers as {' and '.join(good)}: write that model into its record."
    last = tried[-1].reason
    if last in _HOPELESS:
        return f"No other way was tried. {WORDS[last].sentence} {WORDS[last].advice}"
    if refused := [each.model for each in tried if each.reason is Reason.AUTH]:
        named = " and ".join(refused)
        return f"It wants a login as {named}: write that into its record, and try `cctv once`."
    return "No way gave a picture. Describe its own in a file for CCTV_DRIVERS."
