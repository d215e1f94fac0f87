"""docs/results.md, its pictures, and the product's record, from the cells that were measured.

    python -m benchmarks.evidence_report

Reads benchmarks/results/evidence/*.json and equivalence_*.json; every number of the page comes from there.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from benchmarks import evidence_charts
from benchmarks.cells import CELLS
from benchmarks.evidence_choices import choice_section, cost_section, parts_section
from benchmarks.evidence_claims import failures, law_section, verdict_section, where_section
from benchmarks.evidence_equivalence import equivalence_charts, equivalence_section
from benchmarks.evidence_figures import names
from benchmarks.evidence_seen import Seen, cells
from gmaug_core.files import write_bytes, write_json
from gmaug_core.scoring import fair, record

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "results.md"
SHIPPED = ROOT / "gmaug_core" / "scoring" / "measured.json"
AGAIN = """## One cell again

```
python -m benchmarks.evidence HOME DATA --only digits_100_r20 --check
```

HOME: an empty folder; DATA: any folder (the digits come with scikit-learn). It imports the
dataset, reads both verdicts, trains everything, and says of each figure whether it lies inside the
interval published here, or at least no further off than two measurements of one thing are. The
JSON files stay as they are. `python -m benchmarks.summaries HOME`
adds the paper's way of counting.
"""


def where_run(seen: list[Seen]) -> str:
    """Which processor the augmentation runs had."""
    on_gpu = [each for each in seen if each.document["config"]["device"] != "cpu"]
    if not on_gpu:
        return "All ran on a CPU; nothing here was measured on a GPU."
    torch = sorted({each.document["costs"]["augmentation"]["machine"]["torch"] for each in on_gpu})
    return (
        f"The augmentation runs of {len(on_gpu)} were on a GPU (NVIDIA H100, PyTorch {', '.join(torch)}; "
        f"several at once), all else on a CPU."
    )


def generators(seen: list[Seen]) -> str:
    """How many generators a cell had, and which had but one."""
    single = [each.name for each in seen if each.document["generator_seeds"] == 1]
    return f"two generators (one: {names(single)})" if single else "two generators"


def page(seen: list[Seen]) -> str:
    """docs/results.md."""
    tested = [each for each in seen if each.measured]
    untested = [each.name for each in seen if not each.measured]
    hours = sum(each.cpu_minutes for each in seen) / 60
    known = [each.measured for each in tested if each.measured]
    intro = (
        f"{len(seen)} of {len(CELLS)} cells are measured so far, {len(tested)} of them with synthetic images "
        f"tested (not tested: {names(untested)}), in {hours:.1f} CPU hours. Each is an ordinary run "
        f"of the quick "
        f"preset at 16 px (32 px where said) with five classifier seeds, {generators(seen)} and "
        f"one way of use (mix). {where_run(seen)} A cell's interval covers classifier seeds and test "
        "images, and another generator only where there were several; a mean's covers cells, and takes "
        "each for a dataset of its own, also those cut from one collection."
    )
    parts = [
        "# Results\n",
        "Made by `python -m benchmarks.evidence_report` from `benchmarks/results/evidence/*.json` and "
        "`benchmarks/results/equivalence_*.json`; do not edit.\n",
        intro + "\n",
        record.words(known) + " " + fair.words(fair.points(known)) + "\n",
        "## What did not hold\n",
        failures(tested),
        "## Does the law's prediction hold?\n",
        law_section(tested),
        "## Does the verdict hold?\n",
        verdict_section(tested),
        "## Where does generation beat the best control?\n",
        where_section(tested),
        "## What are synthetic images worth in real ones?\n",
        equivalence_section(),
        "## Which filter, amount and use won?\n",
        choice_section(tested),
        "## What is the gain made of: training length, re-weighting, new images\n",
        parts_section(tested),
        AGAIN,
        "## What it cost\n",
        cost_section(seen),
    ]
    return "\n".join(parts)


def main() -> None:
    seen = cells()
    tested = [each for each in seen if each.measured]
    write_bytes(PAGE, page(seen).encode())
    write_json(
        SHIPPED,
        {
            "cells": [asdict(each.measured) for each in tested if each.measured],
            "judged": [asdict(each.judged) for each in seen if each.judged],
        },
    )
    if tested:
        evidence_charts.written("results-law.svg", evidence_charts.law(tested))
        evidence_charts.written("results-verdict.svg", evidence_charts.ceilings(tested))
    for name, chart in equivalence_charts().items():
        evidence_charts.written(name, chart)


if __name__ == "__main__":
    main()
