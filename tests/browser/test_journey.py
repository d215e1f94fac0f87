"""The main job in a real browser: demo dataset, grouping edit, score, launch, reload in the middle, samples,
gains.
"""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The quick preset, made small enough for a test: a real run through every stage.
SMALL = "\n".join(
    [
        "seeds=2",
        "generator.kimg=0.4",
        "generator.channels=8",
        "generator.snapshot_kimg=0.4",
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


def picture(page: Page, name: str) -> None:
    """A screenshot for people, where $GMAUG_SCREENSHOTS names a folder."""
    folder = os.environ.get("GMAUG_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(1200)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def choose(page: Page, box: str, option: str) -> None:
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
    expect(page.get_by_text("What was it worth?")).to_be_visible(timeout=RUN_MS)
    picture(page, "5-augmentation-finished")

    page.get_by_role("link", name="Look through the samples").click()
    expect(page.get_by_role("heading", name="Samples", exact=True)).to_be_visible()
    page.locator(".cell img[src]").first.wait_for()
    picture(page, "6-samples")

    page.get_by_role("link", name="Gains").first.click()
    expect(page.get_by_role("heading", name="Gains", exact=True)).to_be_visible()
    expect(page.get_by_text("Against every control")).to_be_visible()
    picture(page, "7-gains")
