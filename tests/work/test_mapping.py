"""The map is of every image, near things lie near, and copies are found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gmaug_core.config import AugmentationConfig
from gmaug_core.data import dataset, sample_map, samples
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.errors import GMAugError
from gmaug_core.models.classifiers.contract import build
from gmaug_core.models.classifiers.trained import Classifier
from gmaug_core.runs import RunConfigFile
from gmaug_core.work import mapping


def test_copies_of_real_images_and_of_each_other_are_found():
    rng = np.random.default_rng(3)
    real = rng.integers(0, 256, (40, 8, 8), np.uint8)
    drawn = rng.choice(np.array([0, 255], np.uint8), (20, 8, 8))  # farther from all than real ones are
    drawn[4] = real[7]
    drawn[5] = np.clip(real[8].astype(int) + 1, 0, 255)
    drawn[11] = drawn[12]
    of_real, of_twin = mapping.near_copies(real, drawn)
    assert np.flatnonzero(of_real).tolist() == [4, 5]
    assert np.flatnonzero(of_twin).tolist() == [11, 12]


def test_the_median_real_image_of_a_class_is_one_away():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 5))
    labels, of_real = np.repeat([0, 1, 2], 100), np.arange(300) % 2 == 0
    features[labels == 1] += 50
    of_real[labels == 2] = False
    found = mapping.typicality(features, labels, of_real, 3)
    for label in (0, 1):
        assert np.median(found[(labels == label) & of_real]) == pytest.approx(1)
    assert np.isnan(found[labels == 2]).all()


@pytest.mark.slow
def test_alike_lies_near_and_all_are_placed(monkeypatch):
    monkeypatch.setattr(mapping, "MOST_SAMPLES", 60)
    rng = np.random.default_rng(1)
    kind = np.arange(180) % 3
    features = rng.normal(size=(180, 6)) + 30 * np.eye(6)[kind]
    found = mapping.places(features, np.arange(180) < 60, seed=0)
    assert found.shape == (180, 2)
    assert (found.min(axis=0), found.max(axis=0)) == (pytest.approx(0), pytest.approx(1))
    for own in range(3):
        centres = np.array([found[kind == k].mean(axis=0) for k in range(3)])
        apart = np.linalg.norm(found[kind == own][:, None] - centres, axis=2)
        assert (apart.argmin(axis=1) == own).mean() > 0.95
    np.testing.assert_array_equal(found, mapping.places(features, np.arange(180) < 60, seed=0))


@pytest.mark.slow
def test_a_run_is_mapped_with_its_judge(finished_run):
    with pytest.raises(GMAugError, match="classifier that judged"):
        mapping.make(finished_run.id)
    mapping.main(finished_run.id)
    assert "classifier that judged" in MapFiles(finished_run.samples).failed().what
    settings = RunConfigFile.read(finished_run.config).settings_as(AugmentationConfig)
    data = dataset.load(settings.dataset)
    network = build(
        settings.classifier, 1 if settings.generator.colour == "grey" else 3, len(data.class_names)
    )
    shape = (1, 1 if settings.generator.colour == "grey" else 3, 1, 1)
    judge = Classifier(network, torch.full(shape, 120.0), torch.full(shape, 60.0), torch.device("cpu"))
    judge.save(finished_run.folder / "checkpoints" / f"classifier-baseline-{settings.seed}.safetensors")
    mapping.main(finished_run.id)
    table = sample_map.read(finished_run.samples)
    assert MapFiles(finished_run.samples).failed() is None
    count = samples.count(finished_run.samples)
    assert table[table["kind"] == "sample"]["number"].tolist() == list(range(count))
    assert table[["x", "y", "typicality"]].notna().all(axis=None)
    rows = samples.table(finished_run.samples, seed=0)
    assert sample_map.located(rows, finished_run.samples)["near_real"].isin([True, False]).all()
