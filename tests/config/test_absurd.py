"""Absurd settings are refused before a run exists, by the one door of page, command line and Python."""

from __future__ import annotations

import pytest

from gmaug_core.config import augmentation_config, parse_assignments
from gmaug_core.errors import InputError

EVERYWHERE = """
use=[] use=["burn"] amounts=[] amounts=[0] amounts=[-1] amounts=[1e9] synthetic_weights=[]
synthetic_weights=[0] second_stages=[] device=banana device=cuda:banana device= dataset=other preset=paper
kind=verdict seeds=0 seeds=1e9 seeds=2.5 seeds=many seed=-1 seed=1e12 target=0 target=1e8 added=0 added=1e12
mix=0 mix=1 mix=NaN max_steps=0 max_steps=1e6 tolerance=-1 tolerance=1 draw_budget=1e12 draw_budget=0
draw_budget=Infinity sampling_batch=0 sampling_batch=1e9 folds=0 folds=1e6 generator_seeds=0
generator_seeds=1e6 amount_seeds=0 counting_seeds=-1 controls=["prayer"] probe=perhaps inception=/nope
grouping= selection.threshold=1e9 selection.mode=mood selection.gate_share=2 classifier.batch=1e8
classifier.batch=1 classifier.batch=0 classifier.steps=1e12 classifier.steps=0 classifier.epochs=0
classifier.epochs=1e9 classifier.least_steps=1e12 classifier.most_steps=0 classifier.lr=0 classifier.lr=-1
classifier.lr=1e6 classifier.lr=1e30 classifier.lr=50
classifier.lr=6 generator.lr=0.6 classifier.weight_decay=-1 classifier.weight_decay=1e9
classifier.blocks=[] classifier.blocks=[0] classifier.blocks=[1000] classifier.width=0 classifier.width=1e6
classifier.mixup=-1 classifier.mixup=1e9 classifier.smoothing=1 classifier.erase=2 classifier.averaging=2
classifier.schedule=moon classifier.momentum=1 classifier.checkpoint_steps=0 generator.resolution=0
generator.resolution=17 generator.resolution=1e6 generator.batch=1 generator.batch=1e9 generator.kimg=0
generator.kimg=1e12 generator.minutes=0 generator.lr=0 generator.lr=50 generator.class_power=2
generator.snapshot_kimg=0 generator.snapshot_kimg=1e12 generator.colour=plaid generator.speed=9
classifier=fast generator=7
"""
OF_ONE = {
    "edm": """
generator.channel_mult=[] generator.channel_mult=[0] generator.channel_mult=[1000] generator.channels=1
generator.channel_mult=[1,1,1,1,1,1] generator.attention_resolutions=[0] generator.blocks=0
generator.dropout=1 generator.sigma_min=30 generator.sigma_max=0 generator.sigma_max=1e300
generator.p_mean=1e300 generator.p_std=0 generator.sampling_steps=1 generator.sampling_steps=1e9
generator.guidance=1e9 generator.label_drop=1 generator.ema_half_life_kimg=0
generator.ema_half_life_kimg=1e12 generator.cbdm_tau=1e9
""",
    "guided_diffusion": """
generator.channel_mult=[] generator.channel_mult=[0] generator.diffusion_steps=1e9
generator.sampling_steps=2000 generator.guidance=-1 generator.pretrained=/nope generator.channels=9
generator.classifier_lr=0.9
""",
    "stylegan2": """
generator.resolution=24 generator.r1_gamma=1e12 generator.z_dim=0 generator.transition_end=0
generator.truncation=0 generator.channel_base=1e12 generator.low_resolution=5 generator.r1_interval=0
""",
}
CASES = [("edm", text) for text in EVERYWHERE.split()] + [
    (generator, text) for generator, texts in OF_ONE.items() for text in texts.split()
]


def test_there_are_a_hundred_cases():
    assert len(CASES) >= 100


@pytest.mark.parametrize(("generator", "text"), CASES)
def test_an_absurd_setting_is_refused_and_named(generator, text):
    overrides = {"generator": {}} | parse_assignments([text])
    if isinstance(overrides["generator"], dict):
        overrides["generator"].setdefault("name", generator)
    with pytest.raises(InputError) as refused:
        augmentation_config("d", image_size=16, colour="grey", overrides=overrides)
    assert text.partition("=")[0].rpartition(".")[2] in str(refused.value)
    assert refused.value.exit_status == 2
