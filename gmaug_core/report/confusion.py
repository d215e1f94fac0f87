"""What changed on the test images, before and after: the confusion matrices of the first seed's classifiers
as a table, a chart and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from gmaug_core.method.predictions import Predictions
from gmaug_core.report.theme import COLOURS

When = Literal["before", "after", "change"]
MOST_CLASSES = 40  # in a chart: those that are mixed up most
CELL_PX = 26
SELECTION = "cell"  # the chart's selection: one cell, by its two classes


def table(found: Predictions, class_names: Sequence[str]) -> pd.DataFrame:
    """One row a cell that has an image before or after: its class, the class it was put in, test images in
    either matrix, and their difference."""
    before, after = (found.confusion(when, len(class_names)) for when in ("before", "after"))
    return pd.DataFrame(
        [
            {
                "class": name,
                "put in": other,
                "right": row == column,
                "before": int(before[row, column]),
                "after": int(after[row, column]),
                "change": int(after[row, column] - before[row, column]),
            }
            for row, name in enumerate(class_names)
            for column, other in enumerate(class_names)
            if before[row, column] or after[row, column]
        ],
        columns=["class", "put in", "right", "before", "after", "change"],
    )


def words(found: Predictions) -> str:
    """How many images were fixed, broken, and stayed wrong."""
    n = {how: len(found.changed(how)) for how in ("fixed", "broken", "still wrong")}
    return (
        f"Of {len(found.images):,} test images the classifier with synthetic images (seed {found.seed}) put "
        f"{n['fixed']:,} right that were wrong before and {n['broken']:,} wrong that were right; "
        f"{n['still wrong']:,} are wrong both times."
    )


def chart(found: Predictions, class_names: Sequence[str], when: When) -> alt.LayerChart:
    """The matrix before, after, or what changed; its cells can be chosen (SELECTION). With more than
    MOST_CLASSES classes those that are mixed up most."""
    rows = table(found, class_names)
    wrong = rows[~rows["right"]]
    mixed = wrong.groupby("class")["before"].sum().add(wrong.groupby("class")["after"].sum(), fill_value=0)
    shown = [
        name
        for name in class_names
        if len(class_names) <= MOST_CLASSES or name in mixed.nlargest(MOST_CLASSES).index
    ]
    rows = rows[rows["class"].isin(shown) & rows["put in"].isin(shown)]
    # colour tells mistakes apart: the many right ones would drown them
    rows = rows.assign(shade=rows[when].where(~rows["right"] | (when == "change"), 0))
    cell = alt.selection_point(name=SELECTION, fields=["class", "put in"])
    high, low = COLOURS["rejected"], COLOURS["accepted"]
    most = max(1, int(rows["shade"].abs().max())) if len(rows) else 1
    colours = (
        alt.Scale(domain=[-most, 0, most], range=[low, "#8883", high])
        if when == "change"
        else alt.Scale(domain=[0, most], range=["#8883", high])
    )
    base = alt.Chart(rows).encode(
        x=alt.X(
            "put in:N",
            sort=shown,
            axis=alt.Axis(labelAngle=-45, labelLimit=120, labelOverlap=False, title="put in"),
        ),
        y=alt.Y("class:N", sort=shown, axis=alt.Axis(labelLimit=160, labelOverlap=False, title="class")),
        tooltip=["class:N", "put in:N", "before:Q", "after:Q"],
    )
    squares = (
        base.mark_rect(cursor="pointer")
        .encode(
            color=alt.Color("shade:Q", scale=colours, legend=None),
            opacity=alt.condition(cell, alt.value(1.0), alt.value(0.45)),
        )
        .add_params(cell)
    )
    numbers = base.mark_text(fontSize=11).encode(text=f"{when}:Q")
    side = CELL_PX * max(len(shown), 4)
    room = alt.AutoSizeParams(type="pad")  # for names and titles: around the cells, which keep their size
    return alt.LayerChart(layer=[squares, numbers]).properties(width=side, height=side, autosize=room)
