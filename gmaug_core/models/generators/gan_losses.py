"""Losses and regularisers of the GAN, each with its formula. Logits are [b]; softplus(x) = ln(1 + e^x)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def transition(kimg: float, budget: float, start: float, end: float) -> float:
    """lambda: 0 before `start` of the budget, 1 after `end`, linear between (Shahbazi 2022, equation 1)."""
    return min(max((kimg - start * budget) / ((end - start) * budget), 0.0), 1.0)


def discriminator_loss(real: Tensor, fake: Tensor, kind: str = "nonsaturating") -> Tensor:
    """nonsaturating: E softplus(D(fake)) + softplus(-D(real)) (Goodfellow 2014).

    rpgan: E softplus(-(D(real) - D(fake))): each fake is held against a real image (Jolicoeur-Martineau 2018;
    R3GAN, Huang 2024, arXiv 2501.05441, which adds the penalties R1 and R2).
    """
    return (
        F.softplus(fake - real).mean() if kind == "rpgan" else (F.softplus(fake) + F.softplus(-real)).mean()
    )


def generator_loss(fake: Tensor, real: Tensor | None = None, kind: str = "nonsaturating") -> Tensor:
    """nonsaturating: E softplus(-D(fake)). rpgan: E softplus(-(D(fake) - D(real))), with the same pairs;
    needs `real`.
    """
    if kind == "rpgan":
        assert real is not None
        return F.softplus(real - fake).mean()
    return F.softplus(-fake).mean()


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """E |grad D(x)|^2 (Mescheder 2018): R1 at real images, R2 at fake ones; weighed by gamma / 2. images [b,
    ...] need a gradient.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()


def minibatch_deviation(x: Tensor) -> Tensor:
    """One more feature map [b, 1, h, w]: how much images vary within groups of up to 4. Shows the
    discriminator a collapse.
    """
    b, _, h, w = x.shape
    group = next(size for size in (4, 3, 2, 1) if b % size == 0)
    grouped = x.reshape(group, b // group, -1)
    deviation = (
        ((grouped - grouped.mean(0)).square().mean(0) + 1e-8).sqrt().mean(1)
    )  # var() over this axis is much slower
    return deviation.repeat(group)[:, None, None, None].expand(b, 1, h, w)


def embedding_noise(counts: NDArray[np.integer], sigma: float, alpha: float) -> Tensor:
    """NoisyTwins' noise on a class embedding [n_classes]: sigma_c = sigma (1 - alpha) / (1 - alpha^n_c), that
    is sigma over the effective number of samples: the rarer the class, the more (Rangwani 2023, arXiv
    2304.05866). No image counts as one.
    """
    n = np.maximum(np.asarray(counts, np.float64), 1)
    return torch.from_numpy(sigma * (1 - alpha) / (1 - alpha**n)).float()


def twins_loss(one: Tensor, other: Tensor, gamma: float) -> Tensor:
    """Barlow Twins in w: sum_j (1 - C_jj)^2 + gamma sum_(j != k) C_jk^2, C the correlation of two [b, d] over
    the batch.

    one, other: styles of the same z with two draws of embedding noise. Equal twins keep the class consistent;
    uncorrelated components keep the styles of a class from collapsing (Zbontar 2021; NoisyTwins, Rangwani
    2023).
    """
    one, other = ((w - w.mean(0)) / (w.std(0, correction=0) + 1e-6) for w in (one.float(), other.float()))
    correlation = one.T @ other / len(one)
    diagonal = correlation.diagonal()
    return (1 - diagonal).square().sum() + gamma * (correlation.square().sum() - diagonal.square().sum())
