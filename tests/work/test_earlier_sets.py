"""A score takes over what earlier scores of the same images measured, and measures again what it cannot
read.
"""

from __future__ import annotations

import json
import logging

import pytest
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.config import SimilarityConfig
from gmaug_core.data import splits
from gmaug_core.files import read_json, write_json
from gmaug_core.hooks import never, no_report
from gmaug_core.report.scores import earlier_sets
from gmaug_core.runs import RunConfigFile, RunPaths, launch
from gmaug_core.scoring.result import SimilarityResult
from gmaug_core.work.similarity import similarity_result


@pytest.fixture
def data(bars):
    return bars


def measured(data) -> tuple[RunPaths, SimilarityResult]:
    """A run that was worked on in this process."""
    paths = runs.find(launch.submit(SimilarityConfig(dataset=data.id), data=data, where=Nowhere()))
    score = similarity_result(RunConfigFile.read(paths.config), paths, no_report, never)
    score.write(paths.result)
    return paths, score


def training_part(paths, data):
    """What a run scored, from its split.json."""
    return splits.training_part(paths.split, data, 0)


def known(data, part):
    return earlier_sets(SimilarityConfig(dataset=data.id), data, part)


def test_finished_sets_are_taken_over(data):
    paths, score = measured(data)
    assert score.run == paths.id
    part = training_part(paths, data)
    assert known(data, part) == score.known != {}
    _, again = measured(data)
    assert again.super_classes == score.super_classes


@pytest.mark.parametrize("damage", ["cut off", "a key", "the config"])
def test_a_damaged_earlier_score_is_left_out_and_measured_again(data, caplog, damage):
    paths, score = measured(data)
    part = training_part(paths, data)
    if damage == "cut off":
        paths.result.write_text(paths.result.read_text()[:-40])
    elif damage == "a key":
        write_json(paths.result, read_json(paths.result) | {"argmax": None})
    else:
        paths.config.write_text(json.dumps({"kind": "similarity"}))
    with caplog.at_level(logging.WARNING, logger="gmaug"):
        assert known(data, part) == {}
        _, again = measured(data)
    assert again.super_classes == score.super_classes
    assert (f"the score of {paths.id} is not used" in caplog.text) == (damage != "the config")


def test_a_score_by_another_profile_is_no_help(data):
    paths, _ = measured(data)
    config = SimilarityConfig(dataset=data.id, profile="uniform7")
    assert earlier_sets(config, data, training_part(paths, data)) == {}
