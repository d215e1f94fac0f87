"""Reviewing thousands of samples by keyboard in a real browser: nothing decided is lost, and nothing is
fetched ahead of need.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gmaug_core import workspace
from gmaug_core.data import samples
from gmaug_core.data.demo import make_demo
from gmaug_core.data.sample_map import MapFiles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import run_fixture

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture
def run_id(app_server, monkeypatch, request):
    """A run of the test's own: nobody has decided anything yet."""
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    return run_fixture.make_run(make_demo(), token=f"browser-{len(request.node.name)}", per_class=100).id


def wait_for(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert condition()


def test_quick_key_presses_are_all_stored_and_survive_a_reload(page, app_server, run_id):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/images/run/" in request.url else None)
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")
    page.locator(".cell img[src]").first.wait_for()
    playwright.expect(page.locator(".view")).to_be_focused()  # the first key works
    place = page.locator(".view").bounding_box()
    keys = "kkxkxfxxkkxk" * 4 + "kx"  # fifty samples
    for key in keys:
        page.keyboard.press(key)
    decision = {"k": "keep", "x": "reject"}
    expected = {sample: decision[key] for sample, key in enumerate(keys) if key in decision}
    wait_for(lambda: workspace.reviews.load(run_id) == expected)
    playwright.expect(page.locator(".said")).to_contain_text("51 of 1,500")
    playwright.expect(page.get_by_text(f"{len(expected)} decided by people")).to_be_visible()
    assert page.locator(".view").bounding_box() == place, "a decision does not move the grid"
    assert 0 < len(asked) < 150  # of 1,500 samples
    page.keyboard.press("u")
    page.keyboard.press("x")  # what was undone, done again
    page.reload()  # at once
    playwright.expect(page.locator(".cell.decided").first).to_be_visible()
    playwright.expect(page.get_by_text(f"{len(expected)} decided by people")).to_be_visible()
    page.locator(".view").focus()
    page.keyboard.press("End")
    last = len(samples.all_images(Path(app_server.home) / "runs" / run_id / "samples")) - 1
    playwright.expect(page.get_by_text(f"Sample {last}", exact=False).first).to_be_visible()
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}&verdict=rejected&sample={last}")
    page.locator(".cell.rejected").first.wait_for()
    playwright.expect(page.locator(".cell.accepted")).to_have_count(0)
    page.get_by_role("link", name="Gains", exact=True).click()
    page.get_by_role("heading", name="Gains", exact=True).wait_for()
    page.get_by_role("link", name="Samples", exact=True).click()
    page.locator(".cell.rejected").first.wait_for()
    playwright.expect(page.locator(".cell.accepted")).to_have_count(0)
    assert "verdict=rejected" in page.url


def test_what_never_reached_the_server_is_sent_by_the_page_after_a_reload(page, line, app_server, run_id):
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")
    page.locator(".cell img[src]").first.wait_for()
    playwright.expect(page.locator(".view")).to_be_focused()
    page.keyboard.press("k")
    playwright.expect(page.get_by_text("1 decided by people")).to_be_visible()
    line.cut = True
    page.keyboard.press("x")
    page.keyboard.press("k")
    playwright.expect(page.locator(".cell.decided")).to_have_count(3)
    assert workspace.reviews.load(run_id) == {0: "keep"}
    line.cut = False
    page.reload()
    playwright.expect(page.get_by_text("3 decided by people")).to_be_visible()
    assert workspace.reviews.load(run_id) == {0: "keep", 1: "reject", 2: "keep"}
    page.reload()
    playwright.expect(page.locator(".cell.decided")).to_have_count(3)
    assert len(workspace.reviews.history(run_id)) == 3


def test_while_a_list_is_loaded_nobody_says_that_it_is_empty(page, app_server, run_id):
    held: list = []
    page.route(re.compile("/items[?]"), lambda route: held.append(route))
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")
    said, empty = page.locator(".gallery .said"), page.get_by_text("No sample fits these filters.")
    playwright.expect(said).to_have_text("Loading…")
    playwright.expect(empty).to_be_hidden()
    held[0].fulfill(json={"sample": [], "classes": [], "reasons": []})
    playwright.expect(empty).to_be_visible()
    playwright.expect(said).to_have_text("0 samples")


def test_many_are_decided_at_once_and_another_threshold_recounts(page, app_server, run_id):
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")
    page.locator(".cell img[src]").first.wait_for()
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "x"):
        page.keyboard.press(key)
    wait_for(lambda: workspace.reviews.load(run_id) == dict.fromkeys((1, 2, 3), "reject"))
    playwright.expect(page.locator(".said")).to_contain_text("5 of 1,500")
    page.keyboard.press("Control+a")
    playwright.expect(page.locator(".said")).to_contain_text("1,500 of 1,500 selected")
    page.keyboard.press("k")
    wait_for(lambda: len(workspace.reviews.load(run_id)) == 1500)
    page.keyboard.press("u")
    page.keyboard.press("u")
    wait_for(lambda: workspace.reviews.load(run_id) == {})
    own = page.get_by_test_id("stMarkdown").filter(has_text="accepted").first
    before = own.inner_text()
    page.get_by_role("button", name="Threshold").click()
    page.get_by_role("slider").press("Home")
    playwright.expect(page.get_by_role("button", name="Threshold 0")).to_be_visible()
    playwright.expect(own).not_to_have_text(before)
    page.wait_for_url("**threshold=0**")  # the address follows a moment later


def test_the_inspector_shows_sample_and_nearest_real_images_and_undo_goes_back(page, app_server, run_id):
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")
    page.locator(".cell img[src]").first.wait_for()
    large = page.get_by_role("img", name="Sample 0, drawn as")
    near = page.get_by_role("img", name="Real image of")
    playwright.expect(near).to_have_count(4)
    for width in (800, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for picture in (large, page.locator(".cell").first, near.last):
            playwright.expect(picture).to_be_in_viewport(ratio=1)
    playwright.expect(large).not_to_have_js_property("naturalWidth", 0)
    page.locator(".view").focus()
    steps = page.evaluate("history.length")
    for key in "kx":
        page.keyboard.press(key)
    wait_for(lambda: workspace.reviews.load(run_id) == {0: "keep", 1: "reject"})
    page.wait_for_url("**sample=2**")
    page.get_by_role("img", name="Sample 2, drawn as").wait_for()
    assert page.evaluate("history.length") == steps, "the back button leaves the samples"
    page.keyboard.press("u")
    wait_for(lambda: workspace.reviews.load(run_id) == {0: "keep"})
    playwright.expect(page.locator(".said")).to_contain_text("2 of 1,500")
    page.keyboard.press("x")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    wait_for(lambda: workspace.reviews.load(run_id) == {})
    playwright.expect(page.locator(".said")).to_contain_text("1 of 1,500")
    playwright.expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_lasso_on_the_map_filters_the_grid_and_is_in_the_address(page, app_server, run_id):
    folder = Path(app_server.home) / "runs" / run_id / "samples"
    rows = samples.table(folder, seed=0)
    spread = np.linspace(0, 1, len(rows))  # from left to right, in the order in which they were drawn
    places = {"kind": "sample", "number": rows["sample"], "label": rows["label"], "x": spread, "y": 0.5}
    MapFiles(folder).write(
        pd.DataFrame({**places, "typicality": 1.0, "near_real": False, "near_twin": False})
    )
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}&map=true")
    box = page.locator(".map canvas").bounding_box()
    playwright.expect(page.get_by_role("button", name="Show all")).to_be_disabled()

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.5, 0.1))
    page.mouse.down()
    for corner in ((0.9, 0.1), (0.9, 0.9), (0.5, 0.9)):
        page.mouse.move(*at(*corner))
    page.mouse.up()
    playwright.expect(page.get_by_role("button", name="Show all")).to_be_enabled()
    said = page.locator(".gallery .said")
    playwright.expect(said).to_contain_text(re.compile(r"of \d{3} "))  # read while it loads, it names none
    shown = int(re.search(r"of ([\d,]+)", said.inner_text())[1].replace(",", ""))
    assert 0.3 * 1500 < shown < 0.5 * 1500
    assert "area=" in page.url
    page.reload()
    playwright.expect(said).to_contain_text(f"of {shown}")
    page.get_by_role("button", name="Show all").click()
    playwright.expect(said).to_contain_text("of 1,500")


def test_a_saved_view_brings_its_filters_back(page, app_server, run_id):
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}&verdict=rejected&order=score")
    said = page.locator(".gallery .said")
    playwright.expect(page.locator(".cell.rejected").first).to_be_visible()
    playwright.expect(said).to_contain_text(re.compile(r"of [\d,]+ "))
    rejected = re.search(r"of ([\d,]+)", said.inner_text())[0]
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name", exact=True).fill("refused ones")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_role("button", name="Save these filters").click()
    playwright.expect(page.get_by_role("button", name="refused ones").first).to_be_visible()
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}")  # by anybody, another day
    playwright.expect(said).to_contain_text("of 1,500 ")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="refused ones").click()
    playwright.expect(said).to_contain_text(rejected)
    page.wait_for_url("**verdict=rejected**")
    playwright.expect(page.locator(".cell.accepted")).to_have_count(0)


def test_a_page_that_breaks_says_so_in_our_own_words(page, app_server, run_id):
    folder = Path(app_server.home) / "runs" / run_id / "samples"
    files = MapFiles(folder)
    files.table.unlink(missing_ok=True)
    files.error.mkdir()  # a folder where only ever a file was
    page.goto(f"{app_server.url}/samples?dataset={make_demo()}&run={run_id}&map=true")
    playwright.expect(page.get_by_text("nobody foresaw")).to_be_visible()
    playwright.expect(page.locator("a[href^=http]:not([href*='127.0.0.1'])")).to_have_count(0)
    playwright.expect(page.get_by_test_id("stException")).to_have_count(0)
    assert "IsADirectoryError" in (Path(app_server.home) / "errors.log").read_text()
