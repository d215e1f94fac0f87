"""The Generator contract: the same tests for every generator."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from gmaug_core.config import GENERATORS, EDMConfig, GuidedDiffusionConfig, StyleGAN2Config
from gmaug_core.data import pictures
from gmaug_core.data.views import View
from gmaug_core.errors import Damaged, Diverged, InputError, Stopped
from gmaug_core.files import write_json
from gmaug_core.models import generators
from gmaug_core.models.generators.tensors import (
    class_weights,
    draw_batch,
    seeded_normal,
    to_signed,
    to_uint8,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

CLASSES = ("zero", "one", "two")
SMALL = {"resolution": 8, "batch": 8, "kimg": 0.08, "snapshot_kimg": 0.032}
CONFIGS = {
    "edm": EDMConfig(**SMALL, channels=8, channel_mult=(1, 2), sampling_steps=4),
    "edm-heun-rgb": EDMConfig(
        **SMALL,
        channels=8,
        channel_mult=(1, 2),
        sampling_steps=3,
        sampler="heun",
        colour="rgb",
        mirror=True,
        augment=0.5,
        cbdm_tau=0.1,
    ),
    "edm-autoguided": EDMConfig(
        **SMALL, channels=8, channel_mult=(1, 2), sampling_steps=3, autoguidance=0.4, ema_sigma_rel=0.15
    ),
    "guided_diffusion": GuidedDiffusionConfig(
        **SMALL, channels=8, channel_mult=(1, 2), sampler="ancestral", sampling_steps=4, classifier_channels=8
    ),
    "guided_diffusion-rgb": GuidedDiffusionConfig(
        **SMALL,
        channels=8,
        channel_mult=(1, 2),
        sampling_steps=3,
        learn_sigma=True,
        colour="rgb",
        mirror=True,
        dropout=0.1,
        guidance=2.0,
        schedule="linear",
        class_conditional=False,
        classifier_channels=8,
    ),
    "stylegan2": StyleGAN2Config(**SMALL, channel_max=8, z_dim=8, w_dim=8, truncation=0.9),
    "stylegan2-ada-rgb": StyleGAN2Config(
        **SMALL,
        channel_max=8,
        z_dim=8,
        w_dim=8,
        colour="rgb",
        mirror=True,
        augment="ada",
        style_mixing=0.9,
        path_length_weight=2.0,
        path_length_interval=2,
    ),
    "stylegan2-long-tail": StyleGAN2Config(
        **SMALL,
        channel_max=8,
        z_dim=8,
        w_dim=8,
        noisy_twins=0.01,
        low_resolution=4,
        loss="rpgan",
        r1_interval=2,
        truncation=0.9,
        style_mixing=0.5,
    ),
}


def each(*names):
    return pytest.mark.parametrize(
        "config", [CONFIGS[name] for name in names or CONFIGS], ids=names or list(CONFIGS)
    )


def test_every_generator_is_under_contract():
    assert {config.name for config in CONFIGS.values()} == set(GENERATORS)


def data(config, n=30, seed=0):
    """Noise around a different grey for each class, long-tailed."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, n, p=[0.6, 0.3, 0.1]).astype(np.int64)
    labels[:3] = range(3)
    shape = (n, config.resolution, config.resolution) + ((3,) if config.colour == "rgb" else ())
    images = random.integers(0, 60, shape) + 90 * labels.reshape(-1, *[1] * (len(shape) - 1))
    return images.astype(np.uint8), labels


def train(config, folder, **hooks):
    generator = generators.create(config)
    figures = generator.train(
        *data(config), CLASSES, folder, seed=hooks.pop("seed", 3), device="cpu", **hooks
    )
    return generator, figures


def draw(generator, batch_size=100, n=9):
    return np.concatenate(list(generator.sample(np.arange(n) % 3, np.arange(n) + 40, batch_size)))


def stop_after(calls):
    left = iter(range(calls))
    return lambda: next(left, None) is None


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Every generator trained once without interruption: name of the config -> (generator, figures, folder,
    reports).
    """
    result = {}
    for name, config in CONFIGS.items():
        folder, reports = tmp_path_factory.mktemp(name), []
        generator, figures = train(
            config, folder, report=lambda *place, into=reports, **metrics: into.append((place, metrics))
        )
        result[config] = generator, figures, folder, reports
    return result


@each()
def test_trains_reports_and_draws_a_sheet(config, trained):
    _, figures, folder, reports = trained[config]
    assert figures["images"] == 80
    assert figures["kimg"] == pytest.approx(0.08)
    assert np.isfinite([value for value in figures.values() if isinstance(value, float)]).all()
    json.dumps(figures, allow_nan=False)
    assert [place[0] for place, _ in reports] == ["generator"] * len(reports)
    assert reports[-1][0] == ("generator", 80, 80)
    assert {"loss", "img_per_s", "kimg"} <= set(reports[-1][1])
    sheets = sorted(folder.glob("grid-*.png"))
    assert [sheet.name for sheet in sheets] == ["grid-00000.0.png", "grid-00000.1.png"]
    with Image.open(sheets[-1]) as sheet:
        width, height = sheet.size
    assert (width + pictures.SHEET_GAP) / (height + pictures.SHEET_GAP) == pytest.approx(8 / 3)
    assert sorted(path.name for path in folder.iterdir())[:1] == ["best.safetensors"]
    assert len(list(folder.iterdir())) == 4
    assert "collapse" not in figures
    assert [row["kimg"] for row in figures["quality"]] == pytest.approx([0.032, 0.064, 0.08])
    assert [metrics["quality"] for _, metrics in reports if "quality" in metrics] == figures["quality"]


@each()
def test_samples_are_uint8_in_order_and_depend_on_their_seed_alone(config, trained):
    generator = trained[config][0]
    whole = draw(generator)
    assert whole.dtype == np.uint8
    assert whole.shape[1:] == data(config)[0].shape[1:]
    assert np.array_equal(whole, draw(generator)), "the same seeds give the same images"
    for batch_size in (1, 4):
        assert [len(batch) for batch in generator.sample(np.zeros(9), np.arange(9), batch_size)] == (
            [1] * 9 if batch_size == 1 else [4, 4, 1]
        )
        assert np.abs(whole.astype(int) - draw(generator, batch_size)).max() <= 1
    last = next(generator.sample(np.array([2]), np.array([48]), 1))
    assert np.abs(whole[8].astype(int) - last[0]).max() <= 1
    assert not np.array_equal(whole[0], whole[3]), "other seeds give other images"
    assert list(generator.sample(np.array([], np.int64), np.array([], np.int64), 4)) == []


@each()
def test_sampling_leaves_random_numbers_and_autograd_alone(config, trained):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    batches = trained[config][0].sample(np.zeros(2, np.int64), np.arange(2), 1)
    next(batches)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    assert torch.equal(torch.rand(3), expected)


@each()
def test_round_trip(config, trained, tmp_path):
    generator = trained[config][0]
    generator.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    again = generators.load(tmp_path, "cpu")
    assert again.config == config
    assert again.class_names == CLASSES
    assert again.closed_set
    assert np.array_equal(draw(again), draw(generator))


@each()
def test_resume_equals_uninterrupted_bit_for_bit(config, trained, tmp_path):
    for steps in (1, 5):  # before the first snapshot, and after it
        calls = []

        def should_stop(calls=calls, steps=steps):
            calls.append(1)
            return len(calls) > steps

        with pytest.raises(Stopped):
            train(config, tmp_path, should_stop=should_stop)
        assert len(calls) == steps + 1, "stops within one step"
    torch.manual_seed(99)  # nothing may depend on the state of the global generator
    resumed, figures = train(config, tmp_path)
    whole = trained[config][0]
    assert figures["quality"] == whole.metrics["quality"]
    expected = whole.network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.network.state_dict().items())
    assert np.array_equal(draw(resumed), draw(whole))


@each("edm", "guided_diffusion", "stylegan2")
def test_a_finished_training_is_not_done_again(config, trained):
    generator, _, folder, _ = trained[config]
    again, _ = train(config, folder, report=lambda *a, **k: pytest.fail("trained again"))
    assert np.array_equal(draw(again), draw(generator))


@each("edm", "guided_diffusion", "stylegan2")
def test_a_checkpoint_of_another_training_is_refused(config, trained):
    folder = trained[config][2]
    before = (folder / "training.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"another training.*seed"):
        train(config, folder, seed=4)
    with pytest.raises(InputError, match="generator"):
        train(config.model_copy(update={"lr": 0.5}), folder)
    assert (folder / "training.safetensors").read_bytes() == before


@each("edm", "guided_diffusion", "stylegan2")
def test_divergence_keeps_the_last_good_snapshot(config, trained, tmp_path, monkeypatch):
    generator = generators.create(config)
    start = generator.start

    def poisoned(*args):
        training = start(*args)
        step = training.step

        def poisoned_step(images, labels, number):
            if number == 6:
                with torch.no_grad():
                    next(iter(training.parts().values())).get_parameter(NAMES[config.name]).fill_(
                        float("nan")
                    )
            return step(images, labels, number)

        training.step = poisoned_step
        return training

    NAMES = {
        "edm": "unet.first.weight",
        "guided_diffusion": "unet.down.0.0.weight",
        "stylegan2": "synthesis.constant",
    }
    monkeypatch.setattr(generator, "start", poisoned)
    with pytest.raises(Diverged, match=r"lower generator\.lr.*snapshot at 32 images is kept"):
        generator.train(*data(config), CLASSES, tmp_path, seed=3, device="cpu")
    assert np.isfinite(draw(generator).astype(float)).all()
    assert all(p.isfinite().all() for p in generator.network.parameters())
    resumed, _ = train(config, tmp_path)  # the kept snapshot is a good one
    assert np.array_equal(draw(resumed), draw(trained[config][0]))


@each("edm", "guided_diffusion", "stylegan2")
def test_a_view_trains_as_a_copy_does_to_the_last_bit(config, trained, tmp_path):
    images, labels = data(config)
    stored, backwards = images[::-1], np.arange(30)[::-1].copy()
    generator = generators.create(config)
    view = View([stored[:11], stored[11:]], backwards)
    generator.train(view, labels, CLASSES, tmp_path, seed=3, device="cpu")
    np.testing.assert_array_equal(draw(generator), draw(trained[config][0]))


@each()
def test_the_callers_random_numbers_stay(config, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with pytest.raises(Stopped):
        train(config, tmp_path, should_stop=stop_after(1))
    assert torch.equal(torch.rand(3), expected)


@each("edm", "guided_diffusion", "stylegan2")
def test_bad_input_is_refused(config, tmp_path):
    images, labels = data(config)
    generator = generators.create(config)

    def refused(match, images=images, labels=labels, device="cpu"):
        with pytest.raises(InputError, match=match):
            generator.train(images, labels, CLASSES, tmp_path, device=device)

    refused("uint8", images=images.astype(np.float32))
    refused("uint8", images=images[:, :4])
    refused("uint8", images=np.stack([images] * 3, 3))
    refused("at least one image", images=images[:0], labels=labels[:0])
    refused("label for each", labels=labels[:-1])
    refused("outside", labels=labels + 1)
    refused("not available", device="cuda:77")
    with pytest.raises(InputError, match="settings of"):
        type(generator)(CONFIGS["edm" if config.name != "edm" else "stylegan2"])
    with pytest.raises(InputError, match="not trained"):
        next(generator.sample(labels, labels, 4))
    assert not any(tmp_path.iterdir())


def test_bad_samples_are_refused(trained):
    generator = trained[CONFIGS["edm"]][0]
    with pytest.raises(InputError, match="outside"):
        next(generator.sample(np.array([3]), np.array([0]), 4))
    with pytest.raises(InputError, match="seeds"):
        next(generator.sample(np.array([1, 2]), np.array([0]), 4))


@pytest.mark.parametrize("damage", ["missing", "json", "generator", "weights", "shapes"])
def test_loading_what_is_not_a_generator(damage, trained, tmp_path):
    trained[CONFIGS["edm"]][0].save(tmp_path)
    config, model = tmp_path / "config.json", tmp_path / "model.safetensors"
    if damage == "missing":
        model.unlink()
    elif damage == "json":
        config.write_text("{")
    elif damage == "generator":
        write_json(config, json.loads(config.read_text().replace('"edm"', '"gan"')))
    elif damage == "weights":
        model.write_bytes(model.read_bytes()[:100])
    else:
        write_json(config, json.loads(config.read_text().replace('"channels": 8', '"channels": 16')))
    with pytest.raises(Damaged if damage in ("json", "weights") else InputError):
        generators.load(tmp_path, "cpu")


def test_noise_comes_from_the_seed_alone():
    rows = seeded_normal([7, 8, 7], 100)
    assert torch.equal(rows[0], rows[2])
    assert not torch.equal(rows[0], rows[1])


@pytest.mark.parametrize(("power", "expected"), [(1.0, [0.8, 0.2]), (0.5, [2 / 3, 1 / 3]), (0.0, [0.5, 0.5])])
def test_classes_are_drawn_by_the_power_of_their_size(power, expected):
    labels = np.array([0] * 80 + [2] * 20)  # class 1 has no image
    images = np.repeat(labels[:, None, None], 64, 1).reshape(100, 8, 8).astype(np.uint8)
    torch.manual_seed(0)
    batch, drawn = draw_batch(images, labels, class_weights(labels, 3, power), 6000, mirror=False)
    assert np.bincount(drawn.numpy(), minlength=3)[[0, 2]] / 6000 == pytest.approx(expected, abs=0.03)
    assert np.array_equal(to_uint8(batch)[:, 0, 0], drawn.numpy()), "images and labels stay together"


def test_mirror_flips_about_half():
    images = np.zeros((4, 8, 8, 3), np.uint8)
    images[:, :, 0] = 255
    torch.manual_seed(0)
    batch, _ = draw_batch(images, np.zeros(4, np.int64), torch.ones(4), 1000, mirror=True)
    left, right = (batch[:, 0, 0, 0] > 0), (batch[:, 0, 0, -1] > 0)
    assert (left ^ right).all()
    assert 0.45 < left.float().mean() < 0.55


def test_pixels_round_trip():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(to_uint8(to_signed(torch.from_numpy(images))), images)
    colour = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(to_uint8(to_signed(torch.from_numpy(colour))), colour)


@each("edm", "stylegan2-ada-rgb")
def test_an_estimate_measures_a_few_steps(config, monkeypatch):
    from gmaug_core.models.generators import cost

    monkeypatch.setattr(cost, "MEASURE_S", 0.05)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = generators.estimate(config.model_dump(mode="json"), 3, "cpu")
    assert torch.equal(torch.rand(3), expected)
    json.dumps(found, allow_nan=False)
    assert all(found[key] > 0 for key in ("seconds_per_kimg", "sampling_img_per_s", "memory_mb", "steps"))
    assert found["training_seconds"] > found["seconds_per_kimg"] * config.kimg
    assert found["kimg"] == config.kimg
    if config.name == "stylegan2":
        assert found["steps"] % 8 == 0, "whole periods of the lazy regularisation"
    with pytest.raises(InputError, match="not available"):
        generators.estimate(config.model_dump(mode="json"), 3, "cuda:77")
