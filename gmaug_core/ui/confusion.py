"""Before and after on the gains page: the confusion matrix, and the test images behind each of its cells."""

from __future__ import annotations

from typing import Any, cast, get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from gmaug_core.config import AugmentationConfig, image_format
from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.method.predictions import Change, Predictions
from gmaug_core.method.variants import short
from gmaug_core.report import confusion
from gmaug_core.runs import RunConfigFile, RunPaths
from gmaug_core.ui import drawing, layout, text

COLUMNS, MOST_IMAGES = 12, 48  # of a sheet; more images than this are the first ones
CELL = "one cell of the matrix"
CHANGES = [change for change in get_args(Change) if change != "right both times"]


def before_and_after(paths: RunPaths, data: Dataset) -> None:
    """The part of the page; nothing where the run kept no predictions, or the dataset has changed since."""
    file = paths.folder / Predictions.FILE
    if not file.exists():
        return
    found = Predictions.read(file)
    if found.dataset_version != data.version:
        return
    st.header("Before and after, image by image", anchor=False)
    st.caption(
        f"Before: {short(found.control).lower()}; after: {short(found.augmented).lower()}. "
        f"{confusion.words(found)} Choose a cell to see its images."
    )
    whens: list[confusion.When] = ["before", "after", "change"]
    when = st.segmented_control(
        "Matrix", whens, default="change", format_func=str.capitalize, key="confusion-when", required=True
    )
    event = drawing.altair(
        "confusion",
        (paths.id, file.stat().st_mtime_ns, when),
        lambda: confusion.chart(found, data.class_names, when),
        width="content",
        selection=confusion.SELECTION,
    )
    cell = _chosen(event, data.class_names)
    kinds = [*CHANGES, *([CELL] if cell else [])]
    kind = st.segmented_control(
        "Images",
        kinds,
        default=CELL if cell else kinds[0],
        format_func=str.capitalize,
        required=True,
        key=f"confusion-images-{cell}",
    )
    _sheet(paths, data, found, images_of(found, kind, cell, "after" if when == "change" else when))
    if cell:
        drawn, taken = (data.class_names[number] for number in cell)
        text.link(
            "samples",
            f"Synthetic images drawn as {text.md(drawn)} that were judged as {text.md(taken)}",
            "grid_view",
            query={"dataset": data.id, "run": paths.id, "class": drawn, "judged-as": taken},
        )


def images_of(
    found: Predictions, kind: str, cell: tuple[int, int] | None, when: confusion.When
) -> NDArray[np.int64]:
    """Numbers of the test images of one kind of change, or behind a cell (its class, the class put in)."""
    if kind == CELL and cell is not None:
        return found.cell(cast(Any, when), *cell)
    return found.changed(cast(Change, kind))


def _chosen(event: Any, class_names: tuple[str, ...]) -> tuple[int, int] | None:
    """The cell that a person chose in the chart: its class and the class that its images were put in."""
    rows = (event or {}).get("selection", {}).get(confusion.SELECTION) or []
    if not rows:
        return None
    names = list(class_names)
    return names.index(rows[0]["class"]), names.index(rows[0]["put in"])


def _sheet(paths: RunPaths, data: Dataset, found: Predictions, numbers: NDArray[np.int64]) -> None:
    """The images as one picture, and what was said of each."""
    if not len(numbers):
        st.caption("No test image.")
        return
    shown = numbers[:MOST_IMAGES]
    settings = RunConfigFile.read(paths.config).settings_as(AugmentationConfig)
    pixels = data.images(image_format(settings.generator.resolution, settings.generator.colour))
    rows = [[pixels[i] for i in shown[start : start + COLUMNS]] for start in range(0, len(shown), COLUMNS)]
    layout.picture(pictures.sheet(rows, columns=min(COLUMNS, len(shown))), alt="The test images, row by row")
    more = f" The first {len(shown)} of {len(numbers):,}." if len(numbers) > len(shown) else ""
    st.caption(f"{text.plural(len(numbers), 'test image')}, row by row as below.{more}")
    place = {number: k for k, number in enumerate(found.images)}
    names = data.class_names
    with st.expander("What was said of each"):
        st.dataframe(
            [
                {
                    "file": data.manifest.images.file[i],
                    "class": names[found.label[place[i]]],
                    "before": names[found.before[place[i]]],
                    "after": names[found.after[place[i]]],
                }
                for i in shown.tolist()
            ],
            hide_index=True,
        )
