"""The map of a run's images: areas as text, what lies inside, places beside verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gmaug_core.data import sample_map, samples
from gmaug_core.data.sample_map import MapFiles
from gmaug_core.errors import GMAugError, InputError


def test_what_lies_inside_a_polygon():
    rng = np.random.default_rng(0)
    x, y = rng.random(2000), rng.random(2000)
    triangle = sample_map.corners("0,0;1000,0;0,1000")
    np.testing.assert_array_equal(sample_map.inside(x, y, triangle), x + y < 1)
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    text = ";".join(f"{500 + 300 * np.cos(a):.0f},{500 + 300 * np.sin(a):.0f}" for a in angles)
    distance = np.hypot(x - 0.5, y - 0.5)
    sure = np.abs(distance - 0.3) > 0.005
    np.testing.assert_array_equal(
        sample_map.inside(x, y, sample_map.corners(text))[sure], (distance < 0.3)[sure]
    )
    nowhere = np.array([np.nan])
    assert not sample_map.inside(nowhere, nowhere, triangle).any()


def test_a_dent_is_outside():
    arrow = sample_map.corners("0,0;1000,0;500,500;1000,1000;0,1000")
    inside = sample_map.inside(np.array([0.2, 0.9]), np.array([0.5, 0.5]), arrow)
    assert inside.tolist() == [True, False]


@pytest.mark.parametrize("bad", ["", "1,2;3,4", "1,2;3,4;x,y", "1,2,3;4,5,6;7,8,9", "1;2;3", "1,2;" * 300])
def test_what_is_no_area_is_refused(bad):
    with pytest.raises(InputError, match="no area"):
        sample_map.corners(bad)


def test_places_stand_beside_verdicts_and_a_failure_is_told(finished_run):
    rows = samples.table(finished_run.samples)
    assert sample_map.located(rows, finished_run.samples) is rows
    files = MapFiles(finished_run.samples)
    files.fail(GMAugError("no judge", todo="run it again"))
    assert str(files.failed().what) == "no judge"
    count = samples.count(finished_run.samples)
    made = pd.DataFrame(
        {
            "kind": ["real"] * 2 + ["sample"] * (count - 1),
            "number": [0, 1, *range(count - 1)],
            "label": 0,
            "x": 0.25,
            "y": 0.5,
            "typicality": 1.0,
            "near_real": False,
            "near_twin": True,
        }
    )
    files.write(made)
    assert files.failed() is None
    located = sample_map.located(rows, finished_run.samples)
    assert len(located) == len(rows)
    assert located["x"].isna().sum() == rows["seed"].nunique()  # the sample that came after the map
    assert not files.at_work()


@pytest.mark.parametrize("damage", ["no table", "one byte", "another table"])
def test_a_damaged_map_is_as_none_and_is_named(finished_run, damage):
    rows = samples.table(finished_run.samples)
    files = MapFiles(finished_run.samples)
    made = pd.DataFrame({"kind": ["sample"], "number": [0], "label": [0], "x": [0.5], "y": [0.5]})
    files.write(made.assign(typicality=1.0, near_real=False, near_twin=False))
    assert files.version
    if damage == "another table":
        made.to_parquet(files.table)
    else:
        whole = bytearray(files.table.read_bytes())
        whole[20] ^= 1
        files.table.write_bytes(b"no table" if damage == "no table" else whole)
    assert files.version == 0
    assert sample_map.located(rows, finished_run.samples) is rows
    assert "is damaged" in files.failed().what
    files.error.write_text("{")
    assert files.failed().todo == "make it again"
