"""A trained classifier: logits, features, what it gets right; on disk and back."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from gmaug_core.config import ClassifierConfig
from gmaug_core.data.views import Images
from gmaug_core.models.checkpoint import load_state, save_state
from gmaug_core.models.classifiers.batches import Normalisation
from gmaug_core.models.classifiers.contract import Network, build
from gmaug_core.models.classifiers.transforms import to_tensor


@dataclass(frozen=True)
class Evaluation:
    """What a classifier gets right."""

    accuracy: float  # 0..1
    balanced_accuracy: float  # mean recall over classes that have images, 0..1
    recall: NDArray[np.float64]  # a class, 0..1
    n: NDArray[np.int64]  # images a class
    correct: NDArray[np.bool_]  # an image
    probabilities: NDArray[np.float32]  # [images, classes], softmax of the logits


def evaluation(
    correct: NDArray[np.bool_], probabilities: NDArray[np.float32], labels: NDArray[np.int64], classes: int
) -> Evaluation:
    """Of what was said of images with these labels: bool [images], float32 [images, classes], int64."""
    n = np.bincount(labels, minlength=classes)
    recall = np.bincount(labels, weights=correct, minlength=classes) / np.maximum(n, 1)
    return Evaluation(
        accuracy=float(correct.mean()),
        balanced_accuracy=float(recall[n > 0].mean()),
        recall=recall,
        n=n,
        correct=correct,
        probabilities=probabilities,
    )


@dataclass
class Classifier:
    """A trained network with its normalisation. Images go in as uint8 [n, h, w] or [n, h, w, 3]."""

    network: Network
    mean: Tensor  # [1, c, 1, 1], in grey levels 0..255, of the real training images
    std: Tensor
    device: torch.device

    def _normalised(self, x: Tensor) -> Tensor:
        """Float [b, c, h, w] in grey levels -> as the network wants it."""
        return Normalisation(self.mean, self.std)(x)

    def _batches(
        self, images: Images, function: Callable[[Tensor], Tensor], batch: int
    ) -> NDArray[np.float32]:
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(images), batch):
                x = to_tensor(images[start : start + batch]).to(self.device).float()
                parts.append(function(self._normalised(x)).float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, self.network.classes), np.float32)

    def predict_logits(self, images: Images, batch: int = 500) -> NDArray[np.float32]:
        """float32 [n, classes], in input order."""
        return self._batches(images, self.network, batch)

    def judge(self) -> Callable[[Tensor], Tensor]:
        """A function of float images [b, c, h, w] in [-1, 1] -> logits [b, classes] that gradients pass
        through; the same numbers as predict_logits.
        """
        self.network.eval()

        def logits(images: Tensor) -> Tensor:
            found: Tensor = self.network(self._normalised(images.to(self.device) * 127.5 + 127.5))
            return found.to(images.device)

        return logits

    def features(self, images: Images, batch: int = 500) -> NDArray[np.float32]:
        """float32 [n, d]: what the last layer sees; the domain for FD, precision and recall."""
        return self._batches(images, self.network.features, batch)

    def evaluate(self, images: Images, labels: NDArray[np.int64]) -> Evaluation:
        """Against the labels given."""
        logits = self.predict_logits(images)
        right = logits.argmax(axis=1) == labels
        return evaluation(right, softmax(logits, axis=1), labels, self.network.classes)

    def with_offsets(self, offsets: NDArray[np.float64]) -> Classifier:
        """The same classifier with `offsets`, float [classes], added to its logits: logit adjustment after
        training (Menon 2021). Everything else stays as it is, and this one too.
        """
        network = copy.deepcopy(self.network)
        with torch.no_grad():
            network.last.bias.add_(torch.from_numpy(np.asarray(offsets, np.float32)).to(self.device))
        return replace(self, network=network)

    def save(self, path: Path) -> None:
        """Weights and normalisation, atomically."""
        save_state(path, {"network": self.network.state_dict(), "mean": self.mean, "std": self.std})


def load(path: Path, classes: int, config: ClassifierConfig, device: torch.device) -> Classifier:
    """What Classifier.save wrote, ready to predict; the same numbers as before saving."""
    state = load_state(path)
    network = build(config, state["mean"].shape[1], classes)
    network.load_state_dict(state["network"])
    return Classifier(network.to(device), state["mean"].to(device), state["std"].to(device), device)
