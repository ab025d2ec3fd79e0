"""Wrong types and statuses, and answers that are no picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from dev.dummy_modes import DEVICE_BUSY, LOGIN_PAGE
from dev.street_mode import UNSEEN, Mode, Play, ok, says, whole
from dev.street_wire import JPEG, End, head, reply

if TYPE_CHECKING:
    from dev.street_talk import Talk

HTML, XML, TEXT = (
    "Content-Type: " + kind for kind in ("text/html", "application/xml", "text/plain")
)
REOLINK = '[{"cmd":"Snap","code":1,"error":{"detail":"%s","rspCode":%d}}]'
FOSCAM_ERROR = b"<CGI_Result><result>-3</result></CGI_Result>"
BAD_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><ResponseStatus><statusCode>6</statusCode>'
    b"<statusString>Invalid XML Content</statusString><subStatusCode>badXmlContent</subStatusCode>"
    b"</ResponseStatus>"
)
PAGE = LOGIN_PAGE.encode()
BUSY_XML = DEVICE_BUSY.encode()
BUSY = reply(BUSY_XML, XML, status="503 Service Unavailable")


def _typed(*headers: str) -> Play:
    """A whole picture under these headers."""
    return whole(lambda jpeg: head(*headers, f"Content-Length: {len(jpeg)}") + jpeg)


def _picture_as(status: str) -> Play:
    """A whole picture with this status."""
    return whole(lambda jpeg: reply(jpeg, status=status))


def _page_as(status: str) -> Play:
    """A page with this status."""
    page = f"<html><body><h1>{status}</h1></body></html>".encode()
    return says(reply(page, HTML, status=status))


def _png() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    return file.getvalue()


async def _busy_once(talk: Talk) -> None:
    if talk.camera.spell.requests % 2:
        await talk.send(BUSY)
    else:
        await ok(talk)


MODES = (
    Mode("ct_missing", "a picture without Content-Type", "OctoPrint#3207", _typed()),
    Mode("ct_wrong", "a picture as text/plain", UNSEEN, _typed(TEXT)),
    Mode(
        "ct_params",
        'a picture as image/jpeg; charset="UTF-8"',
        "Hikvision, double-take#127",
        _typed(f'{JPEG}; charset="UTF-8"'),
    ),
    Mode(
        "ct_multipart_but_jpeg",
        "a bare picture as multipart/x-mixed-replace",
        "ONVIF snapshots, node-onvif#33",
        _typed("Content-Type: multipart/x-mixed-replace; boundary=frame"),
    ),
    Mode("png_as_jpeg", "a PNG as image/jpeg", UNSEEN, says(reply(_png()))),
    Mode("html_login", "a login page as image/jpeg, 200", "evercam-server", says(reply(PAGE))),
    Mode("html_200", "a login page, 200", "most makes at a wrong path", says(reply(PAGE, HTML))),
    Mode(
        "xml_busy_200",
        "deviceBusy XML, 200",
        "Hikvision, home-assistant/core#45259",
        says(reply(BUSY_XML, XML)),
    ),
    Mode(
        "json_reolink_login",
        "JSON: please login first, 200 text/html",
        "Reolink, reolink_cctv#14",
        says(reply((REOLINK % ("please login first", -6)).encode(), HTML)),
    ),
    Mode(
        "json_reolink_busy",
        "JSON: max session, 200 text/html",
        "Reolink, reolink_cctv#14",
        says(reply((REOLINK % ("max session", -5)).encode(), HTML)),
    ),
    Mode(
        "foscam_error_xml",
        "XML with result -3, 200",
        "Foscam, home-assistant/core#155780",
        says(reply(FOSCAM_ERROR, TEXT)),
    ),
    Mode(
        "text_error",
        "a text that begins with ERROR:, 200",
        "ACTi",
        says(reply(b"ERROR: bad\r\n", TEXT)),
    ),
    Mode("empty_200", "200 and an empty body", "motionEyeOS#48", says(reply(b""))),
    Mode("empty_204", "204 No Content", UNSEEN, says(head(status="204 No Content"))),
    Mode(
        "status_206",
        "a picture with 206",
        UNSEEN,
        _picture_as("206 Partial Content"),
    ),
    Mode(
        "status_304", "304 Not Modified", "wyze-bridge#703", says(head(status="304 Not Modified"))
    ),
    Mode("status_404", "404 and a page", "a camera of another make", _page_as("404 Not Found")),
    Mode("status_410", "410 and a page", UNSEEN, _page_as("410 Gone")),
    Mode(
        "status_500",
        "500 and a page",
        "UniFi, home-assistant/core#142628",
        _page_as("500 Internal Server Error"),
    ),
    Mode(
        "status_503_busy",
        "503 and deviceBusy XML",
        "Hikvision, home-assistant/core#45259",
        says(BUSY),
    ),
    Mode(
        "busy_once",
        "503 and deviceBusy XML, then a picture, in turns",
        "Hikvision, IpCamera#41",
        _busy_once,
    ),
    Mode("status_599", "599 and a page", "Uniview at an unknown path", _page_as("599 Unknown")),
    Mode(
        "status_400_badxml",
        "400 and badXmlContent",
        "Hikvision NVR, pyHik#119",
        says(reply(BAD_XML, XML, status="400 Bad Request")),
    ),
    Mode(
        "status_200_then_close",
        "a head that promises a picture, then a close",
        UNSEEN,
        says(reply(b"", more=20000), End.CLOSE),
    ),
)
