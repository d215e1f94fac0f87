"""What people give by mistake or on purpose, through the three doors: the core, the command line, and the
HTTP upload with its import.

    python benchmarks/intake_corpus.py [--mutations 10000] [--seconds 3600] [--out FILE]

Bad: named inputs that must be refused in three parts. Odd: named inputs that look wrong and must come in with
the counts written here. Mutations: bytes of valid archives and images changed at random; each must be
imported or refused. Counted: tracebacks, silently wrong counts, inputs over SECONDS, and what is left behind.
Images are decoded in this process but for every 20th input, which uses the limited child as an import does.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import struct
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from corpus import bomb, encode, pixels, png, raw_entry  # noqa: E402

from gmaug_core.cli import main as cli  # noqa: E402
from gmaug_core.data import dataset  # noqa: E402
from gmaug_core.errors import GMAugError  # noqa: E402
from gmaug_core.files import write_json  # noqa: E402
from gmaug_core.intake import import_path, jobs, verify  # noqa: E402
from gmaug_core.seeds import derive  # noqa: E402

RESULT = ROOT / "benchmarks" / "results" / "intake_corpus.json"
SECONDS = 10.0  # for one input of this corpus
CHILD_EVERY = 20  # inputs
SLICE = 8_000_000
Files = Mapping[str, bytes]
Make = Callable[[Path], Path]
Door = Callable[[Path], Mapping[str, int] | None]  # what came in, None where it was refused
TWO = {f"{c}/{k}.png": png(10 * n + k) for n, c in enumerate(("cat", "dog")) for k in range(2)}
GOOD = {"cat": 2, "dog": 2}


@dataclass(frozen=True)
class Given:
    """One input. make: writes it at the path without an ending, and returns where. counts: images of each
    class, or None where it must be refused."""

    name: str
    make: Make
    counts: Mapping[str, int] | None = field(default=None)


def zipped(files: Files, *, method: int = zipfile.ZIP_STORED, ending: str = ".zip") -> Make:
    def make(path: Path) -> Path:
        target = path.with_name(path.name + ending)
        with zipfile.ZipFile(target, "w") as archive:
            for name, data in files.items():
                archive.writestr(raw_entry(name, method), data)
        return target

    return make


def tarred(files: Files, packing: str = "gz", *, kind: bytes = tarfile.REGTYPE) -> Make:
    def make(path: Path) -> Path:
        target = path.with_name(f"{path.name}.tar.{packing}".rstrip("."))
        with tarfile.open(target, f"w:{packing}") as archive:  # type: ignore[call-overload]
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd" if kind != tarfile.REGTYPE else ""
                info.size = len(data) if kind == tarfile.REGTYPE else 0
                archive.addfile(info, io.BytesIO(data))
        return target

    return make


def written(data: bytes, ending: str = ".zip") -> Make:
    def make(path: Path) -> Path:
        target = path.with_name(path.name + ending)
        target.write_bytes(data)
        return target

    return make


def changed(make: Make, change: Callable[[bytes], bytes]) -> Make:
    def made(path: Path) -> Path:
        target = make(path)
        target.write_bytes(change(target.read_bytes()))
        return target

    return made


# --- bad ---


def bad_files() -> list[Given]:
    """What is no archive, or half of one."""
    starts = {
        "empty": b"",
        "text": b"hello",
        "rar": b"Rar!\x1a\x07\x00",
        "7z": b"7z\xbc\xaf\x27\x1c",
        "gzip of nothing": b"\x1f\x8b\x08\x00",
        "page": b"<!DOCTYPE html><html>",
        "lfs": b"version https://git-lfs.github.com/spec/v1",
        "one png": png(1),
        "one jpeg": encode(pixels(1), "JPEG"),
        "end record alone": b"PK\x05\x06" + b"\xff" * 18,
        "local header alone": b"PK\x03\x04" + bytes(26),
        "pdf": b"%PDF-1.7",
        "elf": b"\x7fELF" + bytes(60),
        "zeros": bytes(10_000),
        "sqlite": b"SQLite format 3\x00",
        "xml": b"<?xml version='1.0'?>",
        "bzip2": b"BZh9",
        "xz": b"\xfd7zXZ\x00",
        "zstd": b"\x28\xb5\x2f\xfd",
        "pickle": b"\x80\x04\x95",
        "tar of noise": b"x" * 257 + b"ustar" + b"x" * 300,
        "deb": b"!<arch>\n",
        "cab": b"MSCF",
        "parquet": b"PAR1",
        "hdf5": b"\x89HDF\r\n\x1a\n",
        "mp4": bytes(4) + b"ftypisom",
        "wav": b"RIFF\0\0\0\0WAVE",
        "one gif": b"GIF89a",
        "jar of nothing": b"PK\x05\x06" + bytes(18),
        "torch": b"PK\x03\x04archive/data.pkl",
        "two newlines": b"\n\n",
        "a null": b"\0",
        "a BOM": b"\xef\xbb\xbf",
    }
    found = [Given(f"file: {name}", written(data)) for name, data in starts.items()]
    with tempfile.TemporaryDirectory() as folder:
        whole = zipped(TWO)(Path(folder) / "x").read_bytes()
        packed = tarred(TWO)(Path(folder) / "x").read_bytes()
    for share in np.linspace(0.02, 0.98, 25):
        found.append(Given(f"zip cut at {share:.0%}", written(whole[: int(len(whole) * share)])))
        found.append(
            Given(f"tar.gz cut at {share:.0%}", written(packed[: int(len(packed) * share)], ".tar.gz"))
        )
    return found


def bad_names() -> list[Given]:
    """Entries that may not be used; nothing else is there."""
    hostile = {
        "parent": "../{}.png",
        "parent inside": "a/../../{}.png",
        "absolute": "/etc/{}.png",
        "drive": "C:/{}.png",
        "null": "a\0b/{}.png",
        "long": "x" * 1200 + "/{}.png",
        "zip inside": "a/{}.zip",
        "tar inside": "a/{}.tar",
        "hidden": ".git/{}.png",
        "macos": "__MACOSX/{}.png",
        "thumbs": "a/Thumbs.db",
        "mixed slashes": "a\\..\\{}/x.png",
    }
    return [
        Given(f"names: {name} in {way}", make({form.format(k): png(k) for k in range(4)}))
        for name, form in hostile.items()
        for way, make in (("zip", zipped), ("tar", tarred))
        if not (way == "tar" and name == "null")
    ]


def bad_archives() -> list[Given]:
    """Bombs, passwords, methods, links, devices, entries that lie."""

    def lock(data: bytes) -> bytes:
        at = data.find(b"PK\x01\x02")
        out = bytearray(data)
        while at >= 0:
            out[at + 8] |= 1
            at = data.find(b"PK\x01\x02", at + 4)
        return bytes(out)

    def spoiled(data: bytes) -> bytes:
        out = bytearray(data)
        end = data.find(b"PK\x01\x02")
        for at in range(60, end, 7):
            out[at] ^= 0x55
        return bytes(out)

    found = [
        Given("archive: encrypted", changed(zipped(TWO), lock)),
        Given("archive: every entry damaged", changed(zipped(TWO), spoiled)),
    ]
    kinds = {
        "links": tarfile.SYMTYPE,
        "hard links": tarfile.LNKTYPE,
        "devices": tarfile.CHRTYPE,
        "pipes": tarfile.FIFOTYPE,
        "blocks": tarfile.BLKTYPE,
    }
    return [
        *found,
        *(
            Given(f"archive: bomb of {entries}, overlapping {overlapping}", _bomb(entries, overlapping))
            for entries in (200, 2000)
            for overlapping in (True, False)
        ),
        *(
            Given(f"archive: method {method}", zipped(TWO, method=method))
            for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        ),
        *(
            Given(f"archive: tar.{packing} of {words}", tarred(TWO, packing, kind=kind))
            for words, kind in kinds.items()
            for packing in ("", "gz", "xz")
        ),
    ]


def _bomb(entries: int, overlapping: bool) -> Make:
    def make(path: Path) -> Path:
        target = path.with_name(path.name + ".zip")
        bomb(target, entries, overlapping=overlapping)
        return target

    return make


def bad_images() -> list[Given]:
    """Two class folders of what is no image."""
    whole = {
        kind: encode(pixels(3, size=(40, 40)), kind)
        for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
    }
    other = {
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0",
        "fits": b"SIMPLE  = T",
        "html": b"<html>",
        "pdf": b"%PDF-1.4",
        "numpy": b"\x93NUMPY",
        "zip": b"PK\x03\x04",
        "pickle": b"\x80\x04",
        "empty": b"",
        "ico": b"\0\0\1\0",
        "psd": b"8BPS\0\1",
        "dicom": bytes(128) + b"DICM",
        "text": b"cat",
        "huge png": _huge_png(),
    }
    found = [
        Given(f"images: {name}", zipped({f"{c}/{k}.png": data for c in "ab" for k in range(2)}))
        for name, data in other.items()
    ]
    for kind, data in whole.items():
        for share in (
            (0.05, 0.15, 0.3) if kind in ("BMP", "PPM", "TIFF", "PNG", "WEBP", "AVIF") else (0.02, 0.05)
        ):
            cut = data[: max(int(len(data) * share), 4)]
            found.append(
                Given(
                    f"images: {kind} cut at {share:.0%}",
                    zipped({f"{c}/{k}.x": cut for c in "ab" for k in range(2)}),
                )
            )
    return found


def _huge_png() -> bytes:
    """A header that says 100,000 x 100,000."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    part = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + part + struct.pack(">I", zlib.crc32(part))


def bad_layouts() -> list[Given]:
    """Images whose classes nobody can say, or that are too few."""
    four = {f"{k}.png": png(k) for k in range(4)}
    lists = {
        "no json": b"{",
        "a number": b"5",
        "an array": b"[]",
        "no keys": b"{}",
        "nan": b'{"images": NaN}',
        "deep": b"[" * 50_000,
        "dangling": b'{"images": [{"id": 1, "file_name": "x.png"}], '
        b'"annotations": [{"image_id": 9, "category_id": 1}], "categories": []}',
        "null": b"null",
        "utf-16 noise": b"\xff\xfe\x00",
        "strings": b'{"images": "x", "annotations": "y", "categories": "z"}',
    }
    found = [
        Given(f"list: {name}", zipped({**{f"images/{n}": d for n, d in four.items()}, "train.json": data}))
        for name, data in lists.items()
    ]
    tables = {
        "no file of it": "file,label\nz1.png,a\nz2.png,b\n",
        "one class": "file,label\n0.png,a\n1.png,a\n2.png,a\n3.png,a\n",
        "header alone": "file,label\n",
        "numbers": "a,b\n11,2\n13,4\n",
        "empty": "",
        "one column": "file\n0.png\n1.png\n",
    }
    found += [
        Given(
            f"table: {name}",
            zipped({**{f"images/{n}": d for n, d in four.items()}, "labels.csv": t.encode()}),
        )
        for name, t in tables.items()
    ]
    trees = {
        "flat": four,
        "one class": {f"cat/{n}": d for n, d in four.items()},
        "nothing": {},
        "a folder alone": {"cat/": b""},
        "no training part": {
            f"{s}/{c}/1.png": png(hash_of(s + c)) for s in ("val", "test") for c in ("cat", "dog")
        },
        "one trained": {"train/cat/1.png": png(1), "test/dog/1.png": png(2)},
        "numbers below names": {
            f"{a}/{b}/{k}.png": png(9 * i + k)
            for i, (a, b) in enumerate([("fungi", "0"), ("fungi", "1"), ("mammals", "2"), ("mammals", "3")])
            for k in range(2)
        },
        "same names everywhere": {
            f"{a}/{b}/{k}.png": png(9 * i + k)
            for i, (a, b) in enumerate((a, b) for a in ("left", "right") for b in "ab")
            for k in range(2)
        },
        "patients alone": {f"patient_{p}/{k}.png": png(9 * p + k) for p in (1, 2) for k in range(2)},
        "names of files": {
            f"{c}.{k}.png": png(5 * i + k) for i, c in enumerate(("cat", "dog")) for k in range(2)
        },
        "folders against a list": {
            **{f"{c}/{k}.png": png(5 * i + k) for i, c in enumerate("xy") for k in range(2)},
            "l.csv": b"file,label\nx/0.png,a\nx/1.png,b\ny/0.png,a\ny/1.png,b\n",
        },
        "blank names": {f"{' ' * n}/{k}.png": png(5 * n + k) for n in (1, 2) for k in range(2)},
        "dots": {f"{'.' * 2}x/../{k}.png": png(k) for k in range(3)},
        "same image twice": {"cat/1.png": png(1), "cat/2.png": png(1)},
        "val is train": {f"{s}/{c}/1.png": png(hash_of(c)) for s in ("train", "val") for c in ("cat", "dog")},
    }
    for name, tree in trees.items():
        found.append(Given(f"tree: {name}, zip", zipped(tree)))
        found.append(Given(f"tree: {name}, tar", tarred(tree)))
    return found


def hash_of(text: str) -> int:
    return zlib.crc32(text.encode()) % 2**31


# --- odd, but good ---


def odd() -> list[Given]:
    """What looks wrong and is right."""
    found = []
    for way, make in (
        ("zip", zipped),
        ("tar.gz", tarred),
        ("tar", lambda f: tarred(f, "")),
        ("tar.xz", lambda f: tarred(f, "xz")),
    ):
        trees: dict[str, tuple[Files, Mapping[str, int]]] = {
            "plain": (TWO, GOOD),
            "wrapped": ({f"a/b/c/{n}": d for n, d in TWO.items()}, GOOD),
            "junk beside": (
                {**TWO, "__MACOSX/._x": b"", ".DS_Store": b"", "cat/Thumbs.db": b"x", "readme.txt": b"hi"},
                GOOD,
            ),
            "one broken": ({**TWO, "cat/9.png": b"broken"}, GOOD),
            "one hostile name": ({**TWO, "../9.png": png(99)}, GOOD),
            "wrong endings": ({n.replace(".png", ".jpg"): d for n, d in TWO.items()}, GOOD),
            "no endings": ({n.replace(".png", ""): d for n, d in TWO.items()}, GOOD),
            "letters": (
                {n.replace("cat", "Röhrling").replace("dog", "猫"): d for n, d in TWO.items()},
                {"Röhrling": 2, "猫": 2},
            ),
            "emoji and blanks": (
                {n.replace("cat", "a b").replace("dog", "🐕"): d for n, d in TWO.items()},
                {"a b": 2, "🐕": 2},
            ),
            "formulas": (
                {n.replace("cat", "=1+1").replace("dog", "<b>x"): d for n, d in TWO.items()},
                {"=1+1": 2, "<b>x": 2},
            ),
            "numbers": (
                {n.replace("cat", "001").replace("dog", "010"): d for n, d in TWO.items()},
                {"001": 2, "010": 2},
            ),
            "train and dev": (
                {f"{s}/{n}": png(hash_of(s + n)) for s in ("train", "dev") for n in TWO},
                {"cat": 4, "dog": 4},
            ),
            "seg_train": (
                {f"seg_{s}/seg_{s}/{n}": png(hash_of(s + n)) for s in ("train", "test") for n in TWO},
                {"cat": 4, "dog": 4},
            ),
            "a class called train": (
                {
                    f"{s}/{c}/{k}.png": png(hash_of(s + c + str(k)))
                    for s in ("train", "test")
                    for c in ("bus", "train")
                    for k in range(2)
                },
                {"bus": 4, "train": 4},
            ),
            "csv": (
                {
                    **{f"images/{k}.png": png(k) for k in range(4)},
                    "l.csv": b"file,label\n0,a\n1,b\n2,a\n3,b\n",
                },
                {"a": 2, "b": 2},
            ),
            "copies": ({**TWO, "cat/3.png": TWO["cat/1.png"]}, {"cat": 3, "dog": 2}),
        }
        found += [
            Given(f"odd: {name}, {way}", make(files), counts) for name, (files, counts) in trees.items()
        ]
    kinds = ("JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
    found += [
        Given(
            f"odd: {kind}",
            zipped(
                {
                    f"{c}/{k}": encode(pixels(9 * i + k, size=(24, 24)), kind)
                    for i, c in enumerate(("cat", "dog"))
                    for k in range(2)
                }
            ),
            GOOD,
        )
        for kind in kinds
    ]
    deep = [np.random.default_rng(k).integers(0, 4096, (16, 16)).astype(np.uint16) for k in range(4)]
    found.append(
        Given(
            "odd: 12 bits",
            zipped({f"{('cat', 'dog')[k % 2]}/{k}.tif": encode(v, "TIFF") for k, v in enumerate(deep)}),
            GOOD,
        )
    )
    grey = {
        f"{('cat', 'dog')[k % 2]}/{k}.tif": encode(Image.fromarray(v.astype(np.float32) / 4095), "TIFF")
        for k, v in enumerate(deep)
    }
    found.append(Given("odd: floats", zipped(grey), GOOD))
    found.append(
        Given(
            "odd: a comment", changed(zipped(TWO), lambda d: d[:-2] + struct.pack("<H", 5) + b"hello"), GOOD
        )
    )
    found.append(
        Given("odd: text before the archive", changed(zipped(TWO), lambda d: b"#!/bin/sh\n" + d), GOOD)
    )
    return found


# --- the doors ---


def through_core(path: Path) -> Mapping[str, int] | None:
    try:
        return import_path(path).counts
    except GMAugError as error:
        told = error.to_dict()
    assert told["what"]
    assert told["expected"] or told["todo"]
    return None


def through_command(path: Path) -> Mapping[str, int] | None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(["import", str(path), "--json"])
    document = json.loads(out.getvalue())
    if status == 0:
        data = dataset.load(document["dataset"])
        return dict(Counter(data.class_names[label] for label in data.labels.tolist()))
    assert status in (1, 2), status
    assert document["error"]["what"]
    return None


class Server:
    """The routes of the dashboard, asked over HTTP; an import that they start runs here, at once."""

    def __init__(self) -> None:
        from starlette.applications import Starlette
        from starlette.testclient import TestClient

        from gmaug_core import children
        from gmaug_core.ui import routes

        children.start = lambda _module, token, **_: jobs.work(token)  # type: ignore[assignment]
        self.routes = routes
        self.client = TestClient(Starlette(routes=[r for r in routes.ROUTES if "uploads" in r.path]))

    def __call__(self, path: Path) -> Mapping[str, int] | None:
        token, data = jobs.new_token(), path.read_bytes()
        own = {"x-ticket": self.routes.upload_ticket(token)}
        head = {
            "x-name": path.name.encode("ascii", "replace").decode(),
            "x-total": str(len(data)),
            "x-modified": "1",
        }
        begun = self.client.post(f"/uploads/{token}", headers=own | head, content=data[: self.routes.HEAD])
        if begun.status_code != 200:
            assert 400 <= begun.status_code < 500, begun.text
            return None
        for at in range(0, len(data), SLICE):
            sent = {"x-upload": begun.json()["upload"], "x-offset": str(at)} | head
            answer = self.client.put(f"/uploads/{token}", headers=own | sent, content=data[at : at + SLICE])
            assert answer.status_code < 500, answer.text
        state = jobs.status(token)
        assert state, "the import never began"
        if state["state"] == "failed":
            assert state["error"]["what"]
            if state.get("readings"):  # what was sent stays until a person has chosen
                for ending in (".part", ".json"):
                    jobs.upload_path(token).with_suffix(ending).unlink()
            return None
        return {name: int(n) for name, n in state["report"]["counts"].items()}


def left_behind(home: Path) -> list[str]:
    """What a refused import left, beside datasets and records."""
    found = [p.name for p in (home / "datasets").glob(".import-*")] if (home / "datasets").exists() else []
    return found + [p.name for p in home.glob("uploads/*")]


def in_this_process() -> Callable[[verify.Verifier, list[bytes]], list[dict[str, object]]]:
    return lambda self, files: [verify._verify(data, self._staging) for data in files]


def run(given: list[Given], doors: Mapping[str, Door], home: Path) -> dict[str, object]:
    """Every input through every door. Returns counts and what went wrong."""
    wrong: list[str] = []
    slowest = 0.0
    usual = verify.Verifier.check
    with tempfile.TemporaryDirectory() as folder:
        for number, item in enumerate(given):
            path = item.make(Path(folder) / f"given{number}")
            for door, through in doors.items():
                verify.Verifier.check = usual if number % CHILD_EVERY == 0 else in_this_process()  # type: ignore[method-assign,assignment]
                start = time.perf_counter()
                try:
                    found = through(path)
                except Exception as error:  # noqa: BLE001  # it is what is looked for
                    wrong.append(f"{item.name} ({door}): {type(error).__name__}: {error}"[:300])
                    continue
                took = time.perf_counter() - start
                slowest = max(slowest, took)
                if took > SECONDS:
                    wrong.append(f"{item.name} ({door}): {took:.1f} s")
                if (None if found is None else dict(found)) != (
                    None if item.counts is None else dict(item.counts)
                ):
                    wrong.append(f"{item.name} ({door}): {found}, not {item.counts}"[:300])
                if left := left_behind(home):
                    wrong.append(f"{item.name} ({door}): left {left[:3]}")
            path.unlink()
    verify.Verifier.check = usual  # type: ignore[method-assign]
    return {"inputs": len(given), "doors": list(doors), "wrong": wrong, "slowest_seconds": round(slowest, 2)}


def mutations(count: int, seconds: float) -> dict[str, object]:
    """Valid archives with a few bytes changed, cut, doubled or swapped, through the core; as many as there is
    time for."""
    deadline = time.monotonic() + seconds
    random = np.random.default_rng(derive("intake corpus", 0))
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    slowest = 0.0
    verify.Verifier.check = in_this_process()  # type: ignore[method-assign,assignment]
    kinds = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
    ways: tuple[Callable[[Files], Make], ...] = (zipped, tarred, lambda files: tarred(files, ""))
    mixed = {f"{c}/{kind}": encode(pixels(i), kind) for i, kind in enumerate(kinds) for c in ("cat", "dog")}
    with tempfile.TemporaryDirectory() as folder:
        given = [make(mixed)(Path(folder) / f"v{k}") for k, make in enumerate(ways)]
        given.append(
            zipped(
                {**{f"i/{k}.png": png(k) for k in range(4)}, "l.csv": b"file,label\n0,a\n1,b\n2,a\n3,b\n"}
            )(Path(folder) / "v9")
        )
        bytes_of = [(path.read_bytes(), path.suffix) for path in given]
        for number in range(count):
            if time.monotonic() > deadline:
                break
            data, ending = bytes_of[number % len(bytes_of)]
            out = bytearray(data)
            for _ in range(int(random.integers(1, 5))):
                at, size = int(random.integers(len(out))), int(random.integers(1, 9))
                match int(random.integers(4)):
                    case 0:
                        out[at : at + size] = random.integers(
                            0, 256, len(out[at : at + size]), np.uint8
                        ).tobytes()
                    case 1:
                        del out[at : at + size]
                    case 2:
                        out[at:at] = out[at : at + size]
                    case 3:
                        out[at] ^= 1 << int(random.integers(8))
                if not out:
                    out = bytearray(b"x")
            path = Path(folder) / f"m{ending}"
            path.write_bytes(bytes(out))
            start = time.perf_counter()
            try:
                ends["refused" if through_core(path) is None else "imported"] += 1
            except Exception as error:  # noqa: BLE001  # it is what is looked for
                ends["crashed"] += 1
                wrong.append(f"mutation {number}: {type(error).__name__}: {error}"[:300])
            slowest = max(slowest, time.perf_counter() - start)
    return {
        "asked": count,
        "mutations": ends.total(),
        "ends": dict(ends),
        "wrong": wrong,
        "slowest_seconds": round(slowest, 2),
    }


def main() -> None:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="for the mutations")
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["GMAUG_HOME"] = str(home)
        os.sync = lambda: None  # the disk is not what is measured
        bad = [*bad_files(), *bad_names(), *bad_archives(), *bad_images(), *bad_layouts()]
        good = odd()
        names = [item.name for item in bad + good]
        assert len(names) == len(set(names)), [name for name, n in Counter(names).items() if n > 1]
        doors: dict[str, Door] = {"core": through_core, "command line": through_command, "HTTP": Server()}
        begun = time.perf_counter()
        document: dict[str, object] = {"bad": run(bad, doors, home)}
        write_json(args.out, document)  # a run that is ended early leaves what it found
        document["odd"] = run(good, doors, home)
        write_json(args.out, document)
        document |= {
            "mutations": mutations(args.mutations, args.seconds),
            "seconds": round(time.perf_counter() - begun, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "outside": sorted(p.name for p in Path(folder).iterdir() if p != home),
        }
    write_json(args.out, document)
    print(json.dumps(document, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
