"""A run as one file and back: the same run, whatever id is free; nothing damaged, foreign or hostile."""

from __future__ import annotations

import io
import json
import tarfile

import pytest
import tiny
from nowhere import Nowhere

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.data import dataset, samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.home import home as data_root
from gmaug_core.intake import jobs
from gmaug_core.locks import locked
from gmaug_core.runs import RunConfigFile, RunWriter, launch, mending, packing


@pytest.fixture
def packed(finished_run, tmp_path):
    """A finished run, packed, and then deleted from its workspace."""
    out = tmp_path / "run.tar"
    RunWriter(finished_run).progress("generator", 1, 2, loss=1.0)
    RunWriter(finished_run).end("finished")
    packing.pack(finished_run.id, out)
    return out


def moved(monkeypatch, tmp_path, name="other"):
    """Another workspace, an empty one."""
    monkeypatch.setenv("GMAUG_HOME", str(tmp_path / name))


def left():
    """What lies about in the data root that should not."""
    return [path.name for path in data_root().iterdir() if path.name.startswith(".backup-")]


def test_a_run_comes_back_as_it_was(finished_run, packed, tmp_path, monkeypatch, capsys):
    before = runs.read_result(finished_run), runs.read_metrics(finished_run)[0]
    table = samples.table(finished_run.samples)
    images = samples.all_images(finished_run.samples)
    assert packing.is_packed(packed)
    moved(monkeypatch, tmp_path)
    assert cli.main(["unpack", str(packed), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["renamed"], found["dataset_here"]) == (finished_run.id, False, False)
    paths = runs.find(finished_run.id)
    assert (runs.read_result(paths), runs.read_metrics(paths)[0]) == before
    assert samples.table(paths.samples).equals(table)
    assert (samples.all_images(paths.samples) == images).all()
    assert runs.read_status(paths).state == "finished"
    assert mending.damaged(paths) == []
    assert "is not here" in packing.Unpacked(**found).words
    assert not left()


def test_an_id_in_use_is_another_and_the_same_run_is_refused(finished_run, packed):
    with pytest.raises(InputError, match="is here already"):
        packing.unpack(packed)
    config = RunConfigFile.read(finished_run.config)
    config.model_copy(update={"created": 1.0}).write(finished_run.config)
    found = packing.unpack(packed)
    assert found.renamed
    assert found.dataset_here
    paths = runs.find(found.run)
    assert RunConfigFile.read(paths.config).run == found.run != finished_run.id
    assert "belongs to another run" in found.words
    assert {each.id for each in runs.list_runs()} == {found.run, finished_run.id}
    assert not left()


def test_every_flipped_byte_is_refused_in_words(packed, tmp_path, monkeypatch):
    whole, other = packed.read_bytes(), tmp_path / "broken.tar"
    moved(monkeypatch, tmp_path)
    for at in range(0, len(whole), max(1, len(whole) // 15)):
        data = bytearray(whole)
        data[at] ^= 0x10
        other.write_bytes(data)
        try:
            taken = packing.unpack(other)
        except InputError:
            continue
        # bytes that no content has: padding, and times of entries
        assert mending.damaged(runs.find(taken.run)) == []
        for path in runs.find(taken.run).folder.rglob("*"):
            assert path.is_dir() or path.stat().st_mode & 0o077 == 0
        runs.find(taken.run).folder.rename(tmp_path / f"taken-{at}")
    for size in (0, 100, len(whole) // 2, len(whole) - 12_000):
        other.write_bytes(whole[:size])
        with pytest.raises(InputError, match="no whole archive"):
            packing.unpack(other)
    assert runs.list_runs() == []
    assert not left()


def rewritten(packed, tmp_path, change):
    """The same archive with its files changed by `change`, a dict of name -> bytes, and an honest list."""
    with tarfile.open(packed) as tar:
        files = {info.name: tar.extractfile(info).read() for info in tar}
    about = json.loads(files.pop(packing.LIST))
    change(files, about)
    out = tmp_path / "rewritten.tar"
    folder = tmp_path / "parts"
    sources = []
    for number, (name, data) in enumerate(files.items()):
        path = folder / str(number)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        sources.append((path, packing.PurePosixPath(name)))
    about = {key: value for key, value in about.items() if key not in ("checksum", "files", "schema")}
    with out.open("wb") as file:
        packing.backup.archive(
            file, sources, lambda *_: None, lambda kept: packing.Packed.new(**about, files=kept)
        )
    return out


HOSTILE = {
    "a script": (lambda files, about: files.update({"evil.py": b"1"}), "does not hold 'evil.py'"),
    "a pickle": (lambda files, about: files.update({"checkpoints/x.pkl": b"1"}), "does not hold"),
    "where it is to run": (
        lambda files, about: files.update({"place.json": b"{}"}),
        r"does not hold 'place\.json'",
    ),
    "no config": (lambda files, about: files.pop("config.json"), "no config"),
    "another run's list": (lambda files, about: about.update(run="augmentation-other"), "another run"),
    "an id that is a path": (lambda files, about: about.update(run="../x"), "does not hold"),
    "a damaged result": (lambda files, about: files.update({"result.json": b"{"}), "result.json"),
    "a damaged network": (
        lambda files, about: files.update(
            {name: data[:-9] + b"x" + data[-8:] for name, data in files.items() if name.endswith(".npy")}
        ),
        "damaged",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_run_holds_is_refused(packed, tmp_path, monkeypatch, what):
    change, words = HOSTILE[what]
    out = rewritten(packed, tmp_path, change)
    moved(monkeypatch, tmp_path)
    with pytest.raises(GMAugError, match=words):
        packing.unpack(out)
    assert runs.list_runs() == []
    assert not left()


def test_a_link_or_a_path_out_is_refused(packed, tmp_path, monkeypatch):
    moved(monkeypatch, tmp_path)
    for name, kind in (("../out.json", tarfile.REGTYPE), ("x.json", tarfile.SYMTYPE)):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        out = tmp_path / "link.tar"
        with tarfile.open(out, "w") as tar:
            tar.addfile(info, io.BytesIO())
        with pytest.raises(InputError, match="none of ours"):
            packing.unpack(out)
    assert not packing.is_packed(out)


def test_weights_inside_the_workspace_are_not_trusted(bars, tmp_path):
    weights = data_root() / "runs" / "mine.json"
    weights.parent.mkdir(exist_ok=True)
    weights.touch()
    run_id = launch.submit(tiny.config(bars, inception=str(weights)), where=Nowhere())
    out = tmp_path / "run.tar"
    packing.pack(run_id, out)
    runs.find(run_id).folder.rename(tmp_path / "away")
    with pytest.raises(InputError, match=r"name a file of this workspace: 'mine\.json'"):
        packing.unpack(out)


def test_a_run_at_work_is_packed_as_a_kill_would_leave_it(bars, tmp_path, monkeypatch):
    run_id = launch.submit(tiny.config(bars, device="cpu"), where=Nowhere())
    paths = runs.find(run_id)
    with locked(paths.lock):
        RunWriter(paths).progress("generator", 1, 2, loss=1.0)
        packing.pack(run_id, tmp_path / "run.tar")
    moved(monkeypatch, tmp_path)
    found = runs.find(packing.unpack(tmp_path / "run.tar").run)
    assert runs.read_status(found).state == "lost"
    assert cli.main(["resume", found.id]) == 2, "its dataset is not here"


def test_a_newer_form_is_refused_as_newer(packed, tmp_path, monkeypatch):
    monkeypatch.setattr(packing.Packed, "SCHEMA", 9)
    newer = rewritten(packed, tmp_path, lambda files, about: None)
    monkeypatch.setattr(packing.Packed, "SCHEMA", 1)
    moved(monkeypatch, tmp_path)
    with pytest.raises(GMAugError, match="newer version"):
        packing.unpack(newer)


def test_a_packed_run_that_is_uploaded_is_taken_in(packed, tmp_path, monkeypatch):
    moved(monkeypatch, tmp_path)
    monkeypatch.setattr(jobs.children, "start", lambda *_, **__: None)
    token = jobs.start(packed, name="mine.tar")
    assert jobs.work(token) == 0
    state = jobs.status(token)
    assert state["dataset"] is None
    assert runs.find(state["run"])
    assert "is not here" in state["words"]
    assert dataset.list_datasets() == []
