"""Lengths that are wrong, doubled or missing, and chunks."""

from __future__ import annotations

from dev.street_mode import UNSEEN, Mode, Play, broken, whole
from dev.street_wire import JPEG, End, chunk, half, head, reply

_DAHUA = "Dahua, Lorex, home-assistant/core#47511"
_SHORT = "Lorex, python-onvif-zeep-async#130"
_CHUNKED = "Transfer-Encoding: chunked"
OFF = 48


def _sized(*lengths: object) -> Play:
    """A picture with these values of Content-Length, in which {} is the right one; then a close."""

    def make(jpeg: bytes) -> bytes:
        texts = (f"Content-Length: {text}".format(len(jpeg)) for text in lengths)
        return head(JPEG, *texts) + jpeg

    return whole(make, End.CLOSE)


def _chunks(jpeg: bytes) -> bytes:
    """The head and all chunks, but the one that ends them."""
    return head(JPEG, _CHUNKED) + chunk(half(jpeg)) + chunk(jpeg[len(jpeg) // 2 :])


def _torn_chunk(jpeg: bytes) -> bytes:
    return head(JPEG, _CHUNKED) + chunk(jpeg)[: len(jpeg) // 2]


def _bad_chunk(jpeg: bytes) -> bytes:
    return head(JPEG, _CHUNKED) + chunk(half(jpeg)) + b"zz\r\n" + jpeg[len(jpeg) // 2 :]


def _both(jpeg: bytes) -> bytes:
    return head(JPEG, f"Content-Length: {len(jpeg)}", _CHUNKED) + chunk(jpeg) + chunk(b"")


def _short(jpeg: bytes) -> bytes:
    return reply(jpeg, more=-OFF)


MODES = (
    Mode(
        "cl_long",
        "a whole picture, 48 bytes more announced; then silence",
        _DAHUA,
        whole(lambda jpeg: reply(jpeg, more=OFF), End.HANG),
    ),
    Mode(
        "cl_long_close",
        "a whole picture, 48 bytes more announced; then a close",
        "Dahua, home-assistant/core#148093",
        whole(lambda jpeg: reply(jpeg, more=OFF), End.CLOSE),
    ),
    Mode(
        "cl_short",
        "a whole picture, 48 bytes less announced; then a close",
        _SHORT,
        whole(_short, End.CLOSE),
    ),
    Mode(
        "cl_short_hang",
        "a whole picture, 48 bytes less announced; then silence",
        _SHORT,
        whole(_short, End.HANG),
    ),
    Mode(
        "extra_after",
        "a picture, its length right, and 1 KB of text behind it",
        UNSEEN,
        whole(lambda jpeg: reply(jpeg) + b"x" * 1024),
    ),
    Mode("cl_two_equal", "the right length, twice", UNSEEN, _sized("{}", "{}")),
    Mode("cl_two_different", "two lengths, the second 1", UNSEEN, _sized("{}", "1")),
    Mode("cl_neg", "a length of -1", UNSEEN, _sized("-1")),
    Mode("cl_junk", "a length that is no number", UNSEEN, _sized("many")),
    Mode("cl_zero_body", "a length of 0, and a picture", UNSEEN, _sized("0")),
    Mode(
        "cl_and_chunked",
        "a length and chunks",
        UNSEEN,
        whole(_both),
    ),
    Mode(
        "chunked_ok",
        "a whole picture in chunks",
        "Uniview, GoAhead",
        whole(lambda jpeg: _chunks(jpeg) + chunk(b"")),
    ),
    Mode(
        "chunk_noend",
        "a whole picture in chunks, but a close for the last one",
        "Uniview",
        whole(_chunks, End.CLOSE),
    ),
    Mode(
        "chunk_trunc",
        "half a chunk, then a close",
        "Uniview's 404",
        broken(_torn_chunk, End.CLOSE),
    ),
    Mode(
        "chunk_bad",
        "half a picture, then a chunk whose size is no number",
        UNSEEN,
        broken(_bad_chunk, End.CLOSE),
    ),
    Mode(
        "chunk_garbage_trailer",
        "a whole picture in chunks, and junk where trailers stand",
        UNSEEN,
        whole(lambda jpeg: _chunks(jpeg) + b"0\r\n\x00\xffjunk\r\n\r\n", End.CLOSE),
    ),
)
