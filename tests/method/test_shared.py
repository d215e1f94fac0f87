"""A unit is taken from another run when everything that decides it is the same, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from gmaug_core.config import CLASSIFIERS
from gmaug_core.files import read_json, write_json
from gmaug_core.method import shared
from gmaug_core.method.shared import Shared, Unit, decides, digest

CONFIG = CLASSIFIERS["resnet18"].config()
GIVEN = {
    "dataset_version": "a",
    "image_format": "16-grey",
    "index": np.arange(9),
    "normalise_on": np.arange(9),
    "config": CONFIG,
    "recipe": "plain",
    "value": 1.0,
    "seed": 0,
    "steps": 10,
    "machine": "cpu",
}


@pytest.fixture
def trained(tmp_path):
    """Two runs, of which the first has trained a unit."""
    first = Shared("first", tmp_path / "first")
    first.note(first.own / "baseline-0.safetensors", decides(**GIVEN), begun=False)
    (first.own / "baseline-0.safetensors").write_bytes(b"weights")
    return first, Shared("second", tmp_path / "second", lambda: [tmp_path / "nobody", first.own])


@pytest.mark.parametrize(
    "other",
    [
        {"dataset_version": "b"},
        {"image_format": "16-rgb"},
        {"index": np.arange(8)},
        {"normalise_on": np.arange(8)},
        {"config": CONFIG.model_copy(update={"width": 8})},
        {"recipe": "crt"},
        {"value": 0.5},
        {"seed": 1},
        {"steps": 11},
        {"machine": "cuda"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_differs_in_anything_is_not_taken(trained, other):
    _, second = trained
    path = second.own / "baseline-0.safetensors"
    assert second.take(path, decides(**GIVEN | other)) is None
    assert not path.exists()


def test_the_same_is_taken_whatever_it_is_called_and_says_who_trained_it(trained, tmp_path):
    _, second = trained
    precise = CONFIG.model_copy(update={"precision": "float32"})  # what nobody resolved computes with
    assert second.take(second.own / "other-0.safetensors", decides(**GIVEN | {"config": precise})) == "first"
    assert (second.own / "other-0.safetensors").read_bytes() == b"weights"
    assert second.taken() == {"other-0": "first"}
    third = Shared("third", tmp_path / "third", lambda: [second.own])
    assert third.take(third.own / "a.safetensors", decides(**GIVEN)) == "first"


def test_a_unit_half_there_or_not_what_its_note_says_is_not_taken(trained):
    first, second = trained
    path, decided_by = second.own / "baseline-0.safetensors", decides(**GIVEN)
    note = next(first.own.glob("unit-*.json"))
    write_json(note, read_json(note) | {"decided_by": decided_by | {"seed": 7}})
    assert second.take(path, decided_by) is None
    note.write_text("{", encoding="utf-8")
    assert second.take(path, decided_by) is None
    first.note(first.own / "baseline-0.safetensors", decided_by, begun=False)
    (first.own / "baseline-0.safetensors").unlink()
    assert second.take(path, decided_by) is None
    assert second.taken() == {}


def test_a_training_that_other_code_began_is_offered_to_nobody(trained, monkeypatch):
    first, _ = trained
    path, before = first.own / "baseline-0.safetensors", decides(**GIVEN)
    first.note(path, before, begun=True)
    assert [Unit.read(each).decided_by for each in first.own.glob("unit-*.json")] == [before]
    monkeypatch.setattr(shared, "_code", lambda: "newer")
    assert digest(decides(**GIVEN)) != digest(before)
    first.note(path, decides(**GIVEN), begun=True)
    assert not list(first.own.glob("unit-*.json"))


def test_weights_from_a_file_are_known_by_their_content(tmp_path):
    file = tmp_path / "weights"
    config = CONFIG.model_copy(update={"name": str(file)})  # any text that is a path
    found = []
    for content in (b"a", b"b"):
        file.write_bytes(content)
        found.append(digest(decides(**GIVEN | {"config": config})))
    assert found[0] != found[1]
