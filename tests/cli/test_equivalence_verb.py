"""gmaug equivalence: what it would take, what it starts, what it refuses, what it shows."""

from __future__ import annotations

import json

import equivalence_fixture
import tiny
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.cli import equivalence
from gmaug_core.cli import main as cli
from gmaug_core.config import EquivalenceConfig
from gmaug_core.method.equivalence.words import Costs
from gmaug_core.runs import launch
from gmaug_core.runs.estimate import Estimate

PACE = Estimate(
    seconds_per_kimg=2.0,
    sampling_img_per_s=100.0,
    memory_mb=500.0,
    training_seconds=60.0,
    kimg=30.0,
    steps=10,
    device="cpu, 2 threads",
    classifier_steps_per_s=100.0,
)


def test_it_starts_what_was_asked_for_and_refuses_what_cannot_be(bars, capsys, monkeypatch):
    nowhere = Nowhere()
    monkeypatch.setattr(launch.LOCAL, "start", nowhere.start)
    asked = ["equivalence", bars.id, "--base", "2,3", "--set", "real=[1,2]", "--seeds", "4", "--detach"]
    assert cli.main([*asked, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert nowhere.started == [answer["run"]]
    config = runs.RunConfigFile.read(runs.find(answer["run"]).config).settings_as(EquivalenceConfig)
    assert (config.base_sizes, config.real, config.seeds) == ((2, 3), (1.0, 2.0), 4)
    for base, words in (("9", "more than there are"), ("2;3", "no list of base sizes")):
        assert cli.main(["equivalence", bars.id, "--base", base]) == 2
        assert words in capsys.readouterr().err
    assert len(runs.list_runs()) == 1


def test_an_estimate_starts_nothing_and_says_each_part(bars, capsys, monkeypatch):
    monkeypatch.setattr(launch, "estimate", lambda *_, **__: PACE)
    assert cli.main(["equivalence", bars.id, "--base", "3", "--set", "real=[1,2]", "--estimate"]) == 0
    said = capsys.readouterr().out
    assert "2 min 0 s generators" in said  # one base, two generators of a minute
    assert "Nothing was started" in said
    assert runs.list_runs() == []


def test_what_it_found_is_shown_with_its_price_and_written(tmp_path, capsys):
    result = equivalence_fixture.equivalence()
    equivalence.show(result, Costs(real=2.0, hour=1.0), str(tmp_path / "rows.csv"))
    said = capsys.readouterr().out
    assert result.sentence in said
    assert "c2 " in said
    assert said.count("hours)") == len(result.bases)
    rows = (tmp_path / "rows.csv").read_text().splitlines()
    assert len(rows) == 1 + len(result.exchange)


def test_images_made_elsewhere_take_the_generators_place_or_are_refused(bars, tmp_path, capsys, monkeypatch):
    nowhere = Nowhere()
    monkeypatch.setattr(launch.LOCAL, "start", nowhere.start)
    made = tiny.write_folder(tmp_path / "made", held=())
    asked = ["equivalence", bars.id, "--base", "1", "--set", "real=[1,2]", "--images", str(made)]
    assert cli.main([*asked, "--set", "synthetic=[90]", "--detach"]) == 2
    assert "made elsewhere" in capsys.readouterr().err
    assert cli.main([*asked, "--estimate"]) == 2
    assert not nowhere.started
    balanced = ["--set", "synthetic=[1]", "--set", "proportions=balanced"]
    assert cli.main([*asked, *balanced, "--detach", "--json"]) == 0
    run_id = json.loads(capsys.readouterr().out)["run"]
    config = runs.RunConfigFile.read(runs.find(run_id).config).settings_as(EquivalenceConfig)
    assert config.generator.name == "folder"
    assert config.generator_seeds == 1
