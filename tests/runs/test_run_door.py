"""What a run needs and is not there is refused before the run exists or goes on, in words and with status 2;
and a run that goes on stays on its device."""

from __future__ import annotations

import dataclasses

import pytest
import tiny
import torch
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import VerdictConfig
from gmaug_core.data import elsewhere
from gmaug_core.errors import InputError
from gmaug_core.hooks import never, no_report
from gmaug_core.method import lab as labs
from gmaug_core.method.lab import Lab
from gmaug_core.models import generators
from gmaug_core.runs import RunConfigFile, launch


def refused(config, words):
    """By submit, as bad input, and no run is there."""
    with pytest.raises(InputError, match=words) as found:
        launch.submit(config, where=Nowhere())
    assert found.value.exit_status == 2
    assert runs.list_runs() == []


@pytest.mark.parametrize("part", ["inception", "generator", "classifier"])
def test_weights_that_are_gone_are_refused_at_the_door(bars, tmp_path, capsys, part):
    weights = tmp_path / "mine.pt"
    weights.touch()
    config = tiny.config(bars, "guided_diffusion", inception=str(weights))
    if part == "generator":
        own = config.generator.model_copy(update={"pretrained": str(weights)})
        config = config.model_copy(update={"generator": own, "inception": None})
    if part == "classifier":
        own = tiny.augmentation_config(
            bars.id,
            image_size=16,
            colour="grey",
            overrides={"classifier": {"name": "mae_vit", "pretrained": str(weights)}},
        )
        config = config.model_copy(update={"classifier": own.classifier, "inception": None})
    run_id = launch.submit(config, where=Nowhere())
    runs.RunWriter(runs.find(run_id)).end("cancelled")
    weights.unlink()
    for verb in ("resume", "rerun"):
        assert cli.main([verb, run_id, "--detach"]) == 2, verb
        assert "there is no checkpoint 'mine.pt'" in capsys.readouterr().err
    assert cli.main(["delete", run_id]) == 0
    refused(config, "mine.pt")
    refused(VerdictConfig.about(config), "mine.pt")


def test_images_made_elsewhere_that_are_gone_are_refused(bars):
    config = tiny.config(bars)
    folder = tiny.augmentation_config(
        bars.id,
        image_size=16,
        colour="grey",
        generator="folder",
        overrides={"generator": {"images": "nothing", "offered": [9, 9, 9]}},
    )
    assert not list(elsewhere.folder().iterdir())
    refused(config.model_copy(update={"generator": folder.generator}), "made elsewhere")


def test_a_verdict_on_what_cannot_be_split_is_refused(home, tmp_path):
    data = tiny.make_dataset(tmp_path / "few", held=(), counts={"across": 1, "down": 1})
    refused(VerdictConfig.about(tiny.config(data)), "cannot be split")


def test_a_run_whose_dataset_or_device_is_gone_does_not_go_on(bars, capsys, monkeypatch):
    run_id = launch.submit(tiny.config(bars, device="cpu"), where=Nowhere())
    runs.RunWriter(runs.find(run_id)).end("cancelled")
    document = RunConfigFile.read(runs.find(run_id).config)
    document.model_copy(update={"device": "cuda:7"}).write(runs.find(run_id).config)
    monkeypatch.setattr("gmaug_core.runs.devices.has_cuda_driver", lambda: False)
    assert cli.main(["resume", run_id, "--detach"]) == 2
    assert "cuda:7" in capsys.readouterr().err
    bars.folder.rename(bars.folder.with_name("elsewhere"))
    assert cli.main(["resume", run_id, "--detach"]) == 2
    assert f"there is no dataset '{bars.id}'" in capsys.readouterr().err


def test_a_resumed_run_keeps_its_device(bars, monkeypatch):
    """device=cpu stays there where CUDA is reported, and cuda:1 is not cuda:0."""
    config = tiny.config(bars, device="cpu", max_steps=1)
    lab = Lab.prepare(config, bars, bars.folder.parent / "out", no_report, never)
    folder, made = lab.checkpoints / "generator", generators.create(config.generator)
    made.network, made.class_names = made.build(3), bars.class_names
    made.save(folder)
    (folder / "figures.json").write_text("{}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert lab.generator_trained_or_loaded(None).model.device == torch.device("cpu")
    asked = []
    monkeypatch.setattr(labs.generators, "load", lambda folder, device: asked.append(device))
    other = dataclasses.replace(lab, device=torch.device("cuda:1"))
    other.generator_trained_or_loaded(None)
    assert asked == ["cuda:1"]


def test_a_run_that_had_to_be_ended_was_stopped_and_not_lost(bars, monkeypatch):
    run_id = launch.submit(tiny.config(bars, device="cpu"), where=Nowhere())
    paths = runs.find(run_id)
    runs.RunWriter(paths).progress("generator", 1, 2)

    class Frozen(Nowhere):
        """A worker that answers nothing until it is killed."""

        killed = False

        def alive(self, paths):
            return not self.killed

        def kill(self, paths, *, force):
            self.killed = force

    assert sum(launch.STOP_GRACE_S) < 15
    monkeypatch.setattr(launch, "STOP_GRACE_S", (0.05, 0.05, 0.05))
    launch.stop(run_id, where=Frozen())
    status = runs.read_status(paths)
    assert (status.state, "was ended" in status.reason) == ("cancelled", True)
    assert status.resumable
