"""What an augmentation run is given: other runs' classifiers, and the verdict of its settings; and how it
pauses.
"""

from __future__ import annotations

import tiny
import verdict_fixture
from nowhere import Nowhere

from gmaug_core import runs, worker
from gmaug_core.config import VerdictConfig
from gmaug_core.errors import Paused
from gmaug_core.method import experiment
from gmaug_core.runs import RunConfigFile, launch
from gmaug_core.work.augmentation import early_verdict


def submitted(config):
    return runs.find(launch.submit(config, where=Nowhere()))


def settings(paths):
    return RunConfigFile.read(paths.config).settings


def test_the_verdict_of_the_same_settings_is_asked_and_no_other(bars):
    run = tiny.config(bars)
    about = submitted(VerdictConfig.about(run))
    config = settings(submitted(run))
    assert settings(about).augmentation.classifier == config.classifier, "one arithmetic"
    assert early_verdict(config) is None
    for fast in (True, False):
        verdict_fixture.verdict("too_little", fast=fast).write(about.result)
        assert (early_verdict(config) is None) == fast
    found = early_verdict(config)
    assert (found.run, found.sentence) == (about.id, verdict_fixture.verdict().verdict.sentence)
    assert early_verdict(config.model_copy(update={"seeds": 5})) is None
    verdict_fixture.verdict("small_run").write(about.result)
    assert early_verdict(config) is None
    about.result.write_text("{")
    assert early_verdict(config) is None


def test_a_run_may_take_from_all_others_and_pauses_with_its_reason(bars, monkeypatch):
    first, second = (submitted(tiny.config(bars)) for _ in range(2))
    fold = first.folder / "fold-1" / "checkpoints"
    fold.mkdir(parents=True)
    given = {}

    def asks(*_, **kwargs):
        given.update(kwargs)
        raise Paused("It will not pay.")

    monkeypatch.setattr(experiment, "run", asks)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    assert worker.work(second) == 0
    assert given["others"]() == [first.checkpoints, fold]
    status = runs.read_status(second)
    assert (status.state, status.reason, status.resumable) == ("cancelled", "It will not pay.", True)

    def answered(*_, **__):
        raise KeyError("on")

    monkeypatch.setattr(experiment, "run", answered)
    assert worker.work(second) == 1
    assert runs.read_status(second).reason == ""
