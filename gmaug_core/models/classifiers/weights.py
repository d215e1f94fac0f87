"""Weights from elsewhere for a vision transformer: a person's own file, or timm's by name."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file
from timm.layers.pos_embed import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from gmaug_core.config import ClassifierConfig, MAEViTConfig
from gmaug_core.errors import InputError

WANTED = (
    "a state dict of timm's VisionTransformer or of a masked autoencoder: tensors by name, .safetensors or "
    ".pth"
)
TODO = "correct the classifier's settings, or leave the weights out to pre-train on the training images"
WRAPPERS = ("model", "state_dict", "model_state")  # under which published files keep their tensors
# of no use here: another head, the decoder, and the norm that mean pooling puts behind the pooling
NOT_NEEDED = ("head.", "head_drop.", "norm.", "decoder_", "mask_token")
FRESH = ("head.", "fc_norm.")  # what may be missing in the file


def named(name: str, shape: dict[str, Any]) -> VisionTransformer:
    """timm's fresh network. Raises InputError where there is none of that name, or it is no plain ViT."""
    wanted = "a plain vision transformer of timm, for example vit_base_patch16_224"
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models("vit_*"), n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise InputError(f"timm {timm.__version__} has no network '{name}'{hint}", expected=wanted, todo=TODO)
    try:
        network = timm.create_model(name, pretrained=False, global_pool="avg", **shape)
    except (TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise InputError(f"timm cannot make '{name}' so: {error}", expected=wanted, todo=TODO) from error
    if (
        not isinstance(network, VisionTransformer)
        or network.pos_embed is None
        or network.reg_token is not None
    ):
        raise InputError(f"'{name}' is no plain vision transformer", expected=wanted, todo=TODO)
    return network


def origin(config: ClassifierConfig) -> dict[str, Any]:
    """For a result: sha256 of a person's file, or the licence of timm's weights; else nothing."""
    if not isinstance(config, MAEViTConfig) or config.closed_set:
        return {}
    if config.pretrained:
        return {"weights_sha256": hashlib.sha256(Path(config.pretrained).read_bytes()).hexdigest()}
    return {"weights_licence": licence(config)}


def licence(config: MAEViTConfig) -> str:
    """Of timm's weights for the network named in the config, as timm states it."""
    published = timm.get_pretrained_cfg(config.model) if config.model else None
    return (published.license if published else None) or "not stated by timm"


def read(config: MAEViTConfig) -> dict[str, Tensor]:
    """The tensors that the config names; nothing in a file is executed. Raises InputError."""
    return _downloaded(config) if config.download else _of_file(Path(config.pretrained or ""))


def _downloaded(config: MAEViTConfig) -> dict[str, Tensor]:
    name = config.model or ""
    try:
        return timm.create_model(name, pretrained=True, num_classes=0).state_dict()
    except Exception as error:  # a network has many ways to fail
        raise InputError(
            f"timm's weights for '{name}' could not be fetched ({type(error).__name__})",
            expected=f"a way to the network, and weights that timm has (licence: {licence(config)})",
            todo="fetch them elsewhere and set classifier.pretrained to the file, or leave "
            "classifier.download out to pre-train on the training images",
        ) from error


def _of_file(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"'{path.name}' cannot be read as weights ({type(error).__name__})", expected=WANTED, todo=TODO
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"'{path.name}' holds more than tensors by name", expected=WANTED, todo=TODO)
    return state


def take(vit: VisionTransformer, given: dict[str, Tensor], grid: int) -> None:
    """Put the tensors into the network, all but its head. Raises InputError that names what does not fit.

    Two things are made to fit: position embeddings of another number of patches (resampled), and a first
    layer of three colours where the images are grey (summed).
    """
    own = vit.state_dict()
    given = {name: value for name, value in given.items() if not name.startswith(NOT_NEEDED)}
    first = "patch_embed.proj.weight"
    if first in given and given[first].ndim == 4 and given[first].shape[1] == 3 and own[first].shape[1] == 1:
        given[first] = given[first].sum(dim=1, keepdim=True)
    table = given.get("pos_embed")
    if table is not None and table.ndim == 3 and table.shape[2] == own["pos_embed"].shape[2]:
        prefix = own["pos_embed"].shape[1] - grid**2
        given["pos_embed"] = resample_abs_pos_embed(table, [grid, grid], num_prefix_tokens=prefix)
    if problems := _problems(own, given):
        more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise InputError(
            "the weights do not fit the network: " + "; ".join(problems[:3]) + more,
            expected="those of the network that classifier.model, or width, depth and patch, describe",
            todo="set classifier.model, or width, depth, heads, patch and image_size, to those of the file",
        )
    vit.load_state_dict(own | given)


def _problems(own: dict[str, Tensor], given: dict[str, Tensor]) -> list[str]:
    found = [
        f"'{name}' is {tuple(given[name].shape)} in the file and {tuple(value.shape)} in the network"
        for name, value in own.items()
        if name in given and given[name].shape != value.shape
    ]
    found += [
        f"'{name}' is not in the file" for name in own if name not in given and not name.startswith(FRESH)
    ]
    return found + [f"the network has no '{name}'" for name in given if name not in own]
