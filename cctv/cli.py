"""The command line: which command, which settings, which exit status.

0 all well, 1 the command failed, 2 the settings are wrong, 70 the program itself failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cctv import PUBLISHER, app, check, commands, config, masks, orders, probe, settings_table
from cctv.asked import OrderError
from cctv.config import Places
from cctv.drivers import TABLE, own
from cctv.drivers.http import env_name
from cctv.errors import CctvError, ConfigError
from cctv.logs import Redactor, logging_to
from cctv.signals import leave_within

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from cctv.settings import Settings

    Command = Callable[[Settings, argparse.Namespace], Coroutine[None, None, int]]

T = TypeVar("T")

OK, FAILED, MISUSED, BROKEN = 0, 1, 2, 70
_LINGER = 5.0

log = logging.getLogger(__name__)


def entry(argv: Sequence[str] | None = None) -> None:
    """The program: run a command and leave, also when a thread hangs in a disk or a lookup."""
    status = main(sys.argv[1:] if argv is None else argv)
    leave_within(_LINGER, status)
    sys.exit(status)


def main(argv: Sequence[str]) -> int:
    """Run one command; its exit status."""
    options = parser().parse_args(argv)
    # names of cameras may hold what a terminal cannot show
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        settings = _settings(options)
    except ConfigError as error:
        if options.env_file is None and not Path(".env").is_file():
            error = ConfigError([*error.faults, "(no --env-file was given, and here is no .env)"])
        return _misused(error)
    redact = _redactor(settings)
    folder = settings.log_dir if options.command == "run" else None
    # a command prints what it finds; the log would say it twice
    usual = logging.INFO if options.command == "run" else logging.CRITICAL
    level = logging.DEBUG if options.verbose else usual
    with logging_to(folder, level, settings.timezone, redact):
        return _run(options, settings, redact)


def _run(options: argparse.Namespace, settings: Settings, redact: Redactor) -> int:
    try:
        return _run_command(options, settings, redact)
    except Exception:
        log.critical("the program failed", exc_info=True)
        return BROKEN


def _run_command(options: argparse.Namespace, settings: Settings, redact: Redactor) -> int:
    command: Command = options.run
    try:
        with contextlib.redirect_stdout(commands.Redacted(sys.stdout, redact)):
            return asyncio.run(command(settings, options))
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 - the operator's slip needs no traceback
        return _misused(error)
    except CctvError as error:
        _say(f"cctv: {redact(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except OSError as error:
        if options.command == "run":
            raise
        place = f"{error.filename}: " if error.filename else ""
        _say(redact(f"cctv: {place}{error.strerror or 'the disk hangs'}"))
        return FAILED


async def _publish(settings: Settings, _: argparse.Namespace) -> int:
    await app.run(settings)
    return OK


def _settings(options: argparse.Namespace) -> Settings:
    """The settings, with all faults of the environment and the files it names in one error."""
    env = config.environment(options.env_file)
    if options.timeout is not None:
        env[settings_table.FETCH_TIMEOUT.name] = options.timeout
    faults: list[str] = []
    table = TABLE
    if options.places is not Places.STORE:
        table = _gathered(faults, own.load, env.get(settings_table.DRIVERS.name, "")) or TABLE
    # a daemon may have a copy to go on with: `MaskBook.open` decides
    if options.command != "run" and options.places is not Places.STORE:
        _gathered(faults, masks.load, env.get(settings_table.MASKS.name, ""))
    try:
        settings = config.read(env, map(env_name, table), places=options.places)
    except ConfigError as error:
        faults = [*error.faults, *faults]
    if faults:
        raise ConfigError(faults)
    return settings


def _gathered(faults: list[str], load: Callable[[Path], T], name: str) -> T | None:
    """What a file holds, or its faults added to the others; a name that leads nowhere is none."""
    if not Path(name).is_file():
        return None
    try:
        return load(Path(name))
    except ConfigError as error:
        faults += error.faults
        return None


def _redactor(settings: Settings) -> Redactor:
    secrets = [settings.knack.api_key] if settings.knack and settings.knack.api_key else []
    return Redactor(settings.logins.values(), [*secrets, *config.aws_secrets()])


def _misused(error: ConfigError) -> int:
    order = isinstance(error, OrderError)
    _say("cctv: nothing was ordered:" if order else "cctv: the settings cannot be used:")
    for fault in error.faults:
        _say(f"  {fault}")
    if not order:
        _say("The settings are described in README.md and env_file.example.")
    return MISUSED


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the command's voice


def parser() -> argparse.ArgumentParser:
    """The command line as it is parsed."""
    top = argparse.ArgumentParser(
        prog="cctv",
        description="Turns a fleet of cameras into public still images that are never wrong.",
        epilog="Settings come from the environment, else from --env-file or ./.env.",
    )
    top.add_argument("--version", action="version", version=PUBLISHER)
    top.set_defaults(timeout=None)
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = _verb(verbs, "run", _publish, "publish until stopped: the daemon")
    run.add_argument("-t", "--timeout", metavar="SECONDS", help="CCTV_FETCH_TIMEOUT for this run")
    checking = _verb(verbs, "check", check.check, "test settings, inventory, store and cameras")
    checking.add_argument("--all", action="store_true", help="list the cameras that are well, too")
    once = _verb(verbs, "once", commands.once, "run one publishing cycle of a camera, aloud")
    once.add_argument("camera", metavar="CAMERA", help="the camera's id")
    snap = _verb(verbs, "snap", commands.snap, "save a camera's picture to a file, unpublished")
    snap.add_argument("camera", metavar="CAMERA", help="the camera's id")
    snap.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    listing = _verb(verbs, "list", commands.listing, "list the cameras of the inventory")
    listing.add_argument(
        "--accept", action="store_true", help="have the daemon believe this list, however short"
    )
    probing = _verb(verbs, "probe", probe.probe, "ask an address in every model's way")
    probing.set_defaults(places=Places.NONE)
    probing.add_argument("address", metavar="ADDRESS", help="host, host:port or http(s)://…")
    words = "send this model's login, not the one for all cameras; never in an address"
    probing.add_argument("--login", default="camera", metavar="MODEL", help=words)
    probing.add_argument("--channel", type=int, metavar="N", help="the channel, counted from 1")
    probing.add_argument("--tls", default="", metavar="WORDS", help="pin:…, insecure, legacy")
    _add_orders(verbs)
    _verb(verbs, "health", commands.health, "exit 0 while the daemon here keeps pictures flowing")
    return top


def _add_orders(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that take pictures off the air; the store is all they need."""
    holding = _verb(verbs, "hold", orders.hold, "order not to publish cameras, for now")
    holding.add_argument("--all", action="store_true", help="all cameras")
    # each may be said again: the last one alone would leave pictures up that were named
    holding.add_argument("--camera", action="append", metavar="ID,ID", help="these cameras")
    holding.add_argument("--area", action="append", metavar="AREA", help="the cameras of an area")
    near = "the cameras around a place; with --near=-33.9,151.2,2 where it begins with a minus"
    holding.add_argument("--near", action="append", metavar="LAT,LON,KM", help=near)
    when = "a moment such as now, 18:00, tomorrow 10:00, friday 6pm, 2026-11-21 10:00, +2h"
    holding.add_argument("--from", dest="start", metavar="WHEN", help=when + "; default now")
    holding.add_argument("--until", metavar="WHEN", help="the same; without it until released")
    # not `required`: its lack is told together with all else that is wrong
    holding.add_argument("--reason", default="", metavar="TEXT", help="why; not made public")
    wait = "prove it: look at the store and the public addresses, for at most SECONDS (60)"
    holding.add_argument("--wait", nargs="?", const=60, type=seconds, metavar="SECONDS", help=wait)
    releasing = _verb(verbs, "release", orders.release, "end holds before their time")
    releasing.add_argument("holds", nargs="*", metavar="HOLD", help="the ids of holds")
    releasing.add_argument("--all", action="store_true", help="every hold, also those to come")
    for verb in (holding, releasing):
        verb.add_argument("--by", default=orders.login_name(), metavar="NAME", help="who orders it")
    listing = _verb(verbs, "holds", orders.holds, "list the holds in force and to come")
    listing.add_argument("--past", action="store_true", help="those that are over, too")
    sweeping = _verb(verbs, "sweep", orders.sweep, "replace what is too old or held; for cron")
    older = "replace whatever was stored longer ago than this; default: what its own time says"
    sweeping.add_argument("--older-than", type=seconds, metavar="SECONDS", help=older)
    ahead = "what would be too old within SECONDS goes too: the time to the next sweep (0)"
    sweeping.add_argument("--ahead", default=0.0, type=seconds, metavar="SECONDS", help=ahead)
    for verb in (holding, releasing, listing, sweeping):
        verb.set_defaults(places=Places.STORE)


def seconds(text: str) -> float:
    """A number of seconds, 0 or more; argparse tells what is none."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Command,
    words: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every cycle")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="settings; without it ./.env")
    parser.set_defaults(run=run, places=Places.BOTH)
    return parser
