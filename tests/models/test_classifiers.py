"""The contract of a classifier: the same tests for every one. And what is ResNet18's own."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from gmaug_core.config import CLASSIFIERS, MAEViTConfig, ResNetConfig
from gmaug_core.data.treatment import Treatment
from gmaug_core.data.views import View
from gmaug_core.errors import Diverged, InputError, Stopped
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers.loss import Loss, forward, moved
from gmaug_core.models.classifiers.resnet import ResNet18
from gmaug_core.models.classifiers.strong import STRONG, Targets, of_its_class
from gmaug_core.models.classifiers.training import _Training, lr_factor
from gmaug_core.models.classifiers.transforms import channel_statistics, distort
from gmaug_core.seeds import derive

pytestmark = pytest.mark.slow

TINY = ResNetConfig(
    width=8, stem="small", blocks=(1, 1), steps=40, batch=32, lr=0.05, augment="affine", checkpoint_steps=10
)
TINY_VIT = MAEViTConfig(
    width=32,
    depth=2,
    heads=2,
    image_size=16,
    patch=8,
    pretraining=0,
    drop_path=0.1,
    layer_decay=0.9,
    warmup=0.1,
    rand_augment=False,
    erase=0,
    mixup=0,
    cutmix=0,
    smoothing=0,
    steps=70,
    batch=32,
    lr=0.04,
    augment="none",
    checkpoint_steps=10,
)
CONFIGS = {"resnet18": TINY, "mae_vit": TINY_VIT}  # one that trains in a second, for each classifier
every = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
CPU = torch.device("cpu")


def test_every_classifier_is_under_contract():
    assert {config.name for config in CONFIGS.values()} == set(CLASSIFIERS)


def test_a_classifier_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="unknown classifier 'tree'"):
        classifiers.build(TINY.model_copy(update={"name": "tree"}), 1, 3)


def test_parameters_are_torchvisions_name_by_name():
    ours = ResNet18(3, 10, ResNetConfig())
    theirs = resnet18(num_classes=10)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


@every
def test_learns_and_survives_saving(config, bar_images, tmp_path):
    images, labels = bar_images
    trained = classifiers.train(images[:160], labels[:160], 3, config, seed=0)
    found = trained.evaluate(images[160:], labels[160:])
    assert found.accuracy > 0.9
    assert found.n.sum() == 80
    assert found.correct.mean() == found.accuracy
    assert found.balanced_accuracy == pytest.approx(found.recall.mean())
    trained.save(tmp_path / "c.safetensors")
    again = classifiers.load(tmp_path / "c.safetensors", 3, config, CPU)
    np.testing.assert_array_equal(again.predict_logits(images), trained.predict_logits(images))
    assert trained.features(images).ndim == 2
    assert len(trained.features(images)) == 240
    np.testing.assert_array_equal(again.features(images), trained.features(images))


@every
def test_colour_images_pass_through_saving(config, bar_images, tmp_path):
    images, labels = bar_images
    colour = np.stack([images, images // 2, 255 - images], axis=3)
    trained = classifiers.train(colour, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    trained.save(tmp_path / "c.safetensors")
    again = classifiers.load(tmp_path / "c.safetensors", 3, config, CPU)
    np.testing.assert_array_equal(again.predict_logits(colour), trained.predict_logits(colour))


@every
def test_no_images_give_no_rows(config, bar_images):
    images, labels = bar_images
    trained = classifiers.train(images, labels, 3, config.model_copy(update={"steps": 1}), seed=0)
    assert trained.predict_logits(images[:0]).shape == (0, 3)


@every
def test_a_description_counts_the_parameters(config):
    found = classifiers.description(config, 3, 5)
    network = classifiers.build(config, 3, 5)
    assert found["parameters"] == sum(p.numel() for p in network.parameters()) > 0
    assert found["name"] == config.name
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 5)


@every
def test_a_judge_gives_the_same_logits_and_lets_gradients_through(config, bar_images):
    images, labels = bar_images
    trained = classifiers.train(images, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    signed = (torch.from_numpy(images[:7]).float()[:, None] / 127.5 - 1).requires_grad_()
    logits = trained.judge()(signed)
    np.testing.assert_allclose(logits.detach().numpy(), trained.predict_logits(images[:7]), atol=1e-4)
    logits[:, 0].sum().backward()
    assert signed.grad is not None
    assert signed.grad.abs().sum((1, 2, 3)).min() > 0


@every
def test_logits_keep_the_order_at_any_batch_size(config, bar_images):
    images, labels = bar_images
    trained = classifiers.train(images, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    order = np.random.default_rng(1).permutation(len(images))
    whole = trained.predict_logits(images)
    np.testing.assert_allclose(trained.predict_logits(images[order], batch=7), whole[order], atol=1e-4)


@every
def test_the_weights_that_are_kept_are_an_average(config, bar_images):
    """Of every step's weights and statistics; a new one's share falls to 1 / (averaging x steps)."""
    images, labels = bar_images
    config = config.model_copy(update={"averaging": 0.1})
    network = classifiers.build(config, 1, 3)
    training = _Training(network, config, 300, None, Loss(None, None, CPU))
    x = torch.from_numpy(images[:16]).float()[:, None] / 255
    expected = {name: value.double() for name, value in network.state_dict().items()}
    for step in range(1, 36):
        training.step(x, Targets(torch.from_numpy(labels[:16])))
        share = max(1 / 30, 9 / (9 + step))
        for name, value in network.state_dict().items():
            expected[name] = (1 - share) * expected[name] + share * value.double()
    for name, value in training.average.state_dict().items():
        if value.is_floating_point():
            np.testing.assert_allclose(value.numpy(), expected[name].numpy(), rtol=1e-3, atol=1e-5)
            assert not torch.equal(value, network.state_dict()[name])
    kept = classifiers.train(images, labels, 3, config, seed=0)
    assert kept.evaluate(images, labels).accuracy > 0.9


@pytest.mark.parametrize("averaging", [0.0, 0.5])
def test_being_looked_at_changes_nothing_and_one_resumed_is_looked_at_again(bar_images, tmp_path, averaging):
    images, labels = bar_images
    config = TINY.model_copy(update={"averaging": averaging, "steps": 12, "checkpoint_steps": 6})
    unseen = classifiers.train(images, labels, 3, config, seed=1).predict_logits(images)
    seen = {}

    def look(step, kept):
        seen.setdefault(step, []).append(kept.predict_logits(images))
        if step == 6 and len(seen[6]) == 1:
            raise KeyboardInterrupt  # after the checkpoint of step 6

    settings = {"seed": 1, "watch": classifiers.Watch((6, 12), look), "checkpoint": tmp_path / "c.training"}
    with pytest.raises(KeyboardInterrupt):
        classifiers.train(images, labels, 3, config, **settings)
    found = classifiers.train(images, labels, 3, config, **settings).predict_logits(images)
    np.testing.assert_array_equal(found, unseen)
    np.testing.assert_array_equal(*seen[6])
    np.testing.assert_array_equal(seen[12][0], unseen)


@every
def test_resume_equals_the_uninterrupted_run(config, bar_images, tmp_path):
    images, labels = bar_images
    config = config.model_copy(update={"averaging": 0.5})
    weights = np.linspace(1, 3, len(images))
    whole = classifiers.train(
        images, labels, 3, config, seed=5, treatment=Treatment(draw_weights=weights)
    ).predict_logits(images)
    for stop_at in (1, 17, 39):
        calls = iter(range(1000))
        path = tmp_path / f"{stop_at}.training"
        with pytest.raises(Stopped):
            classifiers.train(
                images,
                labels,
                3,
                config,
                seed=5,
                treatment=Treatment(draw_weights=weights),
                checkpoint=path,
                should_stop=lambda: next(calls) >= stop_at,  # noqa: B023
            )
        resumed = classifiers.train(
            images, labels, 3, config, seed=5, treatment=Treatment(draw_weights=weights), checkpoint=path
        )
        np.testing.assert_array_equal(resumed.predict_logits(images), whole)
        assert not path.exists()


@every
def test_bfloat16_learns_the_same_and_leaves_float32_weights(config, bar_images):
    images, labels = bar_images
    config = config.model_copy(update={"augment": "none"})
    full, half = (
        classifiers.train(
            images[:160], labels[:160], 3, config.model_copy(update={"precision": precision}), seed=0
        )
        for precision in ("float32", "bfloat16")
    )
    assert half.evaluate(images[160:], labels[160:]).accuracy > 0.9
    assert {value.dtype for value in half.network.parameters()} == {torch.float32}
    assert not np.array_equal(full.predict_logits(images), half.predict_logits(images))
    agree = full.predict_logits(images).argmax(1) == half.predict_logits(images).argmax(1)
    assert agree.mean() > 0.9


@every
def test_a_loss_that_explodes_is_named(config, bar_images):
    with pytest.raises(Diverged, match=r"diverged at step .*(not a finite|rose to)"):
        classifiers.train(*bar_images, 3, config.model_copy(update={"lr": 1e18, "augment": "none"}), seed=0)


@pytest.fixture(scope="module")
def rare() -> tuple[np.ndarray, np.ndarray]:
    """Two classes that overlap, 20 to 1: noise around one grey level or another."""
    rng = np.random.default_rng(1)
    labels = (np.arange(420) >= 400).astype(np.int64)
    level = rng.normal(110 + 30 * labels, 15)
    noise = rng.normal(0, 20, (420, 8, 8))
    return np.clip(level[:, None, None] + noise, 0, 255).astype(np.uint8), labels


def _balanced(trained, rng=7):
    """Balanced accuracy on new images of the same two classes."""
    rng = np.random.default_rng(rng)
    labels = np.repeat([0, 1], 300)
    level = rng.normal(110 + 30 * labels, 15)
    images = np.clip(level[:, None, None] + rng.normal(0, 20, (600, 8, 8)), 0, 255).astype(np.uint8)
    return trained.evaluate(images, labels).balanced_accuracy


LEVELS = {"steps": 60, "batch": 64, "augment": "none"}


@every
def test_logit_offsets_in_the_loss_or_after_it_raise_the_balanced_accuracy(config, rare):
    images, labels = rare
    config = config.model_copy(update=LEVELS)
    prior = np.log(np.bincount(labels) / len(labels))
    plain = classifiers.train(images, labels, 2, config, seed=0)
    adjusted = classifiers.train(images, labels, 2, config, seed=0, treatment=Treatment(logit_offsets=prior))
    assert _balanced(adjusted) > _balanced(plain) + 0.1
    after = plain.with_offsets(-prior)
    assert _balanced(after) > _balanced(plain) + 0.1
    np.testing.assert_allclose(
        after.predict_logits(images), plain.predict_logits(images) - prior.astype(np.float32), atol=1e-5
    )
    np.testing.assert_array_equal(after.features(images), plain.features(images))


@every
def test_the_loss_is_the_formula(config, bar_images):
    """One step from the same weights, class weights and offsets: the loss that is reported, by hand."""
    images, labels = bar_images
    config = config.model_copy(update={"augment": "none", "batch": 240})
    offsets, weights = np.array([0.5, -1.0, 2.0]), np.array([0.5, 1.0, 1.5])
    said = []
    classifiers.train(
        images,
        labels,
        3,
        config,
        seed=3,
        steps=1,
        treatment=Treatment(logit_offsets=offsets, class_weights=weights),
        report=lambda *_, **figures: said.append(figures["loss"]),
    )
    generator = torch.Generator().manual_seed(derive("classifier", 3, 0))
    drawn = torch.randint(240, (240,), generator=generator).numpy()
    torch.manual_seed(derive("classifier", 3))
    network = classifiers.build(config, 1, 3)
    x = ((images[drawn][:, None] - images.mean()) / images.std()).astype(np.float32)
    logits = network(torch.from_numpy(x)).detach().double().numpy() + offsets
    likely = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    each = weights[labels[drawn]]
    assert said == [
        pytest.approx(-(each * likely[np.arange(240), labels[drawn]]).sum() / each.sum(), rel=1e-4)
    ]


@every
def test_a_body_keeps_everything_but_the_last_layer(config, rare):
    images, labels = rare
    config = config.model_copy(update=LEVELS)
    plain = classifiers.train(images, labels, 2, config, seed=0)
    before = {name: value.clone() for name, value in plain.network.state_dict().items()}
    weights = 1 / np.bincount(labels)[labels]
    again = classifiers.train(
        images,
        labels,
        2,
        config,
        seed=1,
        treatment=Treatment(draw_weights=weights),
        body=plain,
        normalise_on=images[:9],
    )
    last = {id(value) for value in again.network.last.state_dict(keep_vars=True).values()}
    for name, value in again.network.state_dict(keep_vars=True).items():
        assert torch.equal(value, before[name]) == (id(value) not in last), name
    assert all(torch.equal(value, before[name]) for name, value in plain.network.state_dict().items())
    np.testing.assert_array_equal(again.features(images), plain.features(images))
    assert _balanced(again) > _balanced(plain) + 0.1


@every
def test_a_body_starts_from_a_fresh_last_layer(config, rare):
    images, labels = rare
    plain = classifiers.train(images, labels, 2, config, seed=0, steps=1)
    slow = config.model_copy(update={"lr": 1e-9})
    again = classifiers.train(images, labels, 2, slow, seed=1, steps=1, body=plain)
    torch.manual_seed(derive("classifier", 1))
    fresh = classifiers.build(config, 1, 2).last.weight
    torch.testing.assert_close(again.network.last.weight, fresh)


@every
def test_a_second_stage_of_the_last_block_goes_on_with_it_and_leaves_the_rest(config, rare):
    images, labels = rare
    body = classifiers.train(images, labels, 2, config, seed=0, steps=4)
    found = classifiers.train(images, labels, 2, config, seed=0, steps=3, body=body, again="block")
    before, after = body.network.state_dict(), found.network.state_dict()
    free = {id(value) for part in (found.network.block, found.network.last) for value in part.parameters()}
    moved = {name for name, value in found.network.named_parameters() if id(value) in free}
    assert moved
    assert {name for name in before if not torch.equal(before[name], after[name])} == moved
    still = config.model_copy(update={"lr": 1e-9})
    same = classifiers.train(images, labels, 2, still, seed=0, steps=1, body=body, again="block")
    np.testing.assert_allclose(same.predict_logits(images), body.predict_logits(images), atol=1e-4)


def test_an_image_with_the_factor_two_counts_as_two_images():
    logits, y = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 1, 0])
    factors = torch.tensor([1.0, 2.0, 0.0, 1.0, 3.0])
    twice = factors.long()
    for weights in (None, np.array([1.0, 2.0, 0.5])):
        loss = Loss(weights, None, CPU)
        expected = loss(logits.repeat_interleave(twice, 0), Targets(y.repeat_interleave(twice)))
        torch.testing.assert_close(loss(logits, Targets(y, weight=factors)), expected)
    partner = torch.tensor([4, 3, 2, 1, 0])
    mixed = Loss(None, None, CPU)(logits, Targets(y, weight=factors).with_other(partner, 0.25))
    own, other = (
        Loss(None, None, CPU)(logits, Targets(y[index], weight=factors[index]))
        for index in (torch.arange(5), partner)
    )
    torch.testing.assert_close(mixed, 0.25 * own + 0.75 * other)


def test_images_apart_leave_no_trace_in_the_statistics_of_batch_normalisation():
    torch.manual_seed(0)
    network = ResNet18(1, 3, TINY).train()
    alone = copy.deepcopy(network)
    x, apart = torch.randn(12, 1, 16, 16), torch.arange(12) % 3 == 0
    x[apart] = 5 * x[apart] + 9
    logits = forward(network, x, apart)
    torch.testing.assert_close(logits[~apart], alone(x[~apart]))
    assert all(torch.equal(a, b) for a, b in zip(network.buffers(), alone.buffers(), strict=True) if a.dim())
    torch.testing.assert_close(logits[apart], alone(x[apart]))
    one = torch.arange(12) == 3
    torch.testing.assert_close(forward(network, x, one), network(x), msg="one image has no statistics")


def test_features_move_towards_those_of_another_image_of_the_class():
    labels = torch.tensor([0, 1, 0, 2, 1, 0, 1, 0])
    partners = torch.stack([of_its_class(labels, torch.Generator().manual_seed(seed)) for seed in range(30)])
    assert (labels[partners] == labels).all()
    itself = partners == torch.arange(8)
    assert itself[:, 3].all(), "the only one of its class"
    assert not itself[:, labels != 2].any()
    assert all(
        len(set(column.tolist())) == (labels == label).sum() - 1
        for column, label in zip(partners.T, labels, strict=True)
        if label != 2
    )
    torch.manual_seed(0)
    network, x, towards = ResNet18(1, 3, TINY).eval(), torch.randn(8, 1, 16, 16), partners[0]
    torch.testing.assert_close(moved(network, x, towards, torch.zeros(8)), network(x))
    torch.testing.assert_close(moved(network, x, towards, torch.ones(8)), network(x)[towards])
    half = moved(network, x, towards, torch.full((8,), -0.5))
    torch.testing.assert_close(half, 1.5 * network(x) - 0.5 * network(x)[towards])


@pytest.mark.parametrize("strong", STRONG)
def test_strong_augmentation_learns_and_resumes(bar_images, tmp_path, strong):
    """It is done to images before any network sees them."""
    images, labels = bar_images
    config = CONFIGS["resnet18"].model_copy(update={"augment": "none"})
    treatment = Treatment(strong=strong)
    whole = classifiers.train(images[:160], labels[:160], 3, config, seed=0, steps=50, treatment=treatment)
    assert whole.evaluate(images[160:], labels[160:]).accuracy > 0.8
    calls = iter(range(1000))
    given = {"seed": 0, "steps": 50, "treatment": treatment, "checkpoint": tmp_path / "c.training"}
    with pytest.raises(Stopped):
        classifiers.train(
            images[:160], labels[:160], 3, config, **given, should_stop=lambda: next(calls) >= 23
        )
    again = classifiers.train(images[:160], labels[:160], 3, config, **given)
    np.testing.assert_array_equal(again.predict_logits(images), whole.predict_logits(images))


@every
def test_steps_are_the_budgets_or_as_given(config, bar_images):
    budget = config.model_copy(update={"steps": None, "epochs": 1.0, "least_steps": 1, "most_steps": 99})
    said = []

    def report(_, step, total, **__):
        said.append((step, total))

    for given, expected in ((None, 8), (3, 3)):  # 240 images in batches of 32
        classifiers.train(
            *bar_images,
            3,
            budget,
            seed=0,
            steps=given,
            report=lambda _, step, total, **__: said.append((step, total)),
        )
        assert said[-1] == (expected, expected)


def test_normalisation_is_the_pixels_mean_and_deviation_whatever_their_number():
    images = np.random.default_rng(0).integers(0, 256, (700, 6, 5, 3)).astype(np.uint8)
    mean, std = channel_statistics(View([images], np.arange(700)))
    np.testing.assert_allclose(mean.flatten(), images.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std.flatten(), images.std((0, 1, 2)), rtol=1e-6)


def test_a_large_set_is_looked_at_in_part(monkeypatch):
    monkeypatch.setattr("gmaug_core.models.classifiers.transforms.MOST_FOR_STATISTICS", 100)
    read = []

    class Counted(View):
        def __getitem__(self, rows):
            read.append(len(super().__getitem__(rows)))
            return super().__getitem__(rows)

    images = np.zeros((199, 4, 4), np.uint8)
    channel_statistics(Counted([images], np.arange(199)))
    assert sum(read) == 100


@pytest.mark.parametrize("kind", ["none", "affine", "crop", "crop_flip", "wide_crop", "wide_crop_flip"])
def test_distortion_keeps_shape_and_range(kind):
    x = torch.rand(16, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    y = distort(x, kind, torch.Generator().manual_seed(1))
    assert y.shape == x.shape
    assert y.min() >= 0
    assert y.max() <= 1
    assert torch.equal(x, y) == (kind == "none")


def test_only_crop_flip_mirrors():
    """A ramp from left to right keeps its direction unless the image was mirrored."""
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0, 1, 16).expand(64, 1, 16, 16)
    for kind in ("crop", "wide_crop", "affine"):
        kept = distort(ramp, kind, generator)
        assert (kept[..., -1] > kept[..., 0]).all()
    flipped = distort(ramp, "crop_flip", generator)
    share = (flipped[..., 8, -1] > flipped[..., 8, 0]).float().mean()
    assert 0.3 < share < 0.7


@pytest.mark.parametrize(("kind", "least"), [("crop", 0.4), ("wide_crop", 0.08)])
def test_crops_keep_the_share_of_the_area_that_they_say(kind, least):
    """Of a ramp in both directions a crop sees as much as its sides are long."""
    ramp = torch.linspace(-1, 1, 64)
    x = torch.stack([ramp.expand(64, 64), ramp.expand(64, 64).T])[None].repeat(2000, 1, 1, 1)
    seen = distort(x, kind, torch.Generator().manual_seed(0))
    area = (seen[:, 0, 0, -1] - seen[:, 0, 0, 0]) * (seen[:, 1, -1, 0] - seen[:, 1, 0, 0]) / 4
    assert least - 0.02 < area.min() < least + 0.04
    assert area.max() > 0.9


def test_class_balanced_weights_are_cuis():
    counts = np.array([100, 10, 1])
    weights = classifiers.class_balanced_weights(counts, 0.9)
    expected = (1 - 0.9) / (1 - 0.9**counts)
    np.testing.assert_allclose(weights, expected * 3 / expected.sum())
    assert weights.sum() == pytest.approx(3)
    assert np.all(np.diff(weights) > 0)
    np.testing.assert_allclose(classifiers.class_balanced_weights(np.array([7, 7])), [1, 1])


def test_schedules():
    assert lr_factor(0, "cosine") == 1
    assert lr_factor(1, "cosine") == pytest.approx(0)
    assert [lr_factor(p, "cosine", 0.2) for p in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert [lr_factor(p, "step", 0.2) for p in (0, 0.1, 0.2, 0.3)] == pytest.approx([0, 0.5, 1, 0.1])
    assert [lr_factor(p, "step") for p in (0, 0.29, 0.3, 0.6, 0.95)] == pytest.approx(
        [1, 1, 0.1, 0.01, 0.001]
    )


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@every
def test_a_view_trains_as_a_copy_does_to_the_last_bit(config, bar_images, colour, weighted):
    images, labels = bar_images
    images = np.stack([images, images // 2, 255 - images], axis=3) if colour else images
    config = config.model_copy(update={"steps": 12, "augment": "none" if weighted else "affine"})
    index = np.random.default_rng(0).integers(0, len(images), 90)
    view, copy = View([images[:50], images[50:]], index), images[index]
    weights = np.arange(1.0, 91) if weighted else None
    found = [
        classifiers.train(each, labels[index], 3, config, seed=4, treatment=Treatment(draw_weights=weights))
        for each in (view, copy)
    ]
    np.testing.assert_array_equal(found[0].predict_logits(view), found[1].predict_logits(copy))
    np.testing.assert_array_equal(found[0].features(view), found[0].features(copy))
