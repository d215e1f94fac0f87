from __future__ import annotations

import numpy as np
import pytest
import torch

from gmaug_core.errors import InputError
from gmaug_core.models import quality
from gmaug_core.models.inception import Inception

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(300, 8))


def test_the_same_distribution_scores_near_zero_and_a_shift_does_not():
    same, shifted = RNG.normal(size=(300, 8)), RNG.normal(size=(300, 8)) + 2
    assert quality.frechet_distance(REAL, same) < 0.5 < quality.frechet_distance(REAL, shifted)
    assert abs(quality.kernel_distance(REAL, same)) < 0.5 < quality.kernel_distance(REAL, shifted)


def test_frechet_distance_of_known_gaussians():
    """Two Gaussians with equal covariance differ by the squared distance of their means."""
    assert quality.frechet_distance(REAL, REAL + np.arange(8)) == pytest.approx(
        (np.arange(8) ** 2).sum(), rel=1e-6
    )
    assert quality.frechet_distance(REAL, REAL) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_agrees_with_a_matrix_root():
    from scipy.linalg import sqrtm

    x, y = REAL, RNG.normal(size=(200, 8)) @ RNG.normal(size=(8, 8)) + 0.5
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s1 + s2 - 2 * np.real(sqrtm(s1 @ s2)))
    assert quality.frechet_distance(x, y) == pytest.approx(expected)
    assert quality.frechet_distance(x[:5], y[:5]) > 0, "fewer images than features"


def test_figures_agree_with_torchmetrics_formulas_on_kid():
    """The unbiased estimator by two loops."""
    x, y = REAL[:20], RNG.normal(size=(25, 8)) + 0.3

    def kernel(a, b):
        return (a @ b / 8 + 1) ** 3

    xx = np.mean([kernel(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([kernel(a, b) for a in x for b in y])
    assert quality.kernel_distance(x, y) == pytest.approx(xx + yy - 2 * xy)


def test_precision_and_recall_tell_fidelity_from_coverage():
    precision, recall = quality.precision_recall(REAL, REAL[:30] + 1e-9)
    assert precision == 1
    assert recall < 0.9
    precision, _ = quality.precision_recall(REAL, REAL + 50)
    assert precision == 0


def test_copies_are_memorised_and_fresh_draws_are_not():
    assert quality.memorised_share(REAL, REAL[:50]) == 1
    assert quality.memorised_share(REAL, RNG.normal(size=(200, 8))) < 0.1


def test_auc_is_half_for_the_same_and_one_for_different():
    same, n = quality.real_vs_synthetic_auc(REAL, RNG.normal(size=(300, 8)))
    assert n == 300
    assert 0.35 < same < 0.65
    assert quality.real_vs_synthetic_auc(REAL, REAL + 5)[0] > 0.99


def test_figures_say_n_and_leave_out_what_is_too_small():
    assert set(quality.metrics(REAL, REAL[:1])) == {"n_real", "n_synthetic"}
    found = quality.metrics(REAL, REAL + 0.1, limit=100)
    assert found["n_real"] == found["n_synthetic"] == 100
    assert {
        "fd",
        "kid",
        "precision",
        "recall",
        "real_vs_synthetic_auc",
    } <= set(found)


def test_nearest_real():
    index, distance = quality.nearest_real(REAL, REAL[[5, 9]] + 1e-6)
    assert index.tolist() == [5, 9]
    assert distance.max() < 1e-4


# --- figures of a generator's samples at a snapshot ---

LABELS = np.repeat([0, 1, 2], [60, 20, 4])
IMAGES = np.clip(RNG.normal(60 + 60 * LABELS[:, None, None], 25, (84, 6, 6)), 0, 255).astype(np.uint8)


def embed(images):
    """Features: the pixels; logits: minus the distance of the mean grey to each class's."""
    flat = images.reshape(len(images), -1) / 255.0
    return flat, -np.abs(flat.mean(1)[:, None] * 255 - np.array([60, 120, 180]))


def test_an_assessment_tells_good_samples_from_copies_and_from_noise():
    assess = quality.Assessment(embed, IMAGES, LABELS, 3)
    labels = np.repeat([0, 1, 2], 10)
    good = np.clip(RNG.normal(60 + 60 * labels[:, None, None], 25, (30, 6, 6)), 0, 255).astype(np.uint8)
    noise = RNG.integers(0, 256, (30, 6, 6), dtype=np.uint8)
    one = np.repeat(good[:1], 30, axis=0)
    fair, wild, alike = assess(good, labels), assess(noise, labels), assess(one, labels)
    assert fair["n_real"] == 10 + 10 + 4, "as many of a class as were drawn of it, where there are"
    assert fair["kid"] < wild["kid"]
    assert fair["fd"] < wild["fd"]
    assert fair["precision"] > wild["precision"]
    assert fair["consistency"] > 0.9 > 0.5 > wild["consistency"]
    assert alike["consistency"] == pytest.approx(1 / 3)
    assert alike["consistency_tail"] == 0, "the tail is class 2"
    assert fair["diversity"][0] == pytest.approx(1, abs=0.2)
    assert alike["diversity"] == [0, 0, 0]
    assert assess(IMAGES, LABELS)["memorised_share"] == 1 > 0.2 > fair["memorised_share"]
    assert assess(good[:1], labels[:1])["diversity"] == [None] * 3
    assert "kid" not in assess(good[:1], labels[:1])


class Pooled(torch.nn.Module):
    """Mean and deviation of each colour of images 0..255."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.float()
        return torch.cat([x.mean((2, 3)), x.std((2, 3))], 1)


def test_a_persons_torchscript_gives_fid_and_says_which_file(tmp_path):
    path = tmp_path / "weights.pt"
    torch.jit.script(Pooled()).save(str(path))
    inception = Inception(path)
    assert inception.kind == "torchscript"
    assert len(inception.sha256) == 64
    found = inception.fid(IMAGES[:60], IMAGES[:60])
    assert found["fid"] == pytest.approx(0, abs=1e-3)
    assert (found["fid_n_real"], found["fid_n_synthetic"]) == (
        60,
        60,
    )
    assert found["fid_weights_sha256"] == inception.sha256
    assert inception.fid(IMAGES[:60], IMAGES[60:])["fid"] > 100
    features = inception(IMAGES[:3])
    assert features.shape == (3, 6)
    assert features[0, 0] == pytest.approx(IMAGES[0].mean(), rel=1e-5)


@pytest.mark.slow
def test_a_torchvision_state_dict_is_an_inception(tmp_path):
    from torchvision.models import inception_v3

    path = tmp_path / "inception.pth"
    torch.save(
        inception_v3(weights=None, init_weights=False, aux_logits=False, num_classes=5).state_dict(), path
    )
    inception = Inception(path)
    assert inception.kind == "torchvision"
    assert inception(IMAGES[:2]).shape == (2, 2048)


class Flat(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.float().mean()


@pytest.mark.parametrize("kind", ["missing", "text", "other", "shape"])
def test_a_file_that_does_not_fit_is_refused_in_words(tmp_path, kind):
    path = tmp_path / "weights.pt"
    if kind == "text":
        path.write_text("no weights")
    elif kind == "other":
        torch.save({"fc.bias": torch.zeros(4)}, path)
    elif kind == "shape":
        torch.jit.script(Flat()).save(str(path))
    with pytest.raises(InputError, match=r"weights\.pt") as caught:
        Inception(path)
    assert str(tmp_path) not in str(caught.value)
    assert "inception_v3" in caught.value.expected
