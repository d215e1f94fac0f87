"""Several people's groupings of one dataset side by side: how far they agree, what they disagree about, and
one grouping made of all, in which each disagreement is settled with a click.
"""

from __future__ import annotations

import html
from collections.abc import Callable

import streamlit as st

from gmaug_core.data import pictures
from gmaug_core.data.dataset import Dataset
from gmaug_core.ui import outcome, text
from gmaug_core.ui.routes import images_url
from gmaug_core.workspace import agreement, groupings, provenance
from gmaug_core.workspace.grouping import IDENTITY, NAME_LENGTH, Grouping

SHOTS = 4  # pictures of a disputed sub-class
ROWS = 20  # disputed sub-classes at once
RAND_HELP = (
    "Adjusted Rand index (Hubert & Arabie 1985): (pairs that both put together - expected by chance) / "
    "(the most there could be - expected by chance). 1: the same grouping; 0: as much as by chance."
)
SHARE_HELP = (
    "Of the sub-classes that at least one of two groupings has together with this one, the share that the "
    "other has not; the mean over every two groupings."
)


def others(data: Dataset) -> list[str]:
    """The groupings that somebody made or the folders gave: what can be compared."""
    return [name for name in groupings.names(data) if name != IDENTITY]


def show(data: Dataset, current: Grouping, revision: int, opened: Callable[[str], str]) -> None:
    """The view. current, revision: the grouping that is open, in which disagreements are settled. opened:
    looks at a new one; returns what there is to say."""
    names = others(data)
    key = f"compared-{data.id}"
    if not set(st.session_state.get(key, [])) <= set(names):
        del st.session_state[key]
    made = groupings.stored(data.id)  # by people; what the folders propose is nobody's, and chosen by hand
    st.session_state.setdefault(key, (made if len(made) > 1 else names)[: agreement.MOST])
    picked = st.multiselect(
        "Groupings to compare, one of each person",
        names,
        key=key,
        format_func=text.plain,
        max_selections=agreement.MOST,
        persist_state="session",
    )
    if len(picked) < 2:
        st.caption("Choose two or more.")
        return
    compared = [groupings.current(data, name)[0].without_empty() for name in picked]
    _agree(data, compared)
    rows = [row for row in agreement.disputed(compared) if row.share > 0]
    if not rows:
        st.success("They agree about every sub-class.", icon=":material/check_circle:")
        return
    _merge(data, compared, opened)
    _disputes(data, current, revision, compared, rows)


def _agree(data: Dataset, compared: list[Grouping]) -> None:
    found = agreement.indices(compared)
    mean = sum(found.values()) / len(found)
    many = f"mean of {text.plural(len(found), 'pair')}" if len(found) > 1 else "two groupings"
    left, right = st.columns([1, 3], vertical_alignment="center")
    with left:
        st.metric("Agreement (adjusted Rand)", f"{mean:.2f}", help=RAND_HELP, border=True)
        st.caption(many)
    with right:
        st.dataframe(
            [
                {
                    "grouping": text.plain(each.name),
                    "made by": text.plain(agreement.people(data.id, each.name)),
                    "super-classes": len(each.super_classes),
                    **{
                        f"with {text.plain(other.name)}": 1.0
                        if other is each
                        else found.get((each.name, other.name), found.get((other.name, each.name)))
                        for other in compared
                    },
                }
                for each in compared
            ],
            column_config={
                f"with {text.plain(other.name)}": st.column_config.NumberColumn(format="%.2f")
                for other in compared
            },
            hide_index=True,
        )


def _merge(data: Dataset, compared: list[Grouping], opened: Callable[[str], str]) -> None:
    """A form that makes one grouping of all."""
    if "merged-name" not in st.session_state:
        st.session_state["merged-name"] = groupings.free_name(data, "merged")

    def merge() -> str:
        name = st.session_state["merged-name"]
        made, how = agreement.merge(data, [each.name for each in compared], name)
        return opened(provenance.start(data, name, made, how))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name of the merged grouping", key="merged-name", max_chars=NAME_LENGTH, width=260)
        st.button(
            "Merge them",
            icon=":material/merge:",
            type="primary",
            on_click=outcome.attempt,
            args=(merge,),
            help="Sub-classes that more than half of the groupings put together stay together; of two "
            "groupings, those that both do. Then settle what is left below, or on the board.",
        )


def _disputes(
    data: Dataset, current: Grouping, revision: int, compared: list[Grouping], rows: list[agreement.Disputed]
) -> None:
    """What they disagree about, the most disputed first; a click puts a sub-class where somebody has it."""
    st.header("What they disagree about", anchor=False)
    editable = current.name != IDENTITY
    st.markdown(
        f"{text.plural(len(rows), 'sub-class', 'sub-classes')} of {len(data.class_names)}, the most disputed "
        "first. "
        + (
            f"A click puts a sub-class into **{text.md(current.name)}** as that person has it; undo is on "
            "the board."
            if editable
            else "Open a grouping of your own, or merge them, to settle them with a click."
        )
    )
    page = 0
    if len(rows) > ROWS:
        pages = -(-len(rows) // ROWS)
        page = st.number_input("Page", 1, pages, key=f"disputes-page-{data.id}", width=160) - 1
        st.caption(f"of {pages}")
    shots = pictures.shots(data, SHOTS)
    here = current.super_of
    for row in rows[page * ROWS : (page + 1) * ROWS]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            _pictures(data, row.sub_class, shots[row.sub_class])
            with st.container(width=240, gap=None):
                st.markdown(f"**{text.md(row.sub_class)}**")
                st.caption(
                    f"disputed {row.share:.0%} · now in {text.md(here.get(row.sub_class, ''))}",
                    help=SHARE_HELP,
                )
            for source in compared:
                _settle(data, current, revision, source, row, disabled=not editable)
    with st.expander("All of them as a table", icon=":material/table:"):
        st.dataframe(
            [
                {"sub-class": text.plain(row.sub_class), "disputed": row.share}
                | {text.plain(name): text.plain(title) for name, title in row.places.items()}
                for row in rows
            ],
            column_config={"disputed": st.column_config.NumberColumn(format="percent", help=SHARE_HELP)},
            hide_index=True,
        )


def _settle(
    data: Dataset,
    current: Grouping,
    revision: int,
    source: Grouping,
    row: agreement.Disputed,
    *,
    disabled: bool,
) -> None:
    """One person's answer about a sub-class as a button."""
    op = None if disabled else agreement.follow(current, source, row.sub_class)
    mates = len(source.super_classes[row.places[source.name]]) - 1
    where = f"{row.places[source.name]} (with {mates} more)" if mates else "on its own"
    so = not disabled and op is None

    def settle() -> None:
        if op is not None:
            groupings.edit(data.id, current, revision, op)

    st.button(
        f"{text.md(source.name)}: {text.md(where)}",
        key=f"as-{source.name}-{row.sub_class}",
        icon=":material/check:" if so else None,
        disabled=disabled or so,
        on_click=outcome.attempt,
        args=(settle,),
    )


def _pictures(data: Dataset, name: str, rows: list[int]) -> None:
    tags = "".join(
        f'<img src="{html.escape(images_url(data.id) + str(row), quote=True)}?size=48" width="40" '
        f'height="40" style="border-radius:4px;margin-right:3px" '
        f'alt="{html.escape(text.plain(name), quote=True)}">'
        for row in rows
    )
    st.html(f"<div style='white-space:nowrap'>{tags}</div>", width=4 * 44)
