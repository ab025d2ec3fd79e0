"""A street of cameras that misbehave on the wire, in ways that no HTTP library would let them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.dummy_server import allow_many_connections
from dev.street_arguments import arguments, listing
from dev.street_camera import Served
from dev.street_mode import Mode
from dev.street_modes import MODES, UnknownModeError
from dev.street_pictures import paint_all
from dev.street_talk import Request
from dev.street_town import Street

__all__ = ["MODES", "Mode", "Request", "Served", "Street", "UnknownModeError"]


def main() -> None:
    """Play the street until SIGTERM or Ctrl-C."""
    asked = arguments()
    if asked.list:
        print(listing())
        return
    allow_many_connections()
    paint_all()  # it takes a second, which no client should wait for
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the first thread: all inherit it
    street = Street(
        cameras=asked.cameras,
        modes=asked.modes,
        nvr=asked.nvr,
        port=asked.port,
        tls=asked.tls,
        login=asked.login,
        control=asked.control,
    )
    with street:
        if asked.csv == "-":
            print(street.csv(), end="")
        elif asked.csv:
            Path(asked.csv).write_text(street.csv())
        print(_ready(street), file=sys.stderr if asked.csv == "-" else sys.stdout, flush=True)
        signal.sigwait(ends)


def _ready(street: Street) -> str:
    addresses = [street.address(camera) for camera in street.cameras]
    control = f"; control: http://{street.control_address}/" if street.control_address else ""
    return f"{len(street.cameras)} cameras, {addresses[0]} to {addresses[-1]}{control}"


if __name__ == "__main__":
    main()
