from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from gmaug_core.errors import GMAugError
from gmaug_core.files import read_json, write_json
from gmaug_core.method.parts.accuracy import Gain
from gmaug_core.method.result import AugmentationResult


@pytest.fixture
def path(finished_run):
    """result.json of a finished run of the demo."""
    return finished_run.result


def second_form(document):
    """As results were written before they said whether anything was tested."""
    return {k: v for k, v in document.items() if not k.startswith("status")} | {"schema": 1}


def first_form(document):
    """As results were written before they had a number; the oldest knew less."""
    old = {key: value for key, value in second_form(document).items() if key != "schema"}
    del old["score"]["ssim_mergecls"]["approximate"]
    for step in old["steps"]:
        del step["accepted_per_draw"]
    return old


def test_there_and_back(path, tmp_path):
    document = read_json(path)
    result = AugmentationResult.read(path)
    assert document["schema"] == AugmentationResult.SCHEMA
    assert document["kind"] == "augmentation"
    assert document["run"] == result.run
    assert result.to_dict() == document
    result.write(tmp_path / "again.json")
    assert AugmentationResult.read(tmp_path / "again.json") == result
    assert "collapse" not in document["generator"]
    assert "fid" not in document["quality"]
    assert list(result.variants) == ["baseline", "augmented", *document["controls"]]
    row = document["per_class"][0]
    assert result.per_class[0].recall("oversampling") == row["oversampling"]
    assert result.per_class[0].recall("nothing") is None


def test_a_result_without_a_number_is_read(path):
    document = read_json(path)
    assert AugmentationResult.parse(first_form(read_json(path))).to_dict() == document


def test_form_1_gave_0_to_what_nothing_tested(path):
    document = second_form(json.loads(path.read_text()))
    untested, tested = document["per_class"][:2]
    untested |= {"test": 0, "baseline": 0.0, "augmented": 0.0, "oversampling": 0.0}
    tested |= {"baseline": 0.0}
    result = AugmentationResult.parse(document)
    row = result.per_class[0]
    assert row.recall("baseline") is row.recall("augmented") is row.recall("oversampling") is None
    assert result.per_class[1].recall("baseline") == 0
    assert AugmentationResult.parse(result.to_dict()) == result


def test_form_1_called_a_run_measured_whatever_was_let_through(path):
    document = second_form(json.loads(path.read_text()))
    assert AugmentationResult.parse(document).status == "measured"
    for step in document["steps"]:
        step |= {"wanted": 400, "short": {row["class"]: 40 for row in document["per_class"]}}
    for row in document["per_class"]:
        row["synthetic"] = 0
    result = AugmentationResult.parse(document)
    assert (result.status, result.endpoint) == ("not tested", None)
    assert result.status_words.startswith("The filter accepted nothing: ")
    assert " 0 of 40" in result.status_words


def gain(**numbers):
    given = {"value": 3.0, "ci_low": 1.0, "ci_high": 5.0, "values": (3.0,) * numbers.get("n_seeds", 3)}
    return Gain(**({"n": 100, "n_seeds": 3, "control": "baseline"} | given | numbers))


def test_one_seed_decides_nothing_and_the_difference_decides():
    assert gain().verdict == "better"
    assert gain(n_seeds=1).verdict == "one seed"
    assert gain(points=2.0, points_low=-0.1, points_high=4.0).verdict == "no difference seen"
    assert gain(points=-2.0, points_low=-4.0, points_high=-0.1).verdict == "worse"
    nothing = {"value": None, "ci_low": None, "ci_high": None, "values": ()}
    assert gain(**nothing).verdict == "no difference seen"


def test_a_newer_result_is_refused_in_words(path, tmp_path):
    newer = json.loads(path.read_text()) | {"schema": AugmentationResult.SCHEMA + 1}
    write_json(tmp_path / "result.json", newer)
    with pytest.raises(GMAugError, match="newer version of this program") as refused:
        AugmentationResult.read(tmp_path / "result.json")
    assert "update the program" in refused.value.todo


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("baseline", None),
        ("baseline", {"label": "x"}),
        ("splits", {"train": "many"}),
        ("score", []),
        ("steps", [3]),
    ],
)
def test_a_damaged_result_is_refused_in_words(path, numbered, key, value):
    document = json.loads(path.read_text()) | {key: value}
    with pytest.raises(GMAugError, match="the result is damaged"):
        AugmentationResult.parse(
            document if numbered else {k: v for k, v in document.items() if k != "schema"}
        )


def test_an_unknown_key_is_damage_and_a_missing_one_too(path):
    document = json.loads(path.read_text())
    with pytest.raises(GMAugError, match="surprise"):
        AugmentationResult.parse(document | {"surprise": 1})
    del document["gains"]
    with pytest.raises(GMAugError, match="gains"):
        AugmentationResult.parse(document)


def test_half_a_file_is_refused_in_words(path, tmp_path):
    (tmp_path / "result.json").write_text(path.read_text()[:300])
    with pytest.raises(GMAugError, match="it is no JSON"):
        AugmentationResult.read(tmp_path / "result.json")


def test_nobody_changes_a_result(path):
    with pytest.raises(ValidationError, match="frozen"):
        AugmentationResult.read(path).preset = "other"


def test_every_field_is_said_in_words():
    def undescribed(schema):
        for part in [schema, *schema["$defs"].values()]:
            for name, field in part.get("properties", {}).items():
                if not field.get("description"):
                    yield part["title"], name

    assert list(undescribed(AugmentationResult.model_json_schema())) == []
