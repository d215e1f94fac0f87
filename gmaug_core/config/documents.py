"""The files that a run or a dataset leaves behind, as types: frozen, numbered, every field said in words.

A document that an older version wrote is brought up to date while it is read (`MIGRATIONS`); one that a newer
version wrote is refused in words. docs/formats.md is made from the classes below `Document`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gmaug_core.errors import Damaged, TooNew
from gmaug_core.files import decoded, encoded, write_bytes
from gmaug_core.seals import KEY

Migration = Callable[[dict[str, Any]], dict[str, Any]]


class Part(BaseModel):
    """A piece of a document: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, keys as in the file."""
        return self.model_dump(mode="json")


class Document(Part):
    """A whole file. Subclasses give TITLE, FILE and SCHEMA, and raise SCHEMA with a step in MIGRATIONS."""

    TITLE: ClassVar[str]
    FILE: ClassVar[str]  # the file's name, as docs/formats.md shows it
    SCHEMA: ClassVar[int]
    INDENT: ClassVar[int | None] = 1  # None: on one line, for what grows with the images
    MIGRATIONS: ClassVar[
        Mapping[int, Migration]
    ] = {}  # from this number to the next; files without a number are 0

    schema_number: int = Field(alias="schema")
    """The number of this form of the document; raised when its meaning changes."""

    @classmethod
    def new(cls, **values: Any) -> Self:
        """A document of the newest form."""
        return cls(schema=cls.SCHEMA, **values)

    @model_validator(mode="before")
    @classmethod
    def _up_to_date(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        values = {key: value for key, value in given.items() if key != KEY}
        number = values.pop("schema", 0)
        if not isinstance(number, int):
            raise ValueError("its schema is not a number")
        if number > cls.SCHEMA:
            raise TooNew(
                f"the {cls.TITLE} was written by a newer version of this program "
                f"(form {number}, here {cls.SCHEMA})",
                todo="update the program; nothing was changed",
            )
        for step in range(number, cls.SCHEMA):
            try:
                values = cls.MIGRATIONS[step](values)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"not the form that it says it has ({error})") from error
        return values | {"schema": cls.SCHEMA}

    @classmethod
    def parse(cls, given: Any) -> Self:
        """The document in `given` (decoded JSON), brought up to date. Raises GMAugError: damaged or too
        new."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise Damaged(
                f"the {cls.TITLE} is damaged: {place or 'the document'}: {first['msg']}",
                expected=f"what this program writes into {cls.FILE}",
                todo="restore the file, or delete what it belongs to and make it again",
            ) from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """The document in a file. Raises FileNotFoundError, or GMAugError where it is damaged or too new."""
        try:
            given = decoded(path.read_bytes(), path.name)
        except Damaged as error:
            raise Damaged(
                f"the {cls.TITLE} is damaged: {error.what.partition(': ')[2]}",
                expected=f"what this program writes into {cls.FILE}",
                todo="restore the file, or delete what it belongs to and make it again",
            ) from error
        return cls.parse(given)

    def write(self, path: Path) -> None:
        """Write it whole or not at all."""
        write_bytes(path, encoded(self.to_dict(), self.INDENT))
