"""A street of dummy cameras: one process, one port, an address 127.0.x.y for each camera.

Every camera answers its own make's path, and asks for the login in its make's way. Linux has all
of 127.0.0.0/8; elsewhere the addresses must be added to the loopback interface first.
"""

from __future__ import annotations

import csv
import io
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from flask import Flask, Response, abort, jsonify, request

if not __package__:  # a script has only its own folder on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dev.dummy_arguments import arguments
from dev.dummy_camera import Camera
from dev.dummy_logins import LOGIN, Login
from dev.dummy_models import COLUMNS, MODELS, record_of
from dev.dummy_modes import MODES
from dev.dummy_server import LoopbackServer, allow_many_connections, has_left

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL = "127.0.0.1"
TICK = 0.2


class Street:
    """A street of cameras that answers while it is entered; `port` 0 becomes the one it got."""

    def __init__(
        self,
        *,
        cameras: int = len(MODELS),
        port: int = 0,
        slow: float = 0.0,
        login: Login = LOGIN,
        algorithm: str = "MD5",
    ) -> None:
        everyone = [Camera(number, login, algorithm) for number in range(1, cameras + 1)]
        self.cameras = {camera.id: camera for camera in everyone}
        self.port = port
        self.login = login
        self._doors = {camera.address: camera for camera in everyone}
        self._slow = slow
        self._open = True

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self.port, _application(self), self._knock)
        self.port = self._server.port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(TICK,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._server.shutdown()
        self._thread.join()

    def records(self) -> list[dict[str, str]]:
        """The street as the rows of an inventory."""
        return [record_of(number, self.port) for number in range(1, len(self.cameras) + 1)]

    def csv(self) -> str:
        """The street as an inventory file."""
        file = io.StringIO()
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records())
        return file.getvalue()

    def set_mode(self, camera: str, mode: str) -> None:
        """Let one camera behave so from now on, also to those it keeps waiting.

        Raises:
            KeyError: there is no such camera, or no such mode.
        """
        self.cameras[camera].enter(mode)

    def requests(self, camera: str) -> int:
        """How many connections came to this camera; each carries one request at most."""
        return self.cameras[camera].requests

    def answer(self, address: str, connection: socket.socket) -> Response:
        """What the camera at `address` says to the current request, after its while.

        Raises:
            ConnectionAbortedError: it says nothing, for the client or the street is gone.
        """
        camera = self._doors[address]
        self._wait(camera, connection)
        return camera.answer(request)

    def _wait(self, camera: Camera, connection: socket.socket) -> None:
        spell, end = camera.spell, time.monotonic() + camera.delay(self._slow)
        while camera.spell is spell and (left := end - time.monotonic()) > 0:
            if has_left(connection, min(left, TICK)) or not self._open:
                raise ConnectionAbortedError
        if camera.spell is not spell:
            self._wait(camera, connection)

    def _knock(self, address: str) -> bool:
        """Whether somebody at `address` takes a connection; only the accepting thread asks."""
        if address == CONTROL:
            return True
        camera = self._doors.get(address)
        if camera is None:
            return False
        camera.requests += 1
        return camera.spell.word != "refuse"


def _application(street: Street) -> WSGIApplication:
    control, cameras = _control(street), _cameras(street)

    def choose(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        app = control if environ["LOCAL_ADDR"] == CONTROL else cameras
        return app(environ, start)

    return choose


def _cameras(street: Street) -> Flask:
    app = Flask("cameras", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an aborted connection must not become a 500

    @app.get("/")
    @app.get("/<path:_path>")
    def still(_path: str = "") -> Response:
        environ = request.environ
        return street.answer(environ["LOCAL_ADDR"], environ["werkzeug.socket"])

    return app


def _control(street: Street) -> Flask:
    app = Flask("control", static_folder=None)

    @app.get("/street")
    def show() -> Response:
        return jsonify([camera.row() for camera in street.cameras.values()])

    @app.get("/street.csv")
    def inventory() -> Response:
        return Response(street.csv(), content_type="text/csv; charset=utf-8")

    @app.put("/street/mode")
    @app.put("/street/<camera>/mode")
    def mode(camera: str = "") -> Response:
        word = request.get_data(as_text=True).strip()
        if camera and camera not in street.cameras:
            abort(404)
        if word not in MODES:
            return Response(f"The modes are {', '.join(MODES)}.\n", 400, content_type="text/plain")
        for one in [camera] if camera else street.cameras:
            street.set_mode(one, word)
        return Response(status=204)

    return app


def main() -> None:
    """Play the street until SIGTERM or Ctrl-C."""
    asked = arguments()
    allow_many_connections()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the first thread: all inherit it
    street = Street(
        cameras=asked.cameras,
        port=asked.port,
        slow=asked.slow,
        login=Login(asked.username, asked.password),
        algorithm=asked.digest,
    )
    for camera, mode in asked.sick:
        street.set_mode(camera, mode)
    with street:
        if asked.inventory:
            asked.inventory.write_text(street.csv())
        print(_ready(street), flush=True)
        signal.sigwait(ends)


def _ready(street: Street) -> str:
    addresses = [camera.address for camera in street.cameras.values()]
    where = f"{addresses[0]}-{addresses[-1]}:{street.port}"
    control = f"http://{CONTROL}:{street.port}/street"
    return f"{len(addresses)} cameras on {where}; control: {control}"


if __name__ == "__main__":
    main()
