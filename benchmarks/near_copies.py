"""Above which SSIM two images are practically one: copies made on purpose against the most alike real pairs.

    python benchmarks/near_copies.py [--data FOLDER]

Found: 300 images a set are encoded again as JPEG (quality 75 and 90), reduced by 5 % and enlarged again,
brightened by 5 grey levels, and cut by 2 % at every side; the share of them whose SSIM with the original is
above each bound. Named: pairs above it among all images of a set, exact copies left out (scoring.alike); a
sheet of those nearest above .95 can be written to look at (--sheet). Profile paper.
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
from gmaug_core.scoring.alike import NEARLY_ONE, first_of, most_similar  # noqa: E402
from gmaug_core.scoring.ssim import ssim_pairs  # noqa: E402

SETS = ("flowers_128", "weather4_128", "brain_mri_128", "cxr3_128", "sign_digits_100", "caltech101_96")
BOUNDS = (0.9, 0.95, 0.97, 0.98, 0.99)
PROFILE = Profile.parse("paper")
MADE = 300  # copies of each kind a set

Images = npt.NDArray[np.uint8]


def altered(image: Image.Image) -> dict[str, Image.Image]:
    """What becomes of a picture on its way through other people's hands."""
    width, height = image.size
    found = {}
    for quality in (75, 90):
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        found[f"JPEG {quality}"] = Image.open(buffer).convert("RGB")
    smaller = image.resize((round(0.95 * width), round(0.95 * height)), Image.Resampling.BILINEAR)
    found["reduced 5 %"] = smaller
    bright = np.clip(np.asarray(image).astype(int) + 5, 0, 255).astype(np.uint8)
    found["5 levels brighter"] = Image.fromarray(bright)
    edge = (round(0.02 * width), round(0.02 * height))
    found["cut 2 %"] = image.crop((edge[0], edge[1], width - edge[0], height - edge[1]))
    return found


def prepared(images: list[Image.Image]) -> Images:
    return np.stack([canonical(image, PROFILE.size, PROFILE.colour) for image in images])


def row(pictures: list[Image.Image], sheet: Path | None) -> dict[str, object]:
    images = prepared(pictures)
    some = np.random.default_rng(0).permutation(len(images))[:MADE]
    made = [altered(pictures[k]) for k in some]
    found = {}
    for kind in made[0]:
        copies = prepared([each[kind] for each in made])
        both = np.concatenate([images[some], copies])
        order = np.arange(len(some))
        values = ssim_pairs(both, np.stack([order, order + len(some)], axis=1), window=PROFILE.window)
        found[kind] = {str(bound): round(float((values > bound).mean()), 4) for bound in BOUNDS}
    first = first_of(images)
    distinct = np.flatnonzero(first == np.arange(len(images)))
    near = most_similar(images, profile=PROFILE, members=distinct, k=None, above=BOUNDS[0])
    if sheet is not None:
        lowest = [pair for pair in near.pairs if pair.value > NEARLY_ONE][-16:]
        strips = [np.concatenate([images[pair.i], images[pair.j]], axis=1) for pair in lowest]
        if strips:
            Image.fromarray(np.concatenate(strips)).save(sheet)
    named = {str(bound): sum(pair.value > bound for pair in near.pairs) for bound in BOUNDS}
    copies_left_out = int(len(images) - len(distinct))
    return {"images": len(images), "exact_copies": copies_left_out, "found": found, "named_pairs": named}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    data = Path(os.environ.get("GMAUG_TEST_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--sheet", type=Path, help="a folder for pictures of the pairs just above .95")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "near_copies.json")
    given = parser.parse_args()
    began, found = time.time(), {}
    for name in SETS:
        with zipfile.ZipFile(given.data / f"{name}.zip") as file:
            names = sorted(n for n in file.namelist() if n.lower().endswith((".jpg", ".jpeg", ".png")))
            pictures = [Image.open(BytesIO(file.read(each))).convert("RGB") for each in names]
        found[name] = row(pictures, given.sheet / f"{name}.png" if given.sheet else None)
        print(name, found[name], flush=True)
    about = {"processor": platform.machine(), "cores": os.cpu_count(), "seconds": round(time.time() - began)}
    write_json(given.out, {"profile": PROFILE.name, "sets": found, "machine": about})


if __name__ == "__main__":
    main()
