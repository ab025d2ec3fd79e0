"""The plain page of all pictures with their age; no script, and readable without the pictures."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from cctv.reasons import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from cctv.web.board import Fact

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
ul { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr));
     list-style: none; margin: 1rem 0; padding: 0; }
img { aspect-ratio: 16 / 9; background: #8884; border-radius: .3rem; display: block;
      height: auto; object-fit: contain; width: 100%; }
h2 { font-size: 1rem; margin: .4rem 0 0; }
p { margin: 0; }
.gone { font-weight: 600; }
"""

POLICY = (
    "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""The page's Content-Security-Policy: its own style and pictures (and an empty icon)."""


def page(
    facts: Sequence[Fact], address: Callable[[str], str], now: datetime, zone: ZoneInfo
) -> str:
    """The page as HTML; `address` gives the path of a camera's picture."""
    live = sum(fact.captured_at is not None for fact in facts)
    items = "\n".join(_item(fact, address(fact.camera.id), now, zone) for fact in facts)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Camera images</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
<h1>Camera images</h1>
<p>{live} of {len(facts)} cameras show a fresh picture, {_clock(now, zone)}.
Reload the page for newer ones.</p>
<ul>
{items}
</ul>
</html>
"""


def _item(fact: Fact, address: str, now: datetime, zone: ZoneInfo) -> str:
    title = escape(f"{fact.camera.id} {fact.camera.name}".strip())
    state = _state(fact, now, zone)
    alt = escape(f"Camera {fact.camera.id}")
    kind = "" if fact.captured_at else ' class="gone"'
    return (
        f'<li><a href="{escape(address)}"><img src="{escape(address)}" alt="{alt}" '
        f'loading="lazy" width="640" height="360"></a>'
        f"<h2>{title}</h2><p{kind}>{state}</p></li>"
    )


def _state(fact: Fact, now: datetime, zone: ZoneInfo) -> str:
    if fact.captured_at is not None:
        age = _duration((now - fact.captured_at).total_seconds())
        odd = "".join(f" {escape(WORDS[reason].sentence)}" for reason in fact.warnings)
        return f"taken {age} ago ({_time(fact.captured_at, zone)}){odd}"
    if fact.reason is None or fact.since is None:
        return "no picture yet"
    sentence = escape(WORDS[fact.reason].sentence)
    return f"unavailable since {_time(fact.since, zone)}: {sentence}"


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 120 else f"{whole // 60} min"  # noqa: PLR2004 - two minutes


def _time(moment: datetime, zone: ZoneInfo) -> str:
    shown = _clock(moment, zone)
    return f'<time datetime="{moment.isoformat(timespec="seconds")}">{shown}</time>'


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
