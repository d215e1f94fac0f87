"""The import ladder of the design: never upward, and no torch in the app's process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {
    0: {
        "config", "presets", "runs", "selection", "curve", "grouping", "workspace", "errors", "files", "seeds", "layout", "splits",
    },
    1: {
        "intake", "dataset", "ssim", "samples", "verify", "store", "sources", "annotations", "decode", "importing", "export", "report",
        "figures", "svg", "launch", "findings", "diversity",
    },
    2: {"similarity", "ssim_torch", "quality", "classifiers", "generators", "checkpoint"},
    3: {"experiment", "equivalence"},
    4: {"worker"},
    5: {"ui", "__main__"},
}  # fmt: skip
LAYER = {name: layer for layer, names in LAYERS.items() for name in names}
UI_MAY_IMPORT = LAYERS[0] | LAYERS[1] | {"ui"}


def modules() -> list[Path]:
    return sorted((ROOT / "gmaug_core").rglob("*.py"))


def name_of(path: Path) -> str:
    """The room of the house that a file belongs to: generators and ui are one room each."""
    return path.relative_to(ROOT / "gmaug_core").with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def own(imported: set[str]) -> set[str]:
    return {name.split(".")[1] for name in imported if name.startswith("gmaug_core.")} - {"__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_never_upward(path):
    name = name_of(path)
    if name == "__init__":
        return
    assert name in LAYER, f"{name} has no layer: give it one in this test and in the design"
    for other in own(imports(path)) - {name}:
        if other not in LAYER:
            continue  # an imported name, not a module
        assert LAYER[other] <= LAYER[name], f"{name} (layer {LAYER[name]}) imports {other} (layer {LAYER[other]})"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_stay_in_their_layers(path):
    found = {name.split(".")[0] for name in imports(path)}
    layer = LAYER.get(name_of(path), 0)
    if layer < 2 and name_of(path) != "ssim":  # ssim imports torch inside its CUDA function alone
        assert "torch" not in found and "torchvision" not in found and "diffusers" not in found
    if name_of(path) != "ui":
        assert "streamlit" not in found


def test_ui_and_pages_reach_only_the_light_core():
    for path in [*(ROOT / "gmaug_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        used = {name for name in own(imports(path)) if name in LAYER}
        assert used <= UI_MAY_IMPORT, f"{path.relative_to(ROOT)} imports {used - UI_MAY_IMPORT}"


def test_no_unsafe_calls_anywhere():
    banned = {"pickle", "yaml", "shelve", "marshal"}
    for path in modules():
        assert not banned & {name.split(".")[0] for name in imports(path)}, path
        text = path.read_text(encoding="utf-8")
        assert "shell=True" not in text and "unsafe_allow_html" not in text, path


def test_the_app_process_has_no_torch():
    """Everything that the app and its pages import, in a fresh interpreter."""
    names = {f"gmaug_core.{name_of(path)}" for path in modules() if LAYER.get(name_of(path), 9) < 2}
    for path in [*(ROOT / "gmaug_core" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]:
        names |= {name for name in imports(path) if (ROOT / (name.replace(".", "/") + ".py")).exists()}
    code = f"import importlib, sys\nfor name in {sorted(names)!r}:\n    importlib.import_module(name)\n"
    code += (
        "print(sorted(m for m in ('torch', 'torchvision', 'diffusers', 'gmaug_core.worker', 'gmaug_core.experiment') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
