"""What a person says of the labels before an import: the layout that would be read, those beside it, and
fields to choose another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from gmaug_core.data.folders import SPLITS
from gmaug_core.errors import InputError
from gmaug_core.intake import jobs
from gmaug_core.intake.door import preview
from gmaug_core.intake.layouts import Doubt
from gmaug_core.intake.layouts.contract import Options
from gmaug_core.intake.layouts.split_words import CLASS, SKIP
from gmaug_core.ui import outcome, text
from gmaug_core.workspace import roles

SEEN = "import-seen"  # what the last look found
FIELDS = {
    "labels": ("List of labels", "labels.csv:species, or folders"),
    "level": ("Which folder is the class", "1 the outermost, 2, or all"),
    "pattern": ("Pattern in the file's path", "_(cat|dog)_"),
    "splits": ("What folders are", "seg_train=train, seg_pred=skip"),
}
CLASSES = 12  # that a look names


def fields() -> None:
    """The fields of what a person may say; empty: what is found counts."""
    for name, (label, example) in FIELDS.items():
        st.text_input(label, key=f"import-{name}", placeholder=example)


def options() -> Options:
    """What the fields say. Raises InputError for a folder that is given no role."""
    given = {name: str(st.session_state.get(f"import-{name}", "")).strip() for name in FIELDS}
    pairs = [each.partition("=") for each in given.pop("splits").split(",") if each.strip()]
    roles = (*SPLITS, SKIP, CLASS)
    splits = {name.strip(): role.strip() for name, _, role in pairs}
    if wrong := [name for name, role in splits.items() if role not in roles]:
        raise InputError(f"'{wrong[0]}' is given no role", expected="NAME=ROLE, ROLE " + ", ".join(roles))
    return Options(**{name: value or None for name, value in given.items()}, splits=splits)


def look(path: Path) -> None:
    """Find what would be read; `seen` shows it. Raises InputError where nothing could be, and Forbidden."""
    roles.require("import dataset", path.name)
    try:
        found: dict[str, Any] = preview(path, options())
    except Doubt as doubt:
        ways = [{"words": words, "options": vars(each)} for words, each in doubt.readings]
        found = {"layout": "", "classes": {}, "warnings": [], "others": ways}
    st.session_state[SEEN] = found | {"path": str(path)}


def take(said: dict[str, Any], path: str) -> None:
    """Put what chooses a reading into the fields, and look again. Raises as `look` does."""
    splits = ", ".join(f"{name}={role}" for name, role in said["splits"].items())
    for name in FIELDS:
        st.session_state[f"import-{name}"] = splits if name == "splits" else said[name] or ""
    look(jobs.allowed_path(path))


def seen() -> None:
    """The last look: what would be read, what beside it, and a button for each."""
    found = st.session_state.get(SEEN)
    if found is None:
        return
    with st.container(border=True, key="import-look"):
        if found["layout"]:
            st.markdown(f"Would read **{text.md(found['layout'])}**.")
            largest = sorted(found["classes"].items(), key=lambda item: -item[1])[:CLASSES]
            st.caption(" · ".join(f"{text.md(name)} {n:,}" for name, n in largest))
        else:
            st.markdown("It can be read in several ways: choose one.")
        for warning in found["warnings"]:
            st.caption(text.md(warning))
        for k, other in enumerate(found["others"]):
            with st.container(
                horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
            ):
                st.markdown(("Or: " if found["layout"] else "") + text.md(other["words"]))
                st.button(
                    "Choose",
                    key=f"take-{k}",
                    on_click=outcome.attempt,
                    args=(take, other["options"], found["path"]),
                )
