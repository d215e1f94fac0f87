"""A whole run judged by MAE ViT: from scratch, and from a person's own file of weights."""

from __future__ import annotations

import pytest
import torch

from gmaug_core.config import MAEViTConfig
from gmaug_core.method import experiment
from gmaug_core.models import classifiers
from gmaug_core.report import findings
from tests import tiny

pytestmark = pytest.mark.slow
VIT = {
    "name": "mae_vit",
    "width": 16,
    "depth": 2,
    "heads": 2,
    "image_size": 16,
    "patch": 8,
    "decoder_width": 16,
    "steps": 8,
    "batch": 8,
    "checkpoint_steps": 4,
}


def test_a_run_from_scratch_and_from_a_file(bars, tmp_path):
    network = classifiers.build(MAEViTConfig.model_validate(VIT), 1, 3)
    torch.save(network.vit.state_dict(), tmp_path / "own.pth")
    results = []
    for name, more in (("scratch", {}), ("file", {"pretrained": str(tmp_path / "own.pth")})):
        config = tiny.config(bars, classifier=VIT | more, seeds=1, controls=(), use=("fill",))
        grouping = {kind: [kind] for kind in bars.class_names}
        found = experiment.run(config, bars, grouping, out_dir=tmp_path / name)
        results.append(found)
        assert len(list((tmp_path / name / "checkpoints").glob("prepared-*.safetensors"))) == 1
    scratch, own = results
    assert scratch.classifier.name == "mae_vit"
    assert (scratch.classifier.closed_set, own.classifier.closed_set) == (True, False)
    assert not any("Open-set classifier" in note for note in findings.cautions(scratch))
    assert any("Open-set classifier" in note for note in findings.cautions(own))
