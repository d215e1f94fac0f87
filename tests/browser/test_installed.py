"""The installed package in a real browser, served by `gmaug app` from an empty folder.

That every page of it opens, tests/test_wheel.py sees; that each has its looks, test_accessibility.py.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def app_server(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nowhere")
    command = [str(installed / "gmaug"), "app", "--no-open"]
    with serving(command, "--port", cwd=folder, folder=folder) as server:
        yield server


@pytest.mark.timeout(400)
def test_a_page_with_parts_of_ours_opens_with_its_looks(page, app_server):
    demo = next((app_server.home / "datasets").glob("digits-demo-*")).name
    page.goto(f"{app_server.url}/super_classes?dataset={demo}")
    heading = page.get_by_role("heading", level=1, name="Super-classes")
    expect(heading).to_be_visible()
    assert "Newsreader" in heading.evaluate("node => getComputedStyle(node).fontFamily")
    expect(page.get_by_role("listitem", name="0, 100 images", exact=False)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
