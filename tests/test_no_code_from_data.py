"""No file, request or setting is ever run as code: what could do it is called nowhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    ROOT / "app.py",
    *(path for name in ("gmaug_core", "pages", ".ci") for path in (ROOT / name).rglob("*.py")),
]
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "yaml",
    "jsonpickle",
    "code",
}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"os.system", "os.popen", "pd.read_pickle", "pandas.read_pickle", "pty.spawn", "runpy.run_path"}
LOADS = {"torch.load": ("weights_only", True)}  # these need this
NEVER = {"shell": True, "allow_pickle": True, "weights_only": False}  # a keyword with this value
SCRIPTS = {
    "gmaug_core/models/inception.py"
}  # TorchScript that a person names by its path, of a published hash


def dangers(source: str) -> list[str]:
    """What of a module could run data as code, in words with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        said = ""
        if isinstance(node, ast.Import):
            said = ", ".join(alias.name for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            said = node.module if node.module and node.module.split(".")[0] in MODULES else ""
        elif isinstance(node, ast.Call):
            said = _call(node)
        if said:
            found.append(f"line {node.lineno}: {said}")
    return found


def _call(node: ast.Call) -> str:
    name = ast.unparse(node.func)
    given = {word.arg: word.value.value for word in node.keywords if isinstance(word.value, ast.Constant)}
    if name in BUILTINS | CALLS or name.endswith("jit.load"):
        return name
    for keyword, value in NEVER.items():
        if keyword in given and given[keyword] is value:
            return f"{name}({keyword}={value})"
    if name in LOADS and given.get(LOADS[name][0]) is not LOADS[name][1]:
        return f"{name} without {LOADS[name][0]}={LOADS[name][1]}"
    return ""


def test_nothing_runs_data_as_code():
    said = {}
    for path in SOURCES:
        where = path.relative_to(ROOT).as_posix()
        found = [
            line
            for line in dangers(path.read_text("utf-8"))
            if where not in SCRIPTS or "jit.load" not in line
        ]
        if found:
            said[where] = found
    assert said == {}
    for where in SCRIPTS:
        assert any("jit.load" in line for line in dangers((ROOT / where).read_text("utf-8"))), (
            f"strike off {where}"
        )


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "eval('1')",
        "exec(text)",
        "__import__(name)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.jit.load(path)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
    ],
)
def test_each_of_them_would_be_noticed(source):
    assert len(dangers(source)) == 1


@pytest.mark.parametrize(
    "source", ["torch.load(path, weights_only=True)", "np.load(path)", "re.compile('x')", "model.eval()"]
)
def test_what_is_harmless_is_not(source):
    assert dangers(source) == []
