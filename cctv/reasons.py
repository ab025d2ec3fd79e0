"""Why an address shows the fallback image: a closed set of words, each with a plain sentence.

The same words stand in the log, in the public metadata (`reason`), in the commands' tables and
in the tests. `WORDS` is the one place where a sentence or a piece of advice is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One word for each way of having no picture."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH = "auth"
    BUSY = "busy"
    NOT_FOUND = "not-found"
    HTTP_ERROR = "http-error"
    NOT_A_PICTURE = "not-a-picture"
    TORN = "torn"
    BLANK = "blank"
    FROZEN = "frozen"
    UNMASKED = "unmasked"
    TOO_BIG = "too-big"
    PROTOCOL = "protocol"
    TLS = "tls"
    REFUSED_ADDRESS = "refused-address"
    OUT_OF_FILES = "out-of-files"
    UNPUBLISHED = "unpublished"
    REMOVED = "removed"
    BAD_RECORD = "bad-record"
    NO_PICTURE = "no-picture"
    STALE = "stale"
    HELD = "held"
    NEVER_PUBLISH = "never-publish"
    HOLDS_UNKNOWN = "holds-unknown"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Words:
    """What a reason means, and what a technician does about it."""

    sentence: str
    advice: str


WORDS: dict[Reason, Words] = {
    Reason.UNREACHABLE: Words(
        "The camera could not be connected to.",
        "Check its power and network, and the address in its record.",
    ),
    Reason.TIMEOUT: Words(
        "The camera did not answer in time.",
        "Open its web page from this server; restart it if that hangs too.",
    ),
    Reason.AUTH: Words(
        "The camera refused the username and password.",
        "Check <MODEL>_USERNAME and _PASSWORD, else CAMERA_USERNAME and _PASSWORD.",
    ),
    Reason.BUSY: Words(
        "The camera said that it is busy.",
        "Find out who else is pulling pictures from it.",
    ),
    Reason.NOT_FOUND: Words(
        "The camera has no picture at the path its model uses.",
        "Check the model in its record; `cctv probe` finds out what hangs there.",
    ),
    Reason.HTTP_ERROR: Words(
        "The camera answered with an error.",
        "Open its web page; restart it if the error stays.",
    ),
    Reason.NOT_A_PICTURE: Words(
        "The camera answered something that is not a JPEG picture.",
        "Open its web page: it may want a login, or be of another make (`cctv probe`).",
    ),
    Reason.TORN: Words(
        "The picture is not whole.",
        "Check the link to the camera for losses, and whether it wants https://.",
    ),
    Reason.BLANK: Words(
        "The picture is one flat colour, or green or pink all over.",
        "Look at the camera: a covered lens, no light, or a broken sensor cable.",
    ),
    Reason.FROZEN: Words(
        "The camera sends the same picture over and over.",
        "Restart the camera; its clock in the picture may go on all the same.",
    ),
    Reason.UNMASKED: Words(
        "The privacy mask of this camera could not be put on its picture.",
        "Check its shapes in the file CCTV_MASKS names; nothing is shown without them.",
    ),
    Reason.TOO_BIG: Words(
        "The camera sent more than a still picture may hold.",
        "Check the model in its record, and the camera's picture size.",
    ),
    Reason.PROTOCOL: Words(
        "The camera answered in a way that is not HTTP.",
        "Check the port in its address, and its firmware.",
    ),
    Reason.TLS: Words(
        "The camera's TLS handshake or certificate failed.",
        "Renew its certificate, or name the one to believe in its record (tls).",
    ),
    Reason.REFUSED_ADDRESS: Words(
        "The record's address is one that may not be asked.",
        "Correct it, or name its network in CCTV_CAMERA_NETWORKS; some are never asked.",
    ),
    Reason.OUT_OF_FILES: Words(
        "This machine has no open files left to connect to the camera with.",
        "Raise the daemon's limit of open files (`ulimit -n`, `docker run --ulimit nofile=`).",
    ),
    Reason.UNPUBLISHED: Words(
        "The inventory says that this camera is not to be published.",
        "Nothing to do; switch publishing on in its record to see it again.",
    ),
    Reason.REMOVED: Words(
        "The camera is no longer in the inventory.",
        "Nothing to do, unless its record was deleted by mistake.",
    ),
    Reason.BAD_RECORD: Words(
        "The camera's record makes no sense, and no earlier good one is known.",
        "Correct the record; the log and `cctv list` name what is wrong with it.",
    ),
    Reason.NO_PICTURE: Words(
        "There is no picture of this camera, or not yet.",
        "Check the id in the address; after a start the first pictures take up to a minute.",
    ),
    Reason.STALE: Words(
        "The last picture is older than a public picture may be.",
        "Check that the daemon runs, and its log.",
    ),
    Reason.HELD: Words(
        "Somebody has ordered not to publish this camera for now.",
        "`cctv holds` says who, why and until when; `cctv release` ends it.",
    ),
    Reason.NEVER_PUBLISH: Words(
        "The settings say that this camera is never to be published.",
        "Nothing to do; it stands in CCTV_NEVER_PUBLISH.",
    ),
    Reason.HOLDS_UNKNOWN: Words(
        "It is not known whether this camera may be published: the holds cannot be read.",
        "Make private/ in the store readable for the daemon; the log says what is wrong.",
    ),
    Reason.INTERNAL: Words(
        "The program itself failed while working on this camera.",
        "Report the traceback in the log; the camera is tried again.",
    ),
}
