"""Cold deep links, and what a visitor without the link sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gmaug_core.ui import ROOT

pytestmark = pytest.mark.browser
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def opens_with_its_looks(page, url: str) -> None:
    page.goto(url)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("Digits demo")
    assert "Newsreader" in heading.evaluate("node => getComputedStyle(node).fontFamily")
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.parametrize("name", PAGES)
def test_a_cold_deep_link_opens_its_page_in_the_frame(page, app_server, name):
    demo = next((app_server.home / "datasets").glob("digits-demo-*")).name
    opens_with_its_looks(page, f"{app_server.url}/{'' if name == 'datasets' else name}?dataset={demo}")
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible()
    assert f"dataset={demo}" in page.url


def test_without_the_link_nothing_is_shown_and_with_it_the_datasets_are(browser, app_server):
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(app_server.url).status == 401
    expect(page.get_by_text("This dashboard is private")).to_be_visible()
    page.goto(app_server.door)
    page.wait_for_url(lambda url: "token" not in url)
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    context.close()
