"""Several people's groupings: the adjusted Rand index, disagreement a class, and one grouping made of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmaug_core.errors import InputError
from gmaug_core.workspace import agreement, groupings
from gmaug_core.workspace.grouping import Grouping, identity

SUBS = tuple("abcdefgh")
labelled = st.lists(st.integers(0, 3), min_size=len(SUBS), max_size=len(SUBS))


def of(name: str, labels) -> Grouping:
    groups: dict[str, list[str]] = {}
    for sub, label in zip(SUBS, labels, strict=True):
        groups.setdefault(f"{name} {label}", []).append(sub)
    return Grouping(name, groups)


def partition(grouping: Grouping) -> set[frozenset[str]]:
    return {frozenset(subs) for subs in grouping.super_classes.values()}


def test_agreement_is_the_adjusted_rand_index():
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 3, len(SUBS)), rng.integers(0, 4, len(SUBS))
        found = agreement.indices([of("x", a), of("y", b)])
        assert found == {("x", "y"): pytest.approx(adjusted_rand_score(a, b))}


def test_other_classes_and_too_few_groupings_are_refused():
    with pytest.raises(InputError, match="1 groupings"):
        agreement.indices([identity(SUBS)])
    with pytest.raises(InputError, match="same sub-classes"):
        agreement.indices([identity(SUBS), identity("abc")])


def test_disagreement_a_class_is_the_share_of_mates_that_only_one_gave_it():
    ann, ben = of("ann", "00011122"), of("ben", "00111222")
    found = {each.sub_class: each for each in agreement.disputed([ann, ben])}
    assert found["c"].places == {"ann": "ann 0", "ben": "ben 1"}
    assert found["c"].share == 1.0  # with a, b there; with d, e here
    assert found["a"].share == pytest.approx(1 - 1 / 2)  # b with both, c with ann alone
    assert [each.share for each in agreement.disputed([ann, ann])] == [0.0] * len(SUBS)
    shares = [each.share for each in agreement.disputed([ann, ben, of("cid", "01234567")])]
    assert shares == sorted(shares, reverse=True)


@given(labelled)
def test_equal_groupings_merge_to_themselves(labels):
    ann, ben = of("ann", labels), of("ben", labels)
    assert partition(agreement.merged([ann, ben], "m")) == partition(ann)


@given(labelled, labelled, labelled)
def test_a_merged_grouping_is_a_partition_and_a_majority_of_three_wins(a, b, c):
    three = [of("ann", a), of("ben", b), of("cid", c)]
    made = agreement.merged(three, "m")
    made.validate(SUBS)
    two = agreement.merged([three[0], three[0], three[1]], "m")  # two of three say the same
    assert partition(two) == partition(three[0])


def test_of_two_only_what_both_put_together_stays_together_under_a_title_of_theirs():
    ann = Grouping("ann", {"red": "abc", "blue": "defgh"})
    ben = Grouping("ben", {"rouge": "ab", "bleu": "cdefgh"})
    made = agreement.merged([ann, ben], "m")
    assert partition(made) == {frozenset("ab"), frozenset("c"), frozenset("defgh")}
    assert made.super_of["c"] == "c"  # one alone bears its own name
    assert made.super_of["d"] in ("blue", "bleu")


@given(labelled, labelled, st.sampled_from(SUBS))
def test_following_somebody_puts_a_class_where_they_have_it(a, b, sub):
    here, there = of("here", a), of("there", b)
    op = agreement.follow(here, there, sub)
    after = here if op is None else groupings.apply(here, op)
    after.validate(SUBS)
    mates = [other for other in there.super_classes[there.super_of[sub]] if other != sub]
    with_sub = set(after.super_classes[after.super_of[sub]]) - {sub}
    if not mates:
        assert not with_sub
    else:
        assert with_sub & set(mates)
        assert agreement.follow(after, there, sub) is None
