"""How images are prepared and compared: colour, size, window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gmaug_core.errors import InputError

Colour = Literal["grey", "rgb"]
Window = Literal["gaussian11", "uniform7"]  # over which SSIM averages: see scoring.ssim
CHANNELS: dict[Colour, int] = {"grey": 1, "rgb": 3}
MIN_SIZE = 16  # below this the 11x11 window leaves too few positions to average
MAX_SIZE = 1024


@dataclass(frozen=True)
class Profile:
    """How images are prepared and compared. Scores of different profiles are not comparable.

    Centre crop to a square, PIL bilinear (antialiased) to `size`, PIL "L" when grey; SSIM over `window`. Text
    form: paper | uniform7, then optionally -SIZE and -rgb: "paper", "uniform7", "paper-64", "paper-64-rgb".
    """

    size: int = 128  # the resolution paper A names
    colour: Colour = "grey"
    window: Window = "gaussian11"

    @classmethod
    def parse(cls, text: str) -> Profile:
        """Raises InputError naming the known forms."""
        match = re.fullmatch(r"(paper|uniform7)(?:-(\d{2,4}))?(-rgb)?", text)
        size = int(match[2] or 128) if match else 0
        if not match or not MIN_SIZE <= size <= MAX_SIZE:
            raise InputError(
                f"'{text}' is not a profile",
                expected=f"paper or uniform7, optionally with a size of {MIN_SIZE} to {MAX_SIZE} and -rgb "
                "(paper-64, uniform7-32-rgb)",
                todo="use 'paper' to compare with the published points",
            )
        return cls(size, "rgb" if match[3] else "grey", "gaussian11" if match[1] == "paper" else "uniform7")

    @property
    def name(self) -> str:
        """The canonical text form; parse(name) gives the profile back."""
        text = "paper" if self.window == "gaussian11" else "uniform7"
        text += "" if self.size == 128 else f"-{self.size}"
        return text + ("-rgb" if self.colour == "rgb" else "")

    @property
    def images(self) -> str:
        """Which decoded image array this profile reads: see Dataset.images."""
        return image_format(self.size, self.colour)


def image_format(size: int, colour: Colour) -> str:
    """'32-rgb': the key of a decoded image array."""
    return f"{size}-{colour}"
