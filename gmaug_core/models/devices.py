"""What torch could compute on here. `python -m gmaug_core.models.devices` answers it to a process that
has no torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gmaug_core import children
from gmaug_core.errors import InputError


def pick_device(device: str) -> torch.device:
    """Auto is CUDA where it is there, else the CPU. Raises InputError for a device that is not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"device '{device}' is not available", expected="auto, cpu, cuda or cuda:N", todo="use 'auto'"
        ) from error


def arithmetic(device: torch.device) -> str:
    """What the last bit of a computation depends on beside its inputs: the chip and the libraries."""
    on_cuda = device.type == "cuda"
    chip = torch.cuda.get_device_name(device) if on_cuda else torch.backends.cpu.get_cpu_capability()
    return f"{device.type} {chip}, torch {torch.__version__}, numpy {np.__version__}"


def found(question: dict[str, str]) -> dict[str, Any]:
    """Everything here, and the concrete device that question["device"] means ("cuda:0" for "auto" where a GPU
    is).

    Raises InputError where that device is not there.
    """
    gpus = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    device = pick_device(question["device"])
    if device.type == "cuda" and device.index is None:
        device = torch.device("cuda", torch.cuda.current_device())
    memory = [torch.cuda.get_device_properties(i).total_memory for i in gpus]
    return {
        "torch": torch.__version__,
        "cpu_threads": torch.get_num_threads(),
        "cuda": [
            {"name": torch.cuda.get_device_name(i), "memory_gb": round(memory[i] / 2**30, 1)} for i in gpus
        ],
        "device": str(device),
        "bfloat16": device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False),
    }


if __name__ == "__main__":
    children.answer(found)
