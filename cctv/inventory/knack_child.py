"""The child that reads Knack: access as JSON on stdin, one JSON object on stdout, and it ends.

knackpy blocks, has no deadline and takes seconds of CPU over a large app's metadata; here it can
be killed. This is the only file that knows the library. What it prints is either
`{"records": [{word: text}]}` or `{"error": {"kind", "message", "lasting"}}`.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import signal
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import knackpy
import requests

from cctv.errors import InventoryError
from cctv.inventory.knack_metadata import cache_metadata, cached_metadata, setting, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = dict[str, Any]

_ATTEMPTS = 2
_REQUEST_SECONDS = 30
_GRACE_SECONDS = 5
_NOT_DISABLED = frozenset({"", "no", "false", "off", "0"})


def main() -> None:
    """Read once, as stdin says, and answer on stdout."""
    access = json.load(sys.stdin)
    # a child whose parent was killed must end by itself
    signal.setitimer(signal.ITIMER_REAL, access["deadline"] + _GRACE_SECONDS)
    with contextlib.redirect_stdout(sys.stderr):
        answer = answer_to(access)
    json.dump(answer, sys.stdout)


def answer_to(access: Json) -> Json:
    """The rows, or why there are none; a bug keeps its traceback."""
    try:
        return {"records": read(access)}
    except InventoryError as error:
        kind = type(error.__cause__ or error).__name__
        return {"error": {"kind": kind, "message": str(error), "lasting": error.lasting}}


def read(access: Json) -> list[dict[str, str]]:
    """The rows by cached metadata; when that does not work, for whatever reason, by fresh."""
    announced = patch_knackpy(access["api_url"])
    if (cached := cached_metadata(access)) is not None:
        with contextlib.suppress(InventoryError):
            return load(access, cached, announced)
    metadata = fetch_metadata(access)
    rows = load(access, metadata, announced)
    cache_metadata(access, metadata)
    return rows


def patch_knackpy(api_url: str | None) -> list[int]:
    """Give knackpy a host and a timeout; the list returned collects every `total_records`.

    The only place that touches the library's private names; the tests pin them.
    """
    announced: list[int] = []
    api = knackpy.api
    pages = functools.partial(api._get_paginated_records, timeout=_REQUEST_SECONDS)  # noqa: SLF001 - it drops App's timeout
    api._get_paginated_records = pages  # noqa: SLF001 - as above
    api._request = functools.partial(observe, api._request, announced)  # noqa: SLF001 - it hides total_records
    if api_url is not None:
        api._url = functools.partial(url_at, api_url)  # noqa: SLF001 - its hosts are literals
    return announced


def observe(request: Callable[..., Any], announced: list[int], **call: object) -> requests.Response:
    """Send one of knackpy's requests; note what an answer with records announces."""
    response: requests.Response = request(**call)
    if call.get("params"):
        announced.append(response.json()["total_records"])
    return response


def url_at(base: str, *, route: str, slug: str | None = None) -> str:
    """Where a route is on one host, for every account."""
    del slug
    return f"{base.rstrip('/')}/v1{route}"


@contextlib.contextmanager
def foreign_errors() -> Iterator[None]:
    """Whatever requests and knackpy raise leaves as an InventoryError that says what was found."""
    try:
        yield
    except requests.HTTPError as error:
        raise refusal(error.response) from error
    except requests.Timeout as error:
        raise InventoryError(f"Knack did not answer within {_REQUEST_SECONDS} s") from error
    except requests.JSONDecodeError as error:
        raise InventoryError("Knack answered something that is not JSON") from error
    except (requests.exceptions.InvalidHeader, UnicodeEncodeError) as error:
        found = "KNACK_APP_ID or KNACK_API_KEY holds a character that cannot be sent"
        raise InventoryError(found, lasting=True) from error
    except requests.RequestException as error:
        raise InventoryError(f"the connection to Knack failed: {root(error)}") from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        found = f"Knack answered JSON of an unknown shape ({type(error).__name__}: {error})"
        raise InventoryError(found) from error


def refusal(response: requests.Response) -> InventoryError:
    """What an HTTP status other than 200 means."""
    status = response.status_code
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        found = f"Knack refused KNACK_APP_ID and KNACK_API_KEY (HTTP {status})"
        return InventoryError(found, lasting=True)
    path = urlsplit(response.url).path
    return InventoryError(f"Knack answered HTTP {status} {response.reason} for {path}")


def root(error: BaseException) -> BaseException:
    """The innermost reason: requests wraps a refused connection three times."""
    inner = error.__cause__ or error.__context__
    return root(inner) if inner else error


def fetch_metadata(access: Json) -> Json:
    """The app's metadata as Knack has it now, trimmed to what we read."""
    with foreign_errors():
        fetched = knackpy.api.get_metadata(app_id=access["app_id"], max_attempts=_ATTEMPTS)
        return trimmed(fetched["application"], access)


def load(access: Json, metadata: Json, announced: list[int]) -> list[dict[str, str]]:
    """All rows that have an id, as text; none is missing."""
    announced.clear()
    with foreign_errors():
        app = knackpy.App(
            app_id=access["app_id"],
            api_key=access["api_key"],
            metadata=copy.deepcopy(metadata),  # it writes into it
            tzinfo="UTC",  # it does not know every timezone Knack has; we read no times
            max_attempts=_ATTEMPTS,
        )
        fields, container = access["fields"], metadata["container"]
        rule = {"field": fields["id"], "operator": "is not blank"}
        # generated: Records come to be only after their rows were completed
        records = app.get(container, filters={"match": "and", "rules": [rule]}, generate=True)
        complete(app.data[container], announced, fields)
        return [as_text(record.fields, fields) for record in records]


def complete(rows: list[Json], announced: list[int], fields: Mapping[str, str]) -> None:
    """Insist on every row and every field; a blank stands in where a single row lacks a key."""
    total, delivered = max(announced, default=0), len({row.get("id") for row in rows})
    if delivered < total:
        raise InventoryError(f"Knack announced {total} records and delivered {delivered}")
    for word, key in fields.items():
        if rows and not any(key in row for row in rows):
            raise InventoryError(f"field {key} ({setting(word)}) is in none of {delivered} records")
    for row in rows:
        row |= {key: row.get(key, "") for key in ("id", *fields.values())}


def as_text(record: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """One record in our words."""
    texts = {word: text_of(word, record[key]) for word, key in fields.items()}
    disabled = texts.pop("disabled", "").strip().lower()
    return texts | {"publish": "yes" if disabled in _NOT_DISABLED else "no"}


def text_of(word: str, field: knackpy.fields.Field) -> str:
    """A field's value for people; of an address field, the coordinate that is asked for."""
    value = field.formatted
    if word in {"latitude", "longitude"} and isinstance(field.raw, dict):
        value = field.raw.get(word)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


if __name__ == "__main__":
    main()
