"""Which dataset the person looks at: one picker in the sidebar, kept in the address, read by every page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from gmaug_core import runs
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError
from gmaug_core.runs import RunConfigFile
from gmaug_core.ui import address, text
from gmaug_core.ui import bin as bin_ui
from gmaug_core.ui.routes import open_dataset

KEY = "dataset"  # also the query parameter
OF_A_DATASET = ("run", "grouping")  # query parameters that mean nothing with another dataset
_NEXT = "next-dataset"  # what the next rerun will look at
_MISSING = "missing-dataset"  # what a link named, and is not here


def picker() -> None:
    """Draw the picker. The demo dataset is last in the list and first only when it is alone."""
    summaries = sorted(dataset.list_datasets(), key=lambda summary: summary.demo)
    if not summaries:
        return
    labels = text.apart({summary.id: text.plain(summary.name) for summary in summaries})
    asked = st.session_state.pop(_NEXT, None)
    if asked in labels:
        st.session_state[KEY] = asked
    elif address.turned() or st.session_state.get(KEY) not in labels:  # or a new tab, or one that is gone
        linked = st.query_params.get(KEY) or _dataset_of(st.query_params.get("run"))
        if linked in labels:
            st.session_state[KEY] = linked
        elif linked:
            st.session_state[_MISSING] = linked
        if KEY in st.session_state and st.session_state[KEY] not in labels:
            st.session_state[KEY] = summaries[0].id
        # unset it is the first, or what the browser still shows after the server has forgotten its session
    st.selectbox(
        "Dataset", list(labels), format_func=lambda key: labels[key], key=KEY, persist_state="session"
    )
    if st.query_params.get(KEY) != st.session_state[KEY]:
        if KEY in st.query_params:
            for other in OF_A_DATASET:  # they belong to the dataset that was looked at before
                st.query_params.pop(other, None)
        st.query_params[KEY] = st.session_state[KEY]


def _dataset_of(run_id: str | None) -> str | None:
    """The dataset of a linked run, so that a link that names the run alone opens it."""
    try:
        return RunConfigFile.read(runs.find(run_id).config).settings.dataset if run_id else None
    except GMAugError:  # no such run, or one that cannot be read
        return None


def grouping_of(data: Dataset, names: Sequence[str]) -> int:
    """The position of the grouping that the person looked at last, on page Super-classes; else the first."""
    looked_at = st.session_state.get(f"grouping-{data.id}")
    return names.index(looked_at) if looked_at in names else 0


def choose(dataset_id: str) -> None:
    """Look at another dataset from the next rerun on."""
    st.session_state[_NEXT] = dataset_id


def chosen() -> Dataset:
    """The dataset that the person looks at. Where there is none, says what to do and ends the page."""
    dataset_id = st.session_state.get(KEY)
    if not dataset_id:
        text.empty(
            "No dataset yet",
            "Import a zip or a folder of images first; everything else begins there.",
            page="datasets",
            label="Import a dataset",
        )
        st.stop()
    say_missing()
    return open_dataset(dataset_id)


def say_missing() -> None:
    """Say so, once, where the address names a dataset that is not here: another one is shown."""
    if missing := st.session_state.pop(_MISSING, None):
        why = bin_ui.instead(missing)
        st.warning(
            f"There is no dataset '{text.md(missing)}' in this workspace"
            + ("." if why else ": it was deleted, or the link is of another one.")
            + f"{why} You look at another dataset.",
            icon=":material/link_off:",
        )
