"""What a visitor without the link sees, and with it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_without_the_link_nothing_is_shown_and_with_it_the_datasets_are(browser, app_server):
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(app_server.url).status == 401
    expect(page.get_by_text("This dashboard is private")).to_be_visible()
    page.goto(app_server.door)
    page.wait_for_url(lambda url: "token" not in url)
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    context.close()
