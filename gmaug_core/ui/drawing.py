"""Charts that are made once: to build and check one takes Altair 20 to 200 ms, and a page is run again at
every click of everybody.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st
from pydantic import BaseModel

KEPT = 128  # charts of all sessions
T = TypeVar("T")

_lock = threading.Lock()
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_altair = threading.Lock()  # its theme and its treatment of data are global


def once(of: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, made once for everything that it depends on (`of`). Nobody may change it."""
    with _lock:
        if of in _kept:
            _kept.move_to_end(of)
            return _kept[of]  # type: ignore[no-any-return]  # as it was put there
    made = make()
    with _lock:
        _kept[of] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


def content(document: BaseModel) -> str:
    """A document as a part of `of`."""
    return document.model_dump_json()


def altair(
    key: str,
    of: Hashable,
    make: Callable[[], alt.TopLevelMixin | None],
    *,
    width: Literal["stretch", "content"] | None = None,
    selection: str | None = None,
) -> Any:
    """Draw the chart that `make` gives, made once for everything that it depends on; nothing where it gives
    none. selection: of which a person's choice runs the page again; it is returned then, as
    st.vega_lite_chart does."""
    spec = once((key, of), lambda: _spec(make()))
    if spec is None:
        return None
    how: dict[str, Any] = {"key": key} if width is None else {"key": key, "width": width}
    if selection is not None:
        how |= {"on_select": "rerun", "selection_mode": [selection]}
    return st.vega_lite_chart(spec, **how)


def _spec(chart: alt.TopLevelMixin | None) -> dict[str, Any] | None:
    """What st.altair_chart would send: without Altair's own sizes, its tables as tables."""
    if chart is None:
        return None
    with _altair, alt.theme.enable("none"), alt.data_transformers.enable("default", max_rows=None):
        spec: dict[str, Any] = chart.to_dict()
    spec["datasets"] = {name: _arrow(rows) for name, rows in spec.get("datasets", {}).items()}
    return spec


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    """A table as Streamlit sends it to the browser."""
    table = pa.Table.from_pandas(pd.DataFrame(rows))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
