"""Every figure of docs/selection.md is in the file that the page names."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = " ".join((ROOT / "docs" / "selection.md").read_text(encoding="utf-8").split())


def read(name: str) -> dict:
    return json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))


def span(rows: list[dict], key: str) -> str:
    values = [100 * row[key] for row in rows]
    return f"{min(values):.1f} to {max(values):.1f} %"


def test_images_of_known_worth():
    found = read("judge_images-fashion_100.json")
    said = [
        f"with {found['train']['bag']} training images a class at {found['size']} px, a classifier of "
        f"{found['steps']} steps, {found['seeds']} seeds"
    ]
    named = {
        "real": "real images that were held back",
        "shuffled": "the same under wrong classes",
        "noise": "noise",
        "copies": "the training images again",
    }
    for key, words in named.items():
        case = found["cases"][key]
        copies = case["rejected"].get("nearly a copy of a training image", 0)
        more = f" ({copies} named as copies)" if key == "copies" else ""
        said.append(
            f"| {words} | {100 * case['accepted_share']:.1f} %{more} | "
            f"{case['unfiltered_minus_baseline_points']:+.1f} points |"
        )
        said.append(f"{case['offered']} images offered")
    real = found["cases"]["real"]
    gain = real["gain_of_accepted"]
    said.append(f"the filter accepts {100 * real['real_validation_accepted_share']:.1f} %")
    said.append(f"gained {gain['points']:+.1f} points [{gain['low']:+.1f}, {gain['high']:+.1f}]")
    for words in said:
        assert words in PAGE, words


def test_what_each_judge_lets_through():
    found = read("judges-digits.json")
    assert f"{found['test']:,} images, {found['seeds']} seeds, {found['folds']} parts" in PAGE
    for row in found["rows"]:
        shares = (f"{100 * row[key]:.1f} %" for key in ("own class", "own class, rarest", "wrong class"))
        words = " | ".join([row["rule"], row["judge"].replace("_", "-"), *shares])
        assert f"| {words} |" in PAGE


def test_intervals_and_folds():
    found = read("intervals.json")
    several = [row for row in found["rows"] if row["seeds"] > 1 and row["generators"] == 1]
    one = [row for row in found["rows"] if row["seeds"] == 1]
    folds = read("folds.json")
    inside = [row["folds"] for row in folds["rows"]]
    ignored = [row["seeds and images"] for row in folds["rows"]]
    seeds = sorted({row["seeds"] for row in several})
    for words in (
        f"{found['trials']} trials a setting",
        f"with {seeds[0]} to {seeds[-1]} classifier seeds",
        f"of a difference held it in {span(several, 'difference, pooled')}",
        f"that of a ratio in {span(several, 'ratio, pooled')}",
        f"With one seed it held it in {min(100 * row['difference, pooled'] for row in one):.1f} % at worst",
        f"{max(100 * row['better, pooled'] for row in one):.1f} % of pairs",
        f"{folds['trials']} trials a setting): {span(inside, 'coverage')}",
        f"{min(100 * row['coverage'] for row in ignored):.1f} % at worst",
    ):
        assert words in PAGE, words


def test_the_choice_of_the_best_recipe():
    found = read("choosing.json")

    def of(world: str, key: str) -> str:
        return span([row for row in found["rows"] if row["world"].startswith(world)], key)

    before, ruled = "better, endpoint alone", "better, with rivals"
    for words in (
        f"{of('lifted', before)} of runs are above 0",
        f"from the best: {of('lifted', ruled)} then (`benchmarks/results/choosing.json`",
        f"{found['trials']:,} trials",
        f"{of('gain of 2', ruled)} of runs are sure instead of {of('gain of 2', before)}",
        f"of 5 points {of('gain of 5', ruled)} instead of {of('gain of 5', before)}",
    ):
        assert words in PAGE, words


def test_it_speaks_of_every_mode_gate_and_judge():
    from typing import get_args

    from gmaug_core.config.selection import Gate, Judging, Mode

    for choice in (Mode, Gate, Judging):
        for word in get_args(choice):
            assert re.search(rf"`(selection\.judge=)?{word}`", PAGE), word
