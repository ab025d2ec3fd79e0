"""The page in a real browser, fed by the whole program."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from playwright.sync_api import sync_playwright

from dev.dummy_api import Street
from tests.fakes.daemon import Daemon, await_, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

if CHROMIUM is None and os.environ.get("CI"):
    raise RuntimeError("chromium is not installed, and in CI no test may be left out")


def fetched(address: str) -> str:
    """The page as it is served now."""
    with urlopen(address, timeout=10) as answer:  # noqa: S310 - our own page on loopback
        return str(answer.read().decode())


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A browser at the page of a daemon over a street with one sick camera."""
    with Street(cameras=5) as street:
        street.set_mode("3", "401")
        (tmp_path / "street.csv").write_text(street.csv())
        with Daemon(settings_of(street), tmp_path) as daemon, sync_playwright() as playwright:
            address = daemon.says("pictures can be seen at").split()[-1]
            # the page counts outcomes, which come a moment after the objects they tell of
            await_(lambda: "4 of 5 cameras show" in fetched(address), "four pictures and a card")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            tab = browser.new_page()
            tab.goto(address)
            yield tab
            browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_page_shows_every_picture(page: Page) -> None:
    """Five pictures decode, in order; four are fresh and say their age, one says what is wrong."""
    # one evaluation: waiting by polling would use eval, which the page's policy forbids
    widths = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert widths == [640] * 5
    titles = page.locator("h2").all_inner_texts()
    assert [title.split()[0] for title in titles] == ["1", "2", "3", "4", "5"]
    assert page.locator("h1 + p").inner_text().startswith("4 of 5 cameras show a fresh picture")
    told = page.locator("li p").all_inner_texts()
    assert re.match(r"unavailable since .*: The camera refused", told[2])
    assert all(re.match(r"taken \d+ s ago", told[place]) for place in (0, 1, 3, 4))


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_page_obeys_its_own_policy(page: Page) -> None:
    """Its style applies under its Content-Security-Policy, and nothing is complained of."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.reload()
    assert page.evaluate("getComputedStyle(document.querySelector('ul')).display") == "grid"
    assert complaints == []
