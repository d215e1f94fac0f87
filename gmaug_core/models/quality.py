"""How good synthetic images are, in the features of the frozen baseline classifier; every figure comes with
its n.

These are domain figures: not comparable with Inception's, and never a ranking of generators by themselves
(rank by gain). True FID is in inception.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core.data.views import Images
from gmaug_core.models.diversity import class_spread, relative_spread

Features = NDArray[np.floating]  # [n, d]
Embed = Callable[[Images], tuple[Features, NDArray[np.floating]]]  # images -> features, logits [n, classes]
MOST_REAL = 5000  # real images that an assessment remembers


def frechet_distance(real: Features, synthetic: Features) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of two Gaussians (Heusel 2017). Features [n, d]; biased
    upward at small n.
    """
    r1, r2 = _root(real), _root(synthetic)
    # tr (S1 S2)^(1/2) with S = R^T R is the sum of the singular values of R1 R2^T: exact where a root of S1
    # S2 would be singular
    overlap = np.linalg.svd(r1 @ r2.T, compute_uv=False).sum()
    shift = np.asarray(real, np.float64).mean(0) - np.asarray(synthetic, np.float64).mean(0)
    return float(max(0.0, (shift**2).sum() + (r1**2).sum() + (r2**2).sum() - 2 * overlap))


def _root(features: Features) -> NDArray[np.float64]:
    """R [min(n, d), d] with R^T R the covariance matrix."""
    x = np.asarray(features, np.float64)
    return np.asarray(np.linalg.qr((x - x.mean(0)) / np.sqrt(len(x) - 1), mode="r"))


def kernel_distance(real: Features, synthetic: Features) -> float:
    """Unbiased squared MMD with the kernel (x.y / d + 1)^3 (KID, Binkowski 2018). Right where n is small; may
    be below 0.
    """
    x, y = np.asarray(real, np.float64), np.asarray(synthetic, np.float64)
    n, m, d = len(x), len(y), x.shape[1]
    if min(n, m) < 2:
        raise ValueError("two images of each kind are needed")
    xx, yy, xy = (x @ x.T / d + 1) ** 3, (y @ y.T / d + 1) ** 3, (x @ y.T / d + 1) ** 3
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


def precision_recall(real: Features, synthetic: Features, k: int = 3) -> tuple[float, float]:
    """Share of synthetic images inside the real manifold and the reverse (Kynkaanniemi 2019),
    k-nearest-neighbour balls.
    """
    if min(len(real), len(synthetic)) <= k:
        raise ValueError(f"more than {k} images of each kind are needed")

    def radii(x: Features) -> NDArray[np.float64]:
        return np.sort(_distances(x, x), axis=1)[:, k]  # column 0 is the image itself

    between = _distances(synthetic, real)
    precision = float((between <= radii(real)[None, :]).any(axis=1).mean())
    recall = float((between.T <= radii(synthetic)[None, :]).any(axis=1).mean())
    return precision, recall


def nearest_real(real: Features, synthetic: Features) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each synthetic image the index of, and the distance to, its nearest real image."""
    between = _distances(synthetic, real)
    index = between.argmin(axis=1)
    return index, between[np.arange(len(index)), index]


def memorised_limit(real: Features) -> float:
    """The distance that 99 % of real images keep from their own nearest neighbour."""
    own = _distances(real, real)
    np.fill_diagonal(own, np.inf)
    return float(np.quantile(own.min(axis=1), 0.01))


def memorised_share(real: Features, synthetic: Features, limit: float | None = None) -> float:
    """Share of synthetic images nearer to a real one than 99 % of real images are to their own nearest
    neighbour.
    """
    limit = memorised_limit(real) if limit is None else limit
    return float((nearest_real(real, synthetic)[1] < limit).mean())


def real_vs_synthetic_auc(real: Features, synthetic: Features, seed: int = 0) -> tuple[float, int]:
    """How well a logistic regression tells real from synthetic, cross-validated in 5 folds: (AUC, images of
    each kind).

    0.5: not at all. Near 1: a classifier could use the difference instead of the class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n = min(len(real), len(synthetic), 2000)
    if n < 10:
        raise ValueError("10 images of each kind are needed")
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.permutation(real)[:n], rng.permutation(synthetic)[:n]])
    y = np.repeat([0, 1], n)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(roc_auc_score(y, cross_val_predict(model, x, y, cv=folds, method="decision_function"))), n


def _distances(x: Features, y: Features) -> NDArray[np.float64]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return np.sqrt(np.maximum(squares, 0))


def metrics(real: Features, synthetic: Features, seed: int = 0, limit: int = 5000) -> dict[str, float | int]:
    """All of the above that the sample sizes allow, with n_real and n_synthetic. At most `limit` images of
    each are used.
    """
    rng = np.random.default_rng(seed)
    real = real[np.sort(rng.permutation(len(real))[:limit])]
    synthetic = synthetic[np.sort(rng.permutation(len(synthetic))[:limit])]
    found: dict[str, float | int] = {"n_real": len(real), "n_synthetic": len(synthetic)}
    if min(len(real), len(synthetic)) >= 2:
        found |= {"fd": frechet_distance(real, synthetic), "kid": kernel_distance(real, synthetic)}
        found["memorised_share"] = memorised_share(real, synthetic)
    if min(len(real), len(synthetic)) > 3:
        found["precision"], found["recall"] = precision_recall(real, synthetic)
    if min(len(real), len(synthetic)) >= 10:
        found["real_vs_synthetic_auc"], found["auc_n"] = real_vs_synthetic_auc(real, synthetic, seed)
    return found


class Assessment:
    """Figures of a generator's samples against real images, in one frozen network's features. Call it at each
    snapshot.

    FD, KID, precision and recall compare with at most as many real images of a class as were drawn of it, so
    that drawing all classes alike does not count as an error; memorisation looks at all of them (MOST_REAL at
    most, evenly spaced).
    """

    def __init__(self, embed: Embed, images: Images, labels: NDArray[np.int64], n_classes: int) -> None:
        """embed: features and logits of uint8 images; images, labels: the real training images."""
        kept = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), MOST_REAL)).round().astype(int))
        self.embed, self.n_classes = embed, n_classes
        self.counts = np.bincount(labels, minlength=n_classes)
        self.labels, self.features = labels[kept], embed(images[kept])[0]
        self.limit = memorised_limit(self.features) if len(kept) > 1 else 0.0
        self.spread = class_spread(self.features, self.labels, n_classes)

    def __call__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Any]:
        """n_real, fd, kid, precision, recall as far as n allows; memorised_share; consistency: the share of
        images that the network puts in their class, consistency_tail in the third of these classes with the
        fewest real images; diversity [n_classes]: mean pairwise distance within a class over that of real
        images, None where unknown.
        """
        features, logits = self.embed(images)
        drawn = np.bincount(labels, minlength=self.n_classes)
        place = np.empty(len(self.labels), int)
        for label in np.unique(self.labels):
            mine = self.labels == label
            place[mine] = np.arange(mine.sum())
        real = self.features[place < drawn[self.labels]]
        found: dict[str, Any] = {
            "n_real": len(real),
            "memorised_share": memorised_share(self.features, features, self.limit),
        }
        if min(len(real), len(features)) >= 2:
            found |= {"fd": frechet_distance(real, features), "kid": kernel_distance(real, features)}
        if min(len(real), len(features)) > 3:
            found["precision"], found["recall"] = precision_recall(real, features)
        right, classes = logits.argmax(axis=1) == labels, np.unique(labels)
        tail = classes[np.argsort(self.counts[classes], kind="stable")[: max(1, len(classes) // 3)]]
        found |= {
            "consistency": float(right.mean()),
            "consistency_tail": float(right[np.isin(labels, tail)].mean()),
        }
        ratio = relative_spread(class_spread(features, labels, self.n_classes), self.spread)
        return found | {"diversity": [float(value) if np.isfinite(value) else None for value in ratio]}
