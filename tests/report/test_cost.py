"""What a run will have to do, counted from its settings and the table of variants."""

from __future__ import annotations

import re

import pytest

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, augmentation_config
from gmaug_core.data import dataset
from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.variants import controls, trainings
from gmaug_core.report import cost
from gmaug_core.runs import RunConfigFile


def config(**settings: object) -> AugmentationConfig:
    return augmentation_config("d", image_size=16, colour="grey", overrides=settings)


def test_every_classifier_is_counted(home):
    asked = config(seeds=2, max_steps=3, use=["fill", "mix"], controls=["oversampling"])
    baseline, steps, unfiltered, replay, alone, on_top = 1, 3 * 2, 2, 2, 2, 2
    amounts = 1 + 2  # with one seed: none, and the two of the preset
    assert trainings(asked) == 2 * (baseline + steps + unfiltered + replay + alone + on_top) + amounts
    assert f"up to {trainings(asked)} classifiers" in cost.words(asked)
    assert f"{len(controls(asked))} controls" in cost.words(asked)


def test_another_control_is_counted_and_one_that_trains_nothing_costs_nothing(home):
    before = trainings(config(controls=["oversampling"], seeds=3))
    assert trainings(config(controls=["oversampling", "mixup"], seeds=3)) == before + 3
    assert not RECIPES["posthoc_logit_adjustment"].trains
    assert trainings(config(controls=["oversampling", "posthoc_logit_adjustment"], seeds=3)) == before
    assert trainings(config(controls=[], seeds=1, use=["fill"], max_steps=1, amounts=[1])) == 1 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("preset", "said"),
    [("quick", "minutes at 16 px"), ("standard", "some hours on one GPU"), ("paper", "days on one GPU")],
)
def test_without_a_run_like_it_the_usual_time_is_said(home, preset, said):
    asked = augmentation_config("d", image_size=32, colour="grey", preset=preset)
    assert said in cost.words(asked)


def test_a_budget_in_minutes_is_said_as_one(home):
    assert "for 3 minutes" in cost.words(config(generator={"minutes": 3}))


def test_a_finished_run_like_it_says_how_long_it_takes(finished_run):
    paths = finished_run
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    took = sum(runs.read_status(paths).stages.values())
    assert cost.took_here(settings) == took > 0
    assert f"took {cost.duration(took)} on this machine" in cost.words(settings)
    assert cost.took_here(settings.model_copy(update={"seeds": settings.seeds + 1})) is None


@pytest.mark.parametrize(
    "other",
    [{"folds": 5}, {"generator_seeds": 3}, {"max_steps": 9}, {"controls": ()}, {"dataset": "larger"}],
)
def test_a_run_that_had_less_to_do_says_nothing(finished_run, other):
    settings = RunConfigFile.read(finished_run.config).settings_as(AugmentationConfig)
    assert cost.took_here(settings.model_copy(update={"device": "auto", "seed": 7})) is not None
    assert cost.took_here(settings.model_copy(update={"device": "cuda:0"})) is None
    assert cost.took_here(settings.model_copy(update=other)) is None


def test_the_usual_time_is_of_one_fold_and_of_one_generator(home):
    usual = cost.words(config())
    assert cost.words(config(folds=5)) == f"{usual} All of that 5 times: once a fold."
    assert cost.words(config(generator_seeds=3)).endswith("at 32 px. That is with one generator.")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "unknown"), (59.4, "59 s"), (75, "1 min 15 s"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_a_duration_is_short(seconds, said):
    assert cost.duration(seconds) == said


def test_draws_are_counted_as_the_run_makes_them(demo):
    """Of the largest amount, in every step, with every generator."""
    data = dataset.load(demo)

    def most(**settings: object) -> int:
        asked = augmentation_config(
            data.id, image_size=16, colour="grey", overrides={"amounts": [1], "max_steps": 1, **settings}
        )
        (found,) = re.findall(r"draws at most ([\d,]+):", cost.drawing(asked, data))
        return int(found.replace(",", ""))

    once = most()
    assert most(amounts=[0.25, 4]) == 4 * once
    assert most(generator_seeds=3) == most(folds=3) == most(max_steps=3) == 3 * once
