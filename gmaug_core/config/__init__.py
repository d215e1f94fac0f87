"""Frozen, validated settings of everything that can be run, and the presets."""

from __future__ import annotations

from gmaug_core.config.settings import (
    GENERATORS,
    MIN_SIZE,
    AugmentationConfig,
    ClassifierConfig,
    Colour,
    Config,
    EDMConfig,
    GeneratorConfig,
    GuidedDiffusionConfig,
    Profile,
    RunConfig,
    SelectionConfig,
    SimilarityConfig,
    StyleGAN2Config,
    Window,
    image_format,
    parse_assignments,
    validate,
)

__all__ = [
    "AugmentationConfig",
    "ClassifierConfig",
    "Colour",
    "Config",
    "EDMConfig",
    "GENERATORS",
    "GeneratorConfig",
    "GuidedDiffusionConfig",
    "MIN_SIZE",
    "Profile",
    "RunConfig",
    "SelectionConfig",
    "SimilarityConfig",
    "StyleGAN2Config",
    "Window",
    "image_format",
    "parse_assignments",
    "validate",
]
