"""The house: which package may import which, where torch lives, and that nobody forgets to say so.

Packages are numbered; one imports lower numbers only. Sideways, between packages of one number, only what
SIDEWAYS says.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

import gmaug_core

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "gmaug_core"
LADDER: dict[int, set[str]] = {
    0: {
        "errors",
        "files",
        "hooks",
        "seeds",
        "locks",
        "home",
        "children",
        "posix",
        "disk",
        "seals",
        "numbers",
    },
    1: {"config", "parallel"},
    2: {"data", "scoring", "models"},
    3: {"workspace", "method"},
    4: {"runs"},
    5: {"intake", "report"},
    6: {"work", "worker"},
    7: {"cli", "ui"},
}
SIDEWAYS: set[tuple[str, str]] = {  # (importing package, imported package), both of one number
    ("models", "data"),  # a training writes its sample sheets with data/pictures
    ("cli", "ui"),  # the verb app starts what the browser shows
}
GROUND_MAY_USE = set(sys.stdlib_module_names)  # number 0: the standard library alone
TORCH = {"torch", "torchvision", "timm"}
HEAVY_PACKAGES = {"models", "method", "work", "worker"}  # torch may live here
LIGHT_FILES: set[str] = {
    "method/equivalence/plan.py",
    "method/equivalence/result.py",
    "method/equivalence/words.py",
    "method/parts/accuracy.py",
    "method/parts/generator.py",
    "method/parts/material.py",
    "method/parts/paper_counting.py",
    "method/parts/synthetic.py",
    "method/power.py",
    "method/predictions.py",
    "method/recipes.py",
    "method/result.py",
    "method/statistics.py",
    "method/tested.py",
    "method/titles.py",
    "method/variants.py",
    "method/verdict/figures.py",
    "method/verdict/result.py",
}  # heavy, but no torch
TORCH_FILES: set[str] = {"scoring/ssim_torch.py"}  # of light packages: torch, imported by nobody at start
STREAMLIT = {"ui"}
BANNED = {"pickle", "yaml", "shelve", "marshal"}


def number(package: str) -> int:
    return next(level for level, names in LADDER.items() if package in names)


def package_of(path: Path, core: Path = CORE) -> str:
    return path.relative_to(core).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it; `from a import b` counts as a and as a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def own_files(found: Iterable[str], core: Path = CORE) -> set[Path]:
    """The files of this package among imported names."""
    files = set()
    for name in found:
        head, *rest = name.split(".")
        if head == "gmaug_core" and rest:
            place = core.joinpath(*rest)
            files |= {file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()}
    return files


def problems(core: Path = CORE, sideways: set[tuple[str, str]] | None = None) -> list[str]:
    """What is wrong with the house, in words."""
    allowed = SIDEWAYS if sideways is None else sideways
    known = {name for names in LADDER.values() for name in names}
    used: set[tuple[str, str]] = set()
    said = []
    for path in sorted(core.rglob("*.py")):
        name, where = package_of(path, core), path.relative_to(core).as_posix()
        if where in ("__init__.py", "__main__.py"):  # the doors of the whole
            continue
        if name not in known:
            said.append(
                f"{where}: '{name}' has no place on the ladder: give it one here and in CONTRIBUTING.md"
            )
            continue
        found = imports(path)
        tops = {module.split(".")[0] for module in found}
        for other in {
            package_of(file, core) for file in own_files(found, core) if file != core / "__init__.py"
        }:
            if other == name or other not in known:
                continue
            if number(other) > number(name):
                said.append(f"{where}: upward import of {other} ({number(name)} -> {number(other)})")
            elif number(other) == number(name):
                used.add((name, other))
                if (name, other) not in allowed and number(name) > 0:
                    said.append(f"{where}: sideways import of {other} that is not written down")
        if number(name) == 0 and (foreign := tops - GROUND_MAY_USE - {"gmaug_core"}):
            said.append(f"{where}: the ground stands on the standard library alone, not on {sorted(foreign)}")
        light = name not in HEAVY_PACKAGES or where in LIGHT_FILES
        if light and TORCH & tops and where not in TORCH_FILES:
            said.append(f"{where}: torch in a light place")
        if "streamlit" in tops and name not in STREAMLIT:
            said.append(f"{where}: streamlit outside of ui")
        if BANNED & tops:
            said.append(f"{where}: {sorted(BANNED & tops)} can run code from data")
    said += [f"SIDEWAYS: {a} -> {b} is allowed, but nobody needs it" for a, b in sorted(allowed - used)]
    present = {package_of(path, core) for path in core.rglob("*.py")}
    said += [f"LADDER: there is no '{name}'" for name in sorted(known - present)]
    return said


def test_the_house_stands():
    assert problems() == []


def test_every_exemption_is_needed():
    for where in TORCH_FILES:
        assert TORCH & {name.split(".")[0] for name in imports(CORE / where)}, (
            f"{where} has no torch: strike it off TORCH_FILES"
        )
    for where in LIGHT_FILES:
        assert package_of(CORE / where) in HEAVY_PACKAGES, f"{where} is in a light package anyway"


def house(folder: Path, extra: Mapping[str, str]) -> Path:
    """A small house with one file a package, and some more."""
    for names in LADDER.values():
        for name in names:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    for where, source in extra.items():
        (folder / where).parent.mkdir(exist_ok=True)
        (folder / where).write_text(source)
    return folder


@pytest.mark.parametrize(
    ("where", "source", "words"),
    [
        ("data/rows.py", "from gmaug_core import runs", "upward import of runs"),
        ("config/rows.py", "def f():\n    from gmaug_core.worker import __doc__", "upward import of worker"),
        ("scoring/rows.py", "from gmaug_core.models import __doc__", "sideways import of models"),
        ("attic/rows.py", "", "'attic' has no place on the ladder"),
        ("ui/rows.py", "import torch", "torch in a light place"),
        ("report/rows.py", "def f():\n    import torch.nn", "torch in a light place"),
        ("runs/rows.py", "import streamlit", "streamlit outside of ui"),
        ("files/rows.py", "import numpy", "the ground stands on the standard library alone"),
        ("data/rows.py", "import pickle", "can run code from data"),
    ],
)
def test_a_broken_house_is_noticed(tmp_path, where, source, words):
    core = house(tmp_path, {where: source})
    said = problems(core, sideways=set())
    assert len(said) == 1, said
    assert words in said[0]


def test_an_exemption_that_nobody_needs_is_noticed(tmp_path):
    said = problems(house(tmp_path, {}), sideways={("report", "intake")})
    assert said == ["SIDEWAYS: report -> intake is allowed, but nobody needs it"]


SURFACE = [*(CORE / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]


def test_the_surface_reads_no_heavy_file():
    for path in SURFACE:
        heavy = {
            file.relative_to(CORE).as_posix()
            for file in own_files(imports(path))
            if package_of(file) in HEAVY_PACKAGES and file.name != "__init__.py"
        }
        assert heavy <= LIGHT_FILES, f"{path.relative_to(ROOT)} imports {sorted(heavy - LIGHT_FILES)}"


def test_no_unsafe_calls_anywhere():
    for path in CORE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "shell=True" not in text, path
        assert "unsafe_allow_html" not in text, path


@pytest.mark.slow
def test_the_app_process_has_no_torch():
    """Everything that the app, its pages and the names for scripts import, in a fresh interpreter."""
    light = [
        file
        for file in CORE.rglob("*.py")
        if package_of(file) not in HEAVY_PACKAGES | {"ui", "cli", "__main__", "__init__"}
    ]
    light += [CORE / where for where in LIGHT_FILES]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in light} - {
        "gmaug_core.scoring.ssim_torch",
        "gmaug_core.parallel.tasks",  # in a job of a cluster, where Ray is
    }
    for path in SURFACE:
        names |= {name for name in imports(path) if (ROOT / (name.replace(".", "/") + ".py")).exists()}
    code = f"import importlib, sys\nfor name in {sorted(names)!r}:\n    importlib.import_module(name)\n"
    code += f"from gmaug_core import {', '.join(gmaug_core.__all__)}\n"
    code += (
        "heavy = ('torch', 'torchvision', 'gmaug_core.worker', 'gmaug_core.method.experiment')\n"
        "print(sorted(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_no_two_files_of_tests_share_a_name():
    """pytest would collect neither."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
