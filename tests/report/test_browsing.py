"""Looking through samples: another threshold changes what it should and nothing else, filters find what they
say."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config.selection import SelectionConfig
from gmaug_core.data import samples
from gmaug_core.errors import InputError
from gmaug_core.models.selection import LOW_SCORE, WRONG_CLASS
from gmaug_core.report import browsing
from gmaug_core.report.browsing import Filter, chosen, judged

RULE = SelectionConfig(mode="probability", threshold=0.9)  # as the fixture's run judged


@pytest.fixture
def rows(finished_run):
    return samples.table(finished_run.samples)


@pytest.fixture
def folder(finished_run):
    return finished_run.samples


def test_the_runs_own_threshold_gives_the_runs_own_verdicts(rows, folder):
    assert judged(rows, folder, RULE, None) is rows
    again = judged(rows, folder, RULE, 0.9)
    assert again["accepted"].tolist() == rows["accepted"].tolist()
    assert again["reason"].tolist() == rows["reason"].tolist()


def test_a_lower_threshold_accepts_more_and_a_higher_one_fewer(rows, folder):
    low, high = judged(rows, folder, RULE, 0.3), judged(rows, folder, RULE, 0.99)
    before = rows["accepted"].to_numpy(bool)
    assert set(low["reason"][low["accepted"].to_numpy(bool) & ~before]) == {browsing.OTHER_RULE}
    assert (low["accepted"].to_numpy(bool) >= before).all()
    assert (high["accepted"].to_numpy(bool) <= before).all()
    assert set(high["reason"][before & ~high["accepted"].to_numpy(bool)]) == {LOW_SCORE}
    assert high["accepted"].sum() < before.sum() < low["accepted"].sum()
    wrong = rows["reason"] == WRONG_CLASS
    assert not low["accepted"][wrong].any()  # no threshold makes another class the first choice


def test_what_people_decided_before_the_run_stays(rows, folder):
    seed = int(rows.loc[rows["reason"] == WRONG_CLASS, "draw_seed"].iloc[0])
    people = samples.overruled(rows, [seed], [])
    now = judged(people, folder, RULE, 0.99)
    assert now["accepted"][now["draw_seed"] == seed].all()


def test_a_run_without_a_filter_has_no_threshold(rows, folder):
    assert judged(rows, folder, SelectionConfig(mode="none"), None) is rows
    with pytest.raises(InputError, match="keeps every image"):
        judged(rows, folder, SelectionConfig(mode="none"), 0.8)


def test_a_run_without_verdicts_on_real_images_says_so(rows, folder):
    with pytest.raises(InputError, match="no verdicts on real images"):
        judged(rows, folder, SelectionConfig(mode="real_share", threshold=0.9), 0.8)


def test_a_range_of_probabilities_and_what_it_was_taken_for(rows):
    middle = chosen(rows, Filter(low=0.2, high=0.8), {})
    assert middle["probability"].between(0.2, 0.8).all()
    assert 0 < len(middle) < rows["sample"].nunique()
    wrong = rows[(rows["seed"] == 0) & (rows["predicted"] != rows["label"])].iloc[0]
    taken = chosen(rows, Filter(name=wrong["class"], predicted=int(wrong["predicted"])), {})
    assert set(taken["predicted"]) == {wrong["predicted"]}
    assert set(taken["class"]) == {wrong["class"]}
    with pytest.raises(InputError, match="between"):
        Filter(low=0.8, high=0.2)


def test_every_class_is_recounted(rows, folder):
    own = rows[rows["seed"] == 0]
    now = judged(own, folder, RULE, 0.99)
    kept = samples.decided(now, {int(own["sample"].iloc[0]): "reject"})
    table = browsing.per_class(now, own, kept, tuple("0123456789"))
    assert table["judged"].sum() == len(own)
    assert table["accepted by the run"].sum() == own["accepted"].sum()
    assert table["accepted now"].sum() == now["accepted"].sum()
    assert table["kept"].sum() == kept.sum()
    assert (table["kept"] <= table["accepted now"]).all()


def test_the_slider_covers_what_was_measured(rows):
    for rule in (RULE, SelectionConfig(mode="logit"), SelectionConfig(mode="real_share")):
        least, most, step = browsing.thresholds(rows, rule)
        assert least <= rule.threshold <= most
        assert 0 < step < most - least
    least, most, _ = browsing.thresholds(rows, SelectionConfig(mode="logit"))
    assert rows["logit"].between(least, most).all()
    assert np.isfinite([least, most]).all()


def test_an_area_of_the_map_and_copies_need_a_map(rows):
    area = "0,0;500,0;500,1000;0,1000"
    assert chosen(rows, Filter(area=area), {}).empty
    assert chosen(rows, Filter(order="most typical first"), {})["sample"].is_monotonic_increasing
    x = np.linspace(0, 1, len(rows))
    mapped = rows.assign(x=x, y=0.5, typicality=1 - x, near_real=x > 0.9, near_twin=x < 0.2)
    left = chosen(mapped, Filter(area=area), {})
    assert (left["x"] < 0.5).all()
    assert len(left) == ((x < 0.5) & (rows["seed"] == 0)).sum()
    assert chosen(mapped, Filter(near=browsing.NEAR[1]), {})["x"].min() > 0.9
    assert chosen(mapped, Filter(near=browsing.NEAR[2]), {})["x"].max() < 0.2
    assert chosen(mapped, Filter(order="most typical first"), {})["typicality"].is_monotonic_increasing
    with pytest.raises(InputError, match="no area"):
        Filter(area="here")
