"""Every kind of run: its config validates, its stages have words, its work is there, its result reads
what it writes.
"""

from __future__ import annotations

import importlib

import pytest
import run_fixture
from nowhere import new_run
from pydantic import ValidationError

from gmaug_core import runs
from gmaug_core.config import AugmentationConfig, SimilarityConfig
from gmaug_core.data import demo
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.runs import KINDS, RunConfigFile
from gmaug_core.runs.kinds import kind_of


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestEveryKind:
    def test_its_settings_say_which_kind_they_are_of(self, kind):
        assert kind.config.model_fields["kind"].default == kind.key
        with pytest.raises(ValidationError):
            kind.config.model_validate({"dataset": "d", "kind": "another"})

    def test_its_stages_have_words(self, kind):
        assert kind.title
        assert {stage.partition("-")[0] for stage in kind.stages} <= set(kind.stage_words)

    def test_its_work_is_there(self, kind):
        module, _, function = kind.work.partition(":")
        assert callable(getattr(importlib.import_module(module), function))

    def test_its_config_file_is_read_as_it_was_written(self, kind, home):
        paths = new_run(kind.key)
        config = RunConfigFile.read(paths.config)
        assert isinstance(config.settings, kind.config)
        assert config.to_dict() == read_json(paths.config)
        assert RunConfigFile.parse(config.to_dict()) == config

    def test_its_result_is_read_as_it_was_written(self, kind, home):
        made = demo.make_demo()
        paths = run_fixture.make_run(made, kind=kind.key)
        result = kind.result.read(paths.result)
        assert result.to_dict() == read_json(paths.result)
        result.write(paths.result)
        assert kind.result.read(paths.result) == result


def test_a_config_of_the_first_form_is_read(home):
    paths = new_run()
    document = read_json(paths.config)
    del document["schema"], document["device"]
    document["settings"]["device"] = "cuda:1"
    write_json(paths.config, document)
    assert RunConfigFile.read(paths.config).device == "cuda:1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": RunConfigFile.SCHEMA + 1}, "newer version"),
        ({"kind": "magic"}, "not a kind"),
        ({"run": 3}, "run"),
    ],
)
def test_a_config_that_cannot_be_read_is_refused_in_words(home, change, words):
    paths = new_run()
    write_json(paths.config, read_json(paths.config) | change)
    with pytest.raises(GMAugError, match=words):
        RunConfigFile.read(paths.config)


def test_settings_of_another_kind_are_refused(home):
    config = RunConfigFile.read(new_run("similarity").config)
    assert config.settings_as(SimilarityConfig).profile == "paper"
    with pytest.raises(GMAugError, match="another kind"):
        config.settings_as(AugmentationConfig)


def test_an_unknown_kind_is_named():
    with pytest.raises(InputError, match="magic"):
        kind_of("magic")
    assert runs.KINDS is KINDS
