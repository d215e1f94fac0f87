"""Words and numbers on screen: one escape for foreign text, one form for each kind of number, one box for
errors.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

import streamlit as st

from gmaug_core.errors import GMAugError
from gmaug_core.numbers import signed, true_minus
from gmaug_core.ui import ROOT
from gmaug_core.workspace.grouping import IDENTITY

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&:\"'^=/@])")

# what Markdown makes a link of without any markup, escaped or not: a character without width keeps it text
_LINKED = re.compile(r"https?\\:|www|\\@", re.IGNORECASE)
_WORD = re.compile("[a-z]+ ")
CARRIED = ("dataset", "run")  # query parameters that a link takes along: a page reads the run of its kind
JOINER = "\u2060"


def plain(text: object) -> str:
    """Foreign text on one line: control, bidirectional and zero-width characters become visible as \\u
    escapes.
    """
    return "".join(
        f"\\u{ord(char):04x}" if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") else char
        for char in str(text)
    )


def apart(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of datasets or runs by their ids, no two alike: a browser sends the label of what is picked, so
    of two that are alike only one could be picked. Those get the end of their id."""
    times = Counter(labels.values())
    return {
        name: said if times[said] == 1 else f"{said} ({name.rpartition('-')[2]})"
        for name, said in labels.items()
    }


def md(text: object) -> str:
    """Foreign text (class, file, dataset names) for any label or Markdown: shown as it is, never as markup.

    Every label, caption and header of the dashboard is Markdown with icons (:material/x:), colours and
    formulas.
    """
    return _LINKED.sub(lambda found: found[0] + JOINER, _MARKUP.sub(r"\\\1", plain(text)))


def grouping(name: str) -> str:
    """A grouping's name for people. Never changes while a page is open: a browser sends an option back by its
    label.
    """
    return "Each on its own (nothing grouped)" if name == IDENTITY else plain(name)


def count(number: float) -> str:
    """12408 -> '12,408'."""
    return f"{number:,.0f}"


def percent(share: float, digits: int = 1) -> str:
    """A share of 1: 0.123 -> '12.3 %'."""
    return f"{share * 100:.{digits}f} %"


def signed_percent(value: float, digits: int = 1) -> str:
    """A figure that is in percent already: 3.21 -> '+3.2 %', -1 -> '−1.0 %'."""
    return signed(value, "%", digits)


def interval(low: float, high: float, digits: int = 3) -> str:
    """'0.128 to 0.134'."""
    return true_minus(f"{low:z.{digits}f} to {high:z.{digits}f}")


def ratio(value: float) -> str:
    """An imbalance ratio: 20.0 -> '20 : 1'."""
    return f"{value:.1f} : 1" if value < 10 and value != int(value) else f"{value:,.0f} : 1"


def size(number: float) -> str:
    """Bytes: 210_000_000 -> '210 MB'."""
    for unit in ("B", "KB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def when(timestamp: float) -> str:
    """A Unix time in this machine's time zone: '21 Nov, 14:05'."""
    return datetime.datetime.fromtimestamp(timestamp).strftime("%d %b, %H:%M").lstrip("0")


def moment(timestamp: float) -> str:
    """The same to the second, which tells runs apart: '21 Nov, 14:05:33'."""
    return when(timestamp) + datetime.datetime.fromtimestamp(timestamp).strftime(":%S")


def plural(number: int, one: str, many: str | None = None) -> str:
    """'1 image', '2 images', '3 super-classes'."""
    return f"{count(number)} {one if number == 1 else many or (one + ('es' if one.endswith('s') else 's'))}"


def error_box(error: GMAugError | dict[str, str]) -> None:
    """An error in its three parts, in words."""
    parts = error.to_dict() if isinstance(error, GMAugError) else error
    what = parts.get("what", "Something went wrong")
    if _WORD.match(what):  # not a file or a setting, whose name has its own case
        what = what[0].upper() + what[1:]
    lines = [f"**{md(what)}**"]
    if parts.get("expected"):
        lines.append(f"Expected: {md(parts['expected'])}")
    if parts.get("todo"):
        lines.append(f"What to do: {md(parts['todo'])}")
    st.error("\n\n".join(lines), icon=":material/error:")


def link(
    page: str, label: str, icon: str = "arrow_forward", *, query: Mapping[str, str] | None = None
) -> None:
    """A link to one of our pages, by its file's name without .py. query: what its address asks for, else what
    this page's does: the dataset and the run, in a new tab too.
    """
    path = ROOT / "pages" / f"{page}.py"
    if query is None:
        query = {name: st.query_params[name] for name in CARRIED if name in st.query_params}
    st.page_link(path, label=label, icon=f":material/{icon}:", query_params=dict(query) or None)


def what_next(*links: tuple[str, str, str]) -> None:
    """The end of a page: where to go on. links: (page, label, icon)."""
    st.header("What next", anchor=False)
    with st.container(horizontal=True, key="what-next"):
        for page, label, icon in links:
            link(page, label, icon)


def empty(title: str, body: str, *, page: str = "", label: str = "") -> None:
    """Nothing here yet: say what this place is for and what comes first. body is our own Markdown; escape
    foreign names in it.
    """
    with st.container(border=True, key=f"empty-{re.sub('[^a-z]+', '-', title.lower())}"):
        st.header(title, anchor=False)
        st.markdown(body)
        if page:
            link(page, label)
