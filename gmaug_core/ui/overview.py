"""What a dataset looks like: counts, splits, samples, what its import refused."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.data.folders import SPLITS
from gmaug_core.data.manifest import Manifest
from gmaug_core.report.theme import COLOURS
from gmaug_core.ui import ASSETS, text
from gmaug_core.ui.routes import images_url, open_dataset

NAMED_BARS = 40  # with more classes than this the axis has no room for names; the pointer still tells
SHEET_IMAGES = 14  # a class

_sheet = st.components.v2.component(
    "gmaug_sheet",
    html="<div></div>",
    css=(ASSETS / "sheet.css").read_text("utf-8"),
    js=(ASSETS / "sheet.js").read_text("utf-8"),
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
        title=None if few else f"{len(rows)} sub-classes, largest first",
        axis=alt.Axis(
            labels=few,
            ticks=False,
            labelAngle=0 if len(rows) <= 12 else -50,
            labelLimit=130,
            labelExpr=_names(rows) if few else "''",
        ),
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
    bars = (
        alt.Chart(rows).mark_bar(color=COLOURS["real"], cornerRadiusEnd=3).encode(order, height, tooltip=tip)
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
    rows = [[text.plain(name), data.counts[name], shots[name]] for name in ordered]
    _sheet(
        key=f"sheet-{data.id}",
        data={"version": data.id, "pictures": images_url(data.id), "rows": rows},
    )


def import_report(manifest: Manifest) -> None:
    """What the import of this dataset refused, found twice, or warned of."""
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
            column_config={"files": "The same image"},
        )
