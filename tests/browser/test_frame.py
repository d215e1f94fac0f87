"""Cold deep links, and what a visitor without the link sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gmaug_core.ui import ROOT

pytestmark = pytest.mark.browser
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("name", PAGES)
def test_a_cold_deep_link_opens_its_page_in_the_frame(page, app_server, name):
    demo = next((app_server.home / "datasets").glob("digits-demo-*")).name
    page.goto(f"{app_server.url}/{'' if name == 'datasets' else name}?dataset={demo}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav")).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("Digits demo")
    assert f"dataset={demo}" in page.url


def test_without_the_link_nothing_is_shown(browser, app_server):
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(app_server.url).status == 401
    expect(page.get_by_text("This dashboard is private")).to_be_visible()
    context.close()
