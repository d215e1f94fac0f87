"""Runs beside each other: in which settings they differ, and the command that would start one again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gmaug_core.config import (
    AugmentationConfig,
    EquivalenceConfig,
    RunConfig,
    SimilarityConfig,
    VerdictConfig,
    augmentation_config,
    equivalence_config,
    validate,
)
from gmaug_core.data import dataset, splits
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs.config_file import RunConfigFile
from gmaug_core.runs.folder import find

Value = Any  # a JSON value
ABSENT = "-"  # shown where a run has no such setting
OWN = {"run", "created", "schema", "grouping_revision", "settings.dataset", "settings.kind"}  # never compared
ROUNDS = 4  # a part's name first, then what is left of its settings


@dataclass(frozen=True)
class Difference:
    """One thing in which runs differ. values: one a run, in the order in which they were named."""

    name: str  # dotted, as --set writes it; `version of torch`, `dataset`, `grouping` for what is no setting
    values: tuple[Value, ...]


def differences(*run_ids: str) -> list[Difference]:
    """In what the configs of two or more runs differ, by name. A setting that a run does not have is ABSENT.

    Raises InputError for fewer than two runs, or one that is not there; GMAugError for a damaged config.
    """
    if len(run_ids) < 2:
        raise InputError("one run alone cannot be compared", expected="two runs or more")
    described = [_described(RunConfigFile.read(find(run_id).config)) for run_id in run_ids]
    found = []
    for name in dict.fromkeys(key for each in described for key in each):
        values = tuple(each.get(name, ABSENT) for each in described)
        if any(value != values[0] for value in values):
            found.append(Difference(name, values))
    return sorted(found, key=lambda each: each.name)


def _described(document: RunConfigFile) -> dict[str, Value]:
    given = document.to_dict()
    about = {key: value for key, value in given.items() if key not in OWN}
    versions, settings = about.pop("versions"), about.pop("settings")
    about["dataset"] = about.pop("dataset_name"), about.pop("dataset_version")[:8]
    flat = {f"settings.{name}": value for name, value in flattened(settings)}
    return {
        **about,
        **{name.removeprefix("settings."): value for name, value in flat.items() if name not in OWN},
        **{f"version of {name}": value for name, value in versions.items()},
    }


def flattened(settings: Mapping[str, Value], before: str = "") -> Iterator[tuple[str, Value]]:
    """Dotted names and values of nested settings."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def as_command(run_id: str) -> str:
    """The command line that starts a run of the same settings; what a preset says already is left out.

    Raises InputError where the run or its dataset is not there, GMAugError where they cannot be read or this
    version would not make such settings.
    """
    document = RunConfigFile.read(find(run_id).config)
    settings = document.settings
    data = dataset.load(settings.dataset)
    words = ["gmaug", _verb(settings), data.id, *_arguments(settings, data)]
    return " ".join(shlex.quote(word) for word in words)


def _verb(settings: RunConfig) -> str:
    return "augment" if isinstance(settings, AugmentationConfig) else settings.kind


def _arguments(settings: RunConfig, data: Dataset) -> list[str]:
    if isinstance(settings, SimilarityConfig):
        usual = validate(SimilarityConfig, {"dataset": data.id}).model_dump(mode="json")
        return [
            word
            for name, value in settings.model_dump(mode="json").items()
            if value != usual[name]
            for word in (f"--{name.replace('_', '-')}", str(value))
        ]
    if isinstance(settings, VerdictConfig):
        own = ["--minutes", f"{settings.minutes:g}", *(["--fast"] if settings.fast else [])]
        about = settings.augmentation.model_copy(update={"device": settings.device})
        return [*own, *_preset(about, data)]
    if isinstance(settings, AugmentationConfig | EquivalenceConfig):
        return _preset(settings, data)
    raise GMAugError(f"a {settings.kind} run has no command", todo="start one from its page")


def _preset(settings: AugmentationConfig | EquivalenceConfig, data: Dataset) -> list[str]:
    """The preset, and --set for every setting that it would make another way."""
    wanted = dict(flattened(settings.model_dump(mode="json")))
    given: dict[str, Value] = {"grouping": settings.grouping}
    for _ in range(ROUNDS):
        made = dict(flattened(_made(settings, data, given).model_dump(mode="json")))
        other = {name: value for name, value in wanted.items() if made.get(name, ABSENT) != value}
        if not other:
            sets = [word for name, value in given.items() for word in ("--set", f"{name}={_text(value)}")]
            return ["--preset", settings.preset, *sets]
        # what follows from a part's name or mode is known once that is another
        deciding = {name: value for name, value in other.items() if name.endswith((".name", ".mode"))}
        given |= deciding or other
    raise GMAugError(
        f"this version would not make the settings {', '.join(other)}",
        expected="a run of this version",
        todo="start it from the page, and compare the two",
    )


def _made(
    settings: AugmentationConfig | EquivalenceConfig, data: Dataset, given: Mapping[str, Value]
) -> RunConfig:
    overrides: dict[str, Value] = {}
    for name, value in given.items():
        place = overrides
        *parents, leaf = name.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[leaf] = value
    about: dict[str, Any] = {
        "image_size": data.image_size,
        "colour": data.colour,
        "preset": settings.preset,
        "symmetric": data.symmetric,
        "overrides": overrides,
    }
    if isinstance(settings, AugmentationConfig):
        return augmentation_config(data.id, **about)
    return equivalence_config(data.id, partial(splits.training_counts, data), **about)


def _text(value: Value) -> str:
    """As --set reads it back: text that would be read as another JSON value is quoted."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value, ensure_ascii=False)
