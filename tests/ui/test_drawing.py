"""Charts that are made once: the browser gets what st.altair_chart would have sent."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from gmaug_core.ui import drawing


def both_ways() -> None:
    import altair as alt
    import pandas as pd
    import streamlit as st

    from gmaug_core.ui import drawing

    rows = pd.DataFrame({"a": [1, 2, 3], "name": ["x", "y", None], "v": [0.5, None, -1.0]})

    def chart() -> alt.LayerChart:
        base = alt.Chart(rows).encode(x="a:Q", y="v:Q", tooltip=["name:N"])
        cell = alt.selection_point(name="cell", fields=["a"])
        return alt.LayerChart(layer=[base.mark_point().add_params(cell), base.mark_line()])

    st.altair_chart(chart(), key="theirs", on_select="rerun", selection_mode=["cell"])
    drawing.altair("ours", "of", chart, selection="cell")
    drawing.altair("none", "of", lambda: None)


def test_the_browser_gets_the_same_chart():
    import pyarrow as pa

    app = AppTest.from_function(both_ways, default_timeout=30).run()
    assert not app.exception
    theirs, ours = (element.proto for element in app.get("vega_lite_chart"))

    def spec(proto) -> str:
        (table,) = proto.datasets
        return json.dumps(json.loads(proto.spec), sort_keys=True).replace(table.name, "table")

    assert spec(ours) == spec(theirs)
    assert list(ours.selection_mode) == list(theirs.selection_mode)
    tables = [pa.ipc.open_stream(each.datasets[0].data.data).read_pandas() for each in (ours, theirs)]
    assert tables[0].equals(tables[1])


def test_it_is_made_once_for_all_that_it_depends_on(monkeypatch):
    monkeypatch.setattr(drawing, "KEPT", 2)
    made: list[int] = []
    for of in (1, 1, 2, 1, 3, 1, 2):  # 2 is the one that nobody asked for when 3 came
        drawing.once(("test", of), lambda of=of: made.append(of))
    assert made == [1, 2, 3, 2]
