"""A cold deep link opens with its looks, and no page bars anybody: axe-core finds nothing serious or critical
on it, full and empty, in the light and in the dark.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gmaug_core.data.demo import make_demo
from gmaug_core.ui import ROOT

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

pytestmark = pytest.mark.browser
TITLES = (
    "Gains",  # where the test comes in
    "Datasets",
    "Super-classes",
    "Similarity",
    "Verdict",
    "Equivalence",
    "Augmentation",
    "Samples",
)
EMPTY = ("Augmentation", "Gains", "Similarity", "Super-classes")
PATIENCE_S = 10.0
RUN = """async (rules) => {
    const options = {resultTypes: ['violations'], ...(rules ? {runOnly: {type: 'rule', values: rules}} : {})};
    return (await axe.run(document, options)).violations
        .filter(({impact, id}) => ['serious', 'critical'].includes(impact) || id === 'heading-order')
        .map(({impact, id, nodes}) => `${impact} ${id}: ${nodes[0].html.slice(0, 160)}`);
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, which axe-playwright-python brings."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-core here: install the package axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def full(app_server) -> str:
    """The demo with a score and a finished run; its id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMAUG_HOME", str(app_server.home))
        demo = make_demo()
        run_fixture.make_score(demo, "shape", 0.30)
        run_fixture.make_run(demo, token="for-axe", per_class=4)
    return demo


def settle(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def lasting(page: Page, rules: list[str]) -> list[str]:
    """What axe still finds once every part has its new colours: no event tells when."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := page.evaluate(RUN, rules)) and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    return found


def barriers(page: Page, axe: str, *, dark: bool) -> list[str]:
    """What axe finds on a page: all rules in the light, colours once more in the dark."""
    settle(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
        page.add_style_tag(content="* { transition: none !important; }")  # colours are read at once
    found = page.evaluate(RUN, None)
    if dark:
        page.emulate_media(color_scheme="dark")
        found += [f"dark: {each}" for each in lasting(page, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
    return found


def has_its_looks(page: Page, dataset_id: str) -> None:
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("Digits demo")
    assert "Newsreader" in heading.evaluate("node => getComputedStyle(node).fontFamily")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible()
    assert f"dataset={dataset_id}" in page.url


def test_a_cold_deep_link_opens_with_its_looks_and_no_page_with_its_figures_bars_anybody(
    page, app_server, axe, full
):
    page.goto(f"{app_server.url}/gains?dataset={full}")
    has_its_looks(page, full)
    for title in TITLES:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        has_its_looks(page, full)
        assert barriers(page, axe, dark=True) == [], title


def test_no_page_with_nothing_to_show_bars_anybody(page, app_server, axe, few):
    page.goto(f"{app_server.url}/?dataset={few}")
    for title in EMPTY:
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        assert barriers(page, axe, dark=False) == [], title
        assert f"dataset={few}" in page.url
