"""Which device a run will compute on: resolved before the run exists, by a child process where only torch can
tell.

The app's own process never has torch. A machine without a driver for CUDA is known without asking, so that
starting a run there costs nothing.
"""

from __future__ import annotations

import ctypes.util
from functools import cache, lru_cache
from pathlib import Path

from gmaug_core import children
from gmaug_core.config.classifiers.common import Precision
from gmaug_core.config.documents import Part
from gmaug_core.config.runs import DEVICE
from gmaug_core.errors import GMAugError, InputError

ASK_S = 120.0  # importing torch on a busy machine
CPU_BFLOAT16 = {"avx512_bf16", "amx_bf16"}  # one of them
DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/kfd"))


class Gpu(Part):
    """One CUDA device, in torch's order."""

    name: str
    """As its driver says it."""
    memory_gb: float
    """All of its memory, in GiB."""


class Devices(Part):
    """What a run could use."""

    torch: str
    """The version of torch that the workers have."""
    cpu_threads: int
    """Threads that torch would use on the CPU."""
    cuda: tuple[Gpu, ...]
    """CUDA devices; number k is 'cuda:k'."""
    device: str
    """What was asked for, made concrete: 'cpu', 'cuda:0', ..."""
    bfloat16: bool = False
    """Whether that device, a GPU, computes in bfloat16 itself."""


@lru_cache(maxsize=16)
def ask(device: str = "auto") -> Devices:
    """The devices of this machine, asked once and remembered.

    Raises InputError for a device that is not there.
    """
    try:
        found = children.ask("gmaug_core.models.devices", {"device": device}, seconds=ASK_S)
    except children.NoAnswer as error:
        raise GMAugError("torch could not be asked for devices", todo="reinstall the requirements") from error
    return Devices.model_validate(found)


def resolve(device: str) -> str:
    """The concrete device that 'auto', 'cpu', 'cuda', 'cuda:N' or 'mps' means on this machine.

    Raises InputError for one that is not there.
    """
    if not DEVICE.fullmatch(device):
        raise InputError(
            f"'{device}' is not a device", expected="auto, cpu, cuda or cuda:N", todo="use 'auto'"
        )
    if device == "cpu" or (device == "auto" and not has_cuda_driver()):
        return "cpu"
    if device.startswith("cuda") and not has_cuda_driver():
        raise InputError(
            f"device '{device}' is not available: this machine has no CUDA driver",
            expected="auto or cpu",
            todo="use 'auto'",
        )
    return ask(device).device


def precision(device: str) -> Precision:
    """The arithmetic that a classifier trains fastest with on a concrete device: bfloat16 where the chip
    itself has it, else float32 (on a CPU without it bfloat16 took ten times longer).
    """
    if device == "cpu":
        return "bfloat16" if cpu_flags() & CPU_BFLOAT16 else "float32"
    return "bfloat16" if device.startswith("cuda") and ask(device).bfloat16 else "float32"


@cache
def cpu_flags() -> frozenset[str]:
    """What the CPU can do, in the kernel's words; nothing where there is no Linux kernel to tell."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return frozenset(next((line.partition(":")[2] for line in lines if line.startswith("flags")), "").split())


@cache
def has_cuda_driver() -> bool:
    """Whether a driver for torch's CUDA devices (NVIDIA's or AMD's) is here.

    Without one there are none; with one, ask torch.
    """
    return any(map(Path.exists, DRIVERS)) or ctypes.util.find_library("cuda") is not None
