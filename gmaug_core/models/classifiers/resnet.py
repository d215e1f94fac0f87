"""ResNet18 (He 2016, arXiv 1512.03385) with a free width and number of blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from gmaug_core.config import ResNetConfig
from gmaug_core.models.classifiers.contract import Network

# kernel, stride and padding of the first layer
STEMS = {"imagenet": (7, 2, 3), "small": (3, 1, 1), "strided": (3, 2, 1)}


class ResNet18(Network):
    """At width 64, stem "imagenet" and 3 channels its parameters are torchvision's, name by name.

    stem "small": 3x3 and no pooling, for images of 64 px or less; "strided": the same with stride 2; blocks:
    residual blocks in each of the stages.
    """

    def __init__(self, in_channels: int, classes: int, config: ResNetConfig) -> None:
        super().__init__()
        self.config, self.classes, self.stages = config, classes, len(config.blocks)
        width = config.width
        kernel, stride, padding = STEMS[config.stem]
        self.conv1 = nn.Conv2d(in_channels, width, kernel, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1) if config.stem == "imagenet" else nn.Identity()
        channels = width
        for stage, blocks in enumerate(config.blocks, start=1):
            out, stride = width << (stage - 1), 1 if stage == 1 else 2
            layers: list[nn.Module] = []
            for block in range(blocks):
                layers.append(_residual(channels, out, stride if block == 0 else 1))
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

    @property
    def last(self) -> nn.Linear:
        return self.fc

    @property
    def block(self) -> nn.Module:
        stage: nn.Module = getattr(self, f"layer{self.stages}")
        return stage

    def optimiser(self) -> torch.optim.Optimizer:
        """SGD with Nesterov's momentum."""
        return torch.optim.SGD(
            self.trained(),
            self.config.lr,
            momentum=self.config.momentum,
            weight_decay=self.config.weight_decay,
            nesterov=True,
        )


def _residual(c_in: int, c_out: int, stride: int) -> BasicBlock:
    shortcut = None
    if stride != 1 or c_in != c_out:
        shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
    return BasicBlock(c_in, c_out, stride, shortcut)
