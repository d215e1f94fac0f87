"""Sampling that is steered by a judge: it rises in what was asked for, and nothing else of the contract
changes.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gmaug_core.config import EDMConfig, GuidedDiffusionConfig, StyleGAN2Config
from gmaug_core.errors import InputError
from gmaug_core.models import generators
from gmaug_core.models.generators.feedback import objective
from gmaug_core.models.generators.noising import schedule_betas

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SMALL = {"resolution": 8, "channels": 8, "channel_mult": (1, 2)}
CONFIGS = {
    "edm": EDMConfig(**SMALL, sampling_steps=8),
    "edm-heun": EDMConfig(**SMALL, sampling_steps=4, sampler="heun", autoguidance=0.5),
    "ddim": GuidedDiffusionConfig(**SMALL, sampling_steps=10, guidance=0.0),
    "ancestral": GuidedDiffusionConfig(
        **SMALL, sampling_steps=20, sampler="ancestral", classifier_channels=8, learn_sigma=True
    ),
}
LABELS = np.arange(12) % 2


def judge(images):
    """Class 1 is bright, class 0 dark."""
    brightness = images.mean((1, 2, 3))
    return torch.stack([-4 * brightness, 4 * brightness], 1)


def untrained(config):
    """A generator of Gaussian noise around grey: EDM's as it starts, guided diffusion's by formula."""
    generator = generators.create(config)
    generator.class_names = ("dark", "bright")
    torch.manual_seed(0)
    images = np.random.default_rng(0).integers(60, 200, (9, 8, 8)).astype(np.uint8)
    generator._network = generator.start(images, 2, 10).average()
    if isinstance(generator.config, GuidedDiffusionConfig):
        generator.network.unet = Exact(generator.config)
    return generator


class Exact(torch.nn.Module):
    """In place of a U-Net: the noise in images whose pixels are N(0, .3^2)."""

    def __init__(self, config):
        super().__init__()
        self.kept, self.learn_sigma = (
            np.cumprod(1 - schedule_betas(config.schedule, config.diffusion_steps)),
            config.learn_sigma,
        )

    def forward(self, x, times, labels):
        kept = torch.from_numpy(self.kept[times.long()]).float()[:, None, None, None]
        noise = x * (1 - kept).sqrt() / (kept * 0.3**2 + 1 - kept)
        return torch.cat([noise, torch.zeros_like(x)], 1) if self.learn_sigma else noise


def draw(generator, batch_size=12, judge=judge, **settings):
    generator.config = generator.config.model_copy(update=settings)
    return np.concatenate(list(generator.sample(LABELS, np.arange(12), batch_size, judge=judge)))


def judged(images):
    logits = judge(torch.from_numpy(images).float()[:, None] / 127.5 - 1)
    return {
        kind: float(objective(logits, torch.from_numpy(LABELS), kind)) / len(images)
        for kind in ("loss", "entropy")
    }


@pytest.mark.parametrize("name", CONFIGS)
def test_the_judge_gets_what_it_asks_for(name):
    generator = untrained(CONFIGS[name])
    plain = judged(draw(generator, judge=None))
    assert judged(draw(generator, feedback="loss", feedback_scale=10.0))["loss"] > plain["loss"] + 0.1
    assert judged(draw(generator, feedback="loss", feedback_scale=-10.0))["loss"] < plain["loss"] - 0.1
    more = judged(draw(generator, feedback="entropy", feedback_scale=20.0))["entropy"]
    less = judged(draw(generator, feedback="entropy", feedback_scale=-20.0))["entropy"]
    assert less < plain["entropy"] < more


@pytest.mark.parametrize("name", CONFIGS)
def test_steered_images_depend_on_their_seed_alone_and_off_is_off(name):
    generator = untrained(CONFIGS[name])
    plain = draw(generator, judge=None)
    assert np.array_equal(draw(generator), plain), "feedback is 'none'"
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    whole = draw(generator, feedback="loss", feedback_scale=5.0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not np.array_equal(whole, plain)
    assert np.abs(whole.astype(int) - draw(generator, 5)).max() <= 1
    assert np.array_equal(draw(generator, judge=None), plain), "without a judge there is nobody to ask"
    assert all(parameter.grad is None for parameter in generator.network.parameters())


def test_the_objective_by_hand():
    logits, labels = torch.tensor([[0.0, 0.0], [np.log(3.0), 0.0]]), torch.tensor([1, 0])
    assert float(objective(logits, labels, "loss")) == pytest.approx(np.log(0.5) + np.log(0.75))
    entropy = np.log(2) - 0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    assert float(objective(logits, labels, "entropy")) == pytest.approx(entropy)


def test_a_generator_that_cannot_be_steered_says_so():
    generator = generators.create(StyleGAN2Config(resolution=8, channel_max=8, z_dim=8, w_dim=8))
    generator.class_names = ("dark", "bright")
    generator._network = generator.build(2).eval()
    with pytest.raises(InputError, match="stylegan2 cannot be steered"):
        next(generator.sample(LABELS, np.arange(12), 4, judge=judge))
