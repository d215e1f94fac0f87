"""Guided diffusion: the noising process, samplers and guidance against closed forms; published checkpoints
against a reference.
"""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from published_adm import Published

from gmaug_core.config import GuidedDiffusionConfig, augmentation_config
from gmaug_core.errors import InputError
from gmaug_core.models import generators
from gmaug_core.models.generators.adm import NoisyClassifier, UNet, convert, time_embedding
from gmaug_core.models.generators.guided_diffusion import GuidedDiffusion, log_probability_gradient
from gmaug_core.models.generators.noising import (
    SAMPLERS,
    Process,
    log_likelihood,
    noise_stream,
    respaced,
    schedule_betas,
)
from gmaug_core.models.generators.tensors import seeded_normal

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SMALL = GuidedDiffusionConfig(
    resolution=8,
    channels=8,
    channel_mult=(1, 2),
    classifier_channels=8,
    batch=8,
    kimg=0.08,
    snapshot_kimg=1.0,
    sampling_steps=5,
)


def whole(schedule="cosine", steps=1000):
    return Process(schedule_betas(schedule, steps), np.arange(steps))


# The process


def test_schedules():
    linear, cosine = schedule_betas("linear", 1000), schedule_betas("cosine", 1000)
    assert (linear[0], linear[-1]) == pytest.approx((1e-4, 0.02))
    assert np.diff(linear, 2) == pytest.approx(0, abs=1e-12)
    kept = np.cumprod(1 - cosine)
    t = np.arange(1, 1000) / 1000  # all but the last step, whose beta is clipped
    expected = np.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    assert kept[:-1] == pytest.approx(expected)
    assert cosine.max() == pytest.approx(0.999)
    for betas in (linear, cosine, schedule_betas("linear", 50)):
        assert (betas > 0).all()
        assert (betas < 1).all()
        assert np.prod(1 - betas) < 1e-4, "nothing of the image is left"


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_respacing_keeps_the_marginals(schedule):
    assert respaced(1000, 1000).tolist() == list(range(1000))
    assert respaced(1000, 2).tolist() == [0, 999]
    steps = respaced(1000, 25)
    assert len(set(steps.tolist())) == 25
    few, all_ = Process(schedule_betas(schedule, 1000), steps), whole(schedule)
    assert torch.equal(few.at("kept", 7), all_.at("kept", int(steps[7])))
    products = torch.cumprod(1 - few.tables["beta"].double(), 0)
    assert torch.allclose(products.float(), few.tables["kept"], rtol=1e-3, atol=1e-9), (
        "its betas lead to the same noise"
    )
    assert few.tables["steps"].tolist() == steps.tolist(), (
        "and the network is told the steps of the whole process"
    )
    assert Process(schedule_betas(schedule, 50), np.arange(50)).tables["steps"][-1] == 980


def test_the_posterior_is_bayes_rule():
    """q(x_{t-1} | x_t, x_0) ~ q(x_t | x_{t-1}) q(x_{t-1} | x_0): precisions add and weight the means."""
    betas, k = schedule_betas("linear", 50).astype(float), 20
    process, kept = whole("linear", 50), np.cumprod(1 - betas)
    clean, noisy = 0.3, -0.8
    prior = 1 / (1 - kept[k - 1]), math.sqrt(kept[k - 1]) * clean
    seen = (1 - betas[k]) / betas[k], noisy / math.sqrt(1 - betas[k])
    precision = prior[0] + seen[0]
    mean = (prior[0] * prior[1] + seen[0] * seen[1]) / precision
    assert float(process.posterior_mean(torch.tensor(clean), torch.tensor(noisy), k)) == pytest.approx(
        mean, rel=1e-5
    )
    assert float(process.at("log_variance", k).exp()) == pytest.approx(1 / precision, rel=1e-5)
    assert process.at("log_variance", 0) == process.at("log_variance", 1), (
        "0 at the first step: the next one's"
    )


def test_noise_and_clean_image_are_each_others_inverse():
    process, k = whole(), torch.tensor([0, 400, 900])
    clean, noise = torch.rand(3, 2, 4, 4) * 2 - 1, torch.randn(3, 2, 4, 4)
    noisy = process.noised(clean, k, noise)
    assert torch.allclose(process.clean_from(noisy, noise, k), clean, atol=1e-4)
    assert torch.allclose(process.noise_from(noisy, clean, k), noise, atol=1e-4)
    draws = process.noised(torch.full((50_000, 1, 1, 1), 0.5), 300, torch.randn(50_000, 1, 1, 1))
    kept = float(np.cumprod(1 - schedule_betas("cosine", 1000))[300])
    assert (float(draws.mean()), float(draws.var())) == pytest.approx((0.5 * kept**0.5, 1 - kept), abs=0.02)


def test_learned_variances_lie_between_the_bounds():
    process, k = whole(), 500
    low, high = process.at("log_variance", k), process.at("beta", k).log()
    shares = torch.tensor([-1.0, 0.0, 1.0]).reshape(3, 1, 1, 1)
    assert torch.allclose(
        process.log_variance(shares, k).flatten(), torch.stack([low, (low + high) / 2, high]).flatten()
    )
    assert process.log_variance(None, k) == low < high


def test_the_bound_is_smallest_for_the_truth():
    process, k = whole("linear", 50), torch.tensor([0, 20])
    torch.manual_seed(0)
    clean, noise = torch.rand(2, 1, 32, 32) * 2 - 1, torch.randn(2, 1, 32, 32)
    noisy = process.noised(clean, k, noise)

    def bound(noise, share):
        return process.bound(clean, noisy, noise, torch.full_like(clean, share), k)

    exact = bound(noise, -1.0)
    assert float(exact[1]) == pytest.approx(0, abs=1e-6), "the same Gaussian"
    assert (bound(noise + 0.5, -1.0) > exact).all()
    assert bound(noise, 1.0)[1] > exact[1]
    beta, kept = process.at("beta", 20), process.at("kept", 20)
    shift = 0.5 * beta / ((1 - kept) * (1 - beta)).sqrt()  # of the mean, from wrong noise
    expected = float(shift**2 / process.at("log_variance", 20).exp() / 2 / math.log(2))
    assert float(bound(noise + 0.5, -1.0)[1]) == pytest.approx(expected, rel=1e-4)


def test_the_likelihood_of_8_bit_values_sums_to_one():
    values = torch.arange(256) / 127.5 - 1
    for mean, std in ((0.1, 0.05), (-0.99, 0.3)):
        mass = log_likelihood(values, torch.tensor(mean), torch.tensor(std)).exp()
        assert float(mass.sum()) == pytest.approx(1, abs=1e-4)


# Samplers and guidance, on data ~ N(MEAN, STD^2), for which everything is known

MEAN, STD = 0.2, 0.1


def gaussian_denoise(process, strength=0.0):
    """The exact estimate, and a classifier with log p(y | x_t) = strength * E[x_0 | x_t]: it tilts the data
    towards larger values.
    """

    def denoise(x, k):
        kept = process.at("kept", k)
        precision = 1 / STD**2 + kept / (1 - kept)
        clean = (MEAN / STD**2 + kept.sqrt() * x / (1 - kept)) / precision
        gradient = (strength * kept.sqrt() / (1 - kept) / precision).expand_as(x) if strength else None
        return clean, process.log_variance(None, k), gradient

    return denoise


def draws(sampler, strength, steps, n=4000):
    process = Process(schedule_betas("cosine", 1000), respaced(1000, steps))
    torch.manual_seed(0)
    return SAMPLERS[sampler](process, gaussian_denoise(process, strength), lambda: torch.randn(n, 1, 1, 1))


@pytest.mark.parametrize(("sampler", "steps"), [("ancestral", 1000), ("ddim", 250)])
def test_samplers_give_the_data_and_guidance_shifts_it(sampler, steps):
    """p(x) exp(strength * x) is N(MEAN + strength * STD^2, STD^2)."""
    plain, guided = draws(sampler, 0.0, steps), draws(sampler, 10.0, steps)
    assert (float(plain.mean()), float(plain.std())) == pytest.approx((MEAN, STD), abs=0.01)
    assert (float(guided.mean()), float(guided.std())) == pytest.approx((MEAN + 10 * STD**2, STD), abs=0.015)


def test_the_gradient_of_the_classifier_by_finite_differences():
    torch.manual_seed(0)
    network = NoisyClassifier(SMALL, 3, 1).double().eval()
    for parameter in network.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    x, labels, times = (
        torch.randn(2, 1, 8, 8).double(),
        torch.tensor([1, 2]),
        torch.tensor([10.0, 700.0]).double(),
    )

    embedding = network.time(time_embedding(times, network.base).double())

    def logits(x):
        return network.last(network.encode(x, embedding)[-1])

    def value(x):
        return logits(x).log_softmax(1)[range(2), labels]

    gradient = log_probability_gradient(logits, x, labels)
    direction = torch.randn_like(x)
    with torch.no_grad():
        difference = (value(x + 1e-5 * direction) - value(x - 1e-5 * direction)) / 2e-5
    assert torch.allclose((gradient * direction).sum((1, 2, 3)), difference, rtol=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_noise_of_an_image_depends_on_its_seed_alone():
    both, one = (
        noise_stream([5, 6], (1, 8, 8), torch.device("cpu")),
        noise_stream([6], (1, 8, 8), torch.device("cpu")),
    )
    first = both()
    assert torch.equal(first.reshape(2, 64), seeded_normal([5, 6], 64))
    assert torch.equal(first[1], one()[0])
    assert torch.equal(second := both()[1], one()[0])
    assert not torch.equal(second, first[1])


# Training


@pytest.mark.no_cover  # no new line, and many times the same ones
@pytest.mark.parametrize(
    "settings",
    [
        {"kimg": 0.6, "learn_sigma": True, "sampler": "ancestral", "sampling_steps": 30},
        {"kimg": 0.75, "guidance": 0.0},
    ],
)
def test_a_short_training_learns(settings, tmp_path):
    config = SMALL.model_copy(update={"lr": 3e-3, "sampling_steps": 10, **settings})
    labels = np.arange(20) % 2
    images = np.where(labels[:, None, None] == 0, 40, 215) * np.ones((1, 8, 8))
    images[:, :4] = 128  # the classes differ in their lower halves
    generator = GuidedDiffusion(config)
    figures = generator.train(images.astype(np.uint8), labels, ["dark", "light"], tmp_path, device="cpu")
    assert figures["loss"] < 0.4
    assert ("bound" in figures) == config.learn_sigma
    assert (
        ("classifier_loss" in figures) == (generator.network.classifier is not None) == bool(config.guidance)
    )
    samples = next(generator.sample(np.arange(64) % 2, np.arange(64), 64))
    assert samples[::2, 4:].mean() < 90 < 165 < samples[1::2, 4:].mean()
    assert abs(samples[:, :4].mean() - 128) < 30


@pytest.mark.no_cover  # no new line, and many times the same ones
def test_the_classifier_alone_can_make_the_class(tmp_path):
    config = SMALL.model_copy(
        update={"kimg": 0.75, "lr": 3e-3, "class_conditional": False, "guidance": 2.0, "sampling_steps": 20}
    )
    labels = np.arange(20) % 2
    images = (np.where(labels[:, None, None] == 0, 60, 195) * np.ones((1, 8, 8))).astype(np.uint8)
    generator = GuidedDiffusion(config)
    generator.train(images, labels, ["dark", "light"], tmp_path, device="cpu")
    samples = next(generator.sample(np.arange(40) % 2, np.arange(40), 40)).reshape(20, 2, -1).mean((0, 2))
    assert samples[1] - samples[0] > 80, "the U-Net does not know the class"


# Published checkpoints

SHAPE = {
    "resolution": 16,
    "channels": 128,
    "channel_mult": (1, 2),
    "blocks": 1,
    "attention_resolutions": (8,),
    "colour": "rgb",
}
PUBLISHED = {"side": 16, "base": 128, "mult": (1, 2), "blocks": 1, "attention": (8,)}


@pytest.mark.parametrize(
    ("heads", "by_head", "learn_sigma"), [(4, True, True), (0, False, True), (0, True, False)]
)
def test_a_converted_unet_gives_the_same_numbers(heads, by_head, learn_sigma):
    torch.manual_seed(0)
    published = Published(
        **PUBLISHED, heads=heads, by_head=by_head, classes=7, n_out=6 if learn_sigma else 3
    ).eval()
    ours = UNet(GuidedDiffusionConfig(**SHAPE, heads=heads, learn_sigma=learn_sigma), 7, 3).eval()
    state = convert(published.state_dict(), ours, by_head=by_head)
    ours.load_state_dict(state | {"from_class.weight": published.label_emb.weight})
    x, steps, labels = torch.randn(2, 3, 16, 16), torch.tensor([3.0, 870.0]), torch.tensor([0, 5])
    with torch.no_grad():
        expected, given = published(x, steps, labels), ours(x, steps, labels)
        assert torch.allclose(expected, given, atol=1e-5 * float(expected.abs().max()))
        assert expected.std() > 0.01
        assert not torch.allclose(expected, ours(x, steps, labels.flip(0)), atol=1e-3)
    mean = published.label_emb.weight.mean(0)
    assert torch.allclose(state["from_class.weight"], mean.expand(7, -1)), "fresh rows for the user's classes"
    if heads == 4:
        wrong = convert(published.state_dict(), ours, by_head=False)
        ours.load_state_dict(wrong | {"from_class.weight": published.label_emb.weight})
        with torch.no_grad():
            assert not torch.allclose(expected, ours(x, steps, labels), atol=1e-3), (
                "the order of the rows matters"
            )


def test_a_converted_classifier_gives_the_same_numbers():
    torch.manual_seed(0)
    published = Published(**PUBLISHED, heads=0, by_head=True, pool=5).eval()
    ours = NoisyClassifier(GuidedDiffusionConfig(**SHAPE, classifier_channels=128), 5, 3).eval()
    state = convert(published.state_dict(), ours, by_head=True)
    fresh = {"last.2.out.weight", "last.2.out.bias"}
    assert all(torch.equal(state[name], ours.state_dict()[name]) for name in fresh), (
        "the last layer is the user's classes'"
    )
    pool = published.out[2].c_proj
    ours.load_state_dict(state | {"last.2.out.weight": pool.weight[..., 0], "last.2.out.bias": pool.bias})
    x, steps = torch.randn(2, 3, 16, 16), torch.tensor([3.0, 870.0])
    with torch.no_grad():
        expected = published(x, steps)
        assert torch.allclose(expected, ours(x, steps), atol=1e-5 * float(expected.abs().max()))
        assert expected.std() > 0.01


def tiny_checkpoint(folder, **changes):
    """A file in the published format, and settings that fit it."""
    torch.manual_seed(0)
    path = folder / "published.pt"
    torch.save(
        Published(
            **(PUBLISHED | {"side": 8} | changes), heads=4, by_head=True, classes=7, n_out=6
        ).state_dict(),
        path,
    )
    settings = SHAPE | {
        "resolution": 8,
        "heads": 4,
        "learn_sigma": True,
        "batch": 2,
        "kimg": 0.004,
        "snapshot_kimg": 1.0,
    }
    return path, GuidedDiffusionConfig(
        **settings, classifier_channels=8, sampling_steps=2, pretrained=str(path)
    )


def test_starting_from_a_published_checkpoint_is_open_set(tmp_path):
    path, config = tiny_checkpoint(tmp_path, attention=(8,))
    images, labels = (
        np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8),
        np.array([0, 1, 2, 0]),
    )
    generator = generators.create(config)
    assert not generator.closed_set
    assert generators.create(SMALL).closed_set
    generator.device = torch.device("cpu")
    first = generator.start(images, 3, 2).network.unet.down[0][0].weight
    assert torch.equal(first, torch.load(path, weights_only=True)["input_blocks.0.0.weight"])
    figures = generator.train(images, labels, ["a", "b", "c"], tmp_path / "out", device="cpu")
    assert figures["pretrained_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    generator.save(tmp_path / "model")
    assert json.loads((tmp_path / "model" / "config.json").read_text())["closed_set"] is False
    state = torch.load(path, weights_only=True)
    torch.save(state | {"out.2.bias": state["out.2.bias"] + 1}, path)
    with pytest.raises(InputError, match=r"another training.*pretrained_sha256"):
        generator.train(images, labels, ["a", "b", "c"], tmp_path / "out", device="cpu")
    path.unlink()
    assert not generators.load(tmp_path / "model", "cpu").closed_set, (
        "a trained one does not need the file any more"
    )


@pytest.mark.parametrize(
    "problem", ["missing", "text", "list", "pickle", "channels", "blocks", "colour", "fixed variance"]
)
def test_a_checkpoint_that_does_not_fit_is_named(problem, tmp_path):
    path, config = tiny_checkpoint(tmp_path)
    match = {
        "missing": "'published.pt' cannot be read",
        "channels": "does not fit.*128.*in the file.*64.*by the settings",
        "blocks": r"does not fit.*down.3.0.conv0.weight: \[256",
        "colour": r"does not fit.*down.0.0.weight: \[128, 3, 3, 3\] in the file, \[128, 1, 3, 3\]",
        "fixed variance": "does not fit.*last.2",
    }.get(problem, "'published.pt' is not a checkpoint")
    if problem == "missing":
        path.unlink()
    elif problem == "text":
        path.write_text("no checkpoint")
    elif problem == "list":
        torch.save([torch.zeros(2)], path)
    elif problem == "pickle":
        torch.save({"a": GuidedDiffusion(SMALL)}, path)  # would run code when read
    changes = {
        "channels": {"channels": 64},
        "blocks": {"blocks": 2},
        "colour": {"colour": "grey"},
        "fixed variance": {"learn_sigma": False},
    }
    config = config.model_copy(update=changes.get(problem, {}))
    shape = (2, 8, 8) if problem == "colour" else (2, 8, 8, 3)
    with pytest.raises(InputError, match=match):
        generators.create(config).train(
            np.zeros(shape, np.uint8), np.zeros(2, int), ["a"], tmp_path / "out", device="cpu"
        )


def test_presets_take_the_published_shape_for_a_checkpoint(tmp_path):
    def resolve(preset, size, **generator):
        settings = {"image_size": size, "colour": "rgb", "preset": preset, "generator": "guided_diffusion"}
        return augmentation_config("d", **settings, overrides={"generator": generator}).generator

    path = tmp_path / "c.pt"
    path.write_bytes(b"")
    paper = resolve("paper", 200)
    assert (paper.resolution, paper.channels, paper.channel_mult, paper.heads, paper.schedule) == (
        128,
        256,
        (1, 1, 2, 3, 4),
        4,
        "linear",
    )
    assert (paper.sampling_steps, paper.sampler, paper.guidance, paper.learn_sigma) == (
        250,
        "ancestral",
        0.5,
        True,
    )
    at_64 = resolve("standard", 64, pretrained=str(path))
    assert (at_64.channels, at_64.channel_mult, at_64.blocks, at_64.classifier_blocks) == (
        192,
        (1, 2, 3, 4),
        3,
        4,
    )
    assert resolve("standard", 64).channels == 128
    with pytest.raises(InputError, match=r"no checkpoint 'gone\.pt'"):
        resolve("paper", 200, pretrained="gone.pt")
