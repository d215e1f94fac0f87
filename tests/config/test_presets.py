"""The presets give the settings that they gave before they were written as tables: a frozen answer for every
question. Not of the classifier's: those follow the number of images since (test_classifier_budget); nor what
came later.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gmaug_core.config import augmentation_config
from gmaug_core.errors import InputError

ROWS = json.loads((Path(__file__).parent / "presets_before.json").read_text(encoding="utf-8"))


def resolved(row, image_size, checkpoint):
    """Settings as JSON values, without the checkpoint's path: that is another one on every machine."""
    given = {"generator": {"pretrained": str(checkpoint)}} if row["pretrained"] else None
    config = augmentation_config(
        "d",
        image_size=image_size,
        colour="rgb",
        preset=row["preset"],
        generator=row["generator"],
        symmetric=row["symmetric"],
        overrides=given,
    )
    before = row["settings"]
    settings = config.model_dump(mode="json", include=set(before))
    settings["selection"] = {key: settings["selection"][key] for key in before["selection"]}
    if row["pretrained"]:
        assert settings["generator"]["pretrained"] == str(checkpoint)
        settings["generator"]["pretrained"] = None
    return settings


@pytest.mark.parametrize("pretrained", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("preset", ["quick", "standard", "paper"])
def test_presets_are_what_they_were(preset, symmetric, pretrained, tmp_path):
    checkpoint = tmp_path / "published.pt"
    checkpoint.write_bytes(b"")
    wanted = (preset, symmetric, pretrained)
    rows = [row for row in ROWS if (row["preset"], row["symmetric"], row["pretrained"]) == wanted]
    asked = 0
    for row in rows:
        first, last = row["image_size"]
        for image_size in range(first, last + 1):
            assert resolved(row, image_size, checkpoint) == row["settings"], (row["generator"], image_size)
            asked += 1
    assert asked == (1 if pretrained else 4) * (256 - 8 + 1)  # one generator can start from a checkpoint


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    for setting in ("pretrained", "pretrained_classifier"):
        with pytest.raises(InputError, match=r"no checkpoint 'none\.pt'") as refused:
            augmentation_config(
                "d",
                image_size=64,
                colour="rgb",
                preset="standard",
                generator="guided_diffusion",
                overrides={"generator": {setting: str(tmp_path / "none.pt")}},
            )
        assert setting in refused.value.todo
