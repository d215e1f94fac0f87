"""The score as a document: round trips; older forms are brought up to date, newer ones refused in words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gmaug_core.config import Profile
from gmaug_core.errors import GMAugError
from gmaug_core.scoring import explain, similarity
from gmaug_core.scoring.result import SimilarityResult


@pytest.fixture(scope="module")
def score():
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (60, 16, 16), np.uint8), np.repeat([0, 1, 2], 20)
    given = (images, labels, ["a", "b", "c"], {"ab": ["a", "b"], "c": ["c"]})
    found = similarity.measure(*given, profile=Profile(16), pairs=50)
    why = explain.explain(*given, found.argmax, profile=Profile(16))
    return found.model_copy(update={"explanation": why})


def test_it_comes_back_from_its_file(score, tmp_path):
    score.write(tmp_path / "result.json")
    assert SimilarityResult.read(tmp_path / "result.json") == score
    assert json.loads((tmp_path / "result.json").read_text())["schema"] == 2


def test_a_score_of_before_there_were_numbers_is_read(score):
    old = score.to_dict()
    del old["schema"], old["explanation"]["leave_one_out"][0]
    for row in (old["ssim_mergecls"], *old["super_classes"]):
        del row["approximate"]
    read = SimilarityResult.parse(old)
    assert read.ssim_mergecls == score.ssim_mergecls
    assert read.super_classes == score.super_classes
    assert [row.approximate for row in read.super_classes] == [True, True]
    assert len(read.explanation.leave_one_out) == len(score.explanation.leave_one_out) - 1


def test_a_score_that_knows_neither_sizes_nor_copies_says_so_by_null(score):
    old = score.to_dict() | {"schema": 1}
    del old["stored"], old["explanation"]["near_copies"], old["ssim_supsubcls"]["distinct"]
    for row in (old["ssim_mergecls"], *old["super_classes"]):
        del row["copies"]
    read = SimilarityResult.parse(old)
    assert read.schema_number == 2
    assert read.stored is read.explanation.near_copies is read.ssim_supsubcls.distinct is None
    assert {row.copies for row in (read.ssim_mergecls, *read.super_classes)} == {None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 3}, "newer version"),
        ({"schema": "one"}, "not a number"),
        ({"argmax": 5}, "argmax"),
        ({"luck": 1}, "luck"),
        ({"seconds": float("nan")}, "finite"),
        ({"schema": 0, "super_classes": [{}]}, "not the form that it says"),
    ],
)
def test_other_documents_are_refused_in_words(score, change, said):
    with pytest.raises(GMAugError, match=said):
        SimilarityResult.parse(score.to_dict() | change)
