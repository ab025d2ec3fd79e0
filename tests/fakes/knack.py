"""A Knack of one's own: the two routes knackpy uses, on loopback, with its moods at the switch.

As a program: `python tests/fakes/knack.py --port 9000 --cameras 1500 --mode ok`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import struct
import sys
import threading
from collections import Counter
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

SCENE, VIEW, OBJECT, NAME = "scene_144", "view_395", "object_53", "cameras"
ID, ADDRESS, MODEL, DISABLED = "field_947", "field_638", "field_639", "field_1866"
LOCATION, COORDINATES, CHANNEL, PAGE = "field_182", "field_211", "field_2001", "field_2002"
FIELDS = {
    ID: ("CAMERA_ID", "auto_increment"),
    ADDRESS: ("CAMERA_IP", "short_text"),
    MODEL: ("CAMERA_MFG", "multiple_choice"),
    DISABLED: ("DISABLE_IMAGE_PUBLISH", "boolean"),
    LOCATION: ("LOCATION", "connection"),
    COORDINATES: ("COORDINATES", "address"),
    CHANNEL: ("CHANNEL", "number"),
    PAGE: ("CAMERA_URL", "link"),
}
_MOST_ROWS, _USUAL_ROWS = 1000, 25


class Mode(StrEnum):
    """A mood of the server; all but OK are faults that were seen or are documented."""

    OK = "ok"
    EMPTY = "empty"
    HTML = "html"
    UNAVAILABLE_THRICE = "503-three-times-then-ok"
    UNAVAILABLE = "503"
    TOO_MANY = "429"
    REFUSED = "401"
    HANG = "hang"
    DRIP = "drip"
    RESET = "reset"
    MISSING_KEY = "missing-key"
    SHORT = "short"


def metadata(view_type: str = "table") -> Json:
    """The least metadata that knackpy can live on: one object and one view of it."""
    fields = [{"key": key, "name": name, "type": kind} for key, (name, kind) in FIELDS.items()]
    columns: list[Json] = [{"type": "field", "field": {"key": key}} for key in FIELDS]
    view = {"key": VIEW, "name": VIEW, "type": view_type, "columns": [*columns, {"type": "link"}]}
    return {
        "name": "fake data tracker",
        "account": {"slug": "atd"},
        "settings": {"timezone": "Central Time (US & Canada)"},
        "objects": [{"key": OBJECT, "name": NAME, "fields": fields}],
        "scenes": [{"key": SCENE, "views": [view]}],
    }


def austin_metadata() -> Json:
    """Metadata as large as Austin's: 95 objects, 2,850 fields, 1,075 scenes, 2,600 views."""
    app = metadata()
    app["objects"] += [_filler_object(number) for number in range(100, 194)]
    app["scenes"] += [{"key": f"scene_{number}", "views": []} for number in range(2000, 3074)]
    for number in range(3000, 5599):
        app["scenes"][1 + number % 1074]["views"].append(_filler_view(number))
    return app


def _filler_object(number: int) -> Json:
    keys = [f"field_{number}{column:02}" for column in range(30)]
    fields = [{"key": key, "name": key.upper(), "type": "short_text"} for key in keys]
    return {"key": f"object_{number}", "name": f"things {number}", "fields": fields}


def _filler_view(number: int) -> Json:
    keys = [f"field_{100 + number % 94}{column:02}" for column in range(20)]
    columns = [{"type": "field", "field": {"key": key}} for key in keys]
    return {"key": f"view_{number}", "name": "Things", "type": "table", "columns": columns}


def camera_row(
    number: int, fields: Mapping[str, object] | None = None, *, disabled: bool = False
) -> Json:
    """One record as Knack sends it: what it shows and, under `_raw`, what it means."""
    place = {"id": f"6{number:023x}", "identifier": f"{number} N LAMAR BLVD"}
    row: Json = {"id": f"5{number:023x}"}
    raw: Json = {
        ID: number,
        ADDRESS: f"10.{number // 250 // 250}.{number // 250 % 250}.{number % 250 + 1}",
        MODEL: "Axis",
        DISABLED: disabled,
        LOCATION: [place],
        COORDINATES: {"street": "Congress Ave", "latitude": 30.25, "longitude": -97.75},
        CHANNEL: "",
        PAGE: {"url": f"http://10.9.0.{number % 250}", "label": "camera"},
    }
    for key, value in (raw | dict(fields or {})).items():
        row |= {key: _shown(value), f"{key}_raw": value}
    return row


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "<br />".join(f"<span>{part['identifier']}</span>" for part in value)
    return ", ".join(map(str, value.values())) if isinstance(value, dict) else value


class FakeKnack:
    """A Knack on loopback for as long as the `with` lasts; all of it may change while it runs.

    `mode` is the mood of the records' routes, `metadata_mode` that of the metadata's.
    `requests` counts by "metadata" and "records"; `headers` are the last records request's;
    `tunnels` are the hosts that clients wanted to reach through it, taking it for a proxy.
    """

    def __init__(self, rows: Sequence[Json] = (), *, port: int = 0) -> None:
        self.app_id = "5f00ba5e"
        self.api_key: str | None = "8e3d0c1a-knack-key"
        self.rows = list(rows)
        self.metadata = metadata()
        self.mode = Mode.OK
        self.metadata_mode = Mode.OK
        self.hiccups = 3
        """How many more requests meet with a 503 in the mode that is named after them."""
        self.requests: Counter[str] = Counter()
        self.headers: Mapping[str, str] = {}
        self.tunnels: list[str] = []
        self.holding = threading.Event()
        """Set as soon as a request is kept waiting."""
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The base of every call, without `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], knack: FakeKnack) -> None:
        self.knack = knack
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        """Answer one of the routes, in its mood."""
        match urlsplit(self.path).path.split("/")[2:]:
            case ["applications", app]:
                self._metadata(app)
            case ["pages", scene, "views", view, "records"]:
                self._records(scene, view)
            case ["objects", key, "records", ""]:
                self._records(None, key)
            case _:
                self._send(HTTPStatus.NOT_FOUND, {})

    def do_CONNECT(self) -> None:
        """Taken for a proxy: note where the client wanted to go, and refuse."""
        self.server.knack.tunnels.append(self.path)
        self._send(HTTPStatus.FORBIDDEN, {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Keep the tests' output clean."""

    def _metadata(self, app: str) -> None:
        knack = self.server.knack
        knack.requests["metadata"] += 1
        if app != knack.app_id:
            self._send(HTTPStatus.NOT_FOUND, {})
        elif self._well(knack.metadata_mode):
            self._send(HTTPStatus.OK, {"application": knack.metadata})

    def _records(self, scene: str | None, key: str) -> None:
        knack = self.server.knack
        knack.requests["records"] += 1
        knack.headers = dict(self.headers.items())
        if not self._known():
            self._send(HTTPStatus.UNAUTHORIZED, {"errors": ["Invalid API key"]})
        elif (columns := _columns(knack.metadata, scene, key)) is None:
            self._send(HTTPStatus.NOT_FOUND, {})
        elif self._well(knack.mode):
            self._send(HTTPStatus.OK, self._page(columns))

    def _known(self) -> bool:
        knack = self.server.knack
        sent = (self.headers["X-Knack-Application-Id"], self.headers["X-Knack-REST-API-KEY"])
        return sent == (knack.app_id, knack.api_key or "knack")

    def _page(self, columns: set[str]) -> Json:
        knack, query = self.server.knack, parse_qs(urlsplit(self.path).query)
        page = int(query.get("page", ["1"])[0])
        size = min(int(query.get("rows_per_page", [str(_USUAL_ROWS)])[0]), _MOST_ROWS)
        filters = json.loads(query.get("filters", ["[]"])[0])
        rows = [_only(row, columns) for row in knack.rows if _fits(row, filters)]
        rows = [] if knack.mode is Mode.EMPTY else rows
        sent = rows[(page - 1) * size : page * size]
        if knack.mode is Mode.MISSING_KEY and page == 1:
            sent[0] = {key: sent[0][key] for key in sent[0] if not key.startswith(ADDRESS)}
        if knack.mode is Mode.SHORT and page > 1:
            sent = []
        pages = -(-len(rows) // size)
        return {
            "total_pages": pages,
            "current_page": page,
            "total_records": len(rows),
            "records": sent,
        }

    def _well(self, mode: Mode) -> bool:
        """True if this request is to be answered; else it just met with the mode's fate."""
        match mode:
            case Mode.HTML:
                self._send(HTTPStatus.OK, "<!doctype html><h1>We'll be right back</h1>")
            case Mode.UNAVAILABLE:
                self._send(HTTPStatus.SERVICE_UNAVAILABLE, {})
            case Mode.UNAVAILABLE_THRICE if self.server.knack.hiccups:
                self.server.knack.hiccups -= 1
                self._send(HTTPStatus.SERVICE_UNAVAILABLE, {})
            case Mode.TOO_MANY:
                self._send(HTTPStatus.TOO_MANY_REQUESTS, {}, {"Retry-After": "7"})
            case Mode.REFUSED:
                self._send(HTTPStatus.UNAUTHORIZED, {"errors": ["Invalid API key"]})
            case Mode.HANG:
                self._hold()
            case Mode.DRIP:
                self._drip()
            case Mode.RESET:
                self._reset()
            case _:
                return True
        return False

    def _hold(self) -> None:
        self.server.knack.holding.set()
        self.server.knack.released.wait()

    def _drip(self) -> None:
        self._head(HTTPStatus.OK, "application/json", {"Content-Length": "1000000"})
        self.server.knack.holding.set()
        while not self.server.knack.released.wait(0.05):
            self.wfile.write(b" ")

    def _reset(self) -> None:
        """Close at once and hard: with a lingering time of none, TCP sends RST instead of FIN."""
        none = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, none)
        self.rfile.close()
        self.connection.close()

    def _send(
        self, status: HTTPStatus, body: Json | str, headers: Mapping[str, str] | None = None
    ) -> None:
        text, kind = (body, "text/html") if isinstance(body, str) else (None, "application/json")
        data = (json.dumps(body) if text is None else text).encode()
        self._head(status, kind, {"Content-Length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _head(self, status: HTTPStatus, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()


def _columns(app: Json, scene: str | None, key: str) -> set[str] | None:
    """The field keys a container hands out; None if the app has no such container."""
    if scene is None:
        things = [thing for thing in app["objects"] if thing["key"] == key]
        return {field["key"] for thing in things for field in thing["fields"]} if things else None
    pages = [page for page in app["scenes"] if page["key"] == scene]
    views = [view for page in pages for view in page["views"] if view["key"] == key]
    columns = [column for view in views for column in view["columns"] if "field" in column]
    return {column["field"]["key"] for column in columns} if views else None


def _only(row: Json, columns: set[str]) -> Json:
    return {key: row[key] for key in row if key == "id" or key.removesuffix("_raw") in columns}


def _fits(row: Json, filters: Any) -> bool:  # noqa: ANN401 - a dict or a bare list, as Knack takes it
    rules = filters if isinstance(filters, list) else filters["rules"]
    every = isinstance(filters, list) or filters.get("match", "and") == "and"
    return (all if every else any)([_meets(row, rule) for rule in rules])


def _meets(row: Json, rule: Json) -> bool:
    value = row.get(f"{rule['field']}_raw", row.get(rule["field"]))
    match rule["operator"]:
        case "is not blank":
            return value not in ("", None, [])
        case "is":
            return bool(value == rule["value"])
        case "is not":
            return bool(value != rule["value"])
        case unknown:
            raise ValueError(unknown)


def main() -> None:
    """Serve a fleet until interrupted."""
    parser = argparse.ArgumentParser(description="A fake Knack on loopback.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--cameras", type=int, default=1500)
    parser.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.OK)
    asked = parser.parse_args()
    rows = [camera_row(number) for number in range(1, asked.cameras + 1)]
    with FakeKnack(rows, port=asked.port) as knack, contextlib.suppress(KeyboardInterrupt):
        knack.mode = asked.mode
        sys.stdout.write(f"{knack.url} app {knack.app_id} key {knack.api_key} {VIEW} {OBJECT}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
