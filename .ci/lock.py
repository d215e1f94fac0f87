"""Write requirements*.txt: every package GMAug needs (transitive too) with hashes for Python 3.11 to 3.13.

requirements.txt        what runs need, but for PyTorch
requirements-torch.txt  PyTorch and its GPU libraries, apart: a CPU-only build may take their place
requirements-dev.txt    what tests, lint and types need on top

The lists that people edit are in pyproject.toml. Needs uv (pip install uv) and the public package index.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAVY = re.compile(r"(torch|torchvision|triton|nvidia-.*|cuda-.*)$")
HEAD = "# Written by `make lock` from pyproject.toml; do not edit.\n"


def compiled(*options: str) -> dict[str, str]:
    """{package: its lines} of a resolution for every platform and every Python that pyproject.toml allows."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--no-config"]
    # Extras stay: asked for `name[extra]`, pip takes the newest `name` there is and then misses its hash.
    command += ["--quiet", "--no-header", "--no-strip-extras", "--no-emit-index-url"]
    command += ["--python-version", "3.11", *options]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    blocks: dict[str, str] = {}
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        name = re.split(r"[^a-z0-9.-]", block, maxsplit=1)[0]
        blocks[name] = blocks.get(name, "") + block
    return blocks


def main() -> None:
    runs, everything = compiled(), compiled("--extra", "dev")
    if moved := [name for name in runs if pins(runs[name]) != pins(everything[name])]:
        sys.exit(f"dev asks for other versions of {moved} than runs do: pin them in pyproject.toml")
    files = {
        "requirements.txt": [text for name, text in runs.items() if not HEAVY.match(name)],
        "requirements-torch.txt": [text for name, text in runs.items() if HEAVY.match(name)],
        "requirements-dev.txt": [text for name, text in everything.items() if name not in runs],
    }
    for name, texts in files.items():
        (ROOT / name).write_text(HEAD + "".join(texts), encoding="utf-8")


def pins(block: str) -> list[str]:
    """The lines of a block that pin a version."""
    return [line for line in block.splitlines() if "==" in line and not line.lstrip().startswith("#")]


if __name__ == "__main__":
    main()
