"""Two runs beside each other, the command that starts one again, and one started again."""

from __future__ import annotations

import contextlib
import json
import shlex

import pytest
import run_fixture
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import augmentation_config
from gmaug_core.data import dataset
from gmaug_core.errors import InputError
from gmaug_core.runs import RunConfigFile, comparing, launch

OVERRIDES = {
    "seeds": 5,
    "classifier": {"name": "mae_vit", "lr": 0.001},
    "generator": {"name": "stylegan2", "kimg": 3.0},
    "selection": {"mode": "logit"},
    "use": ["mix"],
    "tolerance": 0.01,
}


def submitted(data, **overrides):
    config = augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        overrides={"grouping": "identity", **overrides},
    )
    return launch.submit(config, data=data, where=Nowhere())


def test_only_what_differs_is_named_with_a_value_a_run(demo, capsys):
    data = dataset.load(demo)
    one, other = submitted(data), submitted(data, seeds=5, generator={"kimg": 7.0})
    found = {each.name: each.values for each in comparing.differences(one, other)}
    assert found == {"seeds": (3, 5), "generator.kimg": (found["generator.kimg"][0], 7.0)}
    assert comparing.differences(one, one) == []
    third = submitted(data, generator={"name": "stylegan2"})
    named = {each.name: each.values for each in comparing.differences(one, other, third)}
    assert named["generator.name"] == ("edm", "edm", "stylegan2")
    assert named["generator.z_dim"][:2] == (comparing.ABSENT, comparing.ABSENT)
    assert cli.main(["compare", one, other, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"name": "seeds", "values": {one: 3, other: 5}} in rows
    with pytest.raises(InputError, match="cannot be compared"):
        comparing.differences(one)


@pytest.mark.parametrize("overrides", [{}, OVERRIDES])
def test_the_command_of_a_run_makes_the_same_settings(demo, monkeypatch, capsys, overrides):
    monkeypatch.setattr(launch.LOCAL, "start", Nowhere().start)
    one = submitted(dataset.load(demo), **overrides)
    program, *words = shlex.split(comparing.as_command(one))
    assert program == "gmaug"
    assert cli.main([*words, "--detach", "--json"]) == 0
    other = json.loads(capsys.readouterr().out)["run"]
    assert comparing.differences(one, other) == []
    assert ("generator.kimg=3.0" in words) == bool(overrides)


@pytest.mark.parametrize("kind", ["similarity", "verdict", "equivalence"])
def test_every_kind_of_run_has_a_command(demo, monkeypatch, capsys, kind):
    monkeypatch.setattr(launch.LOCAL, "start", Nowhere().start)
    one = run_fixture.make_run(demo, kind=kind, state="queued").id
    _, verb, *words = shlex.split(comparing.as_command(one))
    started = []
    monkeypatch.setattr(launch, "submit", lambda config, **_: started.append(config) or one)
    monkeypatch.setattr(f"gmaug_core.cli.{kind}.follow", lambda run: {})
    with contextlib.suppress(FileNotFoundError):  # there is no result to show
        cli.main([verb, *words])
    (config,) = started
    stored = RunConfigFile.read(runs.find(one).config).settings.model_dump(mode="json")
    asked = config.model_dump(mode="json")
    for each in (asked, stored):  # a verdict's run asks for a device of its own, which nobody computes on
        each.get("augmentation", {}).pop("device", None)
    assert asked == stored


def test_a_run_is_started_again_with_its_settings(finished_run):
    other = launch.again(finished_run.id, where=Nowhere())
    assert other != finished_run.id
    assert comparing.differences(finished_run.id, other) == []
