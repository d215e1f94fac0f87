"""A real dashboard and a real browser for the journeys in this folder.

app_server: the app on a free port with a workspace of its own; page: a tab of a logged-in browser. A journey
fails on any console error and any answer of 400 or more in any of its tabs, except for the two that every
deep link of Streamlit logs.
"""

from __future__ import annotations

import re
import shutil
import sys
import warnings
from pathlib import Path

import pytest
from serving import serving

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_MS = 20_000  # for anything to appear, on a machine that is busy with other tests
KNOWN_404 = re.compile(r"/\w+/_stcore/(health|host-config)$")


@pytest.fixture(scope="session")
def app_server(tmp_path_factory):
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    with serving(command, "--server.port", cwd=ROOT, folder=tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture
def unfold():
    """unfold(page, label): open an expander, whichever way it stands."""

    def act(page, label: str) -> None:
        summary = page.locator("summary", has_text=label)
        summary.wait_for()
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()

    return act


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    installed = next((path for name in names if (path := shutil.which(name))), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(
                executable_path=installed, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
        except playwright.Error as error:
            warnings.warn(
                f"NO BROWSER: the browser tests are skipped ({str(error).splitlines()[0]})", stacklevel=1
            )
            pytest.skip("no Chrome or Chromium here: install one, or run 'playwright install chromium'")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitors(browser):
    """One visitor a dashboard, logged in by its link: what its browser has loaded once serves all tests."""
    return {}


@pytest.fixture
def page(browser, app_server, visitors):
    """A new tab of a visitor who may see the dashboard; nothing is opened in it yet."""
    if app_server.url not in visitors:
        made = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        assert made.request.get(app_server.door, max_redirects=0).status < 400
        visitors[app_server.url] = made
    context = visitors[app_server.url]
    problems: list[str] = []

    def on_console(message) -> None:
        if message.type == "error" and not KNOWN_404.search(message.location.get("url", "")):
            problems.append(f"console: {message.text}")

    def on_response(response) -> None:
        if response.status >= 400 and not KNOWN_404.search(response.url):
            problems.append(f"{response.status}: {response.url}")

    def on_request(request) -> None:
        if not request.url.startswith((app_server.url, "data:", "blob:")):
            problems.append(f"a request left this machine: {request.url}")

    heard = {  # of every tab that the test opens
        "console": on_console,
        "response": on_response,
        "request": on_request,
        "weberror": lambda error: problems.append(f"page error: {error.error}"),
    }
    for event, listener in heard.items():
        context.on(event, listener)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.set_default_navigation_timeout(3 * PATIENCE_MS)  # the first page finds a cold server and browser
    yield page
    for tab in context.pages:
        tab.close()
    for event, listener in heard.items():
        context.remove_listener(event, listener)
    assert not problems, "\n".join(problems)
