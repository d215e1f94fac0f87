"""The classifiers: a file each with settings, words and presets, and a line each in CLASSIFIERS."""

from __future__ import annotations

from gmaug_core.config.classifiers import mae_vit, resnet
from gmaug_core.config.classifiers.common import ClassifierConfig
from gmaug_core.config.records import Record

CLASSIFIERS: dict[str, Record[ClassifierConfig]] = {
    "resnet18": resnet.RECORD,
    "mae_vit": mae_vit.RECORD,
}

__all__ = ["CLASSIFIERS", "ClassifierConfig"]
