"""The cost of a run, measured in a child process before it is launched; budgets in minutes."""

from __future__ import annotations

import io
import json
import runpy
import sys

import numpy as np
import pytest
import tiny
from nowhere import Nowhere

from gmaug_core import children, runs
from gmaug_core.cli import main as cli
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import RunConfigFile, devices, launch
from gmaug_core.runs.backends import LOCAL
from gmaug_core.runs.estimate import Estimate

MEASURED = Estimate(
    seconds_per_kimg=2.0,
    sampling_img_per_s=50.0,
    memory_mb=100.0,
    training_seconds=2.5,
    kimg=1.0,
    steps=7,
    device="cpu, 2 threads",
)


def settings_of(run_id):
    return RunConfigFile.read(runs.find(run_id).config).to_dict()["settings"]


@pytest.fixture
def data(bars):
    return bars


def with_minutes(data, minutes):
    config = tiny.config(data, "stylegan2")
    return config.model_copy(update={"generator": config.generator.model_copy(update={"minutes": minutes})})


def answered_here(module: str, question: object, **_: object) -> object:
    """As children.ask: the module's side in this process, without the seconds that torch takes to come up."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(json.dumps(question)))
        patch.setattr(sys, "stdout", said)
        runpy.run_module(module, run_name="__main__")
    return json.loads(said.getvalue())["answer"]


@pytest.mark.slow
def test_the_command_line_measures_and_starts_nothing(data, capsys, monkeypatch):
    monkeypatch.setattr(children, "ask", answered_here)
    tiny_gan = [f"--set=generator.{key}={value}" for key, value in tiny.GENERATORS["stylegan2"].items()]
    assert (
        cli.main(
            [
                "augment",
                data.id,
                "--generator",
                "stylegan2",
                "--estimate",
                "--json",
                "--set",
                "device=cpu",
                *tiny_gan,
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["seconds_per_kimg"] > 0
    assert found["training_seconds"] > 0
    assert found["kimg"] == 0.32
    assert runs.list_runs() == []


@pytest.mark.slow
def test_a_device_that_is_not_there_is_named(data):
    with pytest.raises(InputError, match="cuda:77"):
        launch.estimate(tiny.config(data, device="cuda:77"))


@pytest.mark.parametrize(
    ("said", "words"),
    [("DefaultCPUAllocator: not enough memory", "too little memory"), ("", "the steps did not end")],
)
def test_a_measurement_that_fails_is_explained(data, monkeypatch, said, words):
    def broke(*_, **__):
        raise children.NoAnswer("the child process broke", said=said)

    monkeypatch.setattr(children, "ask", broke)
    with pytest.raises(GMAugError, match=words):
        launch.estimate(tiny.config(data, device="cpu"))


def test_minutes_become_kimg_once_and_are_written(data, monkeypatch):
    measured = []

    def answered(module, question, **_):
        measured.append((module, question["n_classes"], question["device"]))
        return MEASURED.model_dump()

    config = with_minutes(data, 5)
    where = Nowhere()
    where.estimate = LOCAL.estimate
    with monkeypatch.context() as patch:
        patch.setattr(children, "ask", answered)
        run_id = launch.submit(config, where=where)
    assert measured == [("gmaug_core.models.estimate", len(data.class_names), "cpu")]
    generator = settings_of(run_id)["generator"]
    assert generator["kimg"] == pytest.approx(5 * 60 / 2.5)
    assert generator["minutes"] == 5
    plain = launch.submit(tiny.config(data, "stylegan2"), where=Nowhere())
    assert settings_of(plain)["generator"]["kimg"] == 0.32


@pytest.mark.parametrize("several", ["folds", "generator_seeds"])
def test_an_estimate_is_of_all_generators(data, monkeypatch, several):
    monkeypatch.setattr(children, "ask", lambda *_, **__: MEASURED.model_dump())
    for config, seconds, kimg in (
        (tiny.config(data, "stylegan2"), 2.5, 1.0),
        (with_minutes(data, 5), 5 * 60, 5 * 60 / 2.5),
    ):
        found = launch.estimate(config.model_copy(update={several: 4, "device": "cpu"}))
        assert found.training_seconds == pytest.approx(4 * seconds)
        assert found.kimg == pytest.approx(kimg), "of each"


def test_a_device_is_concrete_and_written(data):
    run_id = launch.submit(tiny.config(data, device="auto"), where=Nowhere())
    document = RunConfigFile.read(runs.find(run_id).config)
    assert document.device == document.settings.device == devices.resolve("auto")


def test_the_precision_of_the_classifier_is_concrete_and_written_unless_it_was_asked_for(data):
    where = Nowhere()
    where.precision = lambda device: {"cpu": "bfloat16"}[device]
    for asked, written in (("auto", "bfloat16"), ("float32", "float32")):
        config = tiny.config(data, device="cpu")
        classifier = config.classifier.model_copy(update={"precision": asked})
        run_id = launch.submit(config.model_copy(update={"classifier": classifier}), where=where)
        assert settings_of(run_id)["classifier"]["precision"] == written


@pytest.mark.parametrize("device", ["cuda:77", "banana", "cpu:x", ""])
def test_an_impossible_device_is_refused_before_a_run_exists(data, device, capsys):
    with pytest.raises(InputError, match="device"):
        launch.submit(tiny.config(data, device=device), where=Nowhere())
    assert cli.main(["augment", data.id, "--set", f"device={device or chr(39) * 2}", "--json"]) == 2
    assert runs.list_runs() == []


def test_versions_name_what_is_installed_alone():
    found = launch.versions(("numpy", "a-package-that-is-nowhere"))
    assert found["numpy"] == np.__version__
    assert "a-package-that-is-nowhere" not in found


def test_a_balanced_dataset_has_nothing_to_draw_and_no_run_exists(home, tmp_path, capsys):
    data = tiny.make_dataset(tmp_path / "balanced", counts=dict.fromkeys(tiny.COUNTS, 6))
    with pytest.raises(InputError, match="nothing would be drawn"):
        launch.submit(tiny.config(data), data=data)
    assert cli.main(["augment", data.id]) == 2
    assert "nothing would be drawn" in capsys.readouterr().err
    assert cli.main(["augment", data.id, "--set", "target=6"]) == 2
    assert not list(runs.list_runs("augmentation", data.id))
