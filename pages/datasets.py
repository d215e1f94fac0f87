"""Datasets: import one, choose one, see what is in it."""

from __future__ import annotations

import streamlit as st

from gmaug_core import runs
from gmaug_core.data import dataset
from gmaug_core.data.manifest import Summary
from gmaug_core.intake import jobs
from gmaug_core.runs import bin as bins
from gmaug_core.ui import bin as bin_ui
from gmaug_core.ui import choice, drawing, imports, layout, outcome, overview, reading, text
from gmaug_core.ui.routes import forget_datasets, open_dataset
from gmaug_core.ui.uploader import uploader
from gmaug_core.workspace import names

SHOWN = 6  # dataset cards before the rest is folded away


def import_from_path() -> None:
    """Start importing what the person named; the page's list of imports tells how it goes."""
    path = jobs.allowed_path(st.session_state["import-path"])
    jobs.start(path, name=st.session_state["import-name"].strip() or path.stem, options=reading.options())
    for field in ("path", "name", *reading.FIELDS):
        st.session_state[f"import-{field}"] = ""
    st.session_state.pop(reading.SEEN, None)


def look_at_path() -> None:
    """Say what an import of the path would read."""
    reading.look(jobs.allowed_path(st.session_state["import-path"]))


def rename() -> str:
    """Give the dataset that is looked at the name in the field."""
    changed = names.rename(data.id, st.session_state[f"rename-{data.id}"])
    forget_datasets()
    return f"It is called {text.md(changed.name)} now."


def import_area() -> None:
    upload, from_path = st.tabs(
        [":material/upload: Upload an archive", ":material/folder_open: From this machine"]
    )
    with upload:
        uploader()
    with from_path, st.container(border=True):
        st.text_input(
            "Path of a zip or a folder",
            key="import-path",
            placeholder="~/data/mushrooms.zip",
            help="On the machine that runs GMAug, below the home folder of who started it, or below a folder "
            "that GMAUG_IMPORT_ROOTS lists.",
        )
        st.text_input("Name (optional)", key="import-name", max_chars=100)
        with st.expander("How the labels are read"):
            reading.fields()
        with st.container(horizontal=True):
            st.button(
                "Import",
                on_click=outcome.attempt,
                args=(import_from_path,),
                type="primary",
                icon=":material/download:",
            )
            st.button("Look first", on_click=outcome.attempt, args=(look_at_path,), icon=":material/search:")
        reading.seen()
    st.caption(
        "Known layouts: one folder a class; a list of files and labels (CSV, JSON); train, val and test "
        "folders with classes inside; super-class folders with class folders inside (they become a proposed "
        "grouping). Broken files are refused one by one and listed. Nothing "
        "leaves this machine."
    )


def card(summary: Summary, current: str | None) -> None:
    """One dataset: what it is, a strip of pictures, and a button to look at it."""
    with st.container(border=True, key=f"card-{summary.id}"):
        st.markdown(f"**{text.md(summary.name)}**")
        layout.picture(overview.strip(summary.id), alt=f"Some images of {summary.name}")
        facts = [
            text.plural(summary.n_images, "image"),
            text.plural(summary.n_classes, "sub-class"),
            f"imbalance {text.ratio(summary.imbalance_ratio)}",
        ]
        st.caption(" · ".join(facts))
        here = summary.id == current
        st.button(
            "Shown below" if here else "Look at it",
            key=f"look-{summary.id}",
            disabled=here,
            on_click=choice.choose,
            args=(summary.id,),
        )


st.title("Datasets", anchor=False)
st.markdown(
    "Will deep generative augmentation help an imbalanced image dataset? Begin with the dataset: import "
    "yours, or try the demo."
)
choice.say_missing()
imports.show()
for dataset_id, damage in dataset.damaged():
    st.warning(
        f"The dataset {text.md(dataset_id)} is damaged: {text.md(str(damage))}",
        icon=":material/broken_image:",
    )
summaries = dataset.list_datasets()
with st.expander(
    "Import a dataset",
    expanded=all(summary.demo for summary in summaries),
    icon=":material/add_photo_alternate:",
):
    import_area()
current = st.session_state.get(choice.KEY)
for part, fold in ((summaries[:SHOWN], False), (summaries[SHOWN:], True)):
    if part:
        place = st.expander(f"{len(part)} more") if fold else st.container()
        with place, st.container(horizontal=True, key=f"cards-{fold}"):
            for summary in part:
                with st.container(width=226):
                    card(summary, current)
bin_ui.contents()
if not summaries:
    st.stop()

data = open_dataset(current or summaries[0].id)
table = overview.split_table(data)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header(text.md(data.name), anchor=False)
    with st.container(horizontal=True, width="content"):
        with st.popover("Rename", icon=":material/edit:", key=f"rename-of-{data.name}"):
            st.text_input("Name", data.name, key=f"rename-{data.id}", max_chars=dataset.NAME_LENGTH)
            st.button("Rename", on_click=outcome.attempt, args=(rename,), key=f"renamed-{data.id}")
        on_it = len(runs.list_runs(dataset=data.id))
        bin_ui.delete_button(
            "this dataset",
            lambda: bins.delete_dataset(data.id),
            key=f"delete-{data.id}",
            also=f" Its {text.plural(on_it, 'run')} will go with it." if on_it else "",
        )
with st.container(horizontal=True, gap="medium"):
    st.metric("Images", text.count(len(data)))
    st.metric(
        "Sub-classes",
        text.count(len(data.class_names)),
        help="The labels of the dataset. Those that look alike make up a super-class, on the next page.",
    )
    st.metric(
        "Imbalance ratio",
        text.ratio(data.imbalance_ratio),
        help="The largest training class over the smallest.",
    )
    st.metric(
        "Train / val / test",
        " / ".join(text.count(int((data.splits == name).sum())) for name in ("train", "val", "test")),
        help=None
        if (data.splits != "train").any()
        else "It came without splits: a run makes its own, and keeps its test images apart.",
    )
    st.metric(
        "Format",
        f"{data.image_size} px, {overview.COLOUR_WORDS[data.colour]}",
        help="Median short side; grey when every image is.",
    )

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.subheader("Images of each sub-class", anchor=False)
    log = st.toggle("Log scale", key="log-counts", value=data.imbalance_ratio > 50)
drawing.altair(f"counts-{data.id}", (data.version, log), lambda: overview.counts_chart(table, log=log))

samples, numbers, report = st.tabs(["Samples", "Counts and splits", overview.report_title(data.manifest)])
with samples:
    overview.sample_sheet(data)
with numbers:
    st.dataframe(table, hide_index=True, height=min(38 + 35 * len(table), 560))
    if not (data.splits != "train").any():
        st.caption(
            "This dataset came without splits. An augmentation run makes its own train, validation and test "
            "split."
        )
with report:
    overview.import_report(data)

with st.container(border=True, key="next"):
    st.subheader("What next", anchor=False)
    st.markdown(
        "Say which sub-classes look alike, then measure how similar they are: that score predicts the gain "
        "before any training."
    )
    with st.container(horizontal=True):
        text.link("super_classes", "Group the sub-classes", "account_tree")
        text.link("similarity", "Measure similarity", "blur_on")
