"""Knack's metadata, cut down to what is read of it, and kept for a day.

knackpy maps every field to every view: a large application costs seconds of CPU, one container
of it next to nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cctv.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

_CACHE_SECONDS = 24 * 60 * 60


def trimmed(app: Json, access: Json) -> Json:
    """One container and our fields: knackpy maps every field to every view, for seconds."""
    scene, thing = find(app, access["container"])
    wanted = set(access["fields"].values())
    view = None if scene is None else table_with(thing, wanted)
    objects = [object_with(each, wanted) for each in ([thing] if view is None else app["objects"])]
    present = {field["key"] for each in objects for field in each["fields"]}
    if view is not None:
        present &= {column["field"]["key"] for column in view["columns"]}
    insist_on(present, thing["key"], access["fields"])
    application = {
        "name": app.get("name"),
        "account": {"slug": slug_of(app)},
        "objects": [each for each in objects if each["fields"]],
        "scenes": [] if scene is None else [{"key": scene["key"], "views": [view]}],
    }
    return {"application": application, "container": thing["key"]}


def find(app: Json, wanted: str) -> tuple[Json | None, Json]:
    """The one object, or view with its scene, that has this key or else this name."""
    things = [(None, each) for each in app["objects"]]
    things += [(scene, view) for scene in app["scenes"] for view in scene["views"]]
    by_key = [pair for pair in things if pair[1]["key"] == wanted]
    found = by_key or [pair for pair in things if pair[1].get("name") == wanted]
    if len(found) == 1:
        return found[0]
    keys = " and ".join(thing["key"] for _, thing in found)
    trouble = f"the name of {keys}: use a key" if found else "which the app does not have"
    raise InventoryError(f"KNACK_CONTAINER names {wanted}, {trouble}", lasting=True)


def table_with(view: Json, wanted: set[str]) -> Json:
    """The view with the wanted columns; of any other type knackpy reads no fields at all."""
    if view["type"] != "table":
        found = f"{view['key']} (KNACK_CONTAINER) is of type {view['type']}, not a table"
        raise InventoryError(found, lasting=True)
    keys = [(column.get("field") or {}).get("key") for column in view["columns"]]
    columns = [{"field": {"key": key}} for key in keys if key in wanted]
    return {"key": view["key"], "name": view.get("name"), "type": "table", "columns": columns}


def object_with(thing: Json, wanted: set[str]) -> Json:
    """The object with the wanted fields, as little of each as knackpy needs."""
    fields = [
        {part: field[part] for part in ("key", "name", "type")}
        for field in thing["fields"]
        if field["key"] in wanted
    ]
    return {"key": thing["key"], "name": thing.get("name"), "fields": fields}


def slug_of(app: Json) -> str:
    """The account's slug: it becomes a part of the host that is sent the API key."""
    slug = str(app["account"]["slug"] or "")
    if not re.fullmatch(r"[A-Za-z0-9-]*", slug):
        raise InventoryError(f"Knack's metadata calls the account {slug!r}: not part of a host")
    return slug


def insist_on(present: set[str], container: str, fields: Mapping[str, str]) -> None:
    """Every field of ours is in the container, or the first that is not is named."""
    for word, key in fields.items():
        if key not in present:
            found = f"field {key} ({setting(word)}) is not in {container}"
            raise InventoryError(found, lasting=True)


def setting(word: str) -> str:
    """The name of the setting that leads from our word to a Knack field."""
    return f"KNACK_FIELD_{word.upper()}"


def cache_key(access: Json) -> Json:
    """What trimmed metadata depends on; other settings do not spoil it."""
    return {name: access[name] for name in ("app_id", "container", "api_url", "fields")}


def cached_metadata(access: Json) -> Json | None:
    """The metadata kept for these settings, if it is less than a day old and readable."""
    if access["metadata_cache"] is None:
        return None
    try:
        entry = json.loads(Path(access["metadata_cache"]).read_text("utf-8"))
        young = 0 <= time.time() - entry["fetched"] < _CACHE_SECONDS
        metadata: Json = entry["metadata"]
        return metadata if young and entry["key"] == cache_key(access) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def cache_metadata(access: Json, metadata: Json) -> None:
    """Keep the metadata for the next child; where that cannot be, nothing is lost but time."""
    if access["metadata_cache"] is None:
        return
    entry = {"key": cache_key(access), "fetched": time.time(), "metadata": metadata}
    file = Path(access["metadata_cache"])
    with contextlib.suppress(OSError):
        new = file.with_name(f"{file.name}.new")
        new.write_text(json.dumps(entry), "utf-8")
        new.replace(file)
