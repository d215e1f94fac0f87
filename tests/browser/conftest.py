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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import serving

from gmaug_core import intake

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_MS = 40_000  # for anything to appear, on a machine that is busy with other tests
# A page costs a quarter less of a core so: what is compiled lives for seconds, and there is no graphics card.
FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--in-process-gpu",
    "--js-flags=--no-opt --max-lazy",
)
KNOWN_404 = re.compile(r"/\w+/_stcore/(health|host-config)$")


@pytest.fixture(scope="session")
def app_server(tmp_path_factory):
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    with serving(command, "--server.port", cwd=ROOT, folder=tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="session")
def few(app_server, tmp_path_factory) -> str:
    """A dataset of twelve images, of which nothing is known yet; its id."""
    folder, random = tmp_path_factory.mktemp("given") / "few", np.random.default_rng(1)
    for k in range(12):
        file = folder / "abc"[k % 3] / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(app_server.home))
        return intake.import_path(folder).dataset_id


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
            browser = driver.chromium.launch(executable_path=installed, args=FLAGS)
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
def watched(app_server):
    """watched(context): from now on any error of any of its tabs fails the test."""
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

    heard = {
        "console": on_console,
        "response": on_response,
        "request": on_request,
        "weberror": lambda error: problems.append(f"page error: {error.error}"),
    }
    contexts = []

    def watch(context) -> None:
        contexts.append(context)
        for event, listener in heard.items():
            context.on(event, listener)

    yield watch
    for context in contexts:
        for event, listener in heard.items():
            context.remove_listener(event, listener)
    assert not problems, "\n".join(problems)


def logged_in(browser, app_server):
    made = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    assert made.request.get(app_server.door, max_redirects=0).status < 400
    return made


def tab(context):
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.set_default_navigation_timeout(3 * PATIENCE_MS)  # the first page finds a cold server and browser
    return page


@pytest.fixture
def page(browser, app_server, visitors, watched):
    """A new tab of a visitor who may see the dashboard; nothing is opened in it yet."""
    if app_server.url not in visitors:
        visitors[app_server.url] = logged_in(browser, app_server)
    context = visitors[app_server.url]
    watched(context)
    yield tab(context)
    for each in context.pages:
        each.close()


@pytest.fixture
def second_browser(browser, app_server, watched):
    """A tab of somebody else, who has nothing of the first one but the link to log in."""
    context = logged_in(browser, app_server)
    watched(context)
    yield tab(context)
    context.close()


@dataclass
class Line:
    """Between a page and the server. A cut one takes everything and brings nothing, as a network does before
    anybody notices."""

    cut: bool = False

    def carry(self, browser) -> None:
        server = browser.connect_to_server()
        browser.on_message(lambda message: None if self.cut else server.send(message))


@pytest.fixture
def line(page) -> Line:
    """The line of the pages that are opened from now on."""
    made = Line()
    page.route_web_socket(re.compile("/_stcore/stream"), made.carry)
    return made
