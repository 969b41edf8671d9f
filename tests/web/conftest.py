"""The system's Chromium for the tests of the web, and the programs they need."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import PROJECT
from tests.support.whole_site import WebSite, web_site


@pytest.fixture(scope="session", autouse=True)
def _page_from_npm() -> None:
    if not (PROJECT / "node_modules" / "@xterm").is_dir():
        pytest.skip("the terminal's page comes from npm: npm ci")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    """The whole web server over a store of its own, with an admin."""
    with web_site(tmp_path_factory.mktemp("site")) as running:
        running.add("boss", role="admin")
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; no longer than a module, since it keeps an event loop running."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("a browser is needed: apt-get install chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()
