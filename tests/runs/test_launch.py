"""The cost of a run, measured in a child process before it is launched; budgets in minutes."""

from __future__ import annotations

import json

import pytest
import tiny

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import launch


class Nowhere:
    def start(self, paths):
        return

    def kill(self, paths, *, force):
        return


MEASURED = {
    "seconds_per_kimg": 2.0,
    "sampling_img_per_s": 50.0,
    "memory_mb": 100.0,
    "training_seconds": 2.5,
    "kimg": 1.0,
}


@pytest.fixture
def data(home, tmp_path):
    return tiny.make_dataset(tmp_path / "bars")


def with_minutes(data, minutes):
    config = tiny.config(data, "stylegan2")
    return config.model_copy(update={"generator": config.generator.model_copy(update={"minutes": minutes})})


def test_the_command_line_measures_and_starts_nothing(data, capsys):
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
    assert found["seconds_per_kimg"] > 0 and found["training_seconds"] > 0 and found["kimg"] == 0.32
    assert runs.list_runs() == []


def test_a_device_that_is_not_there_is_named(data):
    with pytest.raises(InputError, match="cuda:77"):
        launch.estimate(tiny.config(data, device="cuda:77"))


def test_a_measurement_that_fails_is_explained(data, monkeypatch):
    monkeypatch.setattr(launch, "ESTIMATE", "import sys; sys.exit('DefaultCPUAllocator: not enough memory')")
    with pytest.raises(GMAugError, match="too little memory"):
        launch.estimate(tiny.config(data))


def test_minutes_become_kimg_once_and_are_written(data, monkeypatch):
    measured = []

    def ran(*_, **given):
        measured.append(given["input"])
        return type("Done", (), {"stdout": json.dumps(MEASURED), "stderr": "", "returncode": 0})

    config = with_minutes(data, 5)
    with monkeypatch.context() as patch:
        patch.setattr(launch.subprocess, "run", ran)
        run_id = launch.submit(config, where=Nowhere())
    generator = runs.read_config(runs.find(run_id))["settings"]["generator"]
    assert (
        generator["kimg"] == pytest.approx(5 * 60 / 2.5) and generator["minutes"] == 5 and len(measured) == 1
    )
    plain = launch.submit(tiny.config(data, "stylegan2"), where=Nowhere())
    assert runs.read_config(runs.find(plain))["settings"]["generator"]["kimg"] == 0.32
