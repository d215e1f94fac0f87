"""`import gmaug_core as gm`: the names that scripts rely on, typed, lazy, and the same objects as at home.

That none of them needs torch, tests/test_layers.py sees.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import gmaug_core as gm
from gmaug_core.data import dataset
from gmaug_core.method.equivalence import result as equivalence
from gmaug_core.method.verdict import result
from gmaug_core.models import selection
from gmaug_core.scoring import law, paper, ssim
from gmaug_core.workspace import grouping

HOMES = {
    "Dataset": dataset,
    "EquivalenceResult": equivalence,
    "Grouping": grouping,
    "Law": law,
    "Selection": selection,
    "Verdict": result,
    "fit_law": law,
    "load": dataset,
    "paper_law": paper,
    "select": selection,
    "ssim_pairs": ssim,
}


def test_the_names_are_the_objects_themselves():
    assert set(gm.__all__) == set(HOMES)
    for name, home in HOMES.items():
        assert getattr(gm, name) is getattr(home, name)
        assert name in dir(gm)
    with pytest.raises(AttributeError, match="no attribute 'luck'"):
        _ = gm.luck


def modules_after(code: str) -> set[str]:
    """Names of all modules in a fresh interpreter that ran `code`."""
    code += "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_imports_nothing_heavy():
    seen = modules_after("import gmaug_core")
    assert not {"numpy", "scipy", "pydantic", "torch"} & seen
    assert {name for name in seen if name.startswith("gmaug_core")} == {"gmaug_core"}
