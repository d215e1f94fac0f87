"""SSIM pairs per second at 128 px, grey, Gaussian 11: ours against scikit-image, torchmetrics, pytorch-msssim
and piq.

    python benchmarks/ssim_pairs.py [--data FOLDER] [--seconds 1.5]

Every library runs as it offers itself, on float32 tensors (scikit-image: uint8 arrays), with its best batch
size of 1 ... 128 and its own threads; a library that is not installed is left out and named. Install them
beside the project:

    pip install --target PEERS --no-deps torchmetrics lightning-utilities pytorch-msssim piq
    PYTHONPATH=PEERS python benchmarks/ssim_pairs.py

Ours is timed as it is used: uint8 images in, per-image planes included. `sparse` is 2n random pairs of n =
1,000 images (the paper's rule), `random` 20 n of them, `dense` all pairs of 200. Figures are the best of the
repeats on both sides; beside each is the rate for a second of processor time, which other work on the machine
disturbs less. The ratio is taken against the fastest peer. The ceiling is a register-only multiply-add loop
of the same vectors: the fraction counts the vector operations of our kernels (see `operations`) for a second
of processor time against it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.metrics import structural_similarity

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.scoring import ssim, vectors  # noqa: E402

Images = npt.NDArray[np.uint8]
scikit_ssim: Callable[[Images, Images], float] = partial(
    structural_similarity, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
)


def load(folder: Path, n: int) -> Images:
    """n flowers spread over the archive, 128 px grey; seeded smooth noise where the archive is absent."""
    archive = folder / "flowers_128.zip"
    if not archive.exists():
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (n, 16, 16)).astype(np.uint8)
        return np.stack(
            [
                np.asarray(Image.fromarray(image).resize((128, 128), Image.Resampling.BICUBIC))
                for image in coarse
            ]
        )
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if name.lower().endswith(".jpg"))
        chosen = [names[k] for k in np.linspace(0, len(names) - 1, n).astype(int)]
        return np.stack(
            [
                np.asarray(Image.open(BytesIO(file.read(name))).convert("L").resize((128, 128)))
                for name in chosen
            ]
        )


def rate(work: Callable[[], object], pairs: int, seconds: float) -> dict[str, float]:
    """Best of the repeats within about `seconds`, after one warm-up: pairs a second, and pairs a second of
    processor time.
    """
    work()
    wall: list[float] = []
    processor: list[float] = []
    end = time.perf_counter() + seconds
    while len(wall) < 3 or time.perf_counter() < end:
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    return {
        "pairs_per_s": round(pairs / min(wall)),
        "pairs_per_cpu_s": round(pairs / max(min(processor), 1e-9)),
    }


def peers(images: Images, seconds: float) -> dict[str, dict[str, Any]]:
    """Best rate of each library that is here."""
    found: dict[str, dict[str, Any]] = {}

    def scikit() -> None:
        for k in range(50):
            scikit_ssim(images[k], images[k + 50])

    version = importlib.metadata.version("scikit-image")
    found["scikit-image"] = rate(scikit, 50, seconds) | {"version": version}
    calls = {"torchmetrics": "torchmetrics", "pytorch-msssim": "pytorch_msssim", "piq": "piq"}
    for name, module in calls.items():
        if importlib.util.find_spec(module) is None:
            found[name] = {"missing": True}
            continue
        rates = [
            rate(call(name, images, batch), batch, seconds / 2) | {"batch": batch}
            for batch in (1, 2, 4, 8, 16, 32, 64, 128)
        ]
        found[name] = max(rates, key=lambda each: each["pairs_per_s"])
        found[name] |= {
            "best_per_cpu_s": max(each["pairs_per_cpu_s"] for each in rates),
            "version": importlib.metadata.version(name),
        }
    return found


def call(name: str, images: Images, batch: int) -> Callable[[], None]:
    """One batch by one library; the tensors are ready, so its conversions cost it nothing."""
    import torch

    x, y = (torch.from_numpy(images[start : start + batch].astype(np.float32))[:, None] for start in (0, 200))
    if name == "torchmetrics":
        from torchmetrics.functional.image import structural_similarity_index_measure as metric

        def run() -> None:
            metric(x, y, gaussian_kernel=True, sigma=1.5, kernel_size=11, data_range=255.0, reduction="none")
    elif name == "pytorch-msssim":
        from pytorch_msssim import ssim as metric_msssim

        def run() -> None:
            metric_msssim(x, y, data_range=255, size_average=False)
    else:
        from piq import ssim as metric_piq

        def run() -> None:
            metric_piq(x, y, data_range=255.0, downsample=False, reduction="none")

    def without_gradients() -> None:
        with torch.no_grad():
            run()

    return without_gradients


@numba.njit(nogil=True)
def _multiply_add(n, x):  # type: ignore[no-untyped-def]
    a = vectors.splat(x)
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = a
    for _ in range(n):
        b0, b1, b2, b3, b4 = b0 * a + a, b1 * a + a, b2 * a + a, b3 * a + a, b4 * a + a
        b5, b6, b7, b8, b9 = b5 * a + a, b6 * a + a, b7 * a + a, b8 * a + a, b9 * a + a
    return vectors.total_of(b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7 + b8 + b9)


def ceiling(threads: int) -> float:
    """Vector operations of 16 float32 a second, all threads together."""
    from concurrent.futures import ThreadPoolExecutor

    _multiply_add(10, np.float32(0.5))

    def once(_: int) -> float:
        start = time.thread_time()
        _multiply_add(4_000_000, np.float32(0.5))
        return 40e6 / (time.thread_time() - start)

    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(once, range(threads))) for _ in range(5))


def operations(size: int = 128, taps: int = 11) -> tuple[int, int]:
    """Vector arithmetic operations (a multiply-add is one; loads, stores and shuffles none) of one pair and
    of one image's planes.
    """
    strips, rows = size // vectors.LANES, size - taps + 1
    filtered = 2 * taps  # both passes, (taps - 1) / 2 additions and (taps + 1) / 2 multiply-adds each
    pair = (
        rows * strips * (filtered + 14) + size * strips
    )  # 14: the SSIM formula of one position, its division as one
    image = rows * strips * (2 * filtered + 7) + size * strips
    return pair, image


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("GMAUG_TEST_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--seconds", type=float, default=1.5, help="a measurement")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "ssim_pairs.json")
    options = parser.parse_args()
    images = load(options.data, 1000)
    rng = np.random.default_rng(0)

    start = time.perf_counter()
    ssim.ssim_pairs(images[:2], [(0, 1)])
    first = time.perf_counter() - start
    check = rng.integers(0, 1000, (200, 2))
    reference = [scikit_ssim(images[i], images[j]) for i, j in check]
    difference = float(np.abs(ssim.ssim_pairs(images, check) - reference).max())

    threads = len(os.sched_getaffinity(0))
    upper = np.array(np.triu_indices(200, 1)).T
    workloads = {
        "sparse": rng.integers(0, 1000, (2000, 2)),
        "random": rng.integers(0, 1000, (20_000, 2)),
        "dense": upper,
    }
    pair, image = operations()
    peak = ceiling(threads)
    ours: dict[str, dict[str, float]] = {}
    for name, pairs in workloads.items():
        here = images[:200] if name == "dense" else images
        found = rate(partial(ssim.ssim_pairs, here, pairs), len(pairs), options.seconds)
        per_pair = pair + image * len(np.unique(pairs)) / len(pairs)
        ours[name] = {"pairs": len(pairs), "images": len(np.unique(pairs))} | found
        ours[name]["of_ceiling"] = round(found["pairs_per_cpu_s"] * per_pair / (peak / threads), 3)
        print(name, ours[name], flush=True)
    others = peers(images, options.seconds)
    fastest = max((each["pairs_per_s"], name) for name, each in others.items() if "pairs_per_s" in each)
    thrifty = max(
        each.get("best_per_cpu_s", each["pairs_per_cpu_s"])
        for each in others.values()
        if "pairs_per_s" in each
    )
    for each in ours.values():
        each["times_fastest_peer"] = round(each["pairs_per_s"] / fastest[0], 1)
        each["times_fastest_peer_per_cpu_s"] = round(each["pairs_per_cpu_s"] / thrifty, 1)
    result = {
        "what": "SSIM pairs/s, 128 px, grey, Gaussian 11, both including everything from the arrays given",
        "ours": ours,
        "peers": others,
        "fastest_peer": fastest[1],
        "max_difference_to_scikit_image": difference,
        "first_call_s": round(first, 2),
        "ceiling_vector_operations_per_s": round(peak),
        "operations": {"pair": pair, "planes_of_an_image": image},
        "machine": machine(threads),
    }
    write_json(options.out, result)
    print(json.dumps(result, indent=1))


def machine(threads: int) -> dict[str, object]:
    """What the figures were measured on, without naming it."""
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    load = round(os.getloadavg()[0], 1)
    return {
        "cpu": model,
        "cores": threads,
        "python": platform.python_version(),
        "numba": numba.__version__,
        "load_average": load,
    }


if __name__ == "__main__":
    main()
