"""The command line as a whole: every verb explains itself, --json is alone on stdout, help is quick."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gmaug_core.cli import main as cli
from gmaug_core.data import dataset

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = {"scipy", "pandas", "sklearn", "torch", "plotly", "streamlit", "matplotlib", "skimage"}


def verbs() -> list[str]:
    (subparsers,) = (action for action in cli.parser()._actions if action.dest == "verb")
    return list(subparsers.choices)


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main([verb, "--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert "--json" in said
    assert len(said.splitlines()) > 4


def test_the_document_is_alone_on_stdout(home, capsys):
    assert cli.main(["demo", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["images"] == 1121
    assert "Demo dataset" in said.err
    assert cli.main(["datasets"]) == 0
    said = capsys.readouterr()
    assert dataset.list_datasets()[0].id in said.out
    assert said.err == ""


def test_an_error_is_a_document_too_and_a_status(home, capsys):
    assert cli.main(["show", "never-heard-of", "--json"]) == 2
    said = capsys.readouterr()
    assert "never-heard-of" in json.loads(said.out)["error"]["what"]
    assert "error:" in said.err


def test_help_and_a_list_of_datasets_import_nothing_heavy(home):
    code = (
        "import sys\nfrom gmaug_core.cli import main\n"
        "main.parser().format_help()\nmain.main(['datasets'])\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    found = set(json.loads(done.stderr.strip().splitlines()[-1].replace("'", '"')))
    assert not HEAVY & found
