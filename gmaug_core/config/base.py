"""What all configs share: frozen models, settings refused with the nearest known key, KEY=VALUE texts."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails

from gmaug_core.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


class Config(BaseModel):
    """Base of all configs: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class OneOf:
    """Marks a setting that is one of several configs, told apart by their `name`: Annotated[Base,
    OneOf(configs)].
    """

    def __init__(self, configs: Iterable[type[Config]]) -> None:
        self.configs = tuple(configs)

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if len(self.configs) == 1:  # a union of one is no union, and cannot be told apart
            return handler.generate_schema(self.configs[0])
        return handler.generate_schema(Annotated[Union[self.configs], Field(discriminator="name")])  # noqa: UP007


def absolute(path: str | None) -> str | None:
    """A file that a person names: a run works in another folder than the person."""
    return str(Path(path).expanduser().absolute()) if path else None


def validate(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Build a config. Raises InputError that names every wrong key, its value and the nearest known key."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_explain(model, item) for item in error.errors()]
        raise InputError(
            "; ".join(problems[:5]),
            expected=f"valid {model.__name__} settings",
            todo="correct the settings named here; nothing was started",
        ) from error


def as_stored(model: type[Model], values: Mapping[str, Any]) -> Model:
    """The config of a run that exists: one whose values are out of today's bounds is what it was, since only
    a new run is refused.

    Raises ValidationError for unknown keys, missing ones and wrong types: such a file is damaged.
    """
    try:
        return model.model_validate(values)
    except ValidationError:
        if values.keys() - model.model_fields.keys():
            raise
        given: dict[str, Any] = {
            name: _unbounded(model.model_fields[name], value) for name, value in values.items()
        }
        missing = [
            name for name, field in model.model_fields.items() if field.is_required() and name not in given
        ]
        if missing:
            raise
        return model.model_construct(**given)


def _unbounded(field: FieldInfo, value: object) -> object:
    """A setting's value as its type has it, whatever its bounds. Raises ValidationError for a wrong type."""
    options: list[type[BaseModel]] = [
        config for mark in field.metadata if isinstance(mark, OneOf) for config in mark.configs
    ]
    if not options and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        options = [field.annotation]
    if options and isinstance(value, Mapping):
        named = [each for each in options if len(options) == 1 or _name_of(each) == value.get("name")]
        return as_stored((named or options)[0], value)
    return TypeAdapter(_bare(field.annotation)).validate_python(value)


def _name_of(config: type[BaseModel]) -> object:
    return config.model_fields["name"].default


def _bare(annotation: Any) -> Any:
    """A type without the bounds of what is in it."""
    inside = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _bare(inside[0])
    if get_origin(annotation) is tuple:
        return GenericAlias(tuple, tuple(each if each is Ellipsis else _bare(each) for each in inside))
    return annotation


def _explain(model: type[BaseModel], item: ErrorDetails) -> str:
    path = [str(part) for part in item["loc"]]
    # where a setting is one of several configs, pydantic puts the config's name into the place of an error
    names = {part.model_fields["name"].default for _, part in _parts(model) if "name" in part.model_fields}
    name = ".".join(part for part in path if part not in names or part == path[-1])
    if item["type"] == "extra_forbidden":
        known = {(inside, key) for inside, part in _parts(model) for key in part.model_fields}
        near = difflib.get_close_matches(path[-1], {key for _, key in known}, n=1)
        whole = {inside + key for inside, key in known if [key] == near}
        same = {each for each in whole if each.rpartition(".")[0] == name.rpartition(".")[0]}
        words = "' or '".join(sorted(same or whole))
        return f"unknown setting '{name}'" + (f" (did you mean '{words}'?)" if near else "")
    if item["type"] == "missing":
        return f"setting '{name}' is missing"
    return f"setting '{name}': {item['msg'].removeprefix('Value error, ')} (given: {str(item['input'])[:80]})"


def _parts(model: type[BaseModel], inside: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """A config and the configs within it, each with what goes before its keys: 'generator.'."""
    yield inside, model
    for name, field in model.model_fields.items():
        nested: list[type[BaseModel]] = [
            part for mark in field.metadata if isinstance(mark, OneOf) for part in mark.configs
        ]
        if not nested and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            nested = [field.annotation]
        for part in nested:
            yield from _parts(part, f"{inside}{name}.")


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """['generator.kimg=5', 'seeds=1'] -> {'generator': {'kimg': 5}, 'seeds': 1}.

    Values are JSON where they parse as JSON, else text. Raises InputError for a text that assigns nothing, or
    assigns into a value.
    """
    nested: dict[str, Any] = {}
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key:
            raise InputError(f"'{text}' is not a setting", expected="KEY=VALUE, for example generator.kimg=5")
        try:
            value = json.loads(raw)
        except json.JSONDecodeError:
            if raw.lstrip().startswith(("[", "{")):  # meant as JSON, and no setting is such a text
                raise InputError(
                    f"'{raw}' is no JSON",
                    expected="JSON: 0.5 and not .5, true, false, texts in double quotes, lists as [0.5, 1]",
                    todo=f"correct the value of {key}",
                ) from None
            value = raw
        place = nested
        *parents, leaf = key.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise InputError(
                    f"'{text}' sets a part of a setting that already has a value",
                    expected="one value a setting",
                )
        place[leaf] = value
    return nested
