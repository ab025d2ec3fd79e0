"""A street of misbehaving cameras, for tests and for its program: a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import csv
import io
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self, TypeVar

from dev.dummy_models import COLUMNS, record_of
from dev.street_camera import Camera, Device, Served
from dev.street_control import Control
from dev.street_digest import GUARDS
from dev.street_door import HOST
from dev.street_modes import MODES, mode_of
from dev.street_tls import fingerprint

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from dev.street_talk import Request

PATIENCE = 10.0
ROW = (*COLUMNS, "channel")
_T = TypeVar("_T")


class Street:
    """Cameras "1" to `cameras` on loopback, which answer while the street is entered.

    `modes` says how some begin, all others "ok". The last `nvr` cameras are channels of one
    recorder and share its address. With a `port`, devices have this one and those behind it, else
    free ones. `tls` names a certificate that every device speaks TLS with, `login` what each asks
    for ("basic", "digest", "query"), where the mode does not say otherwise. With a `control` port
    (0 for a free one) it can be looked at and changed over HTTP at `control_address`. Its methods
    may be called from any thread but the street's own.
    """

    def __init__(  # noqa: PLR0913 - all by name, each a wish of its own
        self,
        *,
        cameras: int = 12,
        modes: Mapping[str, str] | None = None,
        nvr: int = 0,
        port: int = 0,
        tls: str = "",
        login: str = "",
        control: int | None = None,
    ) -> None:
        everyone = [Camera(number, MODES["ok"]) for number in range(1, cameras + 1)]
        self.cameras = {camera.id: camera for camera in everyone}
        singles = cameras - nvr
        groups = [[camera] for camera in everyone[:singles]] + [everyone[singles:]] * bool(nvr)
        guard = GUARDS[login] if login else None
        self._control = None if control is None else Control(self, control)
        self._devices = [
            Device(group, port + place if port else 0, tls, guard)
            for place, group in enumerate(groups)
        ]
        self._device_of = {
            camera.id: device for device in self._devices for camera in device.cameras
        }
        for camera in everyone[singles:]:
            camera.enter(MODES["nvr"])
        for name, mode in (modes or {}).items():
            self.cameras[name].enter(mode_of(mode))

    def __enter__(self) -> Self:
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._live(ready),), name="street"
        )
        self._thread.start()
        if error := ready.exception():
            self._thread.join()
            raise error
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def control_address(self) -> str:
        """Where its control is asked; blank without one."""
        return f"{HOST}:{self._control.port}" if self._control else ""

    def address(self, camera: str) -> str:
        """Where it is asked: `127.0.0.1:port`, with https:// while its mode speaks TLS."""
        device = self._device_of[camera]
        return f"{device.scheme}{HOST}:{device.port}"

    def certificate(self, camera: str) -> str:
        """The SHA-256 of the DER bytes of the certificate it has now, in hex.

        Raises:
            KeyError: it speaks no TLS.
        """
        return fingerprint(self._device_of[camera].certificate)

    def mode(self, camera: str) -> str:
        """The name of its mode."""
        return self.cameras[camera].spell.mode.name

    def set_mode(self, camera: str, mode: str) -> None:
        """Let one camera behave so from the next request on; what hangs already goes on hanging.

        The doors of a recorder's channels are one; the last channel that was set decides.

        Raises:
            KeyError: there is no such camera, or no such mode (UnknownModeError).
        """
        self._wait(self.change(camera, mode))

    async def change(self, camera: str, mode: str) -> None:
        """The same, within the street's own loop."""
        chosen = mode_of(mode)
        self.cameras[camera].enter(chosen)
        await self._device_of[camera].stand(chosen)

    def records(self) -> list[dict[str, str]]:
        """The street as the rows of an inventory."""
        return [self._record(camera) for camera in self.cameras.values()]

    def csv(self) -> str:
        """The street as an inventory file."""
        file = io.StringIO()
        writer = csv.DictWriter(file, ROW, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records())
        return file.getvalue()

    def requests(self, camera: str) -> list[Request]:
        """Its newest requests (200 at most), the oldest first."""
        return self.cameras[camera].requests()

    def wait_for_requests(self, camera: str, count: int, timeout: float = PATIENCE) -> None:
        """Block until `count` requests came since the street opened.

        Raises:
            TimeoutError: they did not, within `timeout` seconds.
        """
        self.cameras[camera].wait(count, timeout)

    def open_connections(self, camera: str) -> int:
        """How many connections its device has now."""
        return self._device_of[camera].open

    def peak_connections(self, camera: str) -> int:
        """How many connections its device had at most at once."""
        return self._device_of[camera].peak

    def served(self, camera: str) -> Served:
        """How many whole pictures it sent, and the last; of a stream, the first whole one."""
        return self.cameras[camera].served

    def attempts(self, camera: str) -> int:
        """How many wrong passwords it counted."""
        return self.cameras[camera].attempts

    def _record(self, camera: Camera) -> dict[str, str]:
        device = self._device_of[camera.id]
        row = record_of(camera.number, device.port)
        address = self.address(camera.id)
        channel = ""
        if len(device.cameras) > 1:
            row["model"] = "Hikvision"
            channel = str(device.cameras.index(camera) + 1)
        elif row["model"] == "url":
            address = f"{device.scheme or 'http://'}{HOST}:{device.port}/snapshot/1.jpg"
        return row | {"address": address, "channel": channel}

    async def _live(self, ready: Future[None]) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._open()
        except OSError as error:
            ready.set_exception(error)
        else:
            ready.set_result(None)
            await self._over.wait()
        finally:
            await self._close()

    async def _open(self) -> None:
        for device in self._devices:
            await device.stand(device.cameras[0].spell.mode)
        if self._control:
            await self._control.open()

    async def _close(self) -> None:
        if self._control:
            await self._control.close()
        await asyncio.gather(*(device.leave() for device in self._devices))

    def _wait(self, task: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(PATIENCE)
