"""How the score moves with the size that photographs are stored at, and what the law then says.

    python benchmarks/stored_resolution.py [--data FOLDER]

Real sets that are stored at 128 px are reduced to 96, 64, 48 and 32 px (bilinear, antialiased), and each is
scored at profile paper, which brings every image to 128 px again: the same photographs, the same pairs. A
second part reduces only a share of the images, chosen at random, to find out which share may be overlooked:
`shift` is the score minus the one of the untouched set. Groupings: every class is a super-class; training
images are all of a set without a split, else its folder `train`.
"""

from __future__ import annotations

import argparse
import os
import platform
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

from gmaug_core.config import Profile  # noqa: E402
from gmaug_core.data.decode import canonical  # noqa: E402
from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.scoring import similarity  # noqa: E402
from gmaug_core.scoring.paper import paper_law  # noqa: E402

SETS = {  # archive -> the folder of its classes
    "flowers_128": "flowers/",
    "weather4_128": "train/",
    "brain_mri_128": "train/",
    "cxr3_128": "",
}
STORED = (128, 96, 64, 48, 32)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
PROFILE = Profile.parse("paper")

Pictures = list[Image.Image]
Labels = npt.NDArray[np.int64]


def pictures(archive: Path, folder: str) -> tuple[Pictures, Labels, list[str]]:
    """Every image as it is stored, its class, and the names of the classes."""
    with zipfile.ZipFile(archive) as file:
        names = sorted(n for n in file.namelist() if n.startswith(folder) and n.lower().endswith(".jpg"))
        found = [Image.open(BytesIO(file.read(name))).convert("RGB") for name in names]
    of = [name.removeprefix(folder).split("/")[0] for name in names]
    classes = sorted(set(of))
    return found, np.array([classes.index(name) for name in of]), classes


def reduced(image: Image.Image, short: int) -> Image.Image:
    """As if it had been stored with this short side; one that is no larger stays as it is."""
    width, height = image.size
    if min(width, height) <= short:
        return image
    scale = short / min(width, height)
    size = (max(short, round(width * scale)), max(short, round(height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR)


def prepared(images: Pictures, short: int) -> npt.NDArray[np.uint8]:
    """uint8 [n, 128, 128]: what the profile makes of images of this short side."""
    return np.stack([canonical(reduced(image, short), PROFILE.size, PROFILE.colour) for image in images])


def scored(images: npt.NDArray[np.uint8], labels: Labels, classes: list[str]) -> dict[str, float]:
    groups = {name: [name] for name in classes}
    found = similarity.measure(images, labels, classes, groups, profile=PROFILE)
    merge, supsub = found.ssim_mergecls.value, found.ssim_supsubcls.value
    assert merge is not None
    gain, low, high = paper_law().predict(supsub)
    return {"supsub": supsub, "merge": merge, "gain_percent": gain, "low": low, "high": high}


def rows(images: Pictures, labels: Labels, classes: list[str]) -> dict[str, object]:
    """The scores of one set at every size, and with a share of its images at two sizes."""
    at = {short: prepared(images, short) for short in STORED}
    whole = [{"stored": short, **scored(at[short], labels, classes)} for short in STORED]
    order = np.random.default_rng(0).permutation(len(images))
    mixed = []
    for short in (64, 32):
        for share in SHARES:
            changed = at[STORED[0]].copy()
            some = order[: round(share * len(images))]
            changed[some] = at[short][some]
            supsub = scored(changed, labels, classes)["supsub"]
            shift = supsub - float(whole[0]["supsub"])
            mixed.append({"stored": short, "share": share, "supsub": supsub, "shift": shift})
    sides = [min(image.size) for image in images]
    return {"images": len(images), "median_short_side": float(np.median(sides)), "all": whole, "share": mixed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    data = Path(os.environ.get("GMAUG_TEST_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    results = ROOT / "benchmarks" / "results"
    parser.add_argument("--out", type=Path, default=results / "stored_resolution.json")
    given = parser.parse_args()
    began, found = time.time(), {}
    for name, folder in SETS.items():
        found[name] = rows(*pictures(given.data / f"{name}.zip", folder))
        print(name, found[name], flush=True)
    about = {"processor": platform.machine(), "cores": os.cpu_count(), "seconds": round(time.time() - began)}
    write_json(given.out, {"profile": PROFILE.name, "sets": found, "machine": about})


if __name__ == "__main__":
    main()
