"""The contracts of generators and classifiers once more on a GPU, where there is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_classifiers import CONFIGS as CLASSIFIERS
from test_generators import CLASSES, data, draw, each, stop_after

from gmaug_core.data.treatment import Treatment
from gmaug_core.errors import Stopped
from gmaug_core.models import classifiers, generators
from gmaug_core.models.classifiers import batches, training

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def train(config, folder, **hooks):
    generator = generators.create(config)
    return generator, generator.train(*data(config), CLASSES, folder, seed=3, device="cuda", **hooks)


@each()
def test_a_generator_trains_and_its_images_are_those_that_the_cpu_draws(config, tmp_path):
    generator, figures = train(config, tmp_path / "run")
    assert np.isfinite([value for value in figures.values() if isinstance(value, float)]).all()
    drawn = draw(generator)
    assert np.array_equal(drawn, draw(generator)), "the same seeds give the same images"
    generator.save(tmp_path)
    there, here = generators.load(tmp_path, "cuda"), generators.load(tmp_path, "cpu")
    assert np.array_equal(drawn, draw(there))
    apart = np.abs(drawn.astype(int) - draw(here))
    assert apart.mean() < 1.0, f"grey levels between GPU and CPU: {apart.mean():.2f}, at most {apart.max()}"


@each("edm", "guided_diffusion", "stylegan2")
def test_a_generator_that_was_stopped_goes_on(config, tmp_path):
    with pytest.raises(Stopped):
        train(config, tmp_path, should_stop=stop_after(6))
    _, figures = train(config, tmp_path)
    assert figures["images"] == 80


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("config", CLASSIFIERS.values(), ids=list(CLASSIFIERS))
def test_a_classifier_learns_and_judges_as_on_the_cpu(config, precision, bar_images, tmp_path):
    images, labels = bar_images
    config = config.model_copy(update={"precision": precision})
    trained = classifiers.train(images[:160], labels[:160], 3, config, seed=0, device="cuda")
    assert trained.evaluate(images[160:], labels[160:]).accuracy > 0.85
    trained.save(tmp_path / "c.safetensors")
    here = classifiers.load(tmp_path / "c.safetensors", 3, config, torch.device("cpu"))
    there = trained.predict_logits(images)
    assert np.abs(here.predict_logits(images) - there).max() < 0.1 * np.abs(there).max()


@pytest.mark.parametrize("averaging", [0.0, 0.1])
@pytest.mark.parametrize("strong", ["none", "trivial_augment", "mixup", "cutmix"])
def test_a_step_of_a_classifier_waits_for_no_gpu(strong, averaging, bar_images, monkeypatch):
    """Every wait in a step would leave the GPU without work; the loss is looked at once in many steps."""
    images, labels = bar_images
    config = CLASSIFIERS["resnet18"].model_copy(update={"averaging": averaging, "precision": "bfloat16"})
    step, taken = training._Training.step, []

    def watched(self, x, targets):
        torch.cuda.set_sync_debug_mode("error")
        step(self, x, targets)
        taken.append(self.done)
        torch.cuda.set_sync_debug_mode("default")

    draw_batch = batches.Batches.draw

    def drawn(self, generator):
        torch.cuda.set_sync_debug_mode("error")
        found = draw_batch(self, generator)
        torch.cuda.set_sync_debug_mode("default")
        return found

    monkeypatch.setattr(training._Training, "step", watched)
    monkeypatch.setattr(batches.Batches, "draw", drawn)
    apart = np.arange(len(images)) % 3 == 0
    treatment = Treatment(strong=strong, apart=apart, image_weights=np.where(apart, 0.5, 1.0))
    try:
        classifiers.train(images, labels, 3, config, seed=0, steps=6, treatment=treatment, device="cuda")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert taken == [1, 2, 3, 4, 5, 6]
