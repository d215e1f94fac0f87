"""Strong augmentation: each operation is torchvision's, mixup and CutMix are their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from gmaug_core.models.classifiers import strong


@pytest.fixture
def images() -> torch.Tensor:
    """Smooth colour images in 0..1, whose edges are their border's."""
    noise = torch.rand(6, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(noise, size=20, mode="bilinear").clamp(0, 1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


COLOURS = {
    strong._brightness: lambda x, v: tv.adjust_brightness(x, 1 + 0.99 * v),
    strong._colour: lambda x, v: tv.adjust_saturation(x, 1 + 0.99 * v),
    strong._contrast: lambda x, v: tv.adjust_contrast(x, 1 + 0.99 * v),
    strong._sharpness: lambda x, v: tv.adjust_sharpness(x, 1 + 0.99 * v),
    strong._autocontrast: lambda x, _: tv.autocontrast(x),
    strong._identity: lambda x, _: x,
}


@pytest.mark.parametrize("operation", COLOURS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("signed", [-0.7, 0.4])
def test_operations_on_colours_are_torchvisions(images, operation, signed):
    amount = torch.full((6,), signed)
    found = operation(images, amount.abs(), amount).clamp(0, 1)
    expected = torch.stack([COLOURS[operation](image, signed) for image in images])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_posterize_solarize_and_equalize_are_torchvisions(images, strength):
    amount = torch.full((6,), strength)
    levels = (images * 255).round().to(torch.uint8)
    bits = 8 - round(strength * 6)
    for operation, expected in (
        (strong._posterize, tv.posterize(levels, bits)),
        (strong._equalize, torch.stack([tv.equalize(image) for image in levels])),
    ):
        found = operation(levels / 255, amount, amount)
        torch.testing.assert_close((found * 255).round().to(torch.uint8), expected)
    torch.testing.assert_close(strong._solarize(images, amount, amount), tv.solarize(images, 1 - strength))


@pytest.mark.parametrize("signed", [-0.2, 0.15])
def test_operations_on_places_are_torchvisions(images, signed):
    """Within the part of the image that stays inside, where the border does not matter."""

    def moved(angle=0.0, shift=(0.0, 0.0), shear=(0.0, 0.0)):
        return tv.affine(
            images, angle, list(shift), 1.0, list(shear), interpolation=InterpolationMode.BILINEAR
        )

    degrees = float(np.degrees(np.arctan(0.99 * signed)))
    pixels = 20 * 32 / 224 * signed  # torchvision moves the image, the map moves where it is read
    pairs = (
        (strong._rotate, moved(angle=-135 * signed), moved(angle=135 * signed)),
        (strong._shear_x, moved(shear=(degrees, 0)), moved(shear=(-degrees, 0))),
        (strong._shear_y, moved(shear=(0, degrees)), moved(shear=(0, -degrees))),
        (strong._shift_x, moved(shift=(-pixels, 0)), moved(shift=(pixels, 0))),
        (strong._shift_y, moved(shift=(0, -pixels)), moved(shift=(0, pixels))),
    )
    amount = torch.full((6,), signed)
    inside = (..., slice(6, 14), slice(6, 14))
    for operation, one, other in pairs:  # the sign is random: which way is no matter
        found = operation(images, amount.abs(), amount)[inside]
        away = min((found - each[inside]).abs().max() for each in (one, other))
        assert away < 0.02, operation.__name__
        assert (found - images[inside]).abs().max() > 0.05, operation.__name__


def test_every_operation_is_drawn_and_grey_images_pass(images):
    seen = set()
    grey = images[:1, :1].repeat(400, 1, 1, 1)
    changed = strong.trivial_augment(grey, seeded())
    assert changed.shape == grey.shape
    assert changed.min() >= 0
    assert changed.max() <= 1
    for number, operation in enumerate(strong.OPERATIONS):
        for amount in (torch.ones(1), -torch.ones(1)):
            seen.add((number, round(float(operation(grey[:1], amount.abs(), amount).clamp(0, 1).sum()), 3)))
    assert len({number for number, _ in seen}) == 14
    assert len(torch.unique(changed.sum((1, 2, 3)))) > 100
    torch.testing.assert_close(strong.trivial_augment(grey, seeded()), changed, rtol=0, atol=0)
    assert not torch.equal(strong.trivial_augment(grey, seeded(1)), changed)


def test_mixup_is_its_formula(images):
    labels = torch.arange(6)
    x, targets = strong.mixed(images, strong.Targets(labels), "mixup", seeded())
    assert 0 < targets.share < 1
    expected = targets.share * images + (1 - targets.share) * images[targets.other]
    torch.testing.assert_close(x, expected)
    torch.testing.assert_close(targets.own, labels)


def test_cutmix_pastes_a_box_and_weighs_it_by_its_area(images):
    labels, shares = torch.arange(6), []
    for seed in range(40):
        x, targets = strong.mixed(images, strong.Targets(labels), "cutmix", seeded(seed))
        if targets.other is None:
            assert torch.equal(x, images)
            continue
        other = images[targets.other]
        assert torch.logical_or(x == images, x == other).all()
        moved = targets.other != labels
        kept = (x == images).all(1)[moved].float().mean() if moved.any() else targets.share
        assert kept == pytest.approx(targets.share, abs=1e-6)
        shares.append(targets.share)
    assert 10 < len(shares) < 30  # half of the batches
    assert min(shares) < 0.4
    assert max(shares) > 0.8


def test_nothing_is_mixed_where_nothing_is_asked(images):
    for kind in ("none", "trivial_augment"):
        x, targets = strong.mixed(images, strong.Targets(torch.arange(6)), kind, seeded())
        assert x is images
        assert targets.other is None
        assert targets.share == 1
