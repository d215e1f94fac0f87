"""Super-classes: which sub-classes belong together.

Choose a grouping or begin one, edit it on the board, import, export, copy.
"""

from __future__ import annotations

import streamlit as st

from gmaug_core.ui import address, agreement, beginning, board_score, outcome, text
from gmaug_core.ui.board import board
from gmaug_core.ui.choice import chosen
from gmaug_core.workspace import grouping, groupings, provenance
from gmaug_core.workspace.grouping import IDENTITY, NAME_LENGTH, Grouping

ADDRESS = "grouping"  # the query parameter: a link opens the grouping that it was taken from
BOARD, COMPARE = "Board", "Compare groupings"


def opened(name: str) -> str:
    """Look at a grouping that was just stored."""
    st.session_state[key] = name
    return f"'{text.md(name)}' is stored and can be edited."


def copy(source: Grouping, field: str) -> str:
    how = f"Copied from {source.name}"
    return opened(provenance.start(data, st.session_state[field], source, how))


def import_file() -> str | None:
    upload = st.session_state["grouping-file"]
    if not upload:
        return None
    name = st.session_state["grouping-file-name"] or upload.name.rsplit(".", 1)[0]
    groups = grouping.read(upload.getvalue(), "imported")
    return opened(provenance.start(data, name, groups, f"Imported from {upload.name}"))


def delete(name: str) -> str:
    groupings.delete(data.id, name, revision=groupings.current(data, name)[1])
    address.forget(name)
    return f"'{text.md(name)}' is deleted. Restore brings it back."


def restore(name: str) -> str:
    groupings.restore(data.id, name)
    st.session_state[key] = name
    return f"'{text.md(name)}' is back."


st.title("Super-classes", anchor=False)
data = chosen()
key = f"grouping-{data.id}"
names = groupings.names(data)
if address.turned() or st.session_state.get(key) not in names:
    linked = st.query_params.get(ADDRESS)
    if linked in names:
        st.session_state[key] = linked
    elif linked:
        why = ": it was deleted, and Restore brings it back" if linked in groupings.deleted(data.id) else ""
        st.warning(
            f"There is no grouping '{text.md(linked)}' of this dataset{why}. You look at another one.",
            icon=":material/link_off:",
        )
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]

st.markdown(
    "Put sub-classes that look alike together. The score, and with it the predicted gain, follows from the "
    "super-class whose images are most alike."
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.selectbox("Grouping", names, key=key, width=300, persist_state="session", format_func=text.grouping)
    if st.query_params.get(ADDRESS) != st.session_state[key]:
        st.query_params[ADDRESS] = st.session_state[key]
    current, stored = groupings.current(data, st.session_state[key])
    # another grouping, another key: what opened one is closed, and the board free
    if current.name != IDENTITY:
        with st.popover("New", icon=":material/add:", key=f"new-in-{current.name}"):
            beginning.form(data, opened)
    with st.popover("Copy", icon=":material/content_copy:", key=f"copy-of-{current.name}"):
        field = f"copy-{data.id}-{current.name}"
        if field not in st.session_state:
            wanted = "my grouping" if current.name == IDENTITY else f"{current.name} copy"
            st.session_state[field] = groupings.free_name(data, wanted)
        st.text_input("Name of the copy", key=field, max_chars=NAME_LENGTH)
        st.button("Make the copy", on_click=outcome.attempt, args=(copy, current, field), type="primary")
    with st.popover("Import", icon=":material/upload_file:", key=f"import-in-{current.name}"):
        st.markdown(
            "CSV with the columns `sub_class, super_class`, or JSON `{super: [sub, ...]}`. Every sub-class "
            "in exactly one super-class."
        )
        st.text_input("Name", key="grouping-file-name", placeholder="the file's name", max_chars=NAME_LENGTH)
        st.file_uploader("Grouping file", type=["csv", "json", "txt"], key="grouping-file")
        st.button(
            "Import the file",
            on_click=outcome.attempt,
            args=(import_file,),
            type="primary",
            disabled=not st.session_state.get("grouping-file"),
        )
    with st.popover("Export", icon=":material/download:"):
        file = f"{data.id}-{current.name}"
        st.download_button(
            "CSV", current.to_csv, f"{file}.csv", "text/csv", on_click="ignore", width="stretch"
        )
        st.download_button(
            "JSON", current.to_json, f"{file}.json", "application/json", on_click="ignore", width="stretch"
        )

    if stored:
        st.button(
            "Delete",
            icon=":material/delete:",
            on_click=outcome.attempt,
            args=(delete, current.name),
            key=f"delete-{data.id}-{current.name}",
        )
    if gone := groupings.deleted(data.id):
        with st.popover("Restore", icon=":material/restore_from_trash:"):
            for name in gone:
                st.button(
                    text.plain(name),
                    on_click=outcome.attempt,
                    args=(restore, name),
                    key=f"restore-{data.id}-{name}",
                )

if current.name == IDENTITY:
    with st.container(border=True, key="identity-note"):
        beginning.form(data, opened)
        st.caption(
            f"What you see below is the dataset as it came: {text.count(len(data.class_names))} sub-classes, "
            "each on its own. Its score measures variety inside a class, not likeness between classes. It "
            "stays as it is."
        )
else:
    beginning.guide(data, current, stored)

view = BOARD
if len(agreement.others(data)) > 1:
    view = st.segmented_control(
        "View",
        [BOARD, COMPARE],
        default=BOARD,
        key="view",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
if view == COMPARE:
    agreement.show(data, current, stored, opened)
else:
    place = st.container()
    state = board(data, current.name)
    with place:
        board_score.show(data, state.grouping, state.revision)
text.what_next(
    ("similarity", "Measure similarity with this grouping", "blur_on"),
    ("verdict", "Ask for a verdict", "balance"),
)
