"""The main job in a real browser: demo dataset, grouping edit, score, launch, reload in the middle, stop,
resume, samples, gains; and what a result leads to: images, runs, a link, a comparison.
"""

from __future__ import annotations

import os
import re
import sys

import pytest
from playwright.sync_api import Page, expect

from gmaug_core.data.demo import make_demo
from gmaug_core.ui import ROOT

sys.path.insert(0, str(ROOT / "tests"))
import run_fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The quick preset, made small enough for a test: a real run through every stage.
SMALL = "\n".join(
    [
        "seeds=2",
        "generator.kimg=2",
        "generator.channels=8",
        "generator.snapshot_kimg=2",
        "generator.sampling_steps=4",
        "classifier.steps=20",
        "classifier.width=8",
        "target=30",
        "selection.threshold=0.2",
        "draw_budget=2",
        "max_steps=1",
        'use=["fill"]',
        'controls=["oversampling"]',
    ]
)
RUN_MS = 180_000
ROW_PX = 35  # of a table, which is drawn on a canvas


def picture(page: Page, name: str) -> None:
    """A screenshot for people, where $GMAUG_SCREENSHOTS names a folder."""
    folder = os.environ.get("GMAUG_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(1200)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def choose(page: Page, box: str, option: str) -> None:
    """Once no script runs: one that ends while the list is open closes it."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.get_by_role("combobox", name=box, exact=False).click()
    page.get_by_role("option", name=option).click()


@pytest.mark.timeout(400)
def test_from_a_dataset_to_its_measured_gain(page, app_server, unfold):
    page.goto(app_server.url)
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    choose(page, "Dataset", "Digits demo")
    expect(page.get_by_text("Imbalance ratio")).to_be_visible()
    picture(page, "1-datasets")

    # the expert moves one sub-class with the keyboard
    page.get_by_role("link", name="Super-classes").first.click()
    expect(page.get_by_role("heading", name="Super-classes")).to_be_visible()
    choose(page, "Grouping", "shape")
    page.get_by_role("button", name="Copy").click()
    page.get_by_label("Name of the copy").fill("journey")
    page.get_by_label("Name of the copy").press("Enter")
    page.get_by_role("button", name="Make the copy").click()
    expect(page.get_by_text("Saved · revision 1")).to_be_visible()
    page.get_by_role("listitem", name=re.compile("^9, ")).focus()
    page.keyboard.press("2")
    expect(page.get_by_text("Saved · revision 2")).to_be_visible()
    picture(page, "2-super-classes")

    # the score converges, and predicts
    page.get_by_role("link", name="Similarity").first.click()
    expect(page.get_by_role("heading", name="Similarity", exact=True)).to_be_visible()
    unfold(page, "Measure a score")
    choose(page, "Grouping into super-classes", "journey")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text("Predicted relative gain")).to_be_visible(timeout=RUN_MS)
    picture(page, "3-similarity")

    # launch, and close the eyes in the middle
    page.get_by_role("link", name="Augmentation").first.click()
    expect(page.get_by_role("heading", name="Augmentation", exact=True)).to_be_visible()
    unfold(page, "New run")
    unfold(page, "Advanced settings")
    settings = page.get_by_label("Any other setting, one KEY=VALUE a line")
    settings.fill(SMALL)
    settings.press("Control+Enter")
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url(re.compile("run=augmentation-"))
    ours = page.get_by_test_id(
        "stMainBlockContainer"
    )  # Streamlit has a Stop of its own in the header while a script runs
    expect(ours.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)
    picture(page, "4-augmentation-running")
    page.reload()
    expect(page.get_by_role("heading", name="Augmentation", exact=True)).to_be_visible()
    ours.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("This run was stopped")).to_be_visible(timeout=60_000)
    ours.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("What was it worth?")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text("attempt 2").first).to_be_visible()
    picture(page, "5-augmentation-finished")

    page.get_by_role("link", name="Look through the samples").click()
    expect(page.get_by_role("heading", name="Samples", exact=True)).to_be_visible()
    page.locator(".cell img[src]").first.wait_for()
    picture(page, "6-samples")

    page.get_by_role("link", name="Gains").first.click()
    expect(page.get_by_role("heading", name="Gains", exact=True)).to_be_visible()
    expect(page.get_by_text("Against every control")).to_be_visible()
    picture(page, "7-gains")


@pytest.fixture
def measured(app_server, monkeypatch) -> str:
    """The id of a finished run of the demo: invented figures, with a place on the curve."""
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    return run_fixture.make_run(make_demo(), token="for-journeys", per_class=4).id


def test_a_cell_of_the_matrix_leads_to_its_images(page, app_server, measured):
    page.goto(f"{app_server.url}/gains?run={measured}")
    page.get_by_role("heading", name="Before and after").scroll_into_view_if_needed()  # drawn when looked at
    cell = page.locator(".st-key-confusion .mark-rect path").first
    cell.click(position={"x": 4, "y": 4})  # beside the number that is drawn over it
    expect(page.get_by_text("One cell of the matrix")).to_be_visible()
    expect(page.get_by_role("img", name="The test images, row by row")).to_be_visible()


def test_a_point_on_the_curve_leads_to_its_run(page, app_server, few, measured, second_browser):
    """From a dataset without a run; the address that it ends at is the same page in another browser."""
    page.goto(f"{app_server.url}/gains?dataset={few}")
    expect(page.get_by_text("No finished run yet")).to_be_visible()
    page.get_by_text("A click on a point of your runs").scroll_into_view_if_needed()  # drawn when looked at
    points = page.locator("path[aria-label*='what: your runs']")
    points.last.click(force=True)  # other tests' runs may lie at the same place
    page.wait_for_url(re.compile("run=augmentation-"))
    expect(page.get_by_text("Against every control")).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("Digits demo")
    run = page.get_by_role("combobox", name="Run").input_value()
    second_browser.goto(page.url)
    expect(second_browser.get_by_text("Against every control")).to_be_visible()
    expect(second_browser.get_by_role("combobox", name="Run")).to_have_value(run)


def test_two_rows_of_the_table_are_compared(page, app_server, measured, unfold):
    """Two runs of the same settings beside each other, with their intervals."""
    run_fixture.make_run(make_demo(), token="beside-it", per_class=4)
    page.goto(f"{app_server.url}/augmentation?run={measured}")
    unfold(page, "All runs on this dataset")
    table = page.get_by_test_id("stDataFrame").first.locator("canvas").first
    table.scroll_into_view_if_needed()
    for row in (1, 2):
        table.click(position={"x": 16, "y": ROW_PX * row + ROW_PX // 2}, force=True)
    expect(page.get_by_text("2 runs beside each other")).to_be_visible()
    expect(page.get_by_text("Accuracy with synthetic images, 95 % interval")).to_be_visible()
    expect(page.locator("path[aria-label*='run: ']").first).to_be_visible()
