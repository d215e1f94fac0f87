"""Images made elsewhere are given once: no seed of a generator, and no sentence on its training."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config import augmentation_config
from gmaug_core.errors import InputError
from gmaug_core.method.cautions import cautions

FOLDER = {"images": "a", "offered": (5, 5)}


def settings(**more):
    return augmentation_config(
        "d", image_size=16, colour="grey", generator="folder", overrides={"generator": FOLDER, **more}
    )


def test_several_generator_seeds_are_refused_since_the_images_would_be_the_same():
    with pytest.raises(InputError, match="same at every generator seed"):
        settings(generator_seeds=2)


def test_the_cautions_do_not_speak_of_a_training():
    said = cautions(settings(), ["a", "b"], collapse=None, steps=[], accepted=3, tested=np.array([20, 20]))
    assert "trained once" not in " ".join(said)
    assert "images are those that were given" in said[-1]
