"""What a dataset looks like: counts, splits, samples, what its import refused."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.folders import SPLITS
from gmaug_core.data.manifest import Manifest
from gmaug_core.report.theme import COLOURS
from gmaug_core.ui import ASSETS, drawing, text
from gmaug_core.ui.operations import script
from gmaug_core.ui.routes import images_url, open_dataset

NAMED_BARS = 40  # with more classes than this the axis has no room for names; the pointer still tells
SHEET_IMAGES = 14  # a class
MOST_ALIKE = 60  # groups of images that look alike, on the page
COLOUR_WORDS = {"grey": "grey", "rgb": "colour"}

_sheet = st.components.v2.component(
    "gmaug_sheet",
    html="<div></div>",
    css=(ASSETS / "sheet.css").read_text("utf-8"),
    js=script("elements.mjs", "sheet.js"),
)


@st.cache_data(max_entries=200, show_spinner=False)
def strip(dataset_id: str) -> bytes:
    """One picture of each of a few sub-classes side by side, as PNG: what a dataset looks like on its
    card."""
    return pictures.strip(open_dataset(dataset_id))


def split_table(data: Dataset) -> pd.DataFrame:
    """Images a sub-class and split, the largest class first: columns sub-class, train, val, test."""
    counts = pd.crosstab(data.labels, data.splits).reindex(
        index=range(len(data.class_names)), columns=list(SPLITS), fill_value=0
    )
    counts.insert(0, "sub-class", [text.plain(name) for name in data.class_names])
    return counts.sort_values("train", ascending=False, kind="stable", ignore_index=True)


def counts_chart(table: pd.DataFrame, *, log: bool) -> alt.LayerChart | alt.FacetChart:
    """The long tail: training images a sub-class, from the largest to the smallest. table: as from
    split_table."""
    rows = table.reset_index(names="rank")
    few = len(rows) <= NAMED_BARS
    order = alt.X(
        "rank:O",
        title=None if few else f"{text.plural(len(rows), 'sub-class', 'sub-classes')}, largest first",
        axis=alt.Axis(
            labels=few,
            ticks=False,
            labelAngle=0 if len(rows) <= 12 else -50,
            labelLimit=130,
            labelExpr=_names(rows) if few else "''",
        ),
        scale=alt.Undefined if few else alt.Scale(padding=0),  # between a thousand bars the gaps hide them
    )
    scale = alt.Scale(type="symlog") if log else alt.Scale()
    height = alt.Y(
        "train:Q",
        title="Training images" + (", log scale" if log else ""),
        scale=scale,
        axis=alt.Axis(tickCount=5),
    )
    tip = [
        alt.Tooltip("sub-class:N"),
        alt.Tooltip("train:Q", format=","),
        alt.Tooltip("val:Q", format=","),
        alt.Tooltip("test:Q", format=","),
    ]
    corner = 3 if few else 0
    bars = (
        alt.Chart(rows)
        .mark_bar(color=COLOURS["real"], cornerRadiusEnd=corner)
        .encode(order, height, tooltip=tip)
    )
    if len(rows) > 25:
        return alt.layer(bars).properties(height=260)
    figures = bars.mark_text(dy=-7, fontSize=11, color=COLOURS["baseline"]).encode(
        text=alt.Text("train:Q", format=",")
    )
    return alt.layer(bars, figures).properties(height=260)


def _names(rows: pd.DataFrame) -> str:
    """A Vega expression that names each rank; JSON strings are its string literals."""
    names: str = pd.Series(rows["sub-class"]).to_json(orient="values", force_ascii=False)
    return names + "[datum.value]"


def sample_sheet(data: Dataset) -> None:
    """A few training images of every sub-class, the largest class first."""
    shots = pictures.shots(data, SHEET_IMAGES)
    ordered = sorted(data.class_names, key=lambda name: -data.counts[name])
    rows = [[text.plain(name), f"{data.counts[name]:,} training", shots[name]] for name in ordered]
    _draw_sheet("sheet", data, rows, "Sample images of every sub-class")


def _draw_sheet(name: str, data: Dataset, rows: list[list[Any]], label: str) -> None:
    """Rows of pictures: what each is, what is said of it, and the numbers of its images. label: of it all."""
    _sheet(
        key=f"{name}-{data.id}",
        data={"version": data.id, "pictures": images_url(data.id), "rows": rows, "label": label},
    )


def report_title(manifest: Manifest) -> str:
    """The report's tab, which tells from afar that there is something to look at."""
    n = len(manifest.warnings)
    return f"Import report · :orange[{n} to look at]" if n else "Import report"


def alike(manifest: Manifest) -> list[tuple[str, str, list[int]]]:
    """Groups of images that are one or look like one: their sub-classes, what they share and where, and their
    rows. Those of two sub-classes come first, as one of the labels is wrong, then those of two splits."""
    rows = manifest.images
    twice = {item.sha256 for item in manifest.duplicates}
    groups: dict[tuple[str, str | int], list[int]] = {}
    for i, sha in enumerate(rows.sha256) if twice else ():
        if sha in twice:
            groups.setdefault(("the same image", sha), []).append(i)
    near = np.asarray(rows.near, np.int64)
    for i in np.flatnonzero(np.bincount(near, minlength=len(near))[near] > 1).tolist() if len(near) else ():
        groups.setdefault(("look the same", int(near[i])), []).append(i)
    found = []
    for (what, _), members in groups.items():
        names = sorted({manifest.classes[rows.label[i]] for i in members})
        parts = sorted({rows.split[i] for i in members})
        said = what + (f" in {' and '.join(parts)}" if len(parts) > 1 else "")
        if len(members) > 1:
            found.append((-len(names), -len(parts), " · ".join(names), said, members))
    return [(title, said, members) for *_, title, said, members in sorted(found, key=lambda row: row[:2])]


def _alike_sheet(data: Dataset) -> None:
    """Pictures of the groups, so that a person can see which label, or which image, is wrong."""
    groups = drawing.once(("alike", data.id, data.version), lambda: alike(data.manifest))
    if not groups:
        return
    st.markdown("**Images that are, or look, the same**")
    more = f" The first {MOST_ALIKE} of {len(groups):,} groups." if len(groups) > MOST_ALIKE else ""
    st.caption(
        "Of two sub-classes first: one of the labels is wrong. To correct one, move or delete the file where "
        f"it came from, and import again.{more}"
    )
    rows = [[text.plain(title), said, members[:SHEET_IMAGES]] for title, said, members in groups[:MOST_ALIKE]]
    _draw_sheet("alike", data, rows, "Images that are or look the same")


def import_report(data: Dataset) -> None:
    """What the import of this dataset refused, found twice, or warned of."""
    manifest = data.manifest
    refused, duplicates, changed = manifest.refused, manifest.duplicates, manifest.conversions
    for warning in manifest.warnings:
        st.warning(text.md(warning), icon=":material/warning:")
    facts = [
        f"{text.plural(len(refused), 'file')} refused",
        f"{text.plural(len(duplicates), 'image')} found more than once",
        f"{text.plural(len(changed), 'image')} converted to 8-bit upright sRGB or grey",
        f"{text.plural(manifest.junk, 'system file')} ignored",
    ]
    st.markdown(" · ".join(facts))
    if refused:
        table = pd.DataFrame([item.to_dict() for item in refused])[["file", "reason"]].map(text.plain)
        st.dataframe(
            table,
            hide_index=True,
            height=min(38 + 35 * len(table), 300),
            column_config={"file": "Refused file", "reason": "Why"},
        )
    _alike_sheet(data)
    if duplicates:
        rows = [
            {
                "files": ", ".join(text.plain(file) for file in item.files[:6]),
                "copies": len(item.files),
                "in two classes": item.across_classes,
                "in two splits": item.across_splits,
            }
            for item in duplicates
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height=min(38 + 35 * len(rows), 300),
            column_config={"files": st.column_config.TextColumn("Files with the same bytes", width="large")},
        )
