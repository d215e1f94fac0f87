"""Frozen, validated settings of everything that can be run, and the presets.

A config is resolved once, before a run exists, and written to the run folder as it was resolved. Every
default has its reason beside it. Unknown keys, wrong types and values out of range are refused with the key's
name and the nearest known one.
"""

from __future__ import annotations

from gmaug_core.config.base import Config, parse_assignments, validate
from gmaug_core.config.classifiers import CLASSIFIERS, ClassifierConfig
from gmaug_core.config.classifiers.mae_vit import MAEViTConfig
from gmaug_core.config.classifiers.resnet import ResNetConfig
from gmaug_core.config.equivalence import EQUIVALENCE_PRESETS, equivalence_config
from gmaug_core.config.generators import GENERATORS, SOURCES, GeneratorConfig
from gmaug_core.config.generators.edm import EDMConfig
from gmaug_core.config.generators.folder import FolderConfig
from gmaug_core.config.generators.guided_diffusion import GuidedDiffusionConfig
from gmaug_core.config.generators.stylegan2 import StyleGAN2Config
from gmaug_core.config.presets import PRESETS, augmentation_config, require_files
from gmaug_core.config.profiles import CHANNELS, MIN_SIZE, Colour, Profile, Window, image_format
from gmaug_core.config.runs import (
    AugmentationConfig,
    EquivalenceConfig,
    RunConfig,
    SimilarityConfig,
    VerdictConfig,
)
from gmaug_core.config.selection import USUAL_THRESHOLDS, SelectionConfig

__all__ = [
    "CHANNELS",
    "CLASSIFIERS",
    "EQUIVALENCE_PRESETS",
    "GENERATORS",
    "MIN_SIZE",
    "PRESETS",
    "SOURCES",
    "USUAL_THRESHOLDS",
    "AugmentationConfig",
    "ClassifierConfig",
    "Colour",
    "Config",
    "EDMConfig",
    "EquivalenceConfig",
    "FolderConfig",
    "GeneratorConfig",
    "GuidedDiffusionConfig",
    "MAEViTConfig",
    "Profile",
    "ResNetConfig",
    "RunConfig",
    "SelectionConfig",
    "SimilarityConfig",
    "StyleGAN2Config",
    "VerdictConfig",
    "Window",
    "augmentation_config",
    "equivalence_config",
    "image_format",
    "parse_assignments",
    "require_files",
    "validate",
]
