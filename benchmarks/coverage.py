"""How often the 95 % intervals of SSIM_set and of SSIM-supSubCls hold the exact value, on pools of real
images.

    python benchmarks/coverage.py [--data FOLDER] [--runs 2000]

For every n and run: n flowers of a class are chosen at random as the set, its exact mean over all pairs is
known from the table of all pairs, and the set is estimated from 2n random pairs with a new seed. `forced`
takes the sample even where the score would take all pairs (n <= 63: exact by default, so nothing can be
missed). `maximum` does so for five classes at once and asks whether the highest exact mean is inside; `ties`
first shifts each class's values so that all five exact means are the same, the hardest case. `half_width`
samples until the interval is +- 0.005. The nominal band for 2,000 runs is 93.5 to 96.5 %.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.scoring.estimate import PairMean, highest  # noqa: E402
from gmaug_core.scoring.pairs import pair_at, pair_count, stream  # noqa: E402
from gmaug_core.scoring.ssim import ssim_pairs  # noqa: E402

SIZES = (5, 10, 30, 100, 1000)
Table = npt.NDArray[np.float32]  # [n, n] SSIM of every two images of a pool


def tables(folder: Path, most: int = 1000) -> dict[str, Table]:
    """The table of each class of flowers, and of `most` flowers of all classes under the name 'all'."""
    rng = np.random.default_rng(0)
    found = {}
    with zipfile.ZipFile(folder / "flowers_128.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        classes: dict[str, list[str]] = {"all": names}
        for name in names:
            classes.setdefault(name.split("/")[-2], []).append(name)
        for label, files in classes.items():
            chosen = sorted(rng.permutation(len(files))[:most])
            images = np.stack(
                [
                    np.asarray(Image.open(BytesIO(archive.read(files[k]))).convert("L").resize((128, 128)))
                    for k in chosen
                ]
            )
            pairs = pair_at(np.arange(pair_count(len(images))))
            table = np.zeros((len(images), len(images)), np.float32)
            values = ssim_pairs(images, pairs)
            table[pairs[:, 0], pairs[:, 1]] = table[pairs[:, 1], pairs[:, 0]] = values
            found[label] = table
            print(
                label,
                len(images),
                "mean",
                round(float(values.mean()), 4),
                "skewness",
                round(_skewness(values), 2),
                flush=True,
            )
    return found


def _skewness(values: npt.NDArray[np.float64]) -> float:
    return float(((values - values.mean()) ** 3).mean() / values.std() ** 3)


_sums: dict[int, float] = {}


def _mean(table: Table) -> float:
    """The mean of all pairs of a whole pool, computed once."""
    if id(table) not in _sums:
        _sums[id(table)] = float(table.sum(dtype=np.float64)) / (len(table) * (len(table) - 1))
    return _sums[id(table)]


def estimate(table: Table, n: int, seed: int, half_width: float | None = None) -> tuple[PairMean, float]:
    """A set of n images of the pool: its estimate, and its exact mean."""
    n = min(n, len(table))
    part = table
    if n < len(table):
        chosen = np.random.default_rng([seed, n]).permutation(len(table))[:n]
        part = table[np.ix_(chosen, chosen)]
    target = min(2 * n if half_width is None else 1000, pair_count(n))
    found = PairMean(np.arange(n), "", target, stream(seed, str(n)), half_width=half_width)
    while found.drawn < found.target:
        drawn = found.next_pairs(4096)
        found.add(part[drawn[:, 0], drawn[:, 1]].astype(np.float64))
    return found, float(part.sum(dtype=np.float64)) / (n * (n - 1)) if part is not table else _mean(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("GMAUG_TEST_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "coverage.json")
    options = parser.parse_args()
    start = time.perf_counter()
    pools = tables(options.data)
    whole = pools.pop("all")
    result: dict[str, object] = {"runs": options.runs, "nominal": 0.95, "rows": []}
    for n in SIZES:
        row: dict[str, object] = {
            "n": n,
            "pairs": min(2 * n, pair_count(n)),
            "exact_by_default": pair_count(n) <= max(2000, 2 * n),
        }
        inside = dict.fromkeys(("set", "maximum", "ties", "half_width"), 0)
        widths, bias = [], {"raw": 0.0, "corrected": 0.0, "raw_ties": 0.0, "corrected_ties": 0.0}
        for run in range(options.runs):
            found, exact = estimate(whole, n, run)
            low, high = found.interval()
            inside["set"] += low - 1e-9 <= exact <= high + 1e-9
            widths.append(high - low)
            if n == SIZES[-1]:
                found, exact = estimate(whole, n, run, half_width=0.005)
                low, high = found.interval()
                inside["half_width"] += low <= exact <= high
            groups = {name: estimate(table, n, run * 10 + k) for k, (name, table) in enumerate(pools.items())}
            for case in ("maximum", "ties"):
                if case == "ties":
                    for each, mean in groups.values():
                        each.mean -= mean
                truth = 0.0 if case == "ties" else max(mean for _, mean in groups.values())
                best = highest({name: each for name, (each, _) in groups.items()})
                inside[case] += best.ci_low - 1e-9 <= truth <= best.ci_high + 1e-9
                suffix = "_ties" if case == "ties" else ""
                bias["raw" + suffix] += (best.value - truth) / options.runs
                bias["corrected" + suffix] += (best.bias_corrected - truth) / options.runs
        if n != SIZES[-1]:
            del inside["half_width"]
        row |= {
            "inside": {key: round(count / options.runs, 4) for key, count in inside.items()},
            "mean_width": round(float(np.mean(widths)), 5),
        }
        row["bias_of_maximum"] = {key: round(value, 5) for key, value in bias.items()}
        print(json.dumps(row), flush=True)
        result["rows"].append(row)  # type: ignore[attr-defined]
    seeds = [estimate(whole, len(whole), seed)[0].interval() for seed in range(200)]
    result["seeds_of_200_with_the_exact_mean_inside"] = round(
        float(np.mean([low <= _mean(whole) <= high for low, high in seeds])), 4
    )
    result["seconds"] = round(time.perf_counter() - start)
    write_json(options.out, result)


if __name__ == "__main__":
    main()
