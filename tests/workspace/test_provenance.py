"""Where a grouping came from is kept, with the steps of the guide, beyond the tab and the name."""

from __future__ import annotations

import pytest

from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.workspace import groupings, provenance
from gmaug_core.workspace.grouping import identity


def test_a_beginning_and_its_steps_are_kept(demo):
    data = dataset.load(demo)
    alone = identity(data.class_names)
    assert provenance.origin(demo, "mine") == provenance.Origin()
    provenance.start(data, " mine ", alone, provenance.GUIDED, guided=True)
    assert provenance.origin(demo, "mine").step.key == "species"
    provenance.take_step(demo, "mine", "habitat", revision=7)
    found = provenance.origin(demo, "mine")
    assert (found.how, found.steps) == (provenance.GUIDED, (("species", 1), ("habitat", 7)))
    assert provenance.origin(demo, "other") == provenance.Origin()
    with pytest.raises(InputError, match="is not a step"):
        provenance.take_step(demo, "mine", "colour", revision=8)


def test_a_new_one_of_a_deleted_ones_name_has_its_own_beginning(demo):
    data = dataset.load(demo)
    alone = identity(data.class_names)
    provenance.start(data, "mine", alone, provenance.GUIDED, guided=True)
    groupings.delete(demo, "mine", revision=1)
    provenance.start(data, "mine", alone, "Copied")
    assert (provenance.origin(demo, "mine").how, provenance.origin(demo, "mine").step) == ("Copied", None)
