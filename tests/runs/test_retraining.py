"""Retraining with decisions: refused in words, and what the child's settings say of them."""

from __future__ import annotations

import pytest
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import AugmentationConfig
from gmaug_core.data import samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import RunConfigFile, launch
from gmaug_core.runs.retraining import with_decisions
from gmaug_core.workspace import reviews


def test_without_decisions_it_is_refused_in_words_on_the_command_line_too(finished_run, capsys):
    with pytest.raises(InputError, match="nobody decided"):
        with_decisions(finished_run.id)
    assert cli.main(["retrain", finished_run.id]) == 2
    assert "gmaug_core review" in capsys.readouterr().err
    reviews.save(finished_run.id, {0: "keep"})
    reviews.save(finished_run.id, {0: None})
    with pytest.raises(InputError, match="nobody decided"):
        with_decisions(finished_run.id)
    reviews.save(finished_run.id, {0: "keep"})
    finished_run.result.unlink()
    with pytest.raises(GMAugError, match="has not finished"):
        with_decisions(finished_run.id)


def test_the_lineage_is_in_the_config_of_the_child_and_its_own_child_has_both(finished_run):
    reviews.save(finished_run.id, {3: "reject", 5: "reject"}, person="ada")
    reviews.save(finished_run.id, {3: "keep"}, person="bert")
    table = samples.table(finished_run.samples).drop_duplicates("sample").set_index("sample")["draw_seed"]
    child = runs.find(launch.submit(with_decisions(finished_run.id), where=Nowhere()))
    found = RunConfigFile.read(child.config).settings_as(AugmentationConfig).decisions
    assert (found.run, found.revision, found.people) == (finished_run.id, 3, ("ada", "bert"))
    assert (found.keep, found.reject) == ((table[3],), (table[5],))
    finished_run.samples.rename(child.samples)  # as if it had finished
    child.result.write_bytes(finished_run.result.read_bytes())
    reviews.save(child.id, {3: "reject", 1: "keep"}, person="cleo")
    again = with_decisions(child.id).decisions
    assert (again.run, again.people) == (child.id, ("cleo",))
    assert again.keep == (table[1],)
    assert again.reject == tuple(sorted((table[3], table[5])))
