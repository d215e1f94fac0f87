"""The noising process of guided diffusion, the way back, and its noise (Ho 2020, arXiv 2006.11239; learned
variances: Nichol & Dhariwal 2021, arXiv 2102.09672; DDIM: Song 2020, arXiv 2010.02502).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gmaug_core.seeds import derive

Noise = Callable[[], Tensor]  # fresh standard normal [b, c, h, w]
Denoise = Callable[[Tensor, int], tuple[Tensor, Tensor, Tensor | None]]
"""(x_t, k) -> estimate of the clean image in [-1, 1], log variance of the step, and s grad log p(y | x_t) or
None. A judge's feedback is added to that gradient.
"""


def schedule_betas(schedule: str, steps: int) -> NDArray[np.float64]:
    """Variance added at each of `steps` steps [steps]: linear (Ho 2020, from .0001 to .02 at 1000) or cosine
    (Nichol 2021, eq. 17).
    """
    if schedule == "linear":
        return np.linspace(0.1 / steps, min(20 / steps, 0.999), steps)
    time = np.linspace(0, 1, steps + 1)
    kept = np.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2
    return np.minimum(1 - kept[1:] / kept[:-1], 0.999)


def respaced(steps: int, wanted: int) -> NDArray[np.int64]:
    """`wanted` of the steps 0..steps-1, evenly spread, with the first and the last."""
    return np.linspace(0, steps - 1, wanted).round().astype(np.int64)


class Process:
    """The noising process q at some of its steps: x_t = sqrt(abar) x_0 + sqrt(1 - abar) noise.

    k counts the steps used, 0 the least noisy; it is an int, or an int tensor [b] with one step an image.
    `steps` are the steps of the whole process that they stand for, scaled to 0..1000 for the networks.
    """

    def __init__(
        self, betas: NDArray[np.float64], steps: NDArray[np.int64], device: torch.device | str = "cpu"
    ) -> None:
        kept = np.cumprod(1 - betas)[steps]
        before = np.append(1.0, kept[:-1])
        beta = 1 - kept / before
        variance = (
            beta * (1 - before) / (1 - kept)
        )  # of q(x_{t-1} | x_t, x_0); 0 at the first step, where the next one's is used
        tables = {
            "steps": steps * (1000 / len(betas)),
            "kept": kept,
            "before": before,
            "beta": beta,
            "log_beta": np.log(beta),
            "log_variance": np.log(np.append(variance[1:2], variance[1:])),
            "of_clean": beta * np.sqrt(before) / (1 - kept),
            "of_noisy": (1 - before) * np.sqrt(1 - beta) / (1 - kept),
        }
        self.tables = {
            name: torch.from_numpy(np.asarray(table)).float().to(device) for name, table in tables.items()
        }
        self.device = device

    def __len__(self) -> int:
        return len(self.tables["kept"])

    def at(self, name: str, k: Tensor | int) -> Tensor:
        """A table's values [b or 1, 1, 1, 1]."""
        return self.tables[name][k].reshape(-1, 1, 1, 1)

    def times(self, k: Tensor | int, batch: int) -> Tensor:
        """What the networks are told [b]."""
        return self.tables["steps"][k].expand(batch)

    def noised(self, clean: Tensor, k: Tensor | int, noise: Tensor) -> Tensor:
        """A draw from q(x_t | x_0)."""
        kept = self.at("kept", k)
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def clean_from(self, x: Tensor, noise: Tensor, k: Tensor | int) -> Tensor:
        """x_0 from x_t and the noise in it."""
        kept = self.at("kept", k)
        return (x - (1 - kept).sqrt() * noise) / kept.sqrt()

    def noise_from(self, x: Tensor, clean: Tensor, k: Tensor | int) -> Tensor:
        """The noise in x_t when x_0 is `clean`."""
        kept = self.at("kept", k)
        return (x - kept.sqrt() * clean) / (1 - kept).sqrt()

    def posterior_mean(self, clean: Tensor, x: Tensor, k: Tensor | int) -> Tensor:
        """Mean of q(x_{t-1} | x_t, x_0) (Ho 2020, equation 7)."""
        return self.at("of_clean", k) * clean + self.at("of_noisy", k) * x

    def log_variance(self, share: Tensor | None, k: Tensor | int) -> Tensor:
        """Of the reverse step. share: None for the posterior's, the lower bound (the upper one adds noise
        that few steps cannot remove); else the network's output, -1 for the lower bound, 1 for beta, in
        between on a log scale (Nichol 2021, eq. 15).
        """
        low = self.at("log_variance", k)
        return low if share is None else low + (share + 1) / 2 * (self.at("log_beta", k) - low)

    def bound(self, clean: Tensor, x: Tensor, noise: Tensor, share: Tensor, k: Tensor) -> Tensor:
        """Terms of the variational bound [b], bits a value: KL(q(x_{t-1} | x_t, x_0), p(x_{t-1} | x_t)); at
        step 0 -log p(x_0 | x_1) of 8-bit values. noise, share: what the network predicts.
        """
        beta, kept = self.at("beta", k), self.at("kept", k)
        mean = (x - beta / (1 - kept).sqrt() * noise) / (1 - beta).sqrt()
        log_variance, true = self.log_variance(share, k), self.at("log_variance", k)
        distance = (self.posterior_mean(clean, x, k) - mean) ** 2
        divergence = 0.5 * (
            log_variance - true - 1 + (true - log_variance).exp() + distance * (-log_variance).exp()
        )
        surprise = -log_likelihood(clean, mean, (0.5 * log_variance).exp())
        return torch.where(k.reshape(-1, 1, 1, 1) == 0, surprise, divergence).mean((1, 2, 3)) / math.log(2)


def log_likelihood(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """log of the mass that N(mean, std^2) gives to the 8-bit value x in [-1, 1]; the outermost values reach
    to infinity.
    """
    above, below = (
        torch.special.ndtr((x + 1 / 255 - mean) / std),
        torch.special.ndtr((x - 1 / 255 - mean) / std),
    )
    above, below = torch.where(x > 0.999, 1.0, above), torch.where(x < -0.999, 0.0, below)
    return (above - below).clamp_min(1e-12).log()


def sample_ancestral(process: Process, denoise: Denoise, noise: Noise) -> Tensor:
    """x_{t-1} ~ N(mean + Sigma s grad log p, Sigma) (Dhariwal 2021, algorithm 1)."""
    x = noise()
    for k in reversed(range(len(process))):
        clean, log_variance, gradient = denoise(x, k)
        x = process.posterior_mean(clean, x, k) + (0.0 if gradient is None else log_variance.exp() * gradient)
        if k:
            x = x + (0.5 * log_variance).exp() * noise()
    return x


def sample_ddim(process: Process, denoise: Denoise, noise: Noise) -> Tensor:
    """Deterministic, from the noise predicted, less sqrt(1 - abar) s grad log p (Dhariwal 2021, algorithm 2).

    The guided estimate of the clean image is clipped as the unguided one is, and the noise follows from it:
    where next to nothing of the image is left, an unclipped one would be thousands of times too bright.
    """
    x = noise()
    for k in reversed(range(len(process))):
        clean, _, gradient = denoise(x, k)
        predicted = process.noise_from(x, clean, k)
        if gradient is not None:
            predicted = predicted - (1 - process.at("kept", k)).sqrt() * gradient
            clean = process.clean_from(x, predicted, k).clamp(-1, 1)
            predicted = process.noise_from(x, clean, k)
        before = process.at("before", k)
        x = before.sqrt() * clean + (1 - before).sqrt() * predicted
    return x


SAMPLERS = {"ancestral": sample_ancestral, "ddim": sample_ddim}


def noise_stream(seeds: Sequence[int], shape: tuple[int, ...], device: torch.device) -> Noise:
    """Standard normal [len(seeds), *shape] at each call; row k is a stream of its own that begins as
    seeded_normal does.
    """
    streams = [torch.Generator().manual_seed(derive(int(seed), "noise")) for seed in seeds]
    return lambda: torch.stack([torch.randn(shape, generator=stream) for stream in streams]).to(device)
