"""Images made elsewhere, in place of a generator: settings and words. Nothing is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gmaug_core.config.generators.common import Batch, GeneratorConfig, Kimg
from gmaug_core.config.records import GeneratorRecord, Preset


class FolderConfig(GeneratorConfig):
    """Images that another program made: each is given once, in the order of the files.

    resolution and colour are those that they are brought to, as the real ones are; the settings of a training
    mean nothing here.
    """

    name: Literal["folder"] = "folder"
    images: str = Field(min_length=1)  # their id, as intake.elsewhere took them in
    # images of each class, in the dataset's order of classes
    offered: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    kimg: Kimg = 0.001
    batch: Batch = 2
    minutes: None = None

    @property
    def stock(self) -> tuple[int, ...]:
        return self.offered


RECORD = GeneratorRecord(
    key="folder",
    title="Images made elsewhere",
    words="**Images made elsewhere**: by Stable Diffusion, a game engine, any other tool. They pass the same "
    "checks, the same judge and the same controls. What their generator has seen is not known here.",
    config=FolderConfig,
    implementation="gmaug_core.models.generators.folder:Folder",
    quick_minutes=0,
    presets={"quick": Preset(), "standard": Preset(), "paper": Preset()},
)
