"""StyleGAN2: the transitional schedule, exactness of the modulation, regularisers, truncation."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gmaug_core.config import StyleGAN2Config
from gmaug_core.models.generators.gan_losses import (
    discriminator_loss,
    embedding_noise,
    generator_loss,
    gradient_penalty,
    minibatch_deviation,
    transition,
    twins_loss,
)
from gmaug_core.models.generators.stylegan2 import StyleGAN2
from gmaug_core.models.generators.stylegan2_networks import (
    Conv,
    Dense,
    Discriminator,
    Filter,
    Mapping,
    ResidualBlock,
    StyledConv,
    learning_rates,
    low_pass,
)
from gmaug_core.models.generators.stylegan2_training import StyleGAN2Training

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

SMALL = StyleGAN2Config(resolution=8, channel_max=8, z_dim=8, w_dim=8, batch=8, kimg=0.8, snapshot_kimg=1.0)


def start(config=SMALL, seed=0):
    torch.manual_seed(seed)
    generator = StyleGAN2(config)
    generator.class_names = ("a", "b", "c")
    training = generator.start(np.zeros((3, 8, 8), np.uint8), 3, 100)
    return generator, training


def batch():
    torch.manual_seed(1)
    return torch.randn(8, 1, 8, 8), torch.arange(8) % 3


@pytest.mark.parametrize(
    ("kimg", "expected"), [(0, 0), (299, 0), (300, 0), (450, 0.5), (600, 1), (601, 1), (1000, 1)]
)
def test_lambda_is_0_then_half_way_then_1(kimg, expected):
    assert transition(kimg, 1000, 0.3, 0.6) == pytest.approx(expected)


def test_lambda_follows_the_image_counter_in_training():
    config = SMALL.model_copy(update={"transition_start": 0.1, "transition_end": 0.4})
    _, training = start(config)
    for step, expected in ((0, 0.0), (10, 0.0), (25, 0.5), (40, 1.0), (99, 1.0)):  # 8 of 800 images a step
        assert training.step(*batch(), step)["lambda"] == pytest.approx(expected)
        assert float(training.average().mapping.blend) == pytest.approx(expected), "saved with the model"


def test_with_lambda_0_the_class_changes_nothing_and_the_conditional_parts_get_no_gradient():
    generator, training = start()
    conditional = [
        training.discriminator.conditional,
        training.discriminator.embed,
        training.discriminator.from_class,
    ]
    conditional += [training.generator.mapping.embed, training.generator.mapping.from_class]
    before = [parameter.clone() for part in conditional for parameter in part.parameters()]
    training.step(*batch(), 1)
    assert training.discriminator.unconditional.weight.grad.abs().sum() > 0
    for part in conditional:
        assert all(parameter.grad is None or not parameter.grad.any() for parameter in part.parameters())
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, (p for part in conditional for p in part.parameters()), strict=True)
    )
    generator._network = training.average()
    a, b = (next(generator.sample(np.full(4, k), np.arange(4), 4)) for k in (0, 1))
    assert np.array_equal(a, b)


def test_with_lambda_1_the_class_changes_the_image_and_the_conditional_parts_learn():
    _, training = start()
    training.step(*batch(), 99)
    assert training.discriminator.conditional.weight.grad.abs().sum() > 0
    assert training.generator.mapping.embed.weight.grad.abs().sum() > 0
    with torch.no_grad():
        a, b = (training.generator.mapping(torch.ones(1, 8), torch.tensor([k])) for k in (0, 1))
    assert not torch.allclose(a, b)


def test_the_conditional_branch_is_added_after_the_first_layer():
    mapping = Mapping(SMALL.model_copy(update={"mapping_layers": 1}), 3)
    z, labels = torch.randn(4, 8), torch.tensor([0, 1, 2, 0])
    with torch.no_grad():
        alone = mapping(z, labels)
        mapping.blend.fill_(1.0)
        whole = mapping(z, labels)
        mapping.blend.fill_(0.25)
        assert torch.allclose(mapping(z, labels), alone + 0.25 * (whole - alone), atol=1e-6)
    assert torch.allclose((whole - alone)[0], (whole - alone)[3], atol=1e-6), "it depends on the class alone"


@pytest.mark.parametrize("up", [False, True])
def test_scaling_activations_equals_per_image_weights(up):
    torch.manual_seed(0)
    layer = StyledConv(5, 7, 8, up=up).double()
    layer.bias.data.normal_()
    layer.noise_strength.data.fill_(0.3)
    x, w = torch.randn(3, 5, 4, 4).double(), torch.randn(3, 8).double()
    side = 8 if up else 4
    noise = torch.randn(3, 1, side, side).double()
    expected = []
    for k in range(3):  # weights modulated and demodulated for each image, equations 1 and 3 of Karras 2020
        weight = layer.weight * layer.style(w[k : k + 1])[0][None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            y = F.conv_transpose2d(x[k : k + 1], weight.transpose(0, 1), stride=2)
            y = Filter.apply(y, low_pass().double() * 4, 1)
        else:
            y = F.conv2d(x[k : k + 1], weight, padding=1)
        y = (
            y * 2**0.5 + 0.3 * noise[k] + layer.bias[None, :, None, None]
        )  # noise and bias have the gain in them
        expected.append(F.leaky_relu(y, 0.2))
    assert torch.allclose(layer(x, w, noise), torch.cat(expected), atol=1e-6)


def test_resampling_keeps_a_constant_and_the_size():
    assert float(low_pass().sum()) == pytest.approx(1.0)
    for size in (1, 3):
        layer = Conv(1, 1, size, down=True, bias=False)
        layer.weight.data.zero_()
        layer.weight.data[..., size // 2, size // 2] = 1
        out = layer(torch.ones(1, 1, 16, 16))
        assert out.shape == (1, 1, 8, 8)
        assert torch.allclose(out[..., 1:-1, 1:-1], torch.ones(6, 6), atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [1, 2])
def test_the_filter_has_its_derivatives(padding, stride):
    x = torch.randn(2, 3, 5, 6, dtype=torch.double, requires_grad=True)
    kernel = low_pass().double()
    expected = F.conv2d(x, kernel.expand(3, 1, 4, 4), padding=padding, stride=stride, groups=3)
    assert torch.allclose(Filter.apply(x, kernel, padding, stride), expected)
    assert torch.autograd.gradcheck(lambda x: Filter.apply(x, kernel, padding, stride), x)
    assert torch.autograd.gradgradcheck(lambda x: Filter.apply(x, kernel, padding, stride) ** 2, x)


def test_a_residual_block_is_its_formula():
    torch.manual_seed(0)
    block, x = ResidualBlock(5, 7).double(), torch.randn(2, 5, 8, 8).double()
    for conv in (block.conv0, block.conv1):
        conv.bias.data.normal_()

    def plain(
        layer, x, stride=1
    ):  # He's gain left to the activation: the layer's weights and biases have it in them
        gain = layer.paces["bias"]
        return F.conv2d(
            x, layer.weight / gain, layer.bias / gain, stride=stride, padding=0 if stride > 1 else 1
        )

    def active(x):
        return F.leaky_relu(x, 0.2) * 2**0.5

    blurred = Filter.apply(active(plain(block.conv0, x)), low_pass().double(), 2)
    shortcut = F.conv2d(Filter.apply(x, low_pass().double(), 1), block.shortcut.weight * 2**0.5, stride=2)
    expected = (active(plain(block.conv1, blurred, 2)) + shortcut) * 0.5**0.5
    assert torch.allclose(block(x), expected, atol=1e-9)


def test_equalised_learning_rates_are_those_of_unit_variance_weights():
    torch.manual_seed(0)
    layers = {
        "dense": Dense(6, 4, lr=0.01, gain=2**0.5),
        "conv": Conv(3, 4, 3, gain=2**0.5),
        "styled": StyledConv(3, 4, 6, up=False),
    }
    network = nn.ModuleDict(layers)
    groups = learning_rates(network, 1e-3)
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    for layer, fan_in, gain, lr in (
        ("dense", 6, 2**0.5, 0.01),
        ("conv", 27, 2**0.5, 1.0),
        ("styled", 27, 1.0, 1.0),
    ):
        scale = gain * lr / fan_in**0.5  # w = scale v: what multiplies a weight v that learns at 1e-3
        assert rates[id(layers[layer].weight)] == pytest.approx(1e-3 * scale)
    assert rates[id(layers["styled"].style.bias)] == 1e-3

    v = nn.Parameter(
        layers["conv"].weight.detach() / (scale := (2 / 27) ** 0.5)
    )  # Adam on v, and on w: the same weights after
    assert 0.7 < float(v.detach().std()) < 1.3
    optimizers = [
        torch.optim.Adam(groups, betas=(0.0, 0.99)),
        torch.optim.Adam([v], lr=1e-3, betas=(0.0, 0.99)),
    ]
    x = torch.randn(2, 3, 8, 8)
    for _ in range(3):
        for optimizer, weight in zip(optimizers, (layers["conv"].weight, v * scale), strict=True):
            optimizer.zero_grad()
            F.conv2d(x, weight).square().mean().backward()
            optimizer.step()
    assert torch.allclose(layers["conv"].weight, v * scale, atol=1e-6)


def test_two_batches_as_one_are_judged_apart():
    torch.manual_seed(0)
    discriminator = Discriminator(SMALL, 3, 1)
    images, labels = torch.randn(8, 1, 8, 8), torch.arange(8) % 3
    together = discriminator(images, labels, batches=2)
    apart = [discriminator(part, some) for part, some in zip(images.chunk(2), labels.chunk(2), strict=True)]
    for head in (0, 1):
        assert torch.allclose(together[head], torch.cat([logits[head] for logits in apart]), atol=1e-5)


def test_mixed_precision_is_near_full_precision():
    torch.manual_seed(0)
    discriminator, images, labels = Discriminator(SMALL, 3, 1), torch.randn(4, 1, 8, 8), torch.arange(4) % 3
    exact = discriminator(images, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = discriminator(images, labels)
    for one, other in zip(exact, mixed, strict=True):
        assert other.dtype == torch.float32
        assert 0 < float((one - other).detach().abs().max()) < 0.1


# the compiler asks every tensor for it
@pytest.mark.filterwarnings("default:The .grad attribute:UserWarning")
def test_compiled_training_is_the_same_training(monkeypatch):
    compile_ = nn.Module.compile
    compiled = []

    def recorded(network, **options):
        compiled.append(type(network).__name__)
        compile_(
            network, **options, backend="aot_eager"
        )  # traced and differentiated as for a GPU, but no code is generated

    monkeypatch.setattr(nn.Module, "compile", recorded)
    monkeypatch.setattr(StyleGAN2Training, "precision", lambda training: nullcontext())
    config = SMALL.model_copy(
        update={"path_length_weight": 2.0, "path_length_interval": 1, "r1_interval": 1, "augment": "none"}
    )
    weights = []
    for wanted in (False, True):
        _, training = start(config.model_copy(update={"compile": wanted}))
        for step in range(50, 52):  # lambda is 1: both heads learn
            torch.manual_seed(step)
            training.step(*batch(), step)
        weights.append([*training.generator.parameters(), *training.discriminator.parameters()])
    assert compiled == ["Synthesis", "Discriminator"]
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*weights, strict=True))


def test_minibatch_deviation_sees_a_collapse():
    x = torch.randn(8, 3, 4, 4)
    assert minibatch_deviation(x).shape == (8, 1, 4, 4)
    assert (
        float(minibatch_deviation(x).mean())
        > 0.5
        > 0.01
        > float(minibatch_deviation(x[:1].expand(8, -1, -1, -1)).mean())
    )
    for n in (1, 2, 3, 5, 7, 12):
        assert minibatch_deviation(x[:1].expand(n, -1, -1, -1)).shape == (n, 1, 4, 4)


def test_discriminator_heads():
    torch.manual_seed(0)
    network = Discriminator(SMALL, 3, 1)
    images = torch.randn(4, 1, 8, 8)
    first, second = (
        network(images, torch.zeros(4, dtype=torch.long)),
        network(images, torch.ones(4, dtype=torch.long)),
    )
    assert torch.equal(first[0], second[0]), "the unconditional logit does not know the class"
    assert not torch.allclose(first[1], second[1])


def test_r1_is_on_the_unconditional_logit_alone():
    _, training = start(SMALL.model_copy(update={"augment": "none"}))
    images, labels = batch()
    real = images.clone().requires_grad_()
    with training.precision():
        logits, _ = training.discriminator(real, labels)
    expected = torch.autograd.grad(logits.sum(), real)[0].square().sum((1, 2, 3)).mean()
    training._regularise_discriminator(images, labels)
    assert float(training.r1) == pytest.approx(float(expected), rel=1e-5)
    assert training.discriminator.conditional.weight.grad is None


def test_path_length_penalty_is_finite_and_moves_its_mean():
    _, training = start(SMALL.model_copy(update={"path_length_weight": 2.0, "path_length_interval": 1}))
    figures = [training.step(*batch(), step) for step in (0, 99)]
    assert all(np.isfinite(float(row["path_length"])) for row in figures)
    assert float(training.path_length.mean) > 0


def test_what_is_worked_out_now_and_then_is_told_by_a_resumed_training_too():
    _, training = start()
    first = training.step(*batch(), 0)
    _, resumed = start()
    for name, part in resumed.parts().items():
        part.load_state_dict(training.parts()[name].state_dict())
    assert float(resumed.step(*batch(), 1)["r1"]) == float(first["r1"]) > 0


def test_truncation_pulls_towards_the_mean_of_the_class():
    generator, training = start()
    training.generator.mapping.blend.fill_(1.0)
    generator._network = training.generator
    with torch.no_grad():
        means = generator.mean_styles()
        labels = torch.tensor([0, 1, 2])

        def render(truncation):
            generator.config = SMALL.model_copy(update={"truncation": truncation})
            return generator.render(labels, [5, 6, 7])

        full, half, none = render(1.0), render(0.5), render(1e-6)
        noise_and_mean = render(1e-6)
    assert means.shape == (3, generator.network.synthesis.n_styles, 8)
    assert not torch.allclose(means[0], means[1])
    assert torch.equal(none, noise_and_mean)
    assert 0 < (half - none).norm() < (full - none).norm()


def test_sixteen_pixels_and_three_channels():
    config = SMALL.model_copy(update={"resolution": 16, "colour": "rgb"})
    generator = StyleGAN2(config)
    generator.class_names = ("a", "b")
    generator._network = generator.build(2).eval()
    assert next(generator.sample(np.zeros(3, np.int64), np.arange(3), 2)).shape == (2, 16, 16, 3)
    assert [*generator.network.synthesis.noise_sides] == [4, 8, 8, 16, 16]


# --- options for long tails ---


def test_losses_are_their_formulas():
    real, fake = torch.randn(50).double(), torch.randn(50).double()

    def plus(x):
        return torch.log1p(torch.exp(x))

    assert torch.allclose(discriminator_loss(real, fake), (plus(fake) + plus(-real)).mean())
    assert torch.allclose(generator_loss(fake), plus(-fake).mean())
    assert torch.allclose(discriminator_loss(real, fake, "rpgan"), plus(-(real - fake)).mean())
    assert torch.allclose(generator_loss(fake, real, "rpgan"), plus(-(fake - real)).mean())
    assert discriminator_loss(real + 5, fake + 5, "rpgan") == pytest.approx(
        float(discriminator_loss(real, fake, "rpgan"))
    ), "pairs alone"


def test_the_gradient_penalty_of_a_known_function():
    x = torch.randn(4, 1, 3, 3).requires_grad_()
    assert float(gradient_penalty((3 * x).sum((1, 2, 3)), x)) == pytest.approx(9 * 9)
    quadratic = x.square().sum((1, 2, 3)) / 2
    expected = x.detach().square().sum((1, 2, 3)).mean()
    assert gradient_penalty(quadratic, x).item() == pytest.approx(expected.item())


def test_rare_classes_get_more_embedding_noise():
    noise = embedding_noise(np.array([1, 2, 100, 10**6, 0]), 0.75, 0.99)
    assert noise[0] == noise[4] == pytest.approx(0.75)
    assert noise[3] == pytest.approx(0.0075)
    assert noise[1] == pytest.approx(0.75 / (1 + 0.99))
    assert noise[0] > noise[1] > noise[2] > noise[3]


def test_twins_want_equal_styles_and_uncorrelated_components():
    torch.manual_seed(0)
    one, other = torch.randn(64, 5), torch.randn(64, 5)
    correlation = np.corrcoef(one.T.numpy(), other.T.numpy())[:5, 5:]
    off = correlation[~np.eye(5, dtype=bool)]
    expected = ((1 - correlation.diagonal()) ** 2).sum() + 0.05 * (off**2).sum()
    assert float(twins_loss(one, other, 0.05)) == pytest.approx(expected, rel=1e-4)
    alike = one[:, :1].expand(64, 5)
    assert (
        float(twins_loss(one, one, 0.05))
        < 0.1
        < float(twins_loss(alike, alike, 0.05))
        == pytest.approx(0.05 * 20, rel=1e-3)
    )


def test_twins_are_noisy_in_training_and_not_when_sampling():
    generator, training = start(SMALL.model_copy(update={"noisy_twins": 0.01}))
    training.step(*batch(), 99)
    assert training.generator.mapping.embed.weight.grad.abs().sum() > 0
    labels = torch.zeros(4, dtype=torch.long)
    assert training._embedding_noise(labels).std() > 0
    assert start()[1]._embedding_noise(labels) is None
    generator._network = training.average()
    a, b = (next(generator.sample(np.zeros(2, np.int64), np.arange(2), 2)) for _ in range(2))
    assert np.array_equal(a, b)


def test_with_utlo_the_low_resolution_image_knows_no_class_and_is_trained():
    config = SMALL.model_copy(update={"resolution": 16, "low_resolution": 8})
    torch.manual_seed(0)
    generator = StyleGAN2(config)
    training = generator.start(np.zeros((3, 16, 16), np.uint8), 3, 100)
    network = training.generator
    network.mapping.blend.fill_(1.0)
    z, noise = torch.randn(2, 8), network.synthesis.random_noise(2, torch.device("cpu"))
    with torch.no_grad():
        one, two = (network.synthesis(network.styles(z, torch.full((2,), k)), noise) for k in (0, 1))
    assert [image.shape[-1] for image in one] == [4, 8, 16]
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert not torch.equal(one[2], two[2])
    before = training.discriminator.low.weight.clone()
    torch.manual_seed(1)
    training.step(torch.randn(8, 1, 16, 16), torch.arange(8) % 3, 1)
    assert not torch.equal(training.discriminator.low.weight, before)
    assert training.discriminator.judge_low(torch.randn(8, 1, 8, 8)).shape == (8,)


@pytest.mark.parametrize("low", [3, 2, 12, 8])
def test_a_low_resolution_that_does_not_fit_is_refused(low):
    with pytest.raises(ValueError, match="low_resolution"):
        StyleGAN2Config(resolution=8, low_resolution=low)


def test_r2_is_taken_at_fakes():
    _, training = start(SMALL.model_copy(update={"augment": "none", "loss": "rpgan"}))
    images, labels = batch()
    weights = []
    for fakes in (None, torch.randn(8, 1, 8, 8)):
        _, training = start(SMALL.model_copy(update={"augment": "none", "loss": "rpgan"}))
        training._regularise_discriminator(images, labels, fakes)
        weights.append(training.discriminator.from_image.weight.detach().clone())
    assert not torch.equal(*weights)
