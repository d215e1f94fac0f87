"""Journeys on the board: mouse, keyboard, undo, two tabs; what was done is in the database."""

from __future__ import annotations

import re
import sqlite3

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gmaug_core import intake
from gmaug_core.data import dataset
from gmaug_core.workspace import groupings
from gmaug_core.workspace.grouping import Grouping

pytestmark = pytest.mark.browser


def card(page, name: str):
    return page.get_by_role("listitem", name=re.compile(f"^{name}, "))


def panel(page, name: str):
    return page.get_by_role("group", name=name, exact=True)


def settle(page) -> None:
    """Wait until no script runs: until then what the page showed before lies beside what it shows now."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def open_proposal(page, app_server) -> None:
    """The demo's board, on a grouping that is proposed."""
    demo = next((app_server.home / "datasets").glob("digits-demo-*")).name
    page.goto(f"{app_server.url}/super_classes?dataset={demo}")
    expect(card(page, "9")).to_be_visible()
    settle(page)
    page.get_by_role("combobox", name="Grouping").click()
    page.get_by_role("option", name="shape").click()
    expect(page.get_by_text("A proposal; your first edit saves it")).to_be_visible()
    settle(page)


def open_board(page, app_server, name: str) -> None:
    """The demo's board, on a grouping of the test's own."""
    open_proposal(page, app_server)
    page.get_by_role("button", name="Copy").click()
    page.get_by_label("Name of the copy").fill(name)
    page.get_by_label("Name of the copy").press("Enter")
    page.get_by_role("button", name="Make the copy").click()
    expect(page.get_by_text(f"'{name}' is stored", exact=False)).to_be_visible()
    expect(page.get_by_label("Name of the copy")).to_be_hidden()  # what is done is closed
    expect(page.get_by_text("Saved · revision 1")).to_be_visible()


def revisions(app_server, name: str) -> int:
    with sqlite3.connect(app_server.home / "workspace.db") as connection:
        return connection.execute("SELECT revision FROM groupings WHERE name=?", (name,)).fetchone()[0]


def test_the_back_button_shows_what_the_address_says(page, app_server):
    open_proposal(page, app_server)
    grouping = page.get_by_role("combobox", name="Grouping")
    grouping.click()
    page.get_by_role("option", name="Each on its own").click()
    page.wait_for_url("**grouping=identity**")
    settle(page)
    page.go_back()
    expect(grouping).to_have_value("shape")
    page.go_forward()
    expect(grouping).to_have_value(re.compile("Each on its own"))


def test_cards_are_dragged_the_move_survives_a_reload_and_a_second_tab_overwrites_nothing(page, app_server):
    open_board(page, app_server, "by mouse")
    card(page, "9").scroll_into_view_if_needed()
    card(page, "9").drag_to(panel(page, "straight"))
    expect(panel(page, "straight").get_by_role("listitem", name=re.compile("^9, "))).to_be_visible()
    expect(page.get_by_text("Saved · revision 2")).to_be_visible()
    page.reload()
    page.get_by_role("combobox", name="Grouping").click()
    page.get_by_role("option", name="by mouse").click()
    expect(panel(page, "straight").get_by_role("listitem", name=re.compile("^9, "))).to_be_visible()
    page.get_by_role("button", name="Undo").click()  # what was done before the tab was closed
    expect(panel(page, "round").get_by_role("listitem", name=re.compile("^9, "))).to_be_visible()
    assert revisions(app_server, "by mouse") == 3
    other = page.context.new_page()
    other.goto(f"{app_server.url}/super_classes?dataset=" + re.search("dataset=([^&]+)", page.url)[1])
    other.get_by_role("combobox", name="Grouping").click()
    other.get_by_role("option", name="by mouse", exact=True).click()
    expect(other.get_by_text("Saved · revision 3")).to_be_visible()
    card(page, "2").focus()
    page.keyboard.press("1")
    expect(page.get_by_text("Saved · revision 4")).to_be_visible()
    card(other, "3").focus()
    other.keyboard.press("2")
    expect(other.get_by_text("Somebody else changed this grouping first", exact=False)).to_be_visible()
    expect(panel(other, "round").get_by_role("listitem", name=re.compile("^2, "))).to_be_visible()
    expect(panel(other, "mixed").get_by_role("listitem", name=re.compile("^3, "))).to_be_visible()
    assert revisions(app_server, "by mouse") == 4
    other.close()


def test_what_never_reached_the_server_is_sent_by_the_page_after_a_reload(page, line, app_server):
    open_board(page, app_server, "by a cut line")
    settle(page)
    card(page, "9").focus()
    page.keyboard.press("2")
    expect(page.get_by_text("Saved · revision 2")).to_be_visible()
    settle(page)  # an answer that came later would take the focus
    line.cut = True
    card(page, "8").focus()
    page.keyboard.press("2")
    card(page, "7").focus()
    page.keyboard.press("3")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Saving")).to_be_visible()
    assert revisions(app_server, "by a cut line") == 2
    line.cut = False
    page.reload()
    expect(page.get_by_text("Saved · revision 5")).to_be_visible()
    expect(panel(page, "straight").get_by_role("listitem", name=re.compile("^8, "))).to_be_visible()
    assert revisions(app_server, "by a cut line") == 5
    page.reload()
    expect(page.get_by_text("Saved · revision 5")).to_be_visible()


def test_quick_edits_are_all_kept_and_the_keyboard_does_everything(page, app_server):
    open_board(page, app_server, "by keyboard")
    for i in range(12):  # events of components are lossy; the operation log is not
        card(page, "5").focus()
        page.keyboard.press("1" if i % 2 == 0 else "3")
    expect(page.get_by_text("Saved · revision 13")).to_be_visible()
    assert revisions(app_server, "by keyboard") == 13
    expect(panel(page, "mixed").get_by_role("listitem", name=re.compile("^5, "))).to_be_visible()
    settle(page)
    card(page, "0").focus()
    page.keyboard.press("m")  # move to… a new super-class
    page.get_by_role("combobox", name="Super-class to move to").fill("loops")
    page.keyboard.press("Enter")
    expect(panel(page, "loops").get_by_role("listitem")).to_have_count(1)
    expect(card(page, "0")).to_be_focused()
    card(page, "6").focus()
    page.keyboard.press("4")  # to the fourth super-class
    expect(panel(page, "loops").get_by_role("listitem")).to_have_count(2)
    page.keyboard.press("Shift+ArrowLeft")  # to the neighbour
    expect(panel(page, "mixed").get_by_role("listitem", name=re.compile("^6, "))).to_be_visible()
    page.keyboard.press("Control+z")
    expect(panel(page, "loops").get_by_role("listitem")).to_have_count(2)
    card(page, "0").focus()
    page.keyboard.press("F2")
    page.get_by_label("New name of loops").fill("one loop")
    page.keyboard.press("Enter")
    expect(panel(page, "one loop")).to_be_visible()
    expect(
        card(page, "0")
    ).to_be_focused()  # Enter ends it: neither the field opens again nor is the card lost
    expect(page.get_by_label(re.compile("^New name of "))).to_have_count(0)
    page.keyboard.press("g")
    expect(page.get_by_text("Merge one loop (2 sub-classes) into…")).to_be_visible()
    page.keyboard.press("Escape")
    card(page, "1").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_text("2 sub-classes selected")).to_be_visible()
    page.keyboard.press("4")
    expect(panel(page, "one loop").get_by_role("listitem")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.type("8")
    expect(card(page, "8")).to_be_visible()
    expect(card(page, "3")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(card(page, "8")).to_be_focused()


def test_another_dataset_is_another_board(page, app_server, unfold):
    """Same class names, other pictures: nothing of one dataset's cards may be left on the other's board."""
    folder = app_server.log.parent / "figures"
    random = np.random.default_rng(0)
    for name in "0123":
        (folder / name).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(random.integers(0, 256, (24, 24, 3), np.uint8)).save(folder / name / f"{i}.png")
    open_proposal(page, app_server)
    page.get_by_role("link", name="Datasets").click()
    unfold(page, "Import a dataset")
    page.get_by_role("tab", name="From this machine").click()
    page.get_by_role("textbox", name="Path of a zip or a folder").fill(str(folder))
    page.get_by_role("textbox", name="Path of a zip or a folder").press("Enter")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="figures")).to_be_visible()
    page.get_by_role("link", name="Super-classes").click()
    expect(page.get_by_role("listitem", name="0, 3 images, on its own")).to_be_visible()
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="Digits demo").click()
    expect(page.get_by_role("listitem", name=re.compile("^0, 100 images, in round"))).to_be_visible()
    expect(card(page, "0")).to_have_count(1)  # the other board is gone
    assert all(
        "/digits-demo-" in image.get_attribute("src") for image in card(page, "0").locator("img").all()
    )


def test_the_groupings_of_two_people_are_merged_and_a_disagreement_settled(
    page, app_server, tmp_path, monkeypatch
):
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    for k, name in enumerate("abc"):
        (tmp_path / "pond" / name).mkdir(parents=True)
        for shade in range(4):
            Image.new("RGB", (16, 16), (80 * k, 60 * shade, 9)).save(tmp_path / f"pond/{name}/{shade}.png")
    pond = intake.import_path(tmp_path / "pond").dataset_id
    data, whole = dataset.load(pond), Grouping("of Ben", {"whole": ["a", "b", "c"]})
    for person, made in (("Ann", Grouping("of Ann", {"thin": ["a", "b"], "whole": ["c"]})), ("Ben", whole)):
        groupings.add(data, made.name, made, person=person)
    page.goto(f"{app_server.url}/super_classes?dataset={pond}&view=Compare+groupings")
    expect(page.get_by_text("Agreement (adjusted Rand)")).to_be_visible()
    expect(page.get_by_text("the most disputed first", exact=False)).to_be_visible()
    chosen = page.get_by_role("combobox", name=re.compile("Groupings to compare"))
    for name in ("of Ann", "of Ben"):
        expect(chosen.locator("xpath=ancestor::*[@data-testid='stMultiSelect']")).to_contain_text(name)
    page.get_by_label("Name of the merged grouping").fill("of both")
    page.get_by_label("Name of the merged grouping").press("Enter")
    page.get_by_role("button", name="Merge them").click()
    expect(page.get_by_text("'of both' is stored", exact=False)).to_be_visible()
    expect(page.get_by_role("combobox", name="Grouping", exact=True)).to_have_value("of both")
    made, revision = groupings.load(pond, "of both")
    assert (revision, made.super_of["a"] == made.super_of["b"]) == (1, True)
    assert made.super_of["c"] != made.super_of["a"]  # Ben has all three together, Ann has not
    as_ben = page.locator(".st-key-as-of-Ben-c button")
    as_ben.click()
    expect(as_ben).to_be_disabled()  # so it is now
    settled, revision = groupings.load(pond, "of both")
    assert revision == 2
    assert len(set(settled.super_of.values())) < len(set(made.super_of.values()))


FAMILIES = (
    "apple",
    "bread",
    "cheese",
    "drink",
    "egg",
    "fish",
    "grape",
    "herb",
    "ice",
    "juice",
    "kale",
    "lemon",
)


def test_eighty_one_classes_are_grouped_by_keyboard(page, app_server, tmp_path, monkeypatch):
    """In at most six keys a class, all keys counted; an undo and a reload on the way."""
    picture = Image.new("RGB", (8, 8), "white")
    kinds = [f"{k:02}-{FAMILIES[5 * k % 12]}" for k in range(81)]  # no two neighbours are of one family
    for k, kind in enumerate(kinds):
        (tmp_path / "shop" / kind).mkdir(parents=True)
        for shade in range(2):
            picture.putpixel((0, 0), (k, shade, 0))
            picture.save(tmp_path / "shop" / kind / f"{shade}.png")
    monkeypatch.setenv("GMAUG_HOME", str(app_server.home))
    shop = intake.import_path(tmp_path / "shop").dataset_id
    page.goto(f"{app_server.url}/super_classes?dataset={shop}&grouping=identity")
    page.get_by_role("button", name="Start grouping").click()
    expect(page.get_by_text("Step 1 of 3")).to_be_visible()
    expect(card(page, kinds[0])).to_be_focused()  # the first key is the board's
    settle(page)
    expect(page.locator(".card img[src]").first).to_be_visible()
    assert (
        page.locator(".card img[src]").count() < page.locator(".card img").count()
    )  # what is seen is fetched
    keys: list[str] = []

    def press(*pressed: str) -> None:
        for key in pressed:
            keys.append(key)
            page.keyboard.press(key)

    made: list[str] = []
    for k, kind in enumerate(kinds):
        family = kind[3:]
        if family not in made:
            press("m", *family, "Enter")
            made.append(family)
        elif made.index(family) < 9:
            press(str(made.index(family) + 1))
        else:
            press("m", *family[:2], "Enter")
        if k == 30:
            expect(page.get_by_text("Saved · revision 32")).to_be_visible()
            press("Control+z")
            expect(card(page, kind)).to_have_attribute("aria-label", re.compile("on its own"))
            page.reload()
            expect(card(page, kind)).to_be_visible()
            settle(page)
            press("/", *kind, "Enter", str(made.index(family) + 1))
            expect(card(page, kinds[31])).to_be_focused()
    expect(page.get_by_text("Saved · revision 84")).to_be_visible()
    found = groupings.load(shop, "my grouping")[0].super_classes
    assert {name: set(subs) for name, subs in found.items()} == {
        family: {kind for kind in kinds if kind[3:] == family} for family in FAMILIES
    }
    assert len(keys) <= 6 * len(kinds), f"{len(keys) / len(kinds):.1f} keys a class"
    press("?")
    expect(page.get_by_role("dialog", name="Keys of the board")).to_be_visible()
    press("Escape", "v")
    expect(page.get_by_role("dialog").get_by_role("img").first).to_be_visible()
