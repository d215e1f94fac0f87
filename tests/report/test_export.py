"""The export is balanced, whole or absent, says where every image comes from, and lets people's decisions
win.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import run_fixture
from PIL import Image

from gmaug_core import runs, workspace
from gmaug_core.data import dataset, samples, splits
from gmaug_core.errors import InputError
from gmaug_core.report import export as exporting
from gmaug_core.report import metadata
from gmaug_core.report.export import class_folders, export
from gmaug_core.runs import RunConfigFile


@pytest.fixture
def paths(finished_run):
    return finished_run


def rows_of(folder):
    with (folder / "metadata.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_image_is_listed_once_and_every_listed_image_is_there(paths, tmp_path):
    out = tmp_path / "out"
    counted = exporting.counted(paths.id)
    document = export(paths.id, out)
    exported = {name: made["synthetic"] for name, made in document["per_class"].items()}
    assert dict(zip(counted["class"], counted["exported"], strict=True)) == exported
    rows = rows_of(out)
    on_disk = {str(path.relative_to(out)) for path in out.rglob("*.png")}
    assert {row["file_name"] for row in rows} == on_disk
    assert len(rows) == len(on_disk) == document["images"]
    for split in ("train", "val", "test"):
        assert {f"{split}/{row['file_name']}" for row in rows_of(out / split)} == {
            name for name in on_disk if name.startswith(split)
        }
    assert {row["split"] for row in rows if row["kind"] == "synthetic"} == {"train"}
    assert document["real"] + document["synthetic"] == len(rows)


def test_real_and_synthetic_share_one_form_and_no_class_exceeds_the_target(paths, tmp_path):
    document = export(paths.id, tmp_path / "out")
    forms = Counter()
    for path in (tmp_path / "out").rglob("*.png"):
        with Image.open(path) as image:
            forms[image.size, image.mode, image.format] += 1
    assert len(forms) == 1
    totals = {name: sum(n.values()) for name, n in document["per_class"].items()}
    assert max(totals.values()) == totals["0"] == 100
    assert all(totals[name] + document["short"].get(name, 0) == 100 for name in totals)


def test_provenance_leads_back_to_the_pixels(paths, tmp_path):
    export(paths.id, tmp_path / "out")
    data = dataset.load(runs.RunConfigFile.read(paths.config).settings.dataset)
    rows = rows_of(tmp_path / "out")
    synthetic = next(row for row in rows if row["kind"] == "synthetic")
    pixels = np.asarray(Image.open(tmp_path / "out" / synthetic["file_name"]))
    assert np.array_equal(pixels, samples.image(paths.samples, int(synthetic["sample"])))
    assert synthetic["run"] == paths.id
    assert synthetic["generator_data"] == "closed-set"
    assert synthetic["draw_seed"]
    digests = set(data.manifest.images.sha256)
    assert all(row["source_sha256"] in digests for row in rows if row["kind"] == "real")


def test_people_win_over_the_filter(paths, tmp_path):
    table = samples.table(paths.samples, seed=0)
    of_class = table[table["class"] == "7"]
    refused, accepted = (
        of_class[~of_class["accepted"]]["sample"].iloc[0],
        of_class[of_class["accepted"]]["sample"].iloc[0],
    )
    workspace.reviews.save(paths.id, {int(refused): "keep", int(accepted): "reject"})
    export(paths.id, tmp_path / "out")
    exported = {
        row["sample"]: row["decision"] for row in rows_of(tmp_path / "out") if row["kind"] == "synthetic"
    }
    assert exported[str(refused)] == "keep"
    assert str(accepted) not in exported


def test_readers_of_image_folders_see_one_type_a_column(paths, tmp_path):
    export(paths.id, tmp_path / "out")
    kinds = [
        pd.read_csv(tmp_path / "out" / split / "metadata.csv").dtypes.map(str).to_dict()
        for split in ("train", "val", "test")
    ]
    text = [{name for name, kind in found.items() if kind in ("str", "object")} for found in kinds]
    assert text[0] == text[1] == text[2]


def test_a_run_of_several_folds_exports_the_first_one_and_says_so(paths, tmp_path):
    config = RunConfigFile.read(paths.config)
    data, first = dataset.load(config.settings.dataset), paths.folder / "fold-1"
    first.mkdir()
    (paths.folder / "samples").rename(first / "samples")
    parts = splits.of_run(data, 0, 2)[0]
    splits.write(first / "split.json", data, 0, parts)
    settings = config.settings.model_copy(update={"folds": 2})
    config.model_copy(update={"settings": settings}).write(paths.config)
    document = export(paths.id, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    numbers = {
        int(Path(row["file_name"]).stem[5:])
        for row in rows
        if (row["kind"], row["split"]) == ("real", "test")
    }
    assert numbers == set(parts["test"].tolist())
    assert document["synthetic"] > 0
    assert "first of the run's 2 folds" in (tmp_path / "out" / "README.md").read_text()


def test_nobody_can_keep_an_image_of_a_held_out_part(paths, tmp_path):
    (file,) = paths.samples.glob("step-2.parquet")
    table = pd.read_parquet(file)
    sample = int(table.loc[~table["accepted"], "sample"].iloc[0])
    mine = table["sample"] == sample
    table.loc[mine, ["accepted", "reason"]] = [False, samples.TEST_IMAGE]
    table.to_parquet(file, index=False)
    workspace.reviews.save(paths.id, {sample: "keep"})
    export(paths.id, tmp_path / "out")
    assert str(sample) not in {row["sample"] for row in rows_of(tmp_path / "out")}
    assert not samples.decided(table[mine], {sample: "keep"}).any()


def test_a_dataset_alone_can_be_exported(demo, tmp_path):
    document = export(demo, tmp_path / "out")
    assert document["synthetic"] == 0
    assert document["real"] == len(dataset.load(demo))
    assert document["short"] == {}


@pytest.mark.slow
def test_nothing_is_left_when_it_fails(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_readme", lambda *_: 1 / 0)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with pytest.raises(ZeroDivisionError):
            export(paths.id, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "workspace") == ["empty"]
    assert not list((tmp_path / "empty").iterdir())


def test_bad_places_and_subjects_are_refused(paths, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        export(paths.id, tmp_path / "full")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    with pytest.raises(InputError, match="there is no run"):
        export("nope-nope", tmp_path / "out")
    running = run_fixture.make_run(
        runs.RunConfigFile.read(paths.config).settings.dataset, state="lost", token="lost-export"
    )
    with pytest.raises(InputError, match="cannot be exported"):
        export(running.id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_grouped_class_name_cannot_leave_the_folder():
    names = ["a/b", "A_b", "../x", "con", "=cmd()", "", ".", "é" * 200, "a:b"]
    folders = class_folders(names)
    assert len({folder.lower() for folder in folders.values()}) == len(names)
    assert all(
        folder and "/" not in folder and not folder.startswith(".") and len(folder) < 90
        for folder in folders.values()
    )
    assert metadata.cell("class", "=cmd()") == "'=cmd()"
