"""The classifier: ResNet18 from scratch, trained for a fixed number of SGD steps, evaluated, asked for logits.

Every variant of an experiment (baseline, augmented, controls) goes through `train` with the same config: the same number
of steps, the same augmentation, the same initial weights a seed. Only which images are drawn, and how often, differs.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from gmaug_core.config import ClassifierConfig, ResNetConfig
from gmaug_core.errors import Diverged, Stopped
from gmaug_core.hooks import Report, ShouldStop, never, no_report
from gmaug_core.models.checkpoint import load_optimizer, load_state, save_state
from gmaug_core.seeds import derive

Images = NDArray[np.uint8]


class ResNet18(nn.Module):
    """He 2016 with a free width. At width 64, stem "imagenet" and 3 channels its parameters are torchvision's, name by name.

    stem "small": 3x3 stride 1 and no pooling, for images of 64 px or less; blocks: residual blocks in each of the stages.
    """

    def __init__(self, in_channels: int, classes: int, config: ResNetConfig) -> None:
        super().__init__()
        width, small = config.width, config.stem == "small"
        self.conv1 = nn.Conv2d(
            in_channels, width, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        channels = width
        self.stages = len(config.blocks)
        for stage, blocks in enumerate(config.blocks, start=1):
            out, stride = width << (stage - 1), 1 if stage == 1 else 2
            layers: list[nn.Module] = []
            for block in range(blocks):
                step = stride if block == 0 else 1
                shortcut = None
                if step != 1 or channels != out:
                    shortcut = nn.Sequential(
                        nn.Conv2d(channels, out, 1, step, bias=False), nn.BatchNorm2d(out)
                    )
                layers.append(BasicBlock(channels, out, step, shortcut))
                channels = out
            setattr(self, f"layer{stage}", nn.Sequential(*layers))
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """[b, c, h, w] -> [b, channels], after global average pooling."""
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return x.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


@dataclass(frozen=True)
class Evaluation:
    """accuracy and balanced accuracy (mean recall over classes that have images) in 0..1; recall and n a class; correct a image."""

    accuracy: float
    balanced_accuracy: float
    recall: NDArray[np.float64]
    n: NDArray[np.int64]
    correct: NDArray[np.bool_]


@dataclass
class Classifier:
    """A trained network with its normalisation. Images go in as uint8 [n, h, w] or [n, h, w, 3]."""

    network: ResNet18
    mean: Tensor  # [1, c, 1, 1], in grey levels 0..255, of the real training images
    std: Tensor
    device: torch.device

    def _batches(
        self, images: Images, function: Callable[[Tensor], Tensor], batch: int
    ) -> NDArray[np.float32]:
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                x = (to_tensor(images[start : start + batch]).to(self.device).float() - self.mean) / self.std
                parts.append(function(x).float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, self.network.fc.out_features), np.float32)

    def predict_logits(self, images: Images, batch: int = 500) -> NDArray[np.float32]:
        """float32 [n, classes], in input order."""
        return self._batches(images, self.network, batch)

    def judge(self) -> Callable[[Tensor], Tensor]:
        """A function of float images [b, c, h, w] in [-1, 1] -> logits [b, classes] that gradients pass through; the same
        numbers as predict_logits."""
        self.network.eval()
        return lambda images: self.network(
            (images.to(self.device) * 127.5 + 127.5 - self.mean) / self.std
        ).to(images.device)

    def features(self, images: Images, batch: int = 500) -> NDArray[np.float32]:
        """float32 [n, channels]: what the last layer sees; the domain for FD, precision and recall."""
        return self._batches(images, self.network.features, batch)

    def evaluate(self, images: Images, labels: NDArray[np.int64]) -> Evaluation:
        """Against the labels given."""
        correct = self.predict_logits(images).argmax(axis=1) == labels
        classes = self.network.fc.out_features
        n = np.bincount(labels, minlength=classes)
        recall = np.bincount(labels, weights=correct, minlength=classes) / np.maximum(n, 1)
        return Evaluation(float(correct.mean()), float(recall[n > 0].mean()), recall, n, correct)

    def save(self, path: Path) -> None:
        """Weights and normalisation, atomically."""
        save_state(path, {"network": self.network.state_dict(), "mean": self.mean, "std": self.std})

    @classmethod
    def load(
        cls, path: Path, in_channels: int, classes: int, config: ClassifierConfig, device: torch.device
    ) -> Classifier:
        """What save wrote, ready to predict; the same numbers as before saving."""
        state = load_state(path)
        network = ResNet18(in_channels, classes, config)
        network.load_state_dict(state["network"])
        return cls(network.to(device), state["mean"].to(device), state["std"].to(device), device)


def to_tensor(images: Images) -> Tensor:
    """uint8 [n, h, w] or [n, h, w, 3] -> uint8 [n, c, h, w]."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The given NumPy array is not writable"
        )  # a mapped file is not, and nothing here writes
        tensor = torch.from_numpy(np.ascontiguousarray(images))
    return tensor[:, None] if tensor.ndim == 3 else tensor.permute(0, 3, 1, 2)


def train(
    images: Images,
    labels: NDArray[np.int64],
    classes: int,
    config: ClassifierConfig,
    *,
    seed: int,
    draw_weights: NDArray[np.float64] | None = None,
    class_weights: NDArray[np.float64] | None = None,
    normalise_on: Images | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    report: Report = no_report,
    should_stop: ShouldStop = never,
) -> Classifier:
    """SGD with momentum for config.steps steps; bit-exact when resumed from `checkpoint` on CPU.

    images: uint8 [n, h, w] or [n, h, w, 3]; labels: int64 [n]. draw_weights: float [n], how likely each image is drawn
    (default: all alike); class_weights: float [classes], factors of the loss; normalise_on: the images whose mean and
    standard deviation normalise the input (default: `images`). report("", step, steps, loss=...) about each second.
    Raises Stopped at the next step after should_stop(), with the checkpoint written; Diverged for a loss that is not finite.
    """
    device = torch.device(device)
    data, targets = to_tensor(images), torch.from_numpy(np.ascontiguousarray(labels))
    mean, std = channel_statistics(images if normalise_on is None else normalise_on)
    mean, std = mean.to(device), std.to(device)
    torch.manual_seed(derive("classifier", seed))
    network = ResNet18(data.shape[1], classes, config).to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(
        network.parameters(),
        config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=True,
    )
    first = 0
    if checkpoint is not None and checkpoint.exists():
        state = load_state(checkpoint)
        network.load_state_dict(state["network"])
        load_optimizer(optimiser, state["optimiser"])
        first = state["step"]
    weights = None if draw_weights is None else torch.from_numpy(np.asarray(draw_weights, np.float64))
    loss_weights = (
        None if class_weights is None else torch.from_numpy(np.asarray(class_weights, np.float32)).to(device)
    )

    def save(step: int) -> None:
        if checkpoint is not None:
            save_state(
                checkpoint,
                {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step},
            )

    network.train()
    for step in range(first, config.steps):
        if should_stop():
            save(step)
            raise Stopped
        torch.manual_seed(
            derive("classifier", seed, step)
        )  # draws and augmentation of this step depend on nothing else
        if weights is None:
            index = torch.randint(len(data), (config.batch,))
        else:
            index = torch.multinomial(weights, config.batch, replacement=True)
        x = (data[index].to(device).float() - mean) / std
        x, y = augment(x, config.augment), targets[index].to(device)
        for group in optimiser.param_groups:
            group["lr"] = config.lr * lr_factor(step / config.steps, config.schedule)
        loss = F.cross_entropy(network(x), y, weight=loss_weights)
        if not torch.isfinite(loss):
            raise Diverged(
                f"the classifier's loss is not finite at step {step}",
                todo="lower classifier.lr and start a new run",
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        done = step + 1
        if done % config.checkpoint_steps == 0 and done < config.steps:
            save(done)
        if done % 25 == 0 or done == config.steps:
            report("", done, config.steps, loss=float(loss.detach()))
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return Classifier(network, mean, std, device)


def channel_statistics(images: Images) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation a channel in grey levels, each [1, c, 1, 1]; at most 20,000 images are looked at."""
    step = max(1, len(images) // 20_000)
    x = to_tensor(images[::step]).double()
    std, mean = torch.std_mean(x, dim=(0, 2, 3), correction=0)
    return mean.float().view(1, -1, 1, 1), std.clamp_min(1.0).float().view(1, -1, 1, 1)


def lr_factor(progress: float, schedule: str) -> float:
    """progress in 0..1 -> factor of the learning rate: half a cosine, or x0.1 at each third (paper A: every 30 of 100 epochs)."""
    return (
        0.5 * (1 + math.cos(math.pi * progress)) if schedule == "cosine" else 0.1 ** int(progress * 100 // 30)
    )


def augment(x: Tensor, kind: str) -> Tensor:
    """Random affine maps, one an image, sampled bilinearly. x: float [b, c, h, w], normalised.

    affine: rotation +-12 degrees, scale and shear +-.1, shift +-.08 of the side (digits: nothing flips);
    crop: a random crop of 40-100 % of the area, sides 3:4 to 4:3; crop_flip: the same and mirrored half of the time.
    Outside the image the border is repeated.
    """
    if kind == "none":
        return x
    b, device = len(x), x.device

    def uniform(low: float, high: float) -> Tensor:
        return (torch.rand(b) * (high - low) + low).to(device)

    theta = torch.zeros(b, 2, 3, device=device)
    if kind == "affine":
        angle = uniform(-12, 12) * (math.pi / 180)
        scale, shear = uniform(0.9, 1.1), uniform(-0.1, 0.1)
        cos, sin = torch.cos(angle), torch.sin(angle)
        theta[:, 0, 0], theta[:, 0, 1] = cos / scale, (shear - sin) / scale
        theta[:, 1, 0], theta[:, 1, 1] = sin / scale, cos / scale
        theta[:, :, 2] = torch.stack([uniform(-0.16, 0.16), uniform(-0.16, 0.16)], 1)  # in half sides
    else:
        area, ratio = uniform(0.4, 1.0), torch.exp(uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = (area * ratio).sqrt().clamp_max(1.0), (area / ratio).sqrt().clamp_max(1.0)
        theta[:, 0, 2] = uniform(-1, 1) * (1 - width)
        theta[:, 1, 2] = uniform(-1, 1) * (1 - height)
        if kind == "crop_flip":
            width = width * (torch.randint(0, 2, (b,)) * 2 - 1).to(device)
        theta[:, 0, 0], theta[:, 1, 1] = width, height
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def class_balanced_weights(counts: NDArray[np.integer], beta: float | None = None) -> NDArray[np.float64]:
    """Loss weights (1 - b) / (1 - b^n), normalised to sum to the number of classes (Cui 2019, arXiv 1901.05555).

    counts: int [classes], training images a class (0 counts as 1); beta: None for (N - 1) / N with N all images.
    """
    n = np.maximum(np.asarray(counts, np.float64), 1)
    b = (n.sum() - 1) / n.sum() if beta is None else beta
    weights = (1 - b) / (1 - b**n)
    return weights * len(n) / weights.sum()


def parameters(config: ClassifierConfig, in_channels: int, classes: int) -> dict[str, Any]:
    """What the network is, for a result: name and number of parameters."""
    network = ResNet18(in_channels, classes, config)
    return {**config.model_dump(mode="json"), "parameters": sum(p.numel() for p in network.parameters())}
