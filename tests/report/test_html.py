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

from gmaug_core import runs, workspace
from gmaug_core.data import samples
from gmaug_core.data.demo import make_demo
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import write_json
from gmaug_core.report import findings
from gmaug_core.report.html import contact_sheets, html_report


@pytest.fixture
def paths(home):
    return run_fixture.make_run(make_demo(), token="report", per_class=14)


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
    text, result = html_report(paths.id), runs.read_result(paths)
    for measured in (result["baseline"], result["augmented"], *result["controls"].values()):
        assert f"{100 * measured['accuracy']['mean']:.2f}" in text
    assert findings.signed(result["relative_gain_percent"]["value"]) in text
    config = runs.read_config(paths)
    for fact in (
        paths.id,
        config["dataset_version"],
        config["versions"]["torch"],
        "oversampling",
        "real vs synthetic auc",
    ):
        assert fact.lower() in text.lower()


def test_an_open_set_generator_is_called_one_and_its_checkpoint_by_name_alone(paths):
    result, config = runs.read_result(paths), json.loads(paths.config.read_text())
    write_json(
        paths.result,
        result | {"generator": result["generator"] | {"name": "guided_diffusion", "closed_set": False}},
    )
    config["settings"]["generator"] |= {
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
    sheets = {name: (kept, refused) for name, kept, refused in contact_sheets(paths, 0, ["4"])}
    assert sheets["4"][0] == []
    assert len(sheets["4"][1]) == 1
    assert "none" in html_report(paths.id)


def test_an_unfinished_run_has_no_report(home):
    made = make_demo()
    with pytest.raises(GMAugError, match="no report"):
        html_report(run_fixture.make_run(made, state="cancelled", token="cancelled").id)
    with pytest.raises(GMAugError, match="no report"):
        html_report(run_fixture.make_run(made, kind="similarity", token="score-run").id)
    with pytest.raises(InputError, match="there is no run"):
        html_report("augmentation-nope")


def test_a_run_that_accepted_nothing_still_reports(paths):
    result = runs.read_result(paths)
    result["accepted"] = {"total": 0, "per_class": {}}
    result["steps"] = [result["steps"][0] | {"chosen": None, "val_after": None, "went_on": False}]
    result["relative_gain_percent"] |= {"value": None, "ci_low": None, "ci_high": None, "values": []}
    result |= {
        "predicted": None,
        "score": {"profile": "paper", "ssim_supsubcls": {"value": None}},
        "quality": {},
    }
    write_json(paths.result, result)
    assert "nothing kept" in html_report(paths.id)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.2, 3.0, "better"),
        (-3.0, -0.1, "worse"),
        (-1.0, 2.0, "no difference seen"),
        (0.0, 0.0, "no difference seen"),
    ],
)
def test_the_headline_is_only_as_bold_as_the_interval(low, high, verdict):
    gain = {"value": (low + high) / 2, "ci_low": low, "ci_high": high, "values": [1, 2, 3]}
    result = {
        "relative_gain_percent": gain,
        "baseline": {"accuracy": {"n": 500}},
        "augmented": {},
        "controls": {},
        "gains": {},
    }
    found, sentence = findings.headline(result)
    assert found == verdict
    assert "3 seeds, 500 test images" in sentence


def test_a_gain_that_oversampling_gives_too_is_not_called_better():
    gain = {"value": 25.0, "ci_low": 12.0, "ci_high": 40.0, "values": [1, 2, 3]}
    result = {
        "relative_gain_percent": gain,
        "baseline": {"accuracy": {"n": 500}},
        "augmented": {},
        "controls": {"oversampling": {}},
    }
    found, sentence = findings.headline(result | {"gains": {"oversampling": {"ci_low": -0.1}}})
    assert found == "no better than simpler ways"
    assert "not reliably better than oversampling" in sentence
    assert findings.headline(result | {"gains": {"oversampling": {"ci_low": 0.1}}})[0] == "better"


def test_predicted_and_measured_are_said_with_their_signs():
    gain = {"value": -1.25, "ci_low": -2, "ci_high": 0, "values": [-1.25]}
    said = findings.comparison(
        {"relative_gain_percent": gain, "predicted": {"gain_percent": 0.5, "low": -5, "high": 6}}
    )
    assert "+0.50 %" in said
    assert "−1.25 %" in said
    assert "−1.75 percentage points" in said
    assert "inside" in said


def test_csv_cells_are_not_formulas():
    import pandas as pd

    text = findings.to_csv(pd.DataFrame({"class": ["=1+1", "rose"], "n": [-1, 2]}))
    assert "'=1+1" in text
    assert re.search(r"^rose,2$", text, re.MULTILINE)
    assert ",-1" in text
