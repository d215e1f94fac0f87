"""An export described for machines: Croissant 1.0 (JSON-LD), and the head of README.md that a hub reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from gmaug_core.files import write_bytes
from gmaug_core.report.metadata import COLUMNS, NUMBERS

FILE = "croissant.json"
FRACTIONS = {"logit", "probability"}  # the rest of the numbers are whole
CONTEXT = {  # of the Croissant format specification 1.0, section "Context"
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "key": "cr:key",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "sc": "https://schema.org/",
    "source": "cr:source",
}


def write(folder: Path, *, title: str, version: str, about: str, classes: Sequence[str]) -> None:
    """Write croissant.json beside metadata.csv, whose sha256 it states. classes: in the order of their
    numbers."""
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": title,
        "description": about,
        "version": version,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "metadata.csv",
                "contentUrl": "metadata.csv",
                "encodingFormat": "text/csv",
                "sha256": hashlib.sha256((folder / "metadata.csv").read_bytes()).hexdigest(),
            },
            {
                "@type": "cr:FileSet",
                "@id": "images",
                "includes": "*/*/*.png",
                "encodingFormat": "image/png",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "classes",
                "key": {"@id": "classes/label"},
                "field": [
                    {"@type": "cr:Field", "@id": "classes/label", "dataType": "sc:Integer"},
                    {"@type": "cr:Field", "@id": "classes/name", "dataType": "sc:Text"},
                ],
                "data": [{"classes/label": k, "classes/name": name} for k, name in enumerate(classes)],
            },
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "key": {"@id": "rows/file_name"},
                "field": [_field(column) for column in COLUMNS],
            },
        ],
    }
    write_bytes(folder / FILE, json.dumps(document, ensure_ascii=False, indent=1).encode())


def _field(column: str) -> Mapping[str, object]:
    kind = "sc:Float" if column in FRACTIONS else "sc:Integer" if column in NUMBERS else "sc:Text"
    found: dict[str, object] = {
        "@type": "cr:Field",
        "@id": f"rows/{column}",
        "dataType": kind,
        "source": {"fileObject": {"@id": "metadata.csv"}, "extract": {"column": column}},
    }
    if column == "label":
        found["references"] = {"field": {"@id": "classes/label"}}
    return found
