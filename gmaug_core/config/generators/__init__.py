"""The generators: a file each with settings, words and presets, and a line each in GENERATORS."""

from __future__ import annotations

from gmaug_core.config.generators import edm, folder, guided_diffusion, stylegan2
from gmaug_core.config.generators.common import GeneratorConfig
from gmaug_core.config.records import GeneratorRecord

GENERATORS: dict[str, GeneratorRecord[GeneratorConfig]] = {
    "edm": edm.RECORD,
    "guided_diffusion": guided_diffusion.RECORD,
    "stylegan2": stylegan2.RECORD,
}
# what a run can draw from: a generator, or a folder of images that another program made
SOURCES: dict[str, GeneratorRecord[GeneratorConfig]] = {**GENERATORS, "folder": folder.RECORD}

__all__ = ["GENERATORS", "SOURCES", "GeneratorConfig"]
