"""Every page of the installed package in a real browser, served by `gmaug app` from an empty folder."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from serving import serving
from test_frame import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def app_server(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nowhere")
    command = [str(installed / "gmaug"), "app", "--no-open"]
    with serving(command, "--port", cwd=folder, folder=folder) as server:
        yield server


@pytest.mark.timeout(400)
def test_every_page_opens_with_its_looks(page, app_server):
    demo = next((app_server.home / "datasets").glob("digits-demo-*")).name
    for name in PAGES:
        page.goto(f"{app_server.url}/{'' if name == 'datasets' else name}?dataset={demo}")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_be_visible()
        expect(page.get_by_role("combobox", name="Dataset")).to_have_value("Digits demo")
        assert "Newsreader" in heading.evaluate("node => getComputedStyle(node).fontFamily")
        expect(page.get_by_test_id("stException")).to_have_count(0)
