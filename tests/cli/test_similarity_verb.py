"""The verb similarity: what it says is what the score's document holds, and --json is that document."""

from __future__ import annotations

import json

import pytest
import tiny

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.cli.similarity import mean_words
from gmaug_core.scoring.result import SetMean, SimilarityResult


@pytest.mark.slow
def test_the_score_is_said_and_given_as_its_document(home, tmp_path, capsys):
    data = tiny.make_dataset(tmp_path / "bars")
    assert cli.main(["similarity", data.id]) == 0
    said = capsys.readouterr().out
    (paths,) = runs.list_runs("similarity", data.id)
    score = SimilarityResult.read(paths.result)
    for item in score.super_classes:
        assert f"{item.name:30} {item.value:.4f}" in said
        assert f"{item.pairs:,} pairs of {item.n:,} images" in said
    assert f"{'SSIM-supSubCls':30} {score.ssim_supsubcls.value:.4f}" in said
    assert f"{'SSIM-mergeCls':30} {score.ssim_mergecls.value:.4f}" in said
    assert cli.main(["similarity", data.id, "--json"]) == 0
    again = SimilarityResult.parse(json.loads(capsys.readouterr().out))
    assert again.super_classes == score.super_classes


def test_a_set_that_a_stop_left_without_a_value_is_said():
    nothing = SetMean(
        n=9, value=None, ci_low=None, ci_high=None, pairs=1, exact=False, approximate=True, se=None
    )
    assert mean_words(nothing) == "not measured"
