"""The contract of a classifier: the same tests for every one. And what is ResNet18's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from gmaug_core.config import CLASSIFIERS, ResNetConfig
from gmaug_core.data.views import View
from gmaug_core.errors import Diverged, InputError, Stopped
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers.resnet import ResNet18
from gmaug_core.models.classifiers.training import lr_factor
from gmaug_core.models.classifiers.transforms import distort

pytestmark = pytest.mark.slow

TINY = ResNetConfig(
    width=8, stem="small", blocks=(1, 1), steps=40, batch=32, lr=0.05, augment="affine", checkpoint_steps=10
)
CONFIGS = {"resnet18": TINY}  # one that trains in a second, for each classifier
every = pytest.mark.parametrize("config", CONFIGS.values(), ids=list(CONFIGS))
CPU = torch.device("cpu")


def test_every_classifier_is_under_contract():
    assert {config.name for config in CONFIGS.values()} == set(CLASSIFIERS)


def test_a_classifier_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="unknown classifier 'tree'"):
        classifiers.build(TINY.model_copy(update={"name": "tree"}), 1, 3)


@pytest.fixture(scope="module")
def bars() -> tuple[np.ndarray, np.ndarray]:
    """Three classes that a small network can tell apart: a bright horizontal, vertical or diagonal bar in
    noise.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 240)
    images = rng.integers(0, 60, (240, 16, 16)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(5, 11)
        if label == 0:
            image[place] = 255
        elif label == 1:
            image[:, place] = 255
        else:
            np.fill_diagonal(image, 255)
    return images, labels


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
def test_learns_and_survives_saving(config, bars, tmp_path):
    images, labels = bars
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
def test_colour_images_pass_through_saving(config, bars, tmp_path):
    images, labels = bars
    colour = np.stack([images, images // 2, 255 - images], axis=3)
    trained = classifiers.train(colour, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    trained.save(tmp_path / "c.safetensors")
    again = classifiers.load(tmp_path / "c.safetensors", 3, config, CPU)
    np.testing.assert_array_equal(again.predict_logits(colour), trained.predict_logits(colour))


@every
def test_no_images_give_no_rows(config, bars):
    images, labels = bars
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
def test_a_judge_gives_the_same_logits_and_lets_gradients_through(config, bars):
    images, labels = bars
    trained = classifiers.train(images, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    signed = (torch.from_numpy(images[:7]).float()[:, None] / 127.5 - 1).requires_grad_()
    logits = trained.judge()(signed)
    np.testing.assert_allclose(logits.detach().numpy(), trained.predict_logits(images[:7]), atol=1e-4)
    logits[:, 0].sum().backward()
    assert signed.grad is not None
    assert signed.grad.abs().sum((1, 2, 3)).min() > 0


@every
def test_logits_keep_the_order_at_any_batch_size(config, bars):
    images, labels = bars
    trained = classifiers.train(images, labels, 3, config.model_copy(update={"steps": 3}), seed=0)
    order = np.random.default_rng(1).permutation(len(images))
    whole = trained.predict_logits(images)
    np.testing.assert_allclose(trained.predict_logits(images[order], batch=7), whole[order], atol=1e-4)


@every
def test_resume_equals_the_uninterrupted_run(config, bars, tmp_path):
    images, labels = bars
    weights = np.linspace(1, 3, len(images))
    whole = classifiers.train(images, labels, 3, config, seed=5, draw_weights=weights).predict_logits(images)
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
                draw_weights=weights,
                checkpoint=path,
                should_stop=lambda: next(calls) >= stop_at,  # noqa: B023
            )
        resumed = classifiers.train(images, labels, 3, config, seed=5, draw_weights=weights, checkpoint=path)
        np.testing.assert_array_equal(resumed.predict_logits(images), whole)
        assert not path.exists()


@every
def test_a_loss_that_is_not_finite_is_named(config, bars):
    with pytest.raises(Diverged, match="not finite at step"):
        classifiers.train(*bars, 3, config.model_copy(update={"lr": 1e18, "augment": "none"}), seed=0)


@pytest.mark.parametrize("kind", ["none", "affine", "crop", "crop_flip"])
def test_distortion_keeps_shape_and_range(kind):
    torch.manual_seed(0)
    x = torch.rand(16, 3, 20, 20)
    y = distort(x, kind)
    assert y.shape == x.shape
    assert y.min() >= 0
    assert y.max() <= 1
    assert torch.equal(x, y) == (kind == "none")


def test_only_crop_flip_mirrors():
    """A ramp from left to right keeps its direction unless the image was mirrored."""
    torch.manual_seed(0)
    ramp = torch.linspace(0, 1, 16).expand(64, 1, 16, 16)
    rising = {
        kind: (distort(ramp, kind)[..., -1] > distort(ramp, kind)[..., 0]).float().mean()
        for kind in ("crop", "affine")
    }
    assert all(share == 1 for share in rising.values())
    flipped = distort(ramp, "crop_flip")
    share = (flipped[..., 8, -1] > flipped[..., 8, 0]).float().mean()
    assert 0.3 < share < 0.7


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
    assert [lr_factor(p, "step") for p in (0, 0.29, 0.3, 0.6, 0.95)] == pytest.approx(
        [1, 1, 0.1, 0.01, 0.001]
    )


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@every
def test_a_view_trains_as_a_copy_does_to_the_last_bit(config, bars, colour, weighted):
    images, labels = bars
    images = np.stack([images, images // 2, 255 - images], axis=3) if colour else images
    config = config.model_copy(update={"steps": 12, "augment": "none" if weighted else "affine"})
    index = np.random.default_rng(0).integers(0, len(images), 90)
    view, copy = View([images[:50], images[50:]], index), images[index]
    weights = np.arange(1.0, 91) if weighted else None
    found = [
        classifiers.train(each, labels[index], 3, config, seed=4, draw_weights=weights)
        for each in (view, copy)
    ]
    np.testing.assert_array_equal(found[0].predict_logits(view), found[1].predict_logits(copy))
    np.testing.assert_array_equal(found[0].features(view), found[0].features(copy))
