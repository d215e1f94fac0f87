"""What people really import: each row a public report, the tree in small, and what must come of it."""

from __future__ import annotations

import json

import pytest
from corpus import files, make_folder, png

from gmaug_core.data import dataset, store
from gmaug_core.errors import InputError
from gmaug_core.intake import import_path, verify
from gmaug_core.intake.door import preview
from gmaug_core.intake.layouts import LAYOUTS, Options


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Decoding in this process, no sync of the disk: children and disks have tests of their own."""
    monkeypatch.setattr(
        verify.Verifier, "check", lambda self, given: [verify._verify(data, self._staging) for data in given]
    )
    monkeypatch.setattr(store.os, "sync", lambda: None)


def tree(*folders: str, n: int = 2) -> dict[str, bytes]:
    """n distinct images in each folder."""
    return files(*(f"{folder}/{i}.png" for folder in folders for i in range(n)))


def csv(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def coco(names: list[str], categories: list[dict], *, labels: int | None = None) -> bytes:
    return json.dumps(
        {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
            "annotations": [
                {"id": i, "image_id": i, "category_id": categories[i % len(categories)]["id"]}
                for i in range(len(names) if labels is None else labels)
            ],
            "categories": categories,
        }
    ).encode()


ANT_BEE = [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}]
FLAT = tree("images", n=4)
LABELS = ["a", "b", "a", "b"]
HAM = {
    **files(
        "HAM_part_1/ISIC_0.png", "HAM_part_1/ISIC_1.png", "HAM_part_2/ISIC_2.png", "HAM_part_2/ISIC_3.png"
    ),
    "HAM_metadata.csv": csv(
        "lesion_id,image_id,dx,age", *(f"L{i // 2},ISIC_{i},{'mn'[i % 2]},4{i}" for i in range(4))
    ),
}
TWICE = tree("train/sick", "train/well", "test/sick", "test/well")
SPLIT = tree("train/a", "train/b", "dev/a", "dev/b")

CASES = {  # name: files, classes, (train, val, test), words of a warning
    "class_called_train": (
        tree("train/bus", "train/train", "train/car", "test/bus", "test/train", "test/car"),
        {"bus": 4, "car": 4, "train": 4},
        (6, 0, 6),
        "",
    ),
    "ham10000": (HAM, {"m": 2, "n": 2}, (4, 0, 0), "images of one source"),
    "csv_with_file_names": (
        {**FLAT, "labels.csv": csv("filename,label", *(f"{i}.png,{LABELS[i]}" for i in range(4)))},
        {"a": 2, "b": 2},
        (4, 0, 0),
        "",
    ),
    "csv_one_hot": (
        {**FLAT, "t.csv": csv("image,a,b", "0,1.0,0.0", "1,0.0,1.0", "2,1.0,0.0", "3,0.0,1.0")},
        {"a": 2, "b": 2},
        (4, 0, 0),
        "",
    ),
    "tsv_in_utf_16": (
        {**FLAT, "l.tsv": "file\tlabel\n0.png\tä\n1.png\tb\n2.png\tä\n3.png\tb\n".encode("utf-16")},
        {"b": 2, "ä": 2},
        (4, 0, 0),
        "",
    ),
    "csv_with_a_split": (
        {**FLAT, "l.csv": csv("f,label,split", "0,a,train", "1,b,train", "2,a,test", "3,b,test")},
        {"a": 2, "b": 2},
        (2, 0, 2),
        "",
    ),
    "hf_metadata": (
        {
            **tree("train", "test", n=4),
            **{
                f"{s}/metadata.csv": csv("file_name,label", *(f"{i}.png,{LABELS[i]}" for i in range(4)))
                for s in ("train", "test")
            },
        },
        {"a": 4, "b": 4},
        (4, 0, 4),
        "",
    ),
    "jsonl": (
        {
            **tree("train", n=4),
            "train/metadata.jsonl": csv(
                *(json.dumps({"file_name": f"{i}.png", "label": LABELS[i]}) for i in range(4))
            ),
        },
        {"a": 2, "b": 2},
        (4, 0, 0),
        "",
    ),
    "fiftyone": (
        {
            **tree("data", n=4),
            "labels.json": b'{"classes": ["a", "b"], "labels": {"0": 0, "1": 1, "2": 0, "3": 1}}',
        },
        {"a": 2, "b": 2},
        (4, 0, 0),
        "",
    ),
    "stylegan": (
        {
            **tree("00000", n=4),
            "dataset.json": json.dumps(
                {"labels": [[f"00000/{i}.png", (5, 7)[i % 2]] for i in range(4)]}
            ).encode(),
        },
        {"5": 2, "7": 2},
        (4, 0, 0),
        "",
    ),
    "coco_layout": (
        {
            **tree("train2017", "val2017", n=4),
            "annotations/instances_train2017.json": coco([f"{i}.png" for i in range(4)], ANT_BEE),
            "annotations/instances_val2017.json": coco([f"{i}.png" for i in range(4)], ANT_BEE),
        },
        {"ant": 4, "bee": 4},
        (4, 4, 0),
        "",
    ),
    "seg_train": (
        {
            **tree(
                "seg_train/seg_train/ice",
                "seg_train/seg_train/sea",
                "seg_test/seg_test/ice",
                "seg_test/seg_test/sea",
            ),
            "seg_pred/seg_pred/9.png": png(99),
        },
        {"ice": 4, "sea": 4},
        (4, 0, 4),
        "",
    ),
    "train_dev": (SPLIT, {"a": 4, "b": 4}, (4, 4, 0), ""),
    "tree_twice": (
        {**TWICE, **{f"xray/{name}": data for name, data in TWICE.items()}},
        {"sick": 4, "well": 4},
        (4, 0, 4),
        "the same tree lies here twice",
    ),
    "test_beside_the_classes": (  # files are called alike, and are others
        tree("sick", "well", "test/sick", "test/well"),
        {"sick": 4, "well": 4},
        (4, 0, 4),
        "",
    ),
    "more_images_called_alike": (
        tree("sick", "well", "more/sick", "more/well"),
        {"more/sick": 2, "more/well": 2, "sick": 2, "well": 2},
        (8, 0, 0),
        "2 folders lie deeper or less deep than most",
    ),
    "a_folder_in_a_class": (
        {**tree("cat", "dog", n=3), **tree("cat/old")},
        {"cat": 3, "dog": 3, "old": 2},
        (8, 0, 0),
        "taken as classes of their own: 'cat/old'",
    ),
    "val_lacks_class": (
        tree("train/a", "train/b", "val/a"),
        {"a": 4, "b": 2},
        (4, 2, 0),
        "classes without an image in val: 'b'",
    ),
    "patient_folders": (
        tree("sick/patient_1", "sick/patient_2", "well/patient_3", "well/patient_4"),
        {"sick": 4, "well": 4},
        (8, 0, 0),
        "",
    ),
    "parts_of_classes": (
        tree("part_1/a", "part_1/b", "part_2/a", "part_2/b"),
        {"a": 4, "b": 4},
        (8, 0, 0),
        "",
    ),
    "conflicting_labels": (
        {**tree("a", "b"), "a/x.png": png(50), "b/y.png": png(50)},
        {"a": 3, "b": 3},
        (6, 0, 0),
        "two labels",
    ),
    "same_name_two_ids": (
        {
            **FLAT,
            "train.json": coco(
                [f"images/{i}.png" for i in range(4)],
                [{"id": 1, "name": "crane"}, {"id": 2, "name": "crane"}],
            ),
        },
        {"crane (id 1)": 2, "crane (id 2)": 2},
        (4, 0, 0),
        "one name",
    ),
    "one_unlabelled": (
        {**tree("images", n=5), "train.json": coco([f"images/{i}.png" for i in range(5)], ANT_BEE, labels=4)},
        {"ant": 2, "bee": 2},
        (4, 0, 0),
        "1 images of train.json have no label",
    ),
    "backslash_list": (
        {**FLAT, "train.json": coco([f"images\\{i}.png" for i in range(4)], ANT_BEE)},
        {"ant": 2, "bee": 2},
        (4, 0, 0),
        "",
    ),
    "unlisted_counted": (
        {**FLAT, "other/9.png": png(99), "train.json": coco([f"images/{i}.png" for i in range(4)], ANT_BEE)},
        {"ant": 2, "bee": 2},
        (4, 0, 0),
        "1 images are not in train.json",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case(home, tmp_path, name):
    contents, classes, splits, warning = CASES[name]
    found = import_path(make_folder(tmp_path / "given", contents))
    assert (found.counts, tuple(found.splits.values())) == (classes, splits)
    assert not warning or any(warning in line for line in found.warnings)
    assert found.layout
    assert found.accepted + len(found.refused) + len(
        [f for f in contents if "." in f and not f.endswith("png")]
    ) >= len(contents)


NEAR = {  # name: files, what the refusal names
    "numbers below names": (
        tree("fungi/0", "fungi/1", "fungi/2", "mammals/3", "mammals/4"),
        ("--level '1'", "--level '2'"),
    ),
    "the same names everywhere": (
        tree("left/a", "left/b", "right/a", "right/b"),
        ("--level '1'", "--level '2'", "--level 'all'"),
    ),
    "folders against a list": (
        {**tree("x", "y"), "l.csv": csv("file,label", "x/0.png,a", "x/1.png,b", "y/0.png,a", "y/1.png,b")},
        ("--labels 'folders'", "--labels 'l.csv:label'"),
    ),
    "two columns of labels": (
        {**FLAT, "l.csv": csv("file,class,category", "0,a,x", "1,b,x", "2,a,y", "3,b,y")},
        ("l.csv:class", "l.csv:category"),
    ),
    "names of files": (files("cat.1.png", "cat.2.png", "dog.1.png", "dog.2.png"), ("--pattern",)),
    "patients alone": (tree("patient_1", "patient_2"), ("--level 'all'",)),
}


@pytest.mark.parametrize("name", NEAR)
def test_near_readings_are_refused_and_each_can_be_chosen(home, tmp_path, name):
    contents, words = NEAR[name]
    folder = make_folder(tmp_path / "given", contents)
    with pytest.raises(InputError) as caught:
        import_path(folder)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert dataset.list_datasets() == []


def test_a_person_chooses(home, tmp_path):
    folder = make_folder(tmp_path / "near", NEAR["numbers below names"][0])
    assert import_path(folder, options=Options(level="1")).counts == {"fungi": 6, "mammals": 4}
    assert len(import_path(folder, options=Options(level="2")).counts) == 5
    listed = make_folder(tmp_path / "list", NEAR["folders against a list"][0])
    assert import_path(listed, options=Options(labels="l.csv")).counts == {"a": 2, "b": 2}
    assert import_path(listed, options=Options(labels="folders")).counts == {"x": 2, "y": 2}
    faces = make_folder(tmp_path / "faces", files("25_0_2_a.png", "25_1_2_b.png", "31_0_2_c.png"))
    assert import_path(faces, options=Options(pattern=r"(\d+)_\d_")).counts == {"25": 2, "31": 1}
    parts = make_folder(tmp_path / "parts", tree("alpha/a", "alpha/b", "omega/a", "omega/b"))
    options = Options(splits={"alpha": "train", "omega": "test"})
    assert import_path(parts, options=options).splits == {"train": 4, "val": 0, "test": 4}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(level="7"), "level 7"),
        (Options(level="x"), "no level"),
        (Options(labels="no.csv"), "there is no list 'no.csv'"),
        (Options(pattern="("), "no regular expression"),
        (Options(pattern="a"), "no parentheses"),
        (Options(pattern="(zzz)"), "matches no path"),
    ],
)
def test_a_choice_that_cannot_be(home, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        import_path(make_folder(tmp_path / "given", tree("a", "b")), options=options)


def test_a_preview_tells_and_writes_nothing(home, tmp_path):
    seen = preview(make_folder(tmp_path / "given", HAM), Options())
    assert seen["layout"].startswith("2 classes from HAM_metadata.csv, column dx ('m', 'n')")
    assert seen["choose"] == "--labels 'HAM_metadata.csv:dx'"
    assert dataset.list_datasets() == []


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.key)
def test_every_layout_keeps_the_contract(layout):
    """A layout never reads what it was not asked for, and a tree without a file has no reading."""

    class Empty:
        class listing:
            files, folders = (), set()

    from gmaug_core.intake.layouts import Tree

    assert layout.title
    if layout.key != "file-names":
        assert layout.read(Tree(Empty()), Options(pattern="(x)")) == []
    assert layout.read(Tree(Empty()), Options()) == []


@pytest.mark.parametrize(
    "name", ["data/train-0.parquet", "train.tfrecord", "train.tfrecord-0-of-2", "x.npz", "train-ubyte"]
)
def test_images_inside_of_a_file_are_named(home, tmp_path, name):
    folder = make_folder(tmp_path / "given", {name: b"x" * 99, "README.md": b"x"})
    with pytest.raises(InputError, match="out as files first"):
        import_path(folder)


def test_a_flat_folder_is_refused_before_it_is_decoded(home, tmp_path, monkeypatch):
    monkeypatch.setattr("gmaug_core.intake.door.store_images", None)
    with pytest.raises(InputError, match="no class folders and no list"):
        import_path(make_folder(tmp_path / "given", files("x.png", "y.png", "z.png")))
