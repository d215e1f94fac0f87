"""Which images are in a base, which are added, and what is refused before anything is trained."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

from gmaug_core import intake
from gmaug_core.config import EquivalenceConfig, equivalence_config
from gmaug_core.data import dataset, splits
from gmaug_core.errors import InputError
from gmaug_core.method.equivalence import plan
from gmaug_core.method.equivalence.plan import Drawn, Pace

NAMES = ("a", "b", "c")
COUNTS = np.array([100, 50, 20])
LABELS = np.repeat(np.arange(3), COUNTS)


def wanted(counts=COUNTS, **settings) -> EquivalenceConfig:
    return equivalence_config("d", lambda seed: counts, image_size=16, colour="grey", overrides=settings)


def test_a_smaller_base_is_a_part_of_a_larger_one_and_nothing_is_added_that_is_in_it():
    made = plan.make(wanted(base_sizes=[4, 8], real=[0.5, 4]), COUNTS, NAMES)
    small, large = made.bases
    members = {}
    for base in made.bases:
        drawn = Drawn.by(base, LABELS, 0, seed=1)
        members[base.size] = plan.first(drawn.base, base.counts)
        few, many = (plan.first(drawn.held, base.times(multiple)) for multiple in (0.5, 4))
        assert set(few) < set(many)
        assert not set(many) & set(members[base.size])
        assert len(many) == len(set(many)) == base.times(4).sum()
        np.testing.assert_array_equal(np.bincount(LABELS[members[base.size]]), base.counts)
    assert set(members[small.size]) < set(members[large.size])


def test_seeds_share_the_base_and_differ_in_what_is_added():
    (base,) = plan.make(wanted(base_sizes=[8], real=[1, 4]), COUNTS, NAMES).bases
    one, two = (Drawn.by(base, LABELS, 0, seed) for seed in (0, 1))
    assert set(np.concatenate(one.base)) == set(np.concatenate(two.base))
    assert set(plan.first(one.held, base.counts)) != set(plan.first(two.held, base.counts))


def test_real_images_passed_off_as_synthetic_are_others_than_those_of_the_real_cells():
    made = plan.make(
        wanted(base_sizes=[4], real=[1, 4], synthetic=[1, 2, 4], checks=["disguised"]), COUNTS, NAMES
    )
    (base,) = made.bases
    drawn = Drawn.by(base, LABELS, 0, seed=0)
    multiples = {one.multiple for one in made.trainings if one.source == "disguised"}
    assert multiples
    for multiple in multiples:
        shown = (plan.first(side, base.times(multiple)) for side in (drawn.held, drawn.held_from_behind))
        real, disguised = map(set, shown)
        assert len(real) == len(disguised)
        assert not real & disguised


def test_proportions():
    natural = plan.make(wanted(base_sizes=[6], real=[1, 4]), COUNTS, NAMES).bases[0]
    np.testing.assert_array_equal(natural.counts, [10, 5, 2])
    balanced = plan.make(wanted(base_sizes=[4], real=[1, 4], proportions="balanced"), COUNTS, NAMES).bases[0]
    np.testing.assert_array_equal(balanced.counts, [4, 4, 4])


def test_every_training_of_a_base_takes_the_same_steps_as_the_largest_real_set_needs():
    config = wanted(base_sizes=[4, 8], real=[1, 4])
    config = config.model_copy(
        update={"classifier": config.classifier.model_copy(update={"epochs": 50.0, "least_steps": 1})}
    )
    made = plan.make(config, COUNTS, NAMES)
    for base in made.bases:
        assert base.steps == config.classifier.steps_for(base.total + int(base.times(4).sum()))
    assert made.steps == sum(made.base(one.size).steps for one in made.trainings)


def test_the_cells_of_a_seed_come_before_those_of_the_next_and_names_are_their_own():
    made = plan.make(wanted(base_sizes=[4, 8], checks=["noise"]), COUNTS, NAMES)
    assert [one.seed for one in made.trainings] == sorted(one.seed for one in made.trainings)
    assert len({one.name for one in made.trainings}) == len(made.trainings)


def test_an_amount_that_is_no_image_is_refused():
    with pytest.raises(InputError, match="is not one image"):
        plan.make(wanted(base_sizes=[1], real=[0.25, 1]), COUNTS, NAMES)


@pytest.mark.parametrize("proportions", ["balanced", "natural"])
def test_too_few_real_images_are_refused_and_what_is_offered_instead_is_accepted(proportions):
    asked = {"base_sizes": [10], "real": [1, 4], "proportions": proportions}
    if proportions == "natural":
        asked["base_sizes"] = [50]
    with pytest.raises(InputError) as caught:
        plan.make(wanted(**asked), COUNTS, NAMES)
    assert "c (has 20)" in caught.value.what
    todo = caught.value.todo
    if proportions == "balanced":
        assert "base sizes of at most 4" in todo
        plan.make(wanted(**asked | {"base_sizes": [4]}), COUNTS, NAMES)
        assert "real multiples of at most 1" in todo
        plan.make(wanted(**asked | {"real": [0.5, 1]}), COUNTS, NAMES)
        assert "proportions natural" in todo
        plan.make(wanted(**asked | {"proportions": "natural"}), COUNTS, NAMES)
    else:
        assert "real multiples of at most 0.1" in todo


def test_base_sizes_follow_from_the_images():
    assert wanted().base_sizes == (5, 11)  # of 170 images; 4 times as many are held back
    assert wanted(proportions="balanced").base_sizes == (4,)
    assert wanted(np.array([9, 9, 9])).base_sizes == (1,)
    with pytest.raises(InputError, match="did you mean 'base_sizes'"):
        wanted(base_size=[4])


def test_minutes_follow_the_pace():
    config = wanted(base_sizes=[4], real=[1, 4])
    made = plan.make(config, COUNTS, NAMES)
    one = plan.minutes(made, config, Pace(training_seconds=60, images_per_s=10, steps_per_s=20))
    two = plan.minutes(made, config, Pace(training_seconds=120, images_per_s=5, steps_per_s=10))
    assert one["generators"] == len(made.generators)
    assert one["classifiers"] == made.steps / 20 / 60
    assert {name: 2 * value for name, value in one.items()} == two


def folder(*offered: int) -> dict[str, object]:
    return {"name": "folder", "images": "images-0", "offered": offered}


def test_images_made_elsewhere_are_one_set_and_named_open():
    config = wanted(
        base_sizes=[2],
        real=[0.5, 1],
        synthetic=[1, 2],
        proportions="balanced",
        generator=folder(4, 4, 4),
        generator_seeds=3,
    )
    assert config.generator_seeds == 1
    made = plan.make(config, COUNTS, NAMES)
    assert {one.source for one in made.trainings if one.generator is not None} == {"folder"}


def test_too_few_images_made_elsewhere_are_refused_with_what_would_do():
    config = wanted(base_sizes=[2], real=[0.5, 1], synthetic=[1, 4], generator=folder(20, 20, 3))
    with pytest.raises(InputError) as refused:
        plan.make(config, np.array([10, 10, 10]), NAMES)
    assert "c (has 3)" in refused.value.what
    assert "synthetic=[" in refused.value.todo
    balanced = wanted(
        base_sizes=[2], real=[0.5, 1], synthetic=[1, 4], proportions="balanced", generator=folder(20, 20, 3)
    )
    with pytest.raises(InputError, match="made elsewhere"):
        plan.make(balanced, COUNTS, NAMES)


def test_the_bases_of_a_dataset_without_splits_leave_what_is_added(home, tmp_path):
    """Of what the run trains on, not of all that there is: its own split takes a third of it away."""
    for name, count in {"moss": 30, "fern": 21, "reed": 12}.items():
        (tmp_path / "plants" / name).mkdir(parents=True)
        for k in range(count):
            noise = np.random.default_rng([count, k]).integers(0, 256, (16, 16), np.uint8)
            Image.fromarray(noise).save(tmp_path / "plants" / name / f"{k}.png")
    plants = dataset.load(intake.import_path(tmp_path / "plants").dataset_id)
    found = equivalence_config(
        plants.id, partial(splits.training_counts, plants), image_size=16, colour="grey"
    )
    made = plan.make(found, splits.training_counts(plants, 0), plants.class_names)
    assert made.bases[-1].total * (1 + max(found.real)) <= splits.training_counts(plants, 0).sum() < 63
