"""Layouts of public datasets in small, by names and lists alone: which classes and splits are read, what is
refused, and what is left to a person. No image is decoded."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gmaug_core.data.folders import class_names
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts import Doubt, choose
from gmaug_core.intake.layouts.contract import Options, Tree
from gmaug_core.intake.listing import Listing
from gmaug_core.intake.refusals import refuse_names

AB = "abab"


class Given:
    """A source of files in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.listing = Listing()
        for name, data in files.items():
            self.listing.add(name, data, None)

    def size(self, handle: bytes) -> int:
        return len(handle)

    def read(self, handle: bytes, limit: int = 0) -> bytes:
        return handle


def at(*folders: str, n: int = 3) -> dict[str, bytes]:
    return {f"{folder}/{k}.png": b"" for folder in folders for k in range(n)}


def flat(form: str = "images/{}.png", n: int = 4) -> dict[str, bytes]:
    return {form.format(k): b"" for k in range(n)}


def text(*rows: str, end: str = "\n") -> bytes:
    return end.join(rows).encode()


def table(form: str, head: str = "file,label", end: str = "\n") -> bytes:
    """A row for each of four images: form has {k}, its number, and {c}, its class."""
    return text(*([head] if head else []), *(form.format(k=k, c=AB[k]) for k in range(4)), end=end)


def read(files: dict[str, bytes], options: Options | None = None):
    given = Given(files)
    tree = Tree(given)
    chosen = choose(tree, options or Options(), "x")
    if chosen is None:
        refuse_names(Path("x"), tree, options or Options(), given.listing, 2)
    return chosen.reading


TRAIN_TEST = at("train/cat", "train/dog", "test/cat", "test/dog")
TWO_AND_TWO = {"a": 2, "b": 2}
SPLIT_WORDS = {
    "German": ("Trainingsdaten", "Validierung", "Testdaten"),
    "Spanish": ("entrenamiento", "validacion", "prueba"),
    "French": ("entraînement", "validation", "test"),
    "Chinese": ("训练集", "验证集", "测试集"),
    "Japanese": ("学習データ", "検証", "テスト"),
    "Russian": ("обучение", "валидация", "тест"),
    "capitals": ("TRAIN", "VAL", "TEST"),
    "numbers": ("01-training", "02_Validation Set", "03-testing"),
    "held out": ("train", "dev", "hold-out"),
}


@pytest.mark.parametrize("words", SPLIT_WORDS.values(), ids=SPLIT_WORDS)
def test_splits_in_many_words(words):
    places = read(at(*(f"{split}/{c}" for split in words for c in ("cat", "dog")))).placed
    assert Counter(place.split for place in places.values()) == {"train": 6, "val": 6, "test": 6}
    assert {place.path for place in places.values()} == {("cat",), ("dog",)}


LISTS = {  # name: the list's path and bytes
    "the label first, in numbers": ("x.csv", text("label,id", "0,0", "1,1", "0,2", "1,3")),
    "paths of Windows": ("x.csv", table(r"C:\me\images\{k}.png,{c}")),
    "paths of a notebook": ("x.csv", table("/kaggle/input/x/images/{k}.png,{c}")),
    "addresses": ("x.csv", table("https://h.org/y/{k}.png?s=1,{c}")),
    "paths from beside": ("lists/x.csv", table("../images/{k}.png,{c}")),
    "old line ends": ("x.csv", table("{k}.png,{c}", end="\r")),
    "comments": ("x.csv", b"# by me\n" + table("{k}.png,{c}")),
    "another ending": ("x.csv", table("{k}.JPG,{c}")),
    "lost zeros": ("x.csv", table("00{k},{c}")),
    "numbers with a point": ("x.csv", table("{k}.0,{c}")),
    "JSON of image to class": ("l.json", json.dumps({f"{k}.png": AB[k] for k in range(4)}).encode()),
    "JSON of class to images": ("l.json", b'{"a": ["0.png", "2.png"], "b": ["1.png", "3.png"]}'),
    "JSON records": (
        "l.json",
        json.dumps([{"Image": f"{k}.png", "label": AB[k]} for k in range(4)]).encode(),
    ),
    "ndjson": ("l.ndjson", text(*(json.dumps({"image": f"{k}.png", "label": AB[k]}) for k in range(4)))),
    "rows counted before other numbers": (
        "x.csv",
        text(",id,label", "0,3,b", "1,2,a", "2,1,b", "3,0,a"),
    ),
    "rows counted before files": (
        "x.csv",
        text(",file,label", "0,3.png,b", "1,2.png,a", "2,1.png,b", "3,0.png,a"),
    ),
    "columns by whitespace": ("l.txt", table("{k} {c} 1 1", "#image label x y")),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_as_people_write_them(name):
    file, data = LISTS[name]
    reading = read({**flat(), file: data})
    counts = Counter("ab"[int(f.rpartition("/")[2][0]) % 2] for f in reading.placed)
    assert counts == TWO_AND_TWO
    assert reading.partition(reading.placed.keys()) == {
        frozenset(f for f in flat() if int(f.rpartition("/")[2][0]) % 2 == odd) for odd in (0, 1)
    }


@pytest.mark.parametrize(
    ("words", "encoding", "letters"),
    [
        (("楷书", "草书"), "gbk", "GBK"),
        (("さくら", "もみじ"), "shift_jis", "shift_jis"),
        (("käfer", "möwe"), "cp1252", "cp1252"),
        (("käfer", "möwe"), "utf-8", ""),
        (("käfer", "möwe"), "utf-16", ""),
    ],
)
def test_a_list_in_letters_that_nobody_wrote_down(words, encoding, letters):
    list_ = text("file,label", *(f"{k}.png,{words[k % 2]}" for k in range(4))).decode().encode(encoding)
    reading = read({**flat(), "x.csv": list_})
    assert {place.path[-1] for place in reading.placed.values()} == set(words)
    assert any(f"read as {letters}" in line for line in reading.warnings) == bool(letters)


BLANKS = {
    "in a label": (flat("images/10{}.png"), "10{k} {c}{c} 7-2{c}"),
    "in some labels": (flat("images/10{}.png"), "10{k} {c}{c}"),
    "in names": (flat("images/my cat {}.png"), "my cat {k}.png {c}"),
}


@pytest.mark.parametrize("name", BLANKS)
def test_blanks_in_lists_that_are_columns_by_blanks(name):
    files, form = BLANKS[name]
    list_ = table(form, "").replace(b"bb", b"b x" if "some" in name else b"b b")
    reading = read({**files, "x.txt": list_})
    assert sorted(map(len, reading.partition(files.keys()))) == [2, 2]
    assert len(reading.placed) == 4


NUMBERED = table("{k}.png,{c}").replace(b",a", b",0").replace(b",b", b",1")
TITLES = {
    "classes.txt": b"cat\ndog\n",
    "label_map.json": b'{"0": "cat", "1": "dog"}',
    "class_to_idx.json": b'{"cat": 0, "dog": 1}',
    "class_names.csv": b"id,name\n0,cat\n1,dog\n",
    "labels.txt": b"0 cat\n1 dog\n",
    "class_list.txt": b"dog 1\ncat: 0\n",
    "label_names.csv": b"id,count,name\n0,51,cat\n1,49,dog\n",
    "category_names.csv": b"name,id\ncat,0\ndog,1\n",
}


@pytest.mark.parametrize("file", TITLES)
def test_numbers_are_called_what_a_file_beside_them_says(file):
    reading = read({**flat(), "train.csv": NUMBERED, file: TITLES[file]})
    assert {place.path for place in reading.placed.values()} == {("cat",), ("dog",)}
    assert any(file in warning for warning in reading.warnings)


def test_names_that_end_in_a_number_are_no_numbers():
    reading = read({**flat(), "train.csv": NUMBERED, "classes.txt": b"Boeing 737\nBoeing 707\n"})
    assert {place.path[-1] for place in reading.placed.values()} == {"Boeing 707", "Boeing 737"}


def test_lines_that_may_count_from_0_or_1_name_nothing():
    ones = NUMBERED.replace(b",0", b",2")  # labels 1 and 2 of three lines
    reading = read({**flat(), "train.csv": ones, "classes.txt": b"x\ny\nz\n"})
    assert {place.path for place in reading.placed.values()} == {("1",), ("2",)}


ROWS = [f"{c}/{k}.png,{c}" for c in ("cat", "dog") for k in range(3)]
READ = {  # name: files, images of each class, of train, val and test, words of a warning
    "usage as FER says it": (
        {
            **flat(n=6),
            "x.csv": text(
                "file,emotion,Usage",
                *(f"{k},{'ab'[k % 2]},{('Training', 'PublicTest', 'PrivateTest')[k // 2]}" for k in range(6)),
            ),
        },
        {"a": 3, "b": 3},
        (2, 0, 4),
        "",
    ),
    "lists called by their split": (
        {
            **flat(n=8),
            "train_labels.csv": table("{k}.png,{c}"),
            "test_labels.csv": text("file,label", *(f"{k}.png,{'ab'[k % 2]}" for k in range(4, 8))),
        },
        {"a": 4, "b": 4},
        (4, 0, 4),
        "",
    ),
    "a list of all beside one of test": (
        {
            **flat(),
            "labels.csv": table("{k}.png,{c}"),
            "test.csv": text("file,label", "2.png,a", "3.png,b"),
        },
        TWO_AND_TWO,
        (2, 0, 2),
        "",
    ),
    "names that train and test share": (
        {**flat("train/{}.png"), **flat("test/{}.png"), "trainLabels.csv": table("{k},{c}", "id,label")},
        TWO_AND_TWO,
        (4, 0, 0),
        "4 images are not in trainLabels.csv",
    ),
    "a list that knows the split beside folders": (
        {
            **at("cat", "dog"),
            "train.csv": text("f,label", *ROWS[:2], *ROWS[3:5]),
            "test.csv": text("f,label", ROWS[2], ROWS[5]),
        },
        {"cat": 3, "dog": 3},
        (4, 0, 2),
        "",
    ),
    "lists of files alone": (
        {
            **at("images/cat", "images/dog"),
            "meta/train.txt": text(*(f"{c}/{k}" for c in ("cat", "dog") for k in (0, 1))),
            "meta/test.txt": text("cat/2", "dog/2"),
            "meta/classes.txt": text("cat", "dog"),
        },
        {"cat": 3, "dog": 3},
        (4, 0, 2),
        "the split is that of 'meta/test.txt', 'meta/train.txt'",
    ),
    "maps of classes to images, one a split, as Food-101": (
        {
            **at("images/cat", "images/dog"),
            "meta/train.json": json.dumps({c: [f"{c}/0", f"{c}/1"] for c in ("cat", "dog")}).encode(),
            "meta/test.json": json.dumps({c: [f"{c}/2"] for c in ("cat", "dog")}).encode(),
            "meta/train.txt": text(*(f"{c}/{k}" for c in ("cat", "dog") for k in (0, 1))),
            "meta/test.txt": text("cat/2", "dog/2"),
        },
        {"cat": 3, "dog": 3},
        (4, 0, 2),
        "",
    ),
    "folds of a published split": (
        {
            **at("cat", "dog"),
            "train1.txt": text("cat/0", "dog/0"),
            "test1.txt": text("cat/1", "dog/1"),
            "train2.txt": text("cat/1", "dog/1"),
            "test2.txt": text("cat/0", "dog/0"),
        },
        {"cat": 3, "dog": 3},
        (6, 0, 0),
        "they were not used",
    ),
    "images below each class, as Tiny ImageNet": (
        {
            **at("train/n1/images", "train/n2/images"),
            **flat("val/images/{}.png"),
            **flat("test/images/{}.png"),
        },
        {"n1": 3, "n2": 3},
        (6, 0, 0),
        "",
    ),
    "masks beside images": (
        at("lung/images", "lung/masks", "skin/images", "skin/masks"),
        {"lung": 3, "skin": 3},
        (6, 0, 0),
        "6 images lie in folders of masks",
    ),
    "masks called like their images, as BUSI": (
        {f"{c}/{c} ({k}){m}.png": b"" for c in ("ill", "ok") for k in "12" for m in ("", "_mask", "_seg_1")},
        {"ill": 2, "ok": 2},
        (4, 0, 0),
        "8 images are masks of those beside them",
    ),
    "names that end like masks alone": (
        {f"{c}/{k}_mask.png": b"" for c in ("with", "without") for k in (1, 2)},
        {"with": 2, "without": 2},
        (4, 0, 0),
        "",
    ),
    "annotations without an ending, as Stanford Dogs": (
        {**at("Images/n1-a", "Images/n2-b"), "Annotation/n1-a/n1_1": b"<x>", "Annotation/n2-b/n2_1": b"<x>"},
        {"n1-a": 3, "n2-b": 3},
        (6, 0, 0),
        "2 images lie in folders of masks",
    ),
    "folders of parts and a list": (
        {
            **flat("images_001/images/a{}.png"),
            **flat("images_002/images/b{}.png"),
            "Data_Entry.csv": text(
                "Image Index,Finding Labels,Patient ID,Age",
                *(f"{x}{k}.png,{AB[k]},{k // 2},5{k}" for x in "ab" for k in range(4)),
            ),
        },
        {"a": 4, "b": 4},
        (8, 0, 0),
        "images of one source",
    ),
    "what disks and programs leave": (
        {**at("cat", "dog"), **at("cat/@eaDir/0.png", "$RECYCLE.BIN/S-1", "__pycache__", "lost+found/x")},
        {"cat": 3, "dog": 3},
        (6, 0, 0),
        "",
    ),
    "labels in two cases": (
        {**flat(), "x.csv": text("file,label", "0,Cat", "1,cat ", "2,cat", "3,dog")},
        {"Cat": 1, "cat": 2, "dog": 1},
        (4, 0, 0),
        "upper and lower case only: Cat, cat",
    ),
    "labels that are not there": (
        {**flat(n=6), "x.csv": text("file,label", "0,a", "1,NaN", "2,", "3,b", "4,b", "5,a")},
        TWO_AND_TWO,
        (4, 0, 0),
        "2 images have no label",
    ),
    "numbers with a point, and some not there": (
        {
            **flat(n=6),
            "x.csv": text("file,label", "0,1.0", "1,nan", "2,0.0", "3,0.0", "4,1.0", "5,NaN"),
            "classes.txt": b"cat\ndog\n",
        },
        {"cat": 2, "dog": 2},
        (4, 0, 0),
        "2 images have no label",
    ),
    "several labels in a cell": (
        {**flat(n=6), "x.csv": text("file,label", "0,a", "1,b", "2,a|b", "3,a", "4,b", "5,a|b")},
        {"a": 2, "a|b": 2, "b": 2},
        (6, 0, 0),
        "2 images have several labels in x.csv",
    ),
    "a column of yes and no for the split": (
        {**flat(), "x.csv": text("file,kind,is_valid", "0,a,False", "1,b,False", "2,a,True", "3,b,True")},
        TWO_AND_TWO,
        (2, 2, 0),
        "",
    ),
    "a class called None": (
        {**flat(), "x.csv": text("file,label", "0,None", "1,b", "2,None", "3,b")},
        {"None": 2, "b": 2},
        (4, 0, 0),
        "taken as the name of a class",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_layout_is_read(name):
    files, counts, splits, warning = READ[name]
    reading = read(files)
    names = class_names(place.path for place in reading.placed.values())
    assert Counter(names[place.path] for place in reading.placed.values()) == counts
    said = Counter(place.split for place in reading.placed.values())
    assert (said["train"], said["val"], said["test"]) == splits
    assert not warning or any(warning in line for line in reading.warnings), reading.warnings


CLIPS = [f"{a}/v_{a}_g0{g}_c01" for a in ("Box", "Run") for g in (1, 2, 3)]
NEAR = {  # name: files, what the refusal says
    "clips": (at(*CLIPS), "2 classes from the folders of level 1"),
    "slides": (at("tumor/TCGA-A1-99X", "tumor/TCGA-B2-77Q", "normal/TCGA-C3-1Z"), "--level '1'"),
    "keys": (at("tumor/3f2a9c", "tumor/b81e77", "normal/9cc0a1", "normal/77fe01"), "--level '1'"),
    "pairs of images": (
        {**flat(), "p.csv": text("one,other,same", *(f"{k}.png,{3 - k}.png,{k % 2}" for k in range(4)))},
        "column same",
    ),
    "two columns of one name": (
        {**flat(), "x.csv": text("file,label,label", "0,a,x", "1,b,x", "2,a,y", "3,b,y")},
        "label (column 3)",
    ),
    "two lists of one form": (
        {
            **flat(),
            "fine.csv": text("file,label", "0.png,a", "1.png,b", "2.png,c", "3.png,c"),
            "coarse.csv": table("{k}.png,{c}"),
        },
        "--labels 'fine.csv:label'",
    ),
    "two splits of one list": (
        {
            **TRAIN_TEST,
            "x.csv": text(
                "f,label,split",
                *(f"{f},{f.split('/')[1]},{('train', 'test')[k % 2]}" for k, f in enumerate(TRAIN_TEST)),
            ),
        },
        "--labels 'folders'",
    ),
    "dogs and cats": (
        {**{f"train/{c}.{k}.png": b"" for c in ("cat", "dog") for k in range(4)}, **flat("test1/{}.png")},
        "'cat', 'dog'",
    ),
    "names in splits": (
        {f"{s}/{c}_{k}.png": b"" for s in ("train", "test") for c in ("cat", "dog") for k in range(4)},
        "2 classes from the file names ('cat', 'dog'), 2 splits",
    ),
    **{
        f"names like {form}": (
            {form.format(c=c, k=k): b"" for c in ("cat", "dog") for k in range(4)},
            "'cat', 'dog'",
        )
        for form in ("{k}_{c}.png", "{k:03d}-{c}.png", "{c}+{k}.png", "IMG-{c}-{k}.png", "{k} {c}.png")
    },
}


@pytest.mark.parametrize("name", NEAR)
def test_what_nobody_can_know_is_left_to_a_person(name):
    files, words = NEAR[name]
    with pytest.raises(Doubt) as caught:
        read(files)
    assert words in str(caught.value)


def test_several_lists_can_be_chosen_together():
    lists = {
        f"{form}_{side}.txt": text(*(f"images/{k}.png {form}{k // by % 2}" for k in own))
        for form, by in (("family", 1), ("variant", 2))
        for side, own in (("train", range(4)), ("test", range(4, 8)))
    }
    files = {**flat(n=8), **lists}
    with pytest.raises(Doubt) as caught:
        read(files)
    assert len(caught.value.readings) == 2
    for _, options in caught.value.readings:
        assert options.labels
        assert options.said() in caught.value.todo
        reading = read(files, options)
        assert Counter(place.split for place in reading.placed.values()) == {"train": 4, "test": 4}


REFUSED = {  # name: files, what the refusal names
    "YOLO": (
        {
            **at("train/images", "valid/images"),
            **{f"train/labels/{k}.txt": b"0 .5 .5 .1 .1" for k in range(3)},
        },
        "boxes (YOLO)",
    ),
    "VOC": ({**flat("JPEGImages/{}.jpg"), "Annotations/0.xml": b"<x>"}, "boxes (VOC)"),
    "VOC with its masks": (at("V/JPEGImages", "V/SegmentationClass", "V/SegmentationObject"), "one class"),
    "a spreadsheet": ({**flat(), "labels.xlsx": b"PK"}, "save it as CSV"),
    "a MATLAB file": ({**flat("jpg/{}.jpg"), "imagelabels.mat": b"x"}, "MATLAB"),
    "WebDataset": ({"0.jpg": b"", "0.cls": b"1", "1.jpg": b"", "1.cls": b"0"}, "WebDataset"),
    "a list of other images": (
        {**flat(), "x.csv": text("file,label", "x9,a", "y9,b")},
        "its first cell is 'x9'",
    ),
    "captions": (
        {**flat(), "m.csv": text("file_name,text", *(f"{k}.png,a photo of {k}" for k in range(4)))},
        "no column",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_lies_beside_is_named_where_there_are_no_classes(name):
    files, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(files)
    assert words in str(caught.value)
