"""A backup of the whole workspace, and back: every hash, while runs are at work, damaged and hostile ones."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import stat
import tarfile
import threading
from pathlib import Path

import pytest
from nowhere import new_run

from gmaug_core.cli.main import main
from gmaug_core.data import dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.files import read_json, write_json
from gmaug_core.locks import locked
from gmaug_core.runs import backup, restoring
from gmaug_core.runs import bin as bins
from gmaug_core.workspace import reviews, sessions


def hashes(folder: Path) -> dict[str, str]:
    """Of every file that is not a lock."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def test_backup_destroy_restore_every_hash_is_equal(home, bars, tmp_path, capsys):
    run = new_run()
    write_json(run.status, read_json(run.status) | {"state": "cancelled"})
    reviews.save(run.id, {1: "keep"})
    bins.delete_run(run.id)
    out = tmp_path / "kept.tar"
    assert main(["backup", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] > len(bars)
    before = hashes(home)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    shutil.rmtree(home)
    assert main(["restore", str(out), "--json"]) == 0
    assert hashes(home) == before
    assert reviews.load(run.id) == {1: "keep"}
    assert [entry.subject for entry in bins.listed()] == [run.id]
    assert dataset.load(bars.id).version == bars.version
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_run_at_work_is_kept_as_a_kill_would_have_left_it(home, tmp_path):
    """The worker writes a, then b, again and again; b never says more than a."""
    paths = new_run()
    stop = threading.Event()

    def work() -> None:
        number = 0
        with locked(paths.lock), paths.metrics.open("a") as lines:
            while not stop.is_set():
                number += 1
                write_json(paths.checkpoints / "a.json", number)
                lines.write(json.dumps({"number": number}) + "\n" + '{"half')
                lines.flush()
                write_json(paths.checkpoints / "b.json", number)
                lines.write('": 1}\n')
                stop.wait(0.02)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        while not (paths.checkpoints / "b.json").exists():
            stop.wait(0.01)
        made = [backup.write(tmp_path / f"{n}.tar") for n in range(10)]
    finally:
        stop.set()
        worker.join()
    for n, _ in enumerate(made):
        with tarfile.open(tmp_path / f"{n}.tar") as archive:
            folder = f"runs/{paths.id}"
            a, b = (json.load(archive.extractfile(f"{folder}/checkpoints/{name}.json")) for name in "ab")
            lines = archive.extractfile(f"{folder}/metrics.jsonl").read()
        assert b <= a <= b + 1
        assert [json.loads(line) for line in lines.splitlines()]
    assert not list(home.glob(".backup-*"))


def test_a_run_that_never_holds_still_is_named(home, tmp_path, monkeypatch):
    paths, ticks = new_run(), itertools.count()
    monkeypatch.setattr(backup, "PATIENCE_S", 0.1)
    monkeypatch.setattr(backup, "_look", lambda source: {paths.config: (next(ticks), 0)})
    with locked(paths.lock), pytest.raises(GMAugError, match=f"run '{paths.id}' changes too quickly"):
        backup.write(tmp_path / "kept.tar")
    assert not list(tmp_path.glob("*.tar*"))
    assert not list(home.glob(".backup-*"))


def test_what_is_nobody_elses_business_stays_out(home, tmp_path):
    cookie = sessions.begin("ada", how="link", port=1, hours=1)
    (home / "runs" / "x").mkdir(parents=True)
    (home / "runs" / "x" / ".status.json.7.tmp").touch()
    (home / "link").symlink_to("/etc/passwd")
    made = backup.write(tmp_path / "kept.tar")
    names = {file.path for file in made.files if not file.path.startswith("backups/")}
    assert names == {"workspace.db", "workspace.db.seal"}
    assert cookie.encode() not in (tmp_path / "kept.tar").read_bytes()


def test_a_backup_never_goes_over_another_file_or_into_the_workspace(home, tmp_path):
    out = tmp_path / "kept.tar"
    backup.write(out)
    content = out.read_bytes()
    for wrong in (out, home / "kept.tar", tmp_path / "kept.zip", tmp_path / "no" / "kept.tar"):
        with pytest.raises(InputError):
            backup.write(wrong)
    assert out.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.fixture
def kept(home, tmp_path) -> Path:
    """A small backup; the workspace is gone."""
    reviews.save("r", {1: "keep"})
    (home / "secret").write_bytes(b"s" * 32)
    backup.write(tmp_path / "kept.tar")
    shutil.rmtree(home)
    return tmp_path / "kept.tar"


def test_nothing_is_mixed_into_a_workspace(home, kept):
    home.mkdir()
    (home / "thing").touch()
    with pytest.raises(InputError, match="not empty: it has thing"):
        restoring.restore(kept)
    assert [path.name for path in home.iterdir()] == ["thing"]


@pytest.mark.parametrize("damage", ["flipped", "cut", "no list", "not one", "empty"])
def test_a_damaged_backup_puts_nothing_in_place(home, kept, damage):
    content = bytearray(kept.read_bytes())
    if damage == "flipped":
        content[content.index(b"s" * 32)] ^= 1
    elif damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "no list":
        with tarfile.open(kept) as archive:
            content = content[: archive.getmember(backup.LIST).offset]
    else:
        content = bytearray(b"no tar at all" if damage == "not one" else b"")
    kept.write_bytes(content)
    with pytest.raises(InputError, match="no whole archive"):
        restoring.restore(kept)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "link"])
def test_a_hostile_backup_writes_nothing_outside(home, tmp_path, name):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo(name)
        if name == "link":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(info, io.BytesIO())
    with pytest.raises(InputError, match="what none of ours does"):
        restoring.restore(path)
    assert list(home.iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_one_that_was_killed_while_it_moved_in_goes_on(home, kept, monkeypatch):
    real = Path.rename

    def killed(self, target):
        if Path(target).name == "workspace.db":
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            restoring.restore(kept)
    assert (home / restoring.ARRIVED).is_dir()
    restoring.restore(kept)
    assert {path.name for path in home.iterdir()} >= {"secret", "workspace.db"}
    assert not list(home.glob(".*"))
