"""EDM: samplers against an exact solution, preconditioning, noise levels, the non-leaky augmentation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gmaug_core.config import EDMConfig
from gmaug_core.models.generators.augment import ADA, CONDITIONS, diff_augment, non_leaky, warp
from gmaug_core.models.generators.edm import (
    CBDM_GAMMA,
    EDM,
    SAMPLERS,
    noise_levels,
    power_decay,
    power_exponent,
)
from gmaug_core.models.generators.edm_networks import SIGMA_DATA, Denoiser, UNet

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SMALL = EDMConfig(
    resolution=8, channels=8, channel_mult=(1, 2), batch=8, kimg=0.08, attention_resolutions=(4,)
)


def test_noise_levels_fall_from_max_to_min_then_zero():
    sigmas = noise_levels(12, 0.02, 20.0)
    assert sigmas[0] == pytest.approx(20.0)
    assert sigmas[-2] == pytest.approx(0.02)
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_converge_to_the_exact_solution(name):
    """For data ~ N(m, s^2) the best denoiser is linear and the flow is known: (x - m) scales with sqrt(s^2 +
    sigma^2).
    """
    mean, std, noise = 0.7, 0.5, torch.linspace(-2, 2, 9, dtype=torch.float64)

    def denoise(x, sigma):
        return mean + (x - mean) * std**2 / (std**2 + sigma**2)

    def error(steps):
        sigmas = noise_levels(steps, 0.02, 20.0).double()
        exact = mean + (noise * 20 - mean) * std / math.sqrt(std**2 + 20**2)
        return float((SAMPLERS[name](denoise, noise, sigmas) - exact).abs().max())

    assert error(64) < 0.01
    assert error(16) < 0.1
    assert error(64) < error(32) / 1.8 < error(16) / 3.2


def test_the_denoiser_starts_as_the_best_linear_one():
    """The last layer starts at zero, so D = c_skip x: the posterior mean of Gaussian data."""
    denoiser = Denoiser(UNet(SMALL, 3, 1)).eval()
    x, sigma = torch.randn(2, 1, 8, 8), torch.tensor([0.1, 5.0])
    expected = x * (SIGMA_DATA**2 / (SIGMA_DATA**2 + sigma**2))[:, None, None, None]
    assert torch.allclose(denoiser(x, sigma, torch.zeros(2, dtype=torch.long)), expected, atol=1e-6)


def test_images_are_standardised_and_back():
    images = np.random.default_rng(0).integers(100, 140, (50, 8, 8)).astype(np.uint8)
    generator = EDM(SMALL)
    denoiser = generator.start(images, 3, 10).average()
    pixels = torch.from_numpy(images)[:, None] / 127.5 - 1
    standard = denoiser.standardise(pixels)
    assert abs(float(standard.mean())) < 1e-3
    assert float(standard.std()) == pytest.approx(SIGMA_DATA, rel=1e-3)
    assert torch.allclose(denoiser.pixels(standard), pixels, atol=1e-5)


def test_one_flat_image_still_trains(tmp_path):
    generator = EDM(SMALL)
    generator.train(np.full((1, 8, 8), 9, np.uint8), np.zeros(1, np.int64), ["a"], tmp_path, device="cpu")
    assert next(generator.sample(np.zeros(2, np.int64), np.arange(2), 2)).shape == (2, 8, 8)


@pytest.mark.no_cover  # no new line, and many times the same ones
@pytest.mark.parametrize("settings", [{"augment": 0.5}, {"label_drop": 0.9}])
def test_a_short_training_learns(settings, tmp_path):
    config = SMALL.model_copy(update={"kimg": 1.2, "snapshot_kimg": 2.0, **settings})
    labels = np.arange(20) % 2
    images = np.where(labels[:, None, None] == 0, 40, 215) * np.ones((1, 8, 8))
    images[:, :4] = 128  # the classes differ in their lower halves
    generator = EDM(config)
    images, names = images.astype(np.uint8), ["dark", "light"]
    figures = generator.train(images, labels, names, tmp_path, device="cpu")
    assert figures["loss"] < 0.5
    samples = next(generator.sample(np.arange(64) % 2, np.arange(64), 64))
    if settings != {"label_drop": 0.9}:
        assert samples[::2, 4:].mean() < 80 < 175 < samples[1::2, 4:].mean()
    assert abs(samples[:, :4].mean() - 128) < 25


def test_guidance_pushes_away_from_the_unconditional():
    generator = EDM(SMALL)
    generator.class_names = ("a", "b", "c")
    torch.manual_seed(0)
    generator._network = generator.start(
        np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8), 3, 10
    ).average()
    for parameter in generator.network.parameters():  # zero layers would hide the class
        parameter.data.add_(0.1 * torch.randn_like(parameter))

    def draw(guidance):
        generator.config = SMALL.model_copy(update={"guidance": guidance, "sampling_steps": 2})
        with torch.no_grad():
            return generator.render(torch.tensor([0, 1]), [1, 2])

    steps = [draw(guidance) for guidance in (1.0, 1.0 + 1e-4, 2.0)]
    assert torch.allclose(steps[0], steps[1], atol=1e-2)
    assert not torch.allclose(steps[0], steps[2], atol=1e-2)


@pytest.mark.parametrize("sigma_rel", [0.05, 0.1, 0.15, 0.25])
def test_the_power_average_has_its_width_and_its_closed_form(sigma_rel):
    gamma = power_exponent(sigma_rel)
    assert (gamma + 1) / ((gamma + 2) ** 2 * (gamma + 3)) == pytest.approx(sigma_rel**2)
    steps = 2000
    weights = np.zeros(steps)
    for t in range(1, steps + 1):
        decay = power_decay(t, sigma_rel)
        weights *= decay
        weights[t - 1] += 1 - decay
    time = np.arange(steps + 1) / steps
    assert weights == pytest.approx(np.diff(time ** (gamma + 1)), abs=1e-12), "weights grow as time^gamma"
    middle = (time[1:] + time[:-1]) / 2
    mean = (weights * middle).sum()
    assert math.sqrt((weights * (middle - mean) ** 2).sum()) == pytest.approx(sigma_rel, rel=1e-3)


def started(**settings):
    """A training of 10 steps whose networks do something, its generator, and what takes one step."""
    config = SMALL.model_copy(update=settings)
    generator = EDM(config)
    generator.class_names = ("a", "b", "c")
    torch.manual_seed(0)
    images = torch.randn(8, 1, 8, 8)
    training = generator.start(np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8), 3, 10)
    return generator, training, lambda number: training.step(images, torch.arange(8) % 3, number)


def test_class_balancing_adds_the_published_term_and_asks_nothing_of_one_class():
    """Qin 2023 with the weights of EDM: how far another class's image of the same noise is off."""
    _, training, _ = started(cbdm_tau=0.5, label_drop=0.2)
    for parameter in training.denoiser.parameters():  # zero layers would hide the class
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    calls = []
    training.denoiser.register_forward_hook(lambda _, given, made: calls.append((*given, made.detach())))
    figures = training.step(torch.randn(64, 1, 8, 8), torch.arange(64) % 3, 0)
    (noisy, sigma, own, _, denoised), (noisy_again, sigma_again, other, _, denoised_other) = calls
    assert torch.equal(noisy, noisy_again)
    assert torch.equal(sigma, sigma_again)
    assert torch.equal(own == 3, other == 3), "a dropped label is dropped on both sides"
    assert set(other[other != 3].tolist()) == {0, 1, 2}
    s = sigma[:, None, None, None]
    time = torch.special.ndtr((s.log() - training.config.p_mean) / training.config.p_std)
    weight = (s**2 + SIGMA_DATA**2) / (s * SIGMA_DATA) ** 2
    expected = 0.5 * (1 + CBDM_GAMMA) * (time * weight * (denoised - denoised_other) ** 2).mean()
    assert float(figures["loss_with_balance"] - figures["loss"]) == pytest.approx(float(expected), rel=1e-3)
    assert expected > 0
    alone = EDM(SMALL.model_copy(update={"cbdm_tau": 0.5}))
    training = alone.start(np.random.default_rng(0).integers(0, 255, (9, 8, 8)).astype(np.uint8), 1, 10)
    figures = training.step(torch.randn(8, 1, 8, 8), torch.zeros(8, dtype=torch.long), 0)
    assert figures["loss_with_balance"] == figures["loss"] > 0


def test_a_trained_power_average_is_the_weighted_sum_of_all_steps():
    _, training, step = started(ema_sigma_rel=0.1, lr=0.01)
    seen = []
    for number in range(5):
        step(number)
        seen.append(training.denoiser.unet.first.weight.detach().clone())
    weights = np.diff((np.arange(6) / 5) ** (power_exponent(0.1) + 1))
    expected = sum(float(w) * value for w, value in zip(weights, seen, strict=True))
    assert torch.allclose(training.average().unet.first.weight, expected, atol=1e-6)


def test_the_weak_model_is_the_average_at_its_share_of_the_budget(tmp_path):
    _, training, step = started(autoguidance=0.3, lr=0.01)
    then = None
    for number in range(10):
        step(number)
        average, weak = training.average().unet.first.weight, training.average().weak.first.weight
        if number < 3:
            assert torch.equal(average, weak)
            then = weak.clone()
    assert torch.equal(weak, then)
    assert not torch.equal(average, weak)
    assert "weak.first.weight" not in training.denoiser.state_dict(), "it is not trained"


def test_autoguidance_extrapolates_from_the_weak_model():
    generator, training, step = started(autoguidance=0.1, lr=0.01)
    for number in range(10):
        step(number)
    generator._network = training.average()
    labels = torch.tensor([0, 1])

    def draw(guidance, autoguidance=0.1):
        generator.config = generator.config.model_copy(
            update={
                "guidance": guidance,
                "sampling_steps": 2,
                "sampler": "heun",
                "autoguidance": autoguidance,
                "sigma_max": 2.0,
            }
        )
        with torch.no_grad():
            return generator.render(labels, [1, 2])

    alone = draw(1.0)
    assert torch.allclose(draw(1.0 + 1e-5), alone, atol=1e-3)
    assert not torch.allclose(draw(3.0), alone, atol=1e-3)
    weak = generator.network.weak
    with torch.no_grad():
        generator._network.unet.load_state_dict(weak.state_dict())
    assert torch.allclose(draw(3.0), draw(1.0), atol=1e-5), "nothing to move away from"


# Augmentations


def test_diff_augment_shifts_by_whole_pixels_and_cuts_a_hole():
    torch.manual_seed(0)
    images = torch.arange(1.0, 257.0).reshape(1, 1, 16, 16).repeat(200, 2, 1, 1)
    shifted = diff_augment(images, cutout=0.0)
    assert set(shifted.unique().tolist()) <= set(range(257)), "no pixel is invented"
    assert torch.equal(shifted[:, 0], shifted[:, 1]), "all channels move together"
    assert len({int(image[0, 8, 8]) for image in shifted}) == 25, "-2..2 in both directions"
    cut = diff_augment(images, translation=0.0)
    assert int((cut == 0).sum((2, 3)).max()) == 25
    assert torch.equal(cut[cut != 0], images[cut != 0])


def test_diff_augment_lets_gradients_through():
    torch.manual_seed(0)
    images = torch.randn(4, 1, 8, 8, requires_grad=True)
    diff_augment(images).sum().backward()
    assert set(images.grad.unique().tolist()) == {0.0, 1.0}


def test_warp_without_change_is_the_identity_and_flip_is_exact():
    images, zero = torch.randn(3, 2, 8, 8), torch.zeros(3)
    still = {"angle": zero, "log_scale": zero, "log_stretch": zero, "shift": torch.zeros(3, 2)}
    assert torch.allclose(warp(images, flip=zero, **still), images, atol=1e-5)
    assert torch.allclose(warp(images, flip=zero + 1, **still), images.flip(3), atol=1e-5)
    quarter = warp(images, flip=zero, **(still | {"angle": zero + math.pi / 2}))
    assert torch.allclose(quarter, images.rot90(1, (2, 3)), atol=1e-5) or torch.allclose(
        quarter, images.rot90(-1, (2, 3)), atol=1e-5
    )
    moved = warp(images, flip=zero, **(still | {"shift": torch.tensor([[0.25, 0.0]]).repeat(3, 1)}))
    assert torch.allclose(moved[..., :6], images[..., 2:], atol=1e-5)


def test_non_leaky_conditions_are_zero_where_nothing_was_done():
    torch.manual_seed(0)
    images = torch.randn(64, 1, 8, 8)
    same, nothing = non_leaky(images, 0.0)
    assert torch.allclose(same, images, atol=1e-5)
    assert nothing.shape == (64, CONDITIONS)
    assert not nothing.any()
    changed, conditions = non_leaky(images, 0.2)
    untouched = ~conditions.any(1)
    assert 0 < untouched.sum() < 64
    assert torch.allclose(changed[untouched], images[untouched], atol=1e-5)
    assert not torch.isclose(changed[~untouched], images[~untouched], atol=1e-5).all((1, 2, 3)).any()


def test_ada_follows_the_sign_and_stays_in_range():
    ada = ADA(target=0.6, kimg=1.0)
    assert torch.equal(ada(torch.ones(2, 1, 8, 8)), torch.ones(2, 1, 8, 8))
    for _ in range(5):
        ada.update(torch.ones(100))
    assert ada.p == pytest.approx(0.5)
    for _ in range(9):
        ada.update(torch.ones(100))
    assert ada.p == 1.0
    ada.update(torch.tensor([1.0] * 70 + [-1.0] * 30))  # sign 0.4 < 0.6
    assert ada.p == pytest.approx(0.9)
    again = ADA(target=0.6, kimg=1.0)
    again.load_state_dict(ada.state_dict())
    assert again.p == ada.p
    images = torch.rand(8, 3, 8, 8, requires_grad=True)
    ada(images).sum().backward()
    assert images.grad.isfinite().all()
    assert images.grad.abs().sum() > 0
