"""The settings that every generator has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gmaug_core.config.base import Config
from gmaug_core.config.profiles import Colour

Kimg = Annotated[float, Field(gt=0, le=10**6)]  # a budget of training in thousand images
HalfLife = Annotated[float, Field(gt=0, le=10**6)]  # of an average of weights, in thousand images
# channels of each level of a U-Net, in multiples of the first; each level after it halves the image
ChannelMult = Annotated[tuple[Annotated[int, Field(ge=1, le=16)], ...], Field(min_length=1, max_length=8)]
Resolutions = tuple[Annotated[int, Field(ge=1, le=256)], ...]  # pixels of the levels that attend
Batch = Annotated[int, Field(ge=2, le=8192)]


class GeneratorConfig(Config):
    """What the training loop, the presets and the pages ask of any generator's settings."""

    name: str
    resolution: int = Field(16, ge=8, le=256)
    colour: Colour = "grey"
    kimg: Kimg
    # a budget of time instead: becomes kimg at launch, by measured speed
    minutes: float | None = Field(None, gt=0, le=10**7)
    batch: Batch
    lr: float = Field(2e-3, gt=0, le=0.5)  # at 1 every diffusion ended where it began
    class_power: float = Field(0.5, ge=0, le=1)  # classes are drawn ~ n^power: 1 natural, 0 balanced
    mirror: bool = False  # horizontal flips; wrong for digits and text
    snapshot_kimg: float = Field(10.0, gt=0, le=10**6)  # checkpoint and sample grid interval

    def _check_levels(self, channel_mult: tuple[int, ...]) -> None:
        """Raises ValueError for images that a U-Net of these levels cannot halve."""
        halved = len(channel_mult) - 1
        if self.resolution % (1 << halved):
            raise ValueError(
                f"resolution {self.resolution} cannot be halved {halved} times, as channel_mult asks for"
            )

    def files(self) -> dict[str, Path]:
        """The files of this machine that training starts from, by the setting that names them."""
        return {}

    @property
    def stock(self) -> tuple[int, ...]:
        """Images of each class that there are to draw, in the dataset's order; empty: any number."""
        return ()
