"""MAE ViT beyond the contract: masked pre-training, weights from elsewhere, the fine-tuning recipe."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer

from gmaug_core.config import MAEViTConfig, augmentation_config, validate
from gmaug_core.data.treatment import Treatment
from gmaug_core.errors import InputError, Stopped
from gmaug_core.models import classifiers
from gmaug_core.models.classifiers import masked, strong, weights
from gmaug_core.models.classifiers.mae_vit import MAEViT, StochasticDepth

pytestmark = pytest.mark.slow

SIZE = {"width": 32, "depth": 2, "heads": 2, "image_size": 16, "patch": 4, "decoder_width": 16}
CONFIG = MAEViTConfig(**SIZE, steps=6, batch=8, pretraining=2, checkpoint_steps=4, augment="none")
IMAGES = np.random.default_rng(0).integers(0, 256, (24, 16, 16, 3)).astype(np.uint8)
LABELS = np.arange(24) % 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def train(config: MAEViTConfig = CONFIG, **given) -> classifiers.Classifier:
    return classifiers.train(IMAGES, LABELS, 3, config, seed=1, **given)


def test_patches_are_the_images_own_pixels_normalised():
    x = torch.rand(2, 3, 8, 8)
    found = masked.patches_of(x, 4)
    assert found.shape == (2, 4, 48)
    third = x[1, :, 4:, :4].permute(1, 2, 0).flatten()  # second row, first column
    torch.testing.assert_close(found[1, 2], (third - third.mean()) / (third.var() + 1e-6).sqrt())


def test_three_quarters_are_hidden_at_random():
    seen, hidden = masked.seen_and_hidden(50, 16, 0.75, seeded())
    assert seen.shape == (50, 4)
    assert torch.equal(torch.cat([seen, hidden], dim=1).sort(dim=1).values, torch.arange(16).repeat(50, 1))
    assert len(seen.flatten().unique()) == 16


def test_the_loss_sees_hidden_patches_alone_and_the_encoder_seen_ones_alone():
    torch.manual_seed(0)
    network = MAEViT(3, 3, CONFIG).eval()
    seen = torch.tensor([[0, 5, 6, 15]])
    x = torch.rand(1, 3, 16, 16)
    other = x.clone()
    other[:, :, :4, 4:] = 0  # patches 1 to 3 are hidden
    assert torch.equal(network.encoded(x, seen), network.encoded(other, seen))
    other[:, :, :4, :4] = 0
    assert not torch.equal(network.encoded(x, seen), network.encoded(other, seen))
    assert network.encoded(x, seen).shape == (1, 5, 32)
    assert network.hidden.kept is None


def test_positions_tell_every_patch_from_every_other_and_near_from_far():
    table = masked.positions(4, 32)
    distance = torch.cdist(table, table)
    assert (distance + 9 * torch.eye(16)).min() > 0.1
    assert distance[0, 1] < distance[0, 3]
    assert distance[0, 4] < distance[0, 12]


def test_pretraining_learns_to_fill_in_and_leaves_the_head():
    """Images whose every row is alike: what is hidden follows from what is seen."""
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.integers(0, 256, (64, 1, 16)).astype(np.uint8), 16, axis=1)
    config = CONFIG.model_copy(update={"pretraining": 150, "batch": 32, "pretraining_lr": 0.04, "steps": 1})
    said = []
    head = classifiers.train(
        rows,
        np.arange(64) % 3,
        3,
        config.model_copy(update={"lr": 1e-12}),
        seed=0,
        report=lambda _, step, total, **found: said.append((step, total, found)),
    ).network.last.weight
    losses = [found["pretraining_loss"] for _, _, found in said if "pretraining_loss" in found]
    assert losses[-1] < 0.8 * losses[0]
    assert [step for step, _, _ in said] == [25, 50, 75, 100, 125, 150, 151]
    assert {total for _, total, _ in said} == {151}
    with classifiers.contract.initial("classifier", 0):
        fresh = classifiers.build(config, 1, 3)
    torch.testing.assert_close(head, fresh.last.weight)


def test_stopped_anywhere_it_goes_on_to_what_it_would_have_been(tmp_path):
    whole = train().predict_logits(IMAGES)
    for stop_at in (3, 7, 14):  # 12 steps of pre-training, then 6
        folder = tmp_path / str(stop_at)
        folder.mkdir()
        calls = iter(range(99))
        with pytest.raises(Stopped):
            train(checkpoint=folder / "a.training", should_stop=lambda: next(calls) >= stop_at)  # noqa: B023
        assert list(folder.iterdir())
        again = train(checkpoint=folder / "a.training")
        np.testing.assert_array_equal(again.predict_logits(IMAGES), whole)
        assert [path.name.partition("-")[0] for path in folder.iterdir()] == ["prepared"]


def test_trainings_that_want_the_same_pretraining_share_it(tmp_path, monkeypatch):
    done = []
    real = masked.pretrain
    monkeypatch.setattr(masked, "pretrain", lambda *a, **k: (done.append(1), real(*a, **k)))
    jobs = [
        classifiers.Job(
            name,
            lambda report, should_stop, name=name, weight=weight: train(
                checkpoint=tmp_path / name,
                treatment=Treatment(class_weights=weight),
                report=report,
                should_stop=should_stop,
            ),
        )
        for name, weight in (("a.training", None), ("b.training", np.array([1.0, 2, 3])))
    ]
    together = classifiers.train_many(jobs)
    assert len(done) == 1
    np.testing.assert_array_equal(together[0].predict_logits(IMAGES), train().predict_logits(IMAGES))
    classifiers.train(IMAGES[:20], LABELS[:20], 3, CONFIG, seed=1, checkpoint=tmp_path / "c.training")
    classifiers.train(IMAGES, LABELS, 3, CONFIG, seed=2, checkpoint=tmp_path / "d.training")
    assert len(list(tmp_path.glob("prepared-*.safetensors"))) == 3


def test_a_body_is_not_pretrained_again():
    body = train()
    again = train(body=body, steps=2)
    np.testing.assert_array_equal(again.features(IMAGES), body.features(IMAGES))


def test_a_block_learns_slower_than_the_next_and_tokens_do_not_decay():
    network = MAEViT(3, 3, CONFIG.model_copy(update={"layer_decay": 0.5, "batch": 128}))
    found = {
        id(value): (group["lr_scale"], group["weight_decay"])
        for group in network.optimiser().param_groups
        for value in group["params"]
    }
    assert len(found) == len(list(network.parameters()))
    expected = {
        "patch_embed.proj.weight": (0.0625, 0.05),
        "pos_embed": (0.0625, 0.0),
        "blocks.0.attn.qkv.weight": (0.125, 0.05),
        "blocks.1.mlp.fc1.bias": (0.25, 0.0),
        "head.weight": (0.5, 0.05),
    }
    names = dict(network.vit.named_parameters())
    assert {name: found[id(names[name])] for name in expected} == expected


def test_drop_path_skips_by_its_own_draws():
    part = StochasticDepth(0.5).train()
    x = torch.ones(4, 2, 3)
    assert torch.equal(part(x), x)
    part.kept = torch.tensor([0.0, 2, 2, 0])
    assert part(x)[:, 0, 0].tolist() == [0, 2, 2, 0]
    assert torch.equal(part.eval()(x), x)
    network = MAEViT(3, 3, CONFIG.model_copy(update={"drop_path": 0.4})).train()
    network.randomise(seeded(), 2000)
    shares = [float((block.drop_path1.kept == 0).float().mean()) for block in network.vit.blocks[1:]]
    assert network.vit.blocks[0].drop_path1.kept is None
    assert shares == [pytest.approx(0.4, abs=0.05)]


def test_erasing_makes_noise_of_a_box_in_a_share_of_the_images():
    x = torch.zeros(400, 1, 20, 20)
    changed = (strong.erased(x, 0.25, seeded()) != 0)[:, 0]
    touched = changed.any(dim=(1, 2))
    assert 0.18 < touched.float().mean() < 0.32
    area = changed[touched].float().mean(dim=(1, 2))
    assert 0.005 < area.min()
    assert area.max() < 0.38
    boxes = changed[touched].any(dim=2).sum(1) * changed[touched].any(dim=1).sum(1)
    assert torch.equal(boxes, changed[touched].sum(dim=(1, 2)))
    assert torch.equal(strong.erased(x, 0.0, seeded()), x)


def test_mixing_is_by_mixup_or_cutmix_as_often():
    x, y = torch.arange(6.0).view(6, 1, 1, 1).expand(6, 1, 8, 8), torch.arange(6)
    kinds = []
    for seed in range(200):
        mixed, targets = strong.mixed_by(x, strong.Targets(y), 0.8, 1.0, seeded(seed))
        whole = float(targets.share) * x + (1 - targets.share) * x[targets.other]
        torch.testing.assert_close(mixed.mean((1, 2, 3)), whole.mean((1, 2, 3)))
        kinds.append(torch.allclose(mixed, whole))
    assert 0.35 < np.mean(kinds) < 0.65
    assert strong.mixed_by(x, strong.Targets(y), 0, 0, seeded())[1].other is None


def test_rand_augment_does_two_operations_of_one_strength(monkeypatch):
    said = []
    monkeypatch.setattr(strong, "OPERATIONS", (lambda x, strength, _: said.append(strength) or x * 0.9,))
    found = strong.rand_augment(torch.ones(5, 1, 4, 4), seeded())
    torch.testing.assert_close(found, torch.full((5, 1, 4, 4), 0.81))
    assert torch.stack(said).unique().tolist() == [pytest.approx(0.3)]


# weights from elsewhere


@pytest.fixture(scope="module")
def published() -> dict[str, torch.Tensor]:
    """As a masked autoencoder is published: with its norm and decoder, without a head; 64 patches."""
    torch.manual_seed(5)
    shape = {"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}
    state = VisionTransformer(img_size=32, num_classes=0, **shape).state_dict()
    return state | {"mask_token": torch.zeros(1, 1, 16), "decoder_pred.weight": torch.zeros(8, 8)}


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_weights_of_a_file_are_where_training_starts(published, tmp_path, kind):
    path = tmp_path / f"own.{kind}"
    save_file(published, path) if kind == "safetensors" else torch.save({"model": published}, path)
    config = CONFIG.model_copy(update={"pretrained": str(path), "lr": 1e-12})
    trained = train(config)
    found = trained.network.state_dict()
    for name in ("blocks.1.mlp.fc2.weight", "patch_embed.proj.weight", "cls_token"):
        torch.testing.assert_close(found[f"vit.{name}"], published[name])
    assert found["vit.pos_embed"].shape == (1, 17, 32)
    said = classifiers.description(config, 3, 3)
    assert said["closed_set"] is False
    assert len(said["weights_sha256"]) == 64
    assert classifiers.description(CONFIG, 3, 3)["closed_set"] is True


def test_grey_images_take_the_sum_over_the_colours(published):
    network = MAEViT(1, 3, CONFIG)
    weights.take(network.vit, published, network.grid)
    first = "patch_embed.proj.weight"
    torch.testing.assert_close(network.vit.state_dict()[first], published[first].sum(1, keepdim=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 64}, r"'cls_token' is \(1, 1, 32\) in the file and \(1, 1, 64\) in the network"),
        ({"depth": 3}, "'blocks.2.norm1.weight' is not in the file"),
        ({"depth": 1}, "the network has no 'blocks.1.norm1.weight'"),
    ],
)
def test_weights_that_do_not_fit_are_named(published, change, words):
    network = MAEViT(3, 3, CONFIG.model_copy(update=change))
    with pytest.raises(InputError, match=words):
        weights.take(network.vit, published, network.grid)


def test_a_file_that_could_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"model": Evil()}, tmp_path / "evil.pth")
    (tmp_path / "text.safetensors").write_text("no")
    torch.save({"model": {"epoch": 3}}, tmp_path / "more.pth")
    for name, words in (
        ("evil.pth", "cannot be read"),
        ("text.safetensors", "cannot be read"),
        ("more.pth", "more than tensors"),
        ("absent.pth", "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            weights.read(CONFIG.model_copy(update={"pretrained": str(tmp_path / name)}))


NAMED = CONFIG.model_copy(update={"model": "vit_tiny_patch16_224", "image_size": 32, "patch": 8})


def test_timms_networks_by_name():
    network = MAEViT(3, 4, NAMED.model_copy(update={"patch": None}))
    assert (network.grid, network.patch, network.vit.embed_dim) == (2, 16, 192)
    assert network(torch.zeros(2, 3, 20, 20)).shape == (2, 4)
    for name, words in (("vit_tiny_patch16_22", "did you mean"), ("resnet18", "resnet18")):
        with pytest.raises(InputError, match=words):
            MAEViT(3, 4, NAMED.model_copy(update={"model": name}))


def test_weights_by_name_say_their_licence_and_need_the_network(monkeypatch):
    config = NAMED.model_copy(update={"download": True, "model": "vit_base_patch16_224.mae"})
    assert weights.origin(config) == {"weights_licence": "cc-by-nc-4.0"}
    assert not config.closed_set

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(InputError, match=r"could not be fetched \(OSError\)") as caught:
        weights.read(config)
    assert "cc-by-nc-4.0" in str(caught.value.expected)


def test_settings_that_contradict_each_other_are_refused(tmp_path):
    for settings, words in (
        ({"width": 100, "heads": 3}, "heads"),
        ({"image_size": 20, "patch": 8}, "multiple of patch"),
        ({"download": True}, "set model"),
        ({"download": True, "model": "vit_tiny_patch16_224", "pretrained": "x"}, "choose one"),
    ):
        with pytest.raises(InputError, match=words):
            validate(MAEViTConfig, settings)
    missing = {"name": "mae_vit", "pretrained": str(tmp_path / "absent.pth")}
    with pytest.raises(InputError, match=r"no checkpoint 'absent.pth'") as caught:
        augmentation_config("d", image_size=16, colour="grey", overrides={"classifier": missing})
    assert "classifier.pretrained" in str(caught.value.todo)


@pytest.mark.parametrize(("side", "patch"), [(16, 2), (32, 4), (64, 8), (128, 16), (224, 16)])
def test_the_patch_fits_the_image(side, patch):
    assert MAEViTConfig(image_size=side).patch_size == patch
