"""The papers at the root: what may be used, what is installed, and that nothing says it twice."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import gmaug_core

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.txt", "requirements-torch.txt", "requirements-dev.txt")
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)", re.MULTILINE)


def locked(*names: str) -> dict[str, set[str]]:
    """{package: versions} that these files pin; a package may have a version for each Python."""
    pins: dict[str, set[str]] = {}
    for name in names:
        for package, version in PIN.findall((ROOT / name).read_text(encoding="utf-8")):
            pins.setdefault(package, set()).add(version)
    return pins


@pytest.mark.parametrize(
    ("wanted", "files"),
    [
        (PROJECT["dependencies"], ("requirements.txt", "requirements-torch.txt")),
        (PROJECT["optional-dependencies"]["dev"], LOCKS),
    ],
    ids=["runs", "dev"],
)
def test_the_locked_files_hold_what_pyproject_asks_for(wanted, files):
    pins = locked(*files)
    for line in wanted:
        package, version = line.split("==")
        assert pins.get(package) == {version}, f"{package}: run `make lock`"


def test_what_is_locked_is_locked_once():
    names = [name for file in LOCKS for name in locked(file)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
    assert not re.search(r"://|index-url|find-links|trusted-host| @ |(?<!\\)\s/\w", text)


def test_the_version_is_said_once():
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", gmaug_core.__version__)


def test_the_licence_is_there_and_the_notice_names_what_is_shipped():
    assert PROJECT["license"] == "Apache-2.0"
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    notice = " ".join((ROOT / "NOTICE").read_text(encoding="utf-8").split())
    tables = (ROOT / "gmaug_core" / "scoring" / "paper_tables.json").read_text(encoding="utf-8")
    source = re.search(r'"source": "(.+?) \((arXiv [0-9.]+)\)"', tables)
    assert source is not None
    for words in source.groups():
        assert words in notice
    for font in (ROOT / "assets" / "fonts").glob("LICENSE-*.txt"):
        assert f"assets/fonts/{font.name}" in notice
