"""What a sample costs: EDM at <= 20 steps against guided diffusion at 250 steps with its classifier, at the
same network size.

    python -m benchmarks.diffusion_sampling [--dataset ID] [--kimg N] [--samples N]
                                            [--edm-steps N] [--guided-steps N] [key=value ...]

Both are trained on the same training images for the same number of images, with U-Nets of the same number of
parameters within 5 % (EDM's channels are fitted to guided diffusion's; its noisy classifier comes on top).
Then both draw the same labels. Quality is KID against held-out real images, in the features of a classifier
that was trained on all other real images of the dataset, none of them synthetic; held-out real images against
the real training images are given as what is possible. key=value overrides settings that both lanes have,
such as resolution=16.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gmaug_core.config import augmentation_config, image_format, parse_assignments
from gmaug_core.data import dataset
from gmaug_core.data.demo import make_demo
from gmaug_core.models import classifiers, generators, quality

TOLERANCE = 0.05


def unet_parameters(config: Any, n_classes: int) -> int:
    """Of the network that denoises alone."""
    network: Any = generators.create(config)
    return sum(p.numel() for p in network.build(n_classes).unet.parameters())


def same_size(config: Any, wanted: int, n_classes: int) -> Any:
    """The config with the channels that bring its U-Net nearest to `wanted` parameters."""
    found = []
    for channels in range(8, 4 * config.channels, 2):
        widths = [channels * multiple for multiple in config.channel_mult]
        if all(
            width % max(1, width // 64) == 0 for width in widths
        ):  # attention divides them among its heads
            candidate = config.model_copy(update={"channels": channels})
            found.append((abs(unet_parameters(candidate, n_classes) - wanted), channels, candidate))
    return min(found)[2]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("settings", nargs="*", help="overrides for both lanes")
    parser.add_argument("--dataset", help="a dataset id; default: the demo")
    parser.add_argument("--kimg", type=float, default=40.0, help="budget of each lane")
    parser.add_argument("--edm-steps", type=int, default=18)
    parser.add_argument("--guided-steps", type=int, default=250)
    parser.add_argument("--sampler", default="ancestral", help="of guided diffusion")
    parser.add_argument("--samples", type=int, default=1000, help="in all, over the classes in turn")
    parser.add_argument("--classifier-steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/diffusion_sampling.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    data = dataset.load(arguments.dataset or make_demo())
    n_classes = len(data.class_names)

    def resolve(lane: str, **settings: Any) -> Any:
        given = parse_assignments(arguments.settings) | {
            "kimg": arguments.kimg,
            "snapshot_kimg": arguments.kimg,
            **settings,
        }
        return augmentation_config(
            data.id,
            image_size=data.image_size,
            colour=data.colour,
            symmetric=data.symmetric,
            generator=lane,
            overrides={"generator": given},
        )

    whole = resolve("guided_diffusion", sampling_steps=arguments.guided_steps, sampler=arguments.sampler)
    guided = whole.generator
    size = unet_parameters(guided, n_classes)
    edm = same_size(resolve("edm", sampling_steps=arguments.edm_steps).generator, size, n_classes)
    ratio = unet_parameters(edm, n_classes) / size
    if abs(ratio - 1) > TOLERANCE:
        parser.error(
            f"the networks would differ by more than {TOLERANCE:.0%} in size ({ratio:.3f}): "
            "give other channels"
        )
    images = data.images(image_format(guided.resolution, guided.colour))
    train = data.split("train")
    others = np.setdiff1d(np.arange(len(data)), train)
    held_out, seen = np.split(np.random.default_rng(arguments.seed).permutation(others), [len(others) // 2])
    seen = np.sort(np.concatenate([seen, train]))
    recipe = whole.classifier.model_copy(update={"steps": arguments.classifier_steps})
    judge = classifiers.train(
        images[seen], data.labels[seen], n_classes, recipe, seed=arguments.seed, device=arguments.device
    )
    real = judge.features(images[held_out])

    # the held-out images' classes (in random order), so that KID compares images and not proportions
    labels = np.resize(data.labels[held_out], arguments.samples)
    rows: dict[str, Any] = {}
    for config in (edm, guided):
        generator = generators.create(config)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            split = images[train], data.labels[train]
            generator.train(
                *split, data.class_names, Path(folder), seed=arguments.seed, device=arguments.device
            )
            training = time.perf_counter() - start
        next(generator.sample(labels[:8], np.arange(8), 8))  # what is done once is not timed
        start = time.perf_counter()
        made = np.concatenate(list(generator.sample(labels, np.arange(len(labels)), 250)))
        seconds = time.perf_counter() - start
        rows[config.name] = {
            "images_per_second": len(made) / seconds,
            "sampling_steps": config.sampling_steps,
            "unet_parameters": unet_parameters(config, n_classes),
            "all_parameters": sum(p.numel() for p in generator.network.parameters()),
            "training_seconds": training,
            "kid": quality.kernel_distance(real, judge.features(made)),
            "agreement": float((judge.predict_logits(made).argmax(1) == labels).mean()),
            "config": config.model_dump(mode="json"),
        }
    result = {
        "what": f"sampling, edm at {edm.sampling_steps} steps against guided diffusion "
        f"at {guided.sampling_steps}, {data.name}",
        "speed_ratio": rows["edm"]["images_per_second"] / rows["guided_diffusion"]["images_per_second"],
        "parameter_ratio": ratio,
        "n_real": len(held_out),
        "n_synthetic": len(labels),
        "kid_of_real_training_images": quality.kernel_distance(real, judge.features(images[train])),
        "judge_accuracy_on_held_out": judge.evaluate(images[held_out], data.labels[held_out]).accuracy,
        "lanes": rows,
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "threads": arguments.threads,
            "torch": torch.__version__,
        },
    }
    if arguments.device != "cpu":
        result["machine"]["device"] = torch.cuda.get_device_name()
    text = json.dumps(result, indent=1)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
