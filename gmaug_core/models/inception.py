"""True FID, in the features of an Inception network whose weights a person brings."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import inception_v3

from gmaug_core.data.views import Images
from gmaug_core.errors import InputError
from gmaug_core.models.quality import frechet_distance

WANTED = (
    "a state dict of torchvision's inception_v3, or a TorchScript that gives features [n, d] of images [n, "
    "3, h, w]"
)
SIDE = 299  # pixels that inception_v3 was trained on
MEAN, STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # of ImageNet's channels, as torchvision's weights expect


class Inception:
    """An Inception network from a file: torchvision's inception_v3 state dict, or a TorchScript such as
    pt_inception-2015-12-05.

    Calling it gives features [n, d] of uint8 images. sha256 says which file the figures are from.
    """

    def __init__(self, path: str | Path, device: str = "cpu") -> None:
        """Raises InputError where the file is missing or holds no such network."""
        path = Path(path).expanduser()
        try:
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(
                f"there is no readable file '{path.name}' of Inception weights", expected=WANTED
            ) from error
        self.device = torch.device(device)
        self.network, self.kind = _read(path, self.device)
        try:
            self(np.zeros((2, 32, 32, 3), np.uint8))
        except Exception as error:
            raise InputError(
                f"the network in '{path.name}' does not run on images ({type(error).__name__})",
                expected=WANTED,
            ) from error

    def __call__(self, images: Images, batch: int = 50) -> NDArray[np.float32]:
        """uint8 [n, h, w] or [n, h, w, 3] -> float32 [n, d].

        A TorchScript gets 0..255 and resizes by itself, as FID's own does.
        """
        parts = []
        with torch.inference_mode():
            for first in range(0, len(images), batch):
                x = torch.from_numpy(np.ascontiguousarray(images[first : first + batch])).to(self.device)
                x = (x[..., None].expand(-1, -1, -1, 3) if x.ndim == 3 else x).permute(0, 3, 1, 2)
                y = self._features(x)
                if y.ndim != 2 or len(y) != len(x):
                    raise ValueError(f"features of shape {tuple(y.shape)}")
                parts.append(y.float().cpu().numpy())
        return np.concatenate(parts)

    def _features(self, x: Tensor) -> Tensor:
        """uint8 [b, 3, h, w] -> [b, d]."""
        if self.kind == "torchvision":
            x = F.interpolate(x.float() / 255, size=(SIDE, SIDE), mode="bilinear", antialias=True)
            mean, std = torch.tensor([MEAN, STD], device=self.device)[..., None, None]
            found: Tensor = self.network((x - mean) / std)
            return found
        try:
            found = self.network(x, return_features=True)
        except RuntimeError:
            found = self.network(x.float())
        return found

    def fid(self, real: Images, synthetic: Images) -> dict[str, Any]:
        """FID of uint8 images with its n and the file's identity. Biased upward at small n: compare at equal
        n alone.
        """
        found: dict[str, Any] = {}
        if min(len(real), len(synthetic)) >= 2:
            found["fid"] = frechet_distance(self(real), self(synthetic))
        return {
            **found,
            "fid_n_real": len(real),
            "fid_n_synthetic": len(synthetic),
            "fid_network": self.kind,
            "fid_weights_sha256": self.sha256,
        }


def _read(path: Path, device: torch.device) -> tuple[Any, str]:
    """The network in a file, and of which kind it is: torchscript | torchvision."""
    with suppress(RuntimeError):  # no TorchScript: then a state dict
        return torch.jit.load(str(path), map_location=device).eval(), "torchscript"
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        auxiliary = any(name.startswith("AuxLogits.") for name in weights)
        network = inception_v3(
            weights=None, num_classes=len(weights["fc.bias"]), aux_logits=auxiliary, init_weights=False
        )
        network.load_state_dict(weights)
    except Exception as error:
        raise InputError(
            f"'{path.name}' does not fit ({type(error).__name__})",
            expected=WANTED,
            todo="choose another file",
        ) from error
    network.fc = nn.Identity()
    return network.to(device).eval(), "torchvision"
