"""The demo: made once, long-tailed, no image twice."""

from __future__ import annotations

import numpy as np

from gmaug_core.data import dataset
from gmaug_core.data.demo import make_demo


def test_the_demo(home):
    demo = dataset.load(make_demo())
    assert make_demo() == demo.id
    assert [s.id for s in dataset.list_datasets()] == [demo.id]
    counts = list(demo.counts.values())
    assert counts[0] == 100
    assert counts[-1] == 5
    assert counts == sorted(counts, reverse=True)
    assert demo.imbalance_ratio == 20
    assert (demo.colour, demo.image_size, demo.symmetric) == ("grey", 16, False)
    for split, n in (("val", 28), ("test", 50)):
        assert np.bincount(demo.labels[demo.split(split)]).tolist() == [n] * 10
    assert len(set(demo.content)) == len(demo)  # no digit is in two splits
    name, groups = demo.suggested_groupings[0]
    assert name == "shape"
    assert sorted(name for names in groups.values() for name in names) == list(demo.class_names)
    images = demo.images("16-grey")
    assert images.shape == (1121, 16, 16)
    assert images.max() > 200
    assert images.min() == 0
