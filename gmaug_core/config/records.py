"""One record says everything that the program knows of a generator or a classifier: words, settings, network,
presets.

A record holds no torch: its network is a dotted name, which `models` looks up when a network is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gmaug_core.config.base import Config

Settings = Mapping[str, Any]
ConfigType = TypeVar("ConfigType", bound=Config, covariant=True)


@dataclass(frozen=True)
class Preset:
    """What a preset sets of one config; everything that is not named keeps the config's default."""

    always: Settings = field(default_factory=dict)
    at: Mapping[int, Settings] = field(default_factory=dict)  # beside that, by the run's resolution in pixels
    mirrored: Settings = field(default_factory=dict)  # and where a mirrored image is still a valid one
    upright: Settings = field(default_factory=dict)  # or where it is not: digits, text

    def settings(self, resolution: int, *, symmetric: bool) -> dict[str, Any]:
        """The settings for images of `resolution` pixels; symmetric: whether a mirrored one is still
        valid.
        """
        direction = self.mirrored if symmetric else self.upright
        return {**self.always, **self.at.get(resolution, {}), **direction}


@dataclass(frozen=True)
class Record(Generic[ConfigType]):
    """A generator or a classifier, as pages, command line, presets and models know it."""

    key: str  # its name in settings, and in files that runs leave behind
    title: str  # its name on a page
    words: str  # what a person needs to choose, in Markdown
    config: type[ConfigType]
    implementation: str  # "package.module:Class", imported by models alone
    presets: Mapping[str, Preset]  # a preset of this config for each preset of a run


@dataclass(frozen=True)
class GeneratorRecord(Record[ConfigType]):
    """A generator. from_checkpoint: the presets that are others where `pretrained` names a published
    checkpoint; rows_apart: a step treats every image of its batch by itself, so that several processes can
    share a batch.
    """

    quick_minutes: int  # of a quick run at 16 px on two CPU cores, as measured
    from_checkpoint: Mapping[str, Preset] = field(default_factory=dict)
    rows_apart: bool = False
