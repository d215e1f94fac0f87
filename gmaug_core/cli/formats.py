"""docs/formats.md, made from the types that write the files: python -m gmaug_core.cli.formats (make docs).

Every class below Document becomes a table of its keys, every config a table of settings: default, range,
reason.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import sys
import tokenize
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Union

from annotated_types import BaseMetadata
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gmaug_core.config import (
    AugmentationConfig,
    EquivalenceConfig,
    SelectionConfig,
    SimilarityConfig,
    VerdictConfig,
)
from gmaug_core.config.base import Config
from gmaug_core.config.classifiers import CLASSIFIERS
from gmaug_core.config.documents import Document, Part
from gmaug_core.config.generators import SOURCES
from gmaug_core.data.samples import COLUMNS

# whoever writes a document has its class here: importing them makes them known
HOMES = (
    "data.manifest",
    "data.store",
    "scoring.result",
    "method.result",
    "method.predictions",
    "method.shared",
    "method.verdict.result",
    "method.equivalence.result",
    "data.splits",
    "runs.status",
    "runs.config_file",
    "runs.place",
    "runs.bin",
    "runs.backup",
    "runs.packing",
    "workspace.sessions",
)
DATASET, RUN = "datasets/<id>/", "runs/<id>/"
PLACES = {  # of a document: the folder below $GMAUG_HOME, and who writes it
    "Summary": (DATASET, "the import, with the dataset"),
    "Manifest": (DATASET, "the import, with the dataset"),
    "RunConfigFile": (RUN, "whoever submits the run, once and first"),
    "Place": (RUN, "whoever sends the run to a cluster, at every submission; without it the run is here"),
    "Status": (RUN, "the worker, whenever something moved; `lost` is found out on reading"),
    "SimilarityResult": (RUN, "the worker of a similarity run, last; its presence is success"),
    "Split": (RUN, "the worker, once, before anything is measured; read ever after"),
    "AugmentationResult": (RUN, "the worker of an augmentation run, last; its presence is success"),
    "Unit": (RUN, "the worker, for every classifier trained on real images alone"),
    "Predictions": (RUN, "the worker of an augmentation run, just before the result"),
    "Verdict": (
        RUN,
        "the worker of a verdict run, last; its presence is success. `first.json` is one too: the first "
        "reading of a full run",
    ),
    "Binned": ("bin/<entry>/", "whoever deletes a dataset or a run, before its folders move here"),
    "Backup": ("FILE.tar/", "`gmaug backup`, as the last entry of the file that it makes"),
    "Packed": ("FILE.tar/", "`gmaug pack`, as the last entry of the file that it makes"),
    "Session": ("sessions/", "the gate, for every browser that it lets in; gone when that signs out"),
    "EquivalenceResult": (RUN, "the worker of an equivalence run, last; its presence is success"),
}
HEAD = """# What lies on disk

Made by `make docs` from the types that write these files; change those, not this page. Everything is below
`$GMAUG_HOME` (default `./workspace`), which also holds `workspace.db` (SQLite: what people edit). JSON
files are written whole or not at all, and `checksum`, their last key, is the sha256 of the bytes with zeros
in its place: a file that was changed is named as damaged (after an edit by hand, take that key out); one of
before checksums has none. `schema` is the number of a document's form: an older form is brought
up to date while it is read, a newer one is refused in words.
"""
REST = f"""## Other files

**`{RUN}metrics.jsonl`**: one JSON object a line, appended by the worker: `time` (seconds since 1970),
`stage`, `step` of `total`, and what the stage measures under its own keys (a training: `kimg`, `loss`, ...;
a score: `sets`, `pairs_per_s`; a draw: `drawn`, `accepted`, `forecast`).

**`{RUN}samples/step-K.npy`**: uint8 [m, h, w] (grey) or [m, h, w, 3], the images drawn in step K.

**`{RUN}samples/step-K.sums.npy`**: uint64 [m], the first 8 bytes of the sha256 of each image's pixels.

**`{RUN}samples/step-K.parquet`**: one row an image and judge (a judge is the classifier of one seed), with
the columns {", ".join(f"`{name}`" for name in COLUMNS)}.

**`{RUN}answers.npy`** (equivalence): uint8 [cells, bytes], numpy.packbits of which test images each cell's
classifier put in their class, in the order of `answers`.

**`{RUN}checkpoints/`**: one file a finished unit of work. Networks are safetensors; nothing is unpickled.

**`{RUN}stop`** exists: please stop. **`{RUN}run.lock`** is held: the run is alive. **`{RUN}heartbeat`**:
touched every few seconds by a worker on a cluster. **`{RUN}log.txt`**: for people.

**`{DATASET}originals/ab/abcd...`**: the imported files by their sha256, never served.

**`{DATASET}cache/<size>-<colour>.npy`**: all images decoded, uint8, in the manifest's order; made again
when deleted or damaged. **`.sums.json`** beside it: a sha256 for each 1,024 of them.

**`workspace.db.seal`**: the sha256 of `workspace.db` (without what a commit itself writes into its header)
before and after the last edit, by change counter. **`backups/`**: copies of the database, the sha256 in
their name. **`set-aside/`**: databases that could not be used.

**Groupings** for `group --from` and `group --out`: JSON `{{"super-class": ["sub-class", ...]}}`, bare or
under `super_classes`, or CSV with the columns `sub_class` and `super_class`.
"""


def formats() -> str:
    """The page, in Markdown."""
    parts: dict[str, type[BaseModel]] = {}
    text = [HEAD, *(_document(document, parts) for document in documents())]
    text += ["## Parts of these documents\n"]
    done: set[str] = set()
    while waiting := [name for name in parts if name not in done]:
        for name in waiting:
            done.add(name)
            text.append(_part(parts[name], parts))
    text += [REST, "## Settings of a run\n\nWhat `--set` changes and `config.json` keeps under `settings`.\n"]
    text += [_config(config) for config in configs()]
    return "\n".join(text).rstrip() + "\n"


def documents() -> list[type[Document]]:
    """Every class that is a whole file, by folder and name."""
    for home in HOMES:
        importlib.import_module(f"gmaug_core.{home}")

    def below(parent: type[Document]) -> Iterator[type[Document]]:
        for child in parent.__subclasses__():
            if child.__module__.startswith("gmaug_core."):
                yield child
            yield from below(child)

    return sorted(set(below(Document)), key=lambda each: (_place(each)[0], each.FILE, each.__name__))


def configs() -> list[type[BaseModel]]:
    """Every config, those of runs first."""
    kinds: list[type[BaseModel]] = [
        SimilarityConfig,
        VerdictConfig,
        AugmentationConfig,
        EquivalenceConfig,
        SelectionConfig,
    ]
    kinds += [record.config for record in SOURCES.values()]
    return kinds + [record.config for record in CLASSIFIERS.values()]


def undescribed(model: type[BaseModel]) -> list[str]:
    """Fields of a document or part that say nothing of themselves."""
    return [name for name, field in model.model_fields.items() if not field.description]


def known_parts() -> list[type[BaseModel]]:
    """All documents and what they are made of."""
    found: dict[str, type[BaseModel]] = {}
    for document in documents():
        found[document.__name__] = document
        for field in document.model_fields.values():
            _said(field.annotation, found)
    seen: set[str] = set()
    while waiting := [name for name in found if name not in seen]:
        for name in waiting:
            seen.add(name)
            for field in found[name].model_fields.values():
                _said(field.annotation, found)
    return list(found.values())


def _place(document: type[Document]) -> tuple[str, str]:
    return PLACES.get(document.__name__, (RUN, "the program"))


def _words(model: type[BaseModel]) -> str:
    return " ".join(inspect.cleandoc(model.__doc__ or "").split())


def _document(model: type[Document], parts: dict[str, type[BaseModel]]) -> str:
    folder, writer = _place(model)
    lines = [f"## `{folder}{model.FILE}`: {model.TITLE}\n", _words(model), ""]
    lines.append(f"Form {model.SCHEMA}. Written by {writer}.")
    for number, migration in model.MIGRATIONS.items():
        told = " ".join(inspect.cleandoc(migration.__doc__ or "").split())
        lines.append(f"Brought up from form {number}: {told}")
    return "\n".join([*lines, "", _table(model, parts)])


def _part(model: type[BaseModel], parts: dict[str, type[BaseModel]]) -> str:
    return "\n".join([f"### {model.__name__}\n", _words(model), "", _table(model, parts)])


def _table(model: type[BaseModel], parts: dict[str, type[BaseModel]]) -> str:
    rows = ["| key | type | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        key = field.serialization_alias or field.alias or name
        meaning = " ".join((field.description or "").split())
        rows.append(f"| `{key}` | {_cell(_said(field.annotation, parts))} | {_cell(meaning)} |")
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


NAMES = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}


def _said(kind: Any, parts: dict[str, type[BaseModel]]) -> str:
    """A type in words; the parts that it names are added to `parts`."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind in NAMES:
        return NAMES[kind]
    if isinstance(kind, type) and issubclass(kind, Part):
        parts[kind.__name__] = kind
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    if origin is typing.Annotated:
        return _said(inside[0], parts)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(_said(each, parts) for each in inside)
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return f"object: {_said(inside[0], parts)} → {_said(inside[1], parts)}"
    if origin is tuple and inside[-1] is not Ellipsis:
        return "[" + ", ".join(_said(each, parts) for each in inside) + "]"
    if origin in (tuple, list) or (isinstance(origin, type) and issubclass(origin, Sequence)):
        return f"list of {_said(inside[0], parts)}"
    return "any JSON value"


def _config(model: type[BaseModel]) -> str:
    reasons = comments(model)
    rows = ["| setting | type | default | range | why |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "" if field.default is PydanticUndefined else f"`{field.default}`"
        kind = _said(field.annotation, {})
        kind = kind if kind != "any JSON value" else "settings of their own"
        why = " ".join((field.description or reasons.get(name, "")).split())
        rows.append(f"| `{name}` | {_cell(kind)} | {default} | {_range(field)} | {_cell(why)} |")
    return "\n".join([f"### {model.__name__}\n", _words(model), "", *rows, ""])


SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def _range(field: FieldInfo) -> str:
    bounds = [each for each in field.metadata if isinstance(each, BaseMetadata)]
    return ", ".join(
        f"{sign} {getattr(bound, key)}"
        for bound in bounds
        for key, sign in SIGNS.items()
        if getattr(bound, key, None) is not None
    )


def comments(model: type[BaseModel]) -> dict[str, str]:
    """What the comments beside or right above a config's settings say, by setting; those of its parents
    too."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, Config) and owner is not Config:
            found |= _comments(inspect.getsource(owner))
    return found


def _comments(source: str) -> dict[str, str]:
    said = {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    alone = {n for n, line in enumerate(source.splitlines(), 1) if line.strip().startswith("#")}
    found = {}
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        first = node.lineno
        while first - 1 in alone:
            first -= 1
        lines = range(first, (node.end_lineno or node.lineno) + 1)
        if words := " ".join(said[line] for line in lines if line in said):
            found[node.target.id] = words
    return found


if __name__ == "__main__":
    sys.stdout.write(formats())
