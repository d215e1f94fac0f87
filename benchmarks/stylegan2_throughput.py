"""Training throughput of our StyleGAN2 against the public StyleGAN2-ADA PyTorch code, on the same machine in
the same run.

    git clone https://github.com/NVlabs/stylegan2-ada-pytorch PEER
    python -m benchmarks.stylegan2_throughput PEER [--seconds 60] [--threads 2] [--device cpu]
                                                   [--out FILE.json]
    python -m benchmarks.stylegan2_throughput PEER --size 64 16384 512 --size 128 16384 512 --batch 32
                                                   --device cuda

Both train a 10-class conditional GAN on the same random colour images: same resolution, channel_base,
channel_max, batch, z = w, mapping layers, R1 every 16 steps, path length every 4, style mixing .9, no
augmentation, no mirror, EMA. Ours runs with lambda 1, so both of its heads work; theirs has one head and a
mapping network for the label. On a CPU their code takes its reference operations in float32, the only way it
runs there; ours takes bfloat16 where the CPU multiplies in it (--float32:
not). On a GPU both are as their own commands set them: theirs with float16 in its four highest resolutions
and its own CUDA kernels, which it builds at its first step (whether it could is in the result); ours in
bfloat16.

Each is a process of its own, so that neither's memory decides how the other's is given out, and they take
turns of 16 steps (a whole period) until --seconds are over a size; the first turn of each is not counted.
Ours has the environment that a run's worker has (gmaug_core.children.COMPUTING); theirs has run twice,
once in the environment that it finds, as its own commands do, and once in ours, which is a tenth faster for
it as well. images_per_s is the median over turns; a ratio is of medians.

Their files stay as they are and where they are: they are imported from the folder, which is not part of this
project.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gmaug_core import children
from gmaug_core.config import StyleGAN2Config, validate
from gmaug_core.models.generators.stylegan2 import StyleGAN2
from gmaug_core.models.generators.stylegan2_training import StyleGAN2Training

CLASSES, TURN = 10, 16  # steps
SIZES = [(32, 2048, 64), (32, 4096, 128)]  # resolution, channel_base, channel_max
LR, BETA2, GAMMA = 2.5e-3, 0.99, 0.01


def ours(
    size: tuple[int, int, int], width: int, layers: int, batch: int, device: torch.device
) -> tuple[Callable[[int], None], int]:
    """A function that does one step, and the number of trained parameters."""
    side, base, most = size
    config = validate(
        StyleGAN2Config,
        {
            "resolution": side,
            "colour": "rgb",
            "channel_base": base,
            "channel_max": most,
            "z_dim": width,
            "w_dim": width,
            "mapping_layers": layers,
            "batch": batch,
            "kimg": 100,
            "lr": LR,
            "beta2": BETA2,
            "r1_gamma": GAMMA,
            "r1_interval": 16,
            "path_length_weight": 2,
            "path_length_interval": 4,
            "style_mixing": 0.9,
            "augment": "none",
            "transition_start": 0.0,
            "transition_end": 0.01,
        },
    )
    lane = StyleGAN2(config)
    lane.device = device
    begin = 16 * (2000 // batch)  # lambda is 1 by then
    training: Any = lane.start(np.zeros((CLASSES, side, side, 3), np.uint8), CLASSES, 10**6)

    def step(number: int) -> None:
        images, labels = draw(batch, side, device)
        training.step(images, labels, begin + number)

    return step, sum(
        p.numel() for part in (training.generator, training.discriminator) for p in part.parameters()
    )


def theirs(
    size: tuple[int, int, int], width: int, layers: int, batch: int, device: torch.device
) -> tuple[Callable[[int], None], int]:
    """The same with their networks and loss, driven as their training loop does (lazy phases with scaled
    Adam, EMA).
    """
    _kernels()
    from training.loss import StyleGAN2Loss
    from training.networks import Discriminator, Generator

    side, base, most = size
    channels: dict[str, Any] = {"channel_base": base, "channel_max": most}
    if device.type == "cuda":  # what their train.py and training_loop.py set
        channels |= {"num_fp16_res": 4, "conv_clamp": 256}
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    generator = Generator(
        width, CLASSES, width, side, 3, mapping_kwargs={"num_layers": layers}, synthesis_kwargs=channels
    ).to(device)
    discriminator = Discriminator(CLASSES, side, 3, mapping_kwargs={"num_layers": layers}, **channels).to(
        device
    )
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    for network in (generator, discriminator):
        network.train().requires_grad_(False)
    loss = StyleGAN2Loss(
        device,
        generator.mapping,
        generator.synthesis,
        discriminator,
        style_mixing_prob=0.9,
        r1_gamma=GAMMA,
        pl_weight=2,
    )
    phases = []
    for name, network, interval in (("G", generator, 4), ("D", discriminator, 16)):
        share = interval / (interval + 1)
        adam = torch.optim.Adam(network.parameters(), lr=LR * share, betas=(0.0, BETA2**share), eps=1e-8)
        phases += [(f"{name}main", network, adam, 1), (f"{name}reg", network, adam, interval)]

    def step(number: int) -> None:
        images, labels = draw(batch, side, device)
        classes = torch.nn.functional.one_hot(labels, CLASSES).float()
        for name, network, adam, interval in phases:
            if number % interval:
                continue
            z = torch.randn(batch, width, device=device)
            adam.zero_grad(set_to_none=True)
            network.requires_grad_(True)
            loss.accumulate_gradients(
                phase=name,
                real_img=images,
                real_c=classes,
                gen_z=z,
                gen_c=classes[torch.randperm(batch)],
                sync=True,
                gain=interval,
            )
            network.requires_grad_(False)
            for parameter in network.parameters():
                if parameter.grad is not None:
                    torch.nan_to_num(parameter.grad, nan=0, posinf=1e5, neginf=-1e5, out=parameter.grad)
            adam.step()
        with torch.no_grad():
            for mine, trained in zip(average.parameters(), generator.parameters(), strict=True):
                mine.copy_(trained.lerp(mine, 0.999))
            for mine, trained in zip(average.buffers(), generator.buffers(), strict=True):
                mine.copy_(trained)

    return step, sum(p.numel() for network in (generator, discriminator) for p in network.parameters())


def draw(batch: int, side: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images in [-1, 1] and labels."""
    images = torch.rand(batch, 3, side, side, device=device) * 2 - 1
    return images, torch.randint(0, CLASSES, (batch,), device=device)


def _kernels() -> None:
    """Their kernels by the way that PyTorch hands them out today: it returns the module that it built, and no
    longer lets it be imported by its name, as their loader does. What builds it brings distutils as well,
    which they import and Python 3.12 no longer has.
    """
    from torch.utils import cpp_extension
    from torch_utils import custom_ops

    custom_ops.get_plugin = lambda name, sources, **how: cpp_extension.load(name=name, sources=sources, **how)


def their_kernels() -> dict[str, bool]:
    """Whether each of their CUDA kernels could be built here; else they fall back by themselves."""
    _kernels()
    from torch_utils.ops import bias_act, upfirdn2d

    return {"bias_act": bool(bias_act._init()), "upfirdn2d": bool(upfirdn2d._init())}


def take_turns(
    make: Callable[..., tuple[Callable[[int], None], int]],
    size: tuple[int, int, int],
    arguments: argparse.Namespace,
) -> None:
    """One side's process: its number of parameters, then a line of wall and processor seconds for each line
    that it is sent.
    """
    device, answers = torch.device(arguments.device), sys.stdout
    sys.stdout = sys.stderr  # for whatever else is printed
    torch.manual_seed(0)
    step, parameters = make(size, arguments.width, arguments.layers, arguments.batch, device)
    print(json.dumps(parameters), file=answers, flush=True)
    for turn, _ in enumerate(sys.stdin):
        if device.type == "cuda":
            torch.cuda.synchronize()
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(TURN):
            step(turn * TURN + number)
        if device.type == "cuda":
            torch.cuda.synchronize()
        memory = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else None
        print(
            json.dumps([time.perf_counter() - wall, time.process_time() - cpu, memory]),
            file=answers,
            flush=True,
        )


def compare(size: tuple[int, int, int], arguments: argparse.Namespace) -> dict[str, Any]:
    """Alternate turns of all sides until the time is over."""
    ours = children.environment(children.computing())
    environments = {"ours": ours, "theirs": dict(os.environ), "theirs, our environment": ours}
    sides = {}
    for name, environment in environments.items():
        command = [
            sys.executable,
            "-m",
            "benchmarks.stylegan2_throughput",
            *sys.argv[1:],
            "--side",
            name.split(",")[0],
        ]
        command += ["--size", *map(str, size)]  # the last one counts
        sides[name] = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answer(side: subprocess.Popen[str]) -> Any:
        line = side.stdout.readline()  # type: ignore[union-attr]
        return json.loads(line) if line else sys.exit("one side ended: what it printed above says why")

    found: dict[str, dict[str, Any]] = {
        name: {"parameters": answer(side), "turns": []} for name, side in sides.items()
    }
    begin, turn = time.perf_counter(), 0
    while turn < 3 or time.perf_counter() - begin < arguments.seconds:
        order = list(sides.items())
        for name, side in order if turn % 2 else reversed(order):
            print(turn, file=side.stdin, flush=True)
            took = answer(side)
            if turn:  # the first one allocates
                found[name]["turns"].append(took)
        turn += 1
    for side in sides.values():
        side.communicate()
    images = TURN * arguments.batch
    for row in found.values():
        walls, cpus, memory = zip(*row.pop("turns"), strict=True)
        row["images_per_s"], row["images_per_cpu_s"] = (
            images / statistics.median(walls),
            images / statistics.median(cpus),
        )
        row["seconds_per_kimg"], row["turns"] = 1000 / row["images_per_s"], len(walls)
        if memory[-1] is not None:
            row["peak_memory_mb"] = memory[-1]
    resolution, base, most = size
    ratios = {
        f"ratio to {name}": found["ours"]["images_per_s"] / row["images_per_s"]
        for name, row in found.items()
        if name != "ours"
    }
    return {"resolution": resolution, "channel_base": base, "channel_max": most, **found, **ratios}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", type=Path, help="folder of the public code")
    parser.add_argument("--size", nargs=3, type=int, action="append", metavar=("RESOLUTION", "BASE", "MAX"))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=64, help="of z and w")
    parser.add_argument("--layers", type=int, default=2, help="of the mapping network")
    parser.add_argument("--seconds", type=float, default=60.0, help="a size")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--float32", action="store_true", help="ours in full precision as well")
    parser.add_argument("--side", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help="for example benchmarks/results/stylegan2_throughput.json")
    arguments = parser.parse_args()
    if not (arguments.peer / "training" / "networks.py").exists():
        parser.error(f"'{arguments.peer.name}' is not a checkout of stylegan2-ada-pytorch")
    sys.path.insert(0, str(arguments.peer.resolve()))
    if arguments.float32:
        StyleGAN2Training.precision = lambda _: nullcontext()  # type: ignore[assignment, method-assign]
    torch.set_num_threads(arguments.threads)
    if arguments.side:
        take_turns(ours if arguments.side == "ours" else theirs, tuple(arguments.size[-1]), arguments)
        return
    rows = []
    for size in map(tuple, arguments.size or SIZES):
        rows.append(compare(size, arguments))
        print(json.dumps(rows[-1], indent=1), flush=True)
    same = {
        name: getattr(arguments, name)
        for name in ("batch", "width", "layers", "seconds", "threads", "float32")
    }
    on_gpu = arguments.device.startswith("cuda")
    gpu = torch.cuda.get_device_name() if on_gpu else None
    machine = {"cpu": platform.processor() or platform.machine(), "gpu": gpu, "torch": torch.__version__}
    document = {
        "what": "training images a second of StyleGAN2, ours against the public code",
        **same,
        "sizes": rows,
        "their_kernels": their_kernels() if on_gpu else None,
        "machine": machine,
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
