"""Checkpoints without pickle: tensors as safetensors, everything else as JSON in the same file's header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from gmaug_core import seals
from gmaug_core.errors import InputError
from gmaug_core.files import write_bytes

HEADER = 1 << 20  # bytes in which a safetensors file says what is in it
_TENSOR = "__tensor__"


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save a nested dict/list of tensors and JSON values, atomically.

    Integer dictionary keys (optimiser state) come back as integers.
    """
    tensors: dict[str, torch.Tensor] = {}

    def encode(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            name = str(len(tensors))
            tensors[name] = value.detach().cpu().contiguous().clone()
            return {_TENSOR: name}
        if isinstance(value, dict):
            return {"__dict__": [[key, encode(item)] for key, item in value.items()]}
        if isinstance(value, (list, tuple)):
            return [encode(item) for item in value]
        return value

    save_tensors(path, tensors, {"state": json.dumps(encode(state))})


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, str] | None = None) -> None:
    """Write a safetensors file, atomically; its checksum is in its header. about: more for that header."""
    more = {**(about or {}), seals.KEY: seals.PLACE.decode()}
    write_bytes(path, seals.sealed(_in_order(save(tensors, more))))


def _in_order(data: bytes) -> bytes:
    """A safetensors file with the keys of its metadata in order: the library writes them in any, and the same
    state is the same file."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def check_tensors(path: Path) -> None:
    """Raises errors.Damaged where a file that save_tensors wrote is not what it wrote, FileNotFoundError."""
    if not seals.check(path):
        with path.open("rb") as file:
            header = file.read(HEADER)
        if f'"{seals.KEY}"'.encode() in header:
            raise seals.broken(path.name)


def load_state(path: Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """Read what save_state wrote. Raises InputError if the file is not one of ours, errors.Damaged if it is
    not what was written."""
    check_tensors(path)
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            skeleton = json.loads((file.metadata() or {})["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise InputError(
            f"'{path.name}' is not a checkpoint of this program ({type(error).__name__})",
            expected="a .safetensors file written by a run",
            todo="resume from the run folder that wrote it, or start a new run",
        ) from error

    def decode(value: Any) -> Any:
        if isinstance(value, dict):
            if _TENSOR in value:
                return tensors[value[_TENSOR]]
            return {key: decode(item) for key, item in value["__dict__"]}
        if isinstance(value, list):
            return [decode(item) for item in value]
        return value

    return decode(skeleton)


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """optimizer.load_state_dict, and then each moment laid out in memory as its parameter is.

    A file holds plain row-major tensors; a fused optimiser walks parameter and moments in memory order, so
    with channels-last parameters it would silently pair the wrong values.
    """
    optimizer.load_state_dict(state)
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                moments[name] = torch.empty_like(parameter).copy_(value)
