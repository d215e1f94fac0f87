"""Journeys on the datasets page: a zip is dropped, comes over in slices, and is there; hostile names stay
text.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gmaug_core import intake

pytestmark = pytest.mark.browser
HOSTILE = [
    '<img src=x onerror="alert(1)">',
    "**bold** :material/home: $x^2$ :red[r]",
    "[link](https://example.com)",
    "=cmd|' !A0",
]


def archive(classes: dict[str, int], *, size: int = 24, seed: int = 0) -> bytes:
    random = np.random.default_rng(seed)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, n in classes.items():
            for i in range(n):
                picture = io.BytesIO()
                Image.fromarray(random.integers(0, 256, (size, size, 3), np.uint8)).save(picture, "PNG")
                out.writestr(f"{name}/{i}.png", picture.getvalue())
        out.writestr("notes/readme.txt", "not a picture")
    return file.getvalue()


@pytest.fixture
def page(page, app_server):
    """On the datasets page."""
    page.goto(app_server.url)
    return page


def drop(page, name: str, content: bytes) -> None:
    expect(page.get_by_role("button", name="Choose a file")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": content}
    )


def test_a_dropped_zip_becomes_the_chosen_dataset(page, app_server, unfold):
    content = archive({"amanita": 14, "boletus": 6, "russula": 3}, size=400)
    assert len(content) > 8_000_000  # more than one slice
    unfold(page, "Import a dataset")
    drop(page, "mushrooms.zip", content)
    expect(page.get_by_text("mushrooms is imported", exact=False)).to_be_visible(timeout=40_000)
    expect(page.get_by_role("heading", name="mushrooms")).to_be_visible()
    expect(page.get_by_role("combobox", name="Dataset")).to_have_value("mushrooms")
    assert "dataset=mushrooms-" in page.url
    expect(page.get_by_text("23", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="mushrooms")).to_be_visible()
    page.get_by_role("tab", name="Import report").click()
    expect(page.get_by_text("1 file refused", exact=False).last).to_be_visible()


def test_a_cancelled_upload_leaves_nothing_in_the_next_one(page, unfold):
    first = archive({"lark": 9, "wren": 9}, size=400)
    assert len(first) > 8_000_000  # more than one slice: cancelled while the second is on its way
    held = []
    page.route(
        "**/uploads/*",
        lambda route: (
            held.append(route) if route.request.headers.get("x-offset", "0") != "0" else route.continue_()
        ),
    )
    unfold(page, "Import a dataset")
    drop(page, "birds.zip", first)
    expect(page.get_by_text("8.0 MB of", exact=False)).to_be_visible(timeout=40_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("The upload was cancelled", exact=False)).to_be_visible()
    page.unroute_all()
    drop(page, "trees.zip", archive({"oak": 8, "elm": 5, "yew": 4}, seed=7))
    expect(page.get_by_text("trees is imported", exact=False)).to_be_visible(timeout=40_000)
    expect(page.get_by_text("17", exact=True)).to_be_visible()


def test_a_deleted_dataset_comes_back_from_the_bin(page, app_server, unfold, tmp_path, monkeypatch):
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    with zipfile.ZipFile(io.BytesIO(archive({"moss": 9, "fern": 5}))) as file:
        file.extractall(tmp_path / "forest")
    forest = intake.import_path(tmp_path / "forest").dataset_id
    page.goto(f"{app_server.url}/?dataset={forest}")
    expect(page.get_by_role("heading", name="forest")).to_be_visible()
    pictures = page.locator(f"img[src*='{forest}']")
    page.get_by_role("heading", name="What next").scroll_into_view_if_needed()  # below the pictures
    expect(pictures).to_have_count(14)
    for picture in pictures.all():  # all there: none is asked for once it is gone
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Move to the bin").click()
    expect(page.get_by_text("Moved forest to the bin", exact=False)).to_be_visible()
    expect(page.get_by_role("heading", name="forest")).to_have_count(0)
    assert not (app_server.home / "datasets" / forest).exists()
    page.goto(f"{app_server.url}/?dataset={forest}")  # an old link says where it went
    expect(page.get_by_text("It is in the bin, for 30 days more", exact=False)).to_be_visible()
    unfold(page, "Bin (")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("forest is back.")).to_be_in_viewport()  # wherever its button was
    page.goto(f"{app_server.url}/?dataset={forest}")
    expect(page.get_by_role("heading", name="forest")).to_be_visible()
    expect(page.get_by_text("14", exact=True)).to_be_visible()


def test_what_is_no_zip_is_refused_before_and_after_the_upload(page, unfold):
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    unfold(page, "Import a dataset")
    drop(page, "photo.png", b"x")
    expect(page.get_by_text("photo.png is neither a zip", exact=False)).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "fake.zip", "mimeType": "application/zip", "buffer": b"no zip at all"}
    )
    expect(page.get_by_text("What to do:", exact=False)).to_be_visible(timeout=30_000)


def test_hostile_names_are_text_everywhere(page, unfold):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    classes = dict(
        zip((name.replace("/", "\N{DIVISION SLASH}") for name in HOSTILE), (9, 7, 5, 3), strict=True)
    )
    expect(page.get_by_role("heading", name="Datasets")).to_be_visible()
    unfold(page, "Import a dataset")
    drop(page, "**x** :material:home: $y$.zip", archive(classes, seed=1))
    expect(page.get_by_role("heading", name="**x** :material:home: $y$")).to_be_visible(timeout=40_000)
    for name in classes:
        expect(page.get_by_text(name).first).to_be_attached()
    page.get_by_role("link", name="Super-classes").click()
    expect(page.get_by_role("heading", name="Super-classes")).to_be_visible()
    for name in classes:
        expect(page.get_by_role("listitem", name=name).first).to_be_visible()
    assert dialogs == []
