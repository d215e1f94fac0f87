"""The report says what the result says, asks for nothing from outside, and shows hostile names as text."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import run_fixture
from PIL import Image

from gmaug_core import workspace
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_json
from gmaug_core.numbers import signed
from gmaug_core.report.html import SHEET_COLUMNS, contact_sheets, html_report

pytestmark = pytest.mark.slow


@pytest.fixture
def paths(finished_run):
    return finished_run


class Page(HTMLParser):
    """Collects tags and attributes that could reach outside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")
        ]


def test_it_is_self_contained(paths):
    text = html_report(paths.id)
    page = Page(text)
    assert page.links
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    for link in page.links:
        Image.open(io.BytesIO(base64.b64decode(link.split(",")[1]))).verify()


def test_its_numbers_are_the_results_numbers(paths):
    text, result = html_report(paths.id), json.loads(paths.result.read_text())
    for measured in (result["baseline"], result["augmented"], *result["controls"].values()):
        assert f"{100 * measured['accuracy']['mean']:.2f}" in text
    assert signed(result["relative_gain_percent"]["value"]) in text
    config = json.loads(paths.config.read_text())
    for fact in (
        paths.id,
        config["dataset_version"],
        config["versions"]["torch"],
        "oversampling",
        "real vs synthetic auc",
    ):
        assert fact.lower() in text.lower()


def test_an_open_set_generator_is_called_one_and_its_checkpoint_by_name_alone(paths):
    result, config = json.loads(paths.result.read_text()), json.loads(paths.config.read_text())
    write_json(
        paths.result,
        result | {"generator": result["generator"] | {"name": "guided_diffusion", "closed_set": False}},
    )
    config["settings"]["generator"] = {
        "name": "guided_diffusion",
        "pretrained": "/home/someone/128x128_diffusion.pt",
    }
    write_json(paths.config, config)
    text = html_report(paths.id)
    assert "guided_diffusion (open-set)" in text
    assert "had seen images from outside" in text
    assert "128x128_diffusion.pt" in text
    assert "/home/someone" not in text


def test_hostile_names_are_text(paths):
    nasty = '<script>alert(1)</script>"><img src=http://x/y>'
    for path in (paths.result, paths.config):
        document = json.loads(
            path.read_text().replace('"9"', json.dumps(nasty)).replace("Digits demo", nasty.replace('"', "'"))
        )
        write_json(path, document)
    table = samples.table(paths.samples)
    table["class"] = table["class"].replace("9", nasty)
    for step in samples.steps(paths.samples):
        samples.write_step(
            paths.samples, step, np.load(paths.samples / f"step-{step}.npy"), table[table["step"] == step]
        )
    page = Page(html_report(paths.id))
    assert "script" not in page.tags
    assert all(link.startswith("data:image/png") for link in page.links)


def test_a_persons_decision_moves_a_sample_to_the_other_side(paths):
    table = samples.table(paths.samples, seed=0)
    mine = table[table["class"] == "4"]
    workspace.reviews.save(paths.id, {int(sample): "reject" for sample in mine["sample"]})
    (sheet,) = contact_sheets(paths, 0, ["4"])
    assert sheet.name == "4"
    assert sheet.accepted is None
    assert sheet.rejected is not None
    fives = table[table["class"] == "5"]["sample"].tolist()
    workspace.reviews.save(paths.id, {n: "keep" if k < 3 else "reject" for k, n in enumerate(fives)})
    page = html_report(paths.id)
    assert "none" in page
    sizes = {}  # every sample of every row is equally large on screen
    for percent, source in re.findall(r'style="width: ([\d.]+)%" src="data:image/png;base64,([^"]+)"', page):
        with Image.open(io.BytesIO(base64.b64decode(source))) as row:
            sizes[round(row.width / row.height)] = float(percent) / round(row.width / row.height)
    assert len(sizes) > 1
    assert {round(size, 2) for size in sizes.values()} == {round(100 / SHEET_COLUMNS, 2)}


def test_an_unfinished_run_has_no_report(demo):
    with pytest.raises(GMAugError, match="no report"):
        html_report(run_fixture.make_run(demo, state="cancelled", token="cancelled").id)
    with pytest.raises(GMAugError, match="no report"):
        html_report(run_fixture.make_run(demo, kind="similarity", token="score-run").id)
    with pytest.raises(InputError, match="there is no run"):
        html_report("augmentation-nope")


def test_a_run_that_accepted_nothing_still_reports(paths):
    result = json.loads(paths.result.read_text())
    result["accepted"] = {"total": 0, "per_class": {}}
    result["steps"] = [result["steps"][0] | {"chosen": None, "val_after": None, "went_on": False}]
    result["relative_gain_percent"] |= {"value": None, "ci_low": None, "ci_high": None, "values": []}
    result["gains"]["baseline"] = result["relative_gain_percent"]
    result |= {"predicted": None, "quality": {"n_real": 0, "n_synthetic": 0}}
    write_json(paths.result, result)
    assert "nothing kept" in html_report(paths.id)


def test_a_report_of_sixty_classes_is_small(paths):
    result = json.loads(paths.result.read_text())
    rows = [result["per_class"][0] | {"class": f"class {k}", "train": k} for k in range(60)]
    write_json(paths.result, result | {"per_class": rows})
    text = html_report(paths.id)
    assert len(text) < 2_000_000
    assert all(f"<td>class {k}</td>" in text for k in range(60))


@pytest.mark.slow
def test_an_equivalence_has_its_answer_picture_and_table(demo):
    paths = run_fixture.make_run(demo, kind="equivalence")
    text, result = html_report(paths.id), json.loads(paths.result.read_text())
    page = Page(text)
    assert page.links == []
    assert page.tags.count("figure") == 3
    assert "script" not in page.tags
    assert result["sentence"] in text
    rows = [row for row in result["exchange"] if row["measured"] and row["measure"] == result["measure"]]
    assert page.tags.count("tr") > len(rows)
