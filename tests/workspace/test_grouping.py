from __future__ import annotations

import random

import pytest

from gmaug_core.errors import InputError
from gmaug_core.workspace import grouping
from gmaug_core.workspace.grouping import Grouping

SUBS = [f"bird {i}" for i in range(12)] + ["=cmd", "a,b", "c;d", "Ünïcode"]


def partition(groups: Grouping) -> None:
    groups.validate(SUBS)
    assert sorted(sub for subs in groups.super_classes.values() for sub in subs) == sorted(SUBS)


def test_ten_thousand_random_edits_keep_the_partition():
    rng = random.Random(0)
    groups = grouping.identity(SUBS)
    for step in range(10_000):
        names = list(groups.super_classes)
        action = rng.random()
        try:
            if action < 0.7:
                groups = groups.move(rng.choice(SUBS), rng.choice([*names, f"new {step % 7}"]))
            elif action < 0.8:
                groups = groups.add(f"new {step % 7}")
            elif action < 0.95:
                groups = groups.rename(rng.choice(names), f"name {step % 11}")
            else:
                groups = groups.without_empty()
        except InputError:
            continue  # a taken name: the grouping stays as it was
        if step % 100 == 0:
            partition(groups)
    partition(groups)


@pytest.mark.parametrize(
    ("super_classes", "said"),
    [
        ({"a": ["x"]}, "in no super-class: y, z"),
        ({"a": ["x", "y"], "b": ["y", "z"]}, "in more than one super-class: y"),
        ({"a": ["x", "y", "z", "zz"]}, r"unknown sub-classes: 'zz' \(did you mean 'z'"),
    ],
)
def test_validate_names_the_classes(super_classes, said):
    with pytest.raises(InputError, match=said):
        Grouping("g", super_classes).validate(["x", "y", "z"])


def test_csv_and_json_round_trip():
    groups = Grouping("g", {"=SUM(A1)": SUBS[:5], "rest": SUBS[5:]})
    assert "\n'=cmd," in groups.to_csv()
    for text in (groups.to_csv(), groups.to_json(), "\ufeff" + groups.to_csv()):
        assert dict(grouping.read(text, "g").super_classes) == dict(groups.super_classes)
    assert dict(grouping.read(groups.to_csv().encode("utf-8-sig"), "g").super_classes) == dict(
        groups.super_classes
    )


def test_semicolons_and_no_header():
    assert dict(grouping.read("x;a\ny;b\nz;a\n", "g").super_classes) == {"a": ("x", "z"), "b": ("y",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("{", "not valid JSON"),
        ("[1]", "no super-classes"),
        ('{"a": "x"}', "not a list"),
        ('{"a": ["x"], "a": ["y"]}', "twice"),
        ("sub_class,super_class\nx\n", "row 2"),
        (b"\xff\xfe", "empty"),
        (b"a\0,b", "no text"),
    ],
)
def test_bad_files_are_explained(text, said):
    with pytest.raises(InputError, match=said):
        grouping.read(text, "g")


@pytest.mark.parametrize(
    "text",
    [
        "super_class,sub_class\na,x\nb,y\n",
        "sep=;\nsub_class;super_class\nx;a\ny;b\n",
        ",sub_class,super_class\n0,x,a\n1,y,b\n",
        "Class\tGroup\nx\ta\ny\tb\n",
        "Sub class;Super class\nx;a\ny;b\n",
        "sub_class,n,super_class\nx,3,a\ny,4,b\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_columns_are_found_by_their_names(text, encoding):
    made = grouping.read(text.encode(encoding), "g")
    assert dict(made.super_classes) == {"a": ("x",), "b": ("y",)}


def test_names_are_composed_and_lost_zeros_named():
    nfd = "Ro\u0308hrling,gro\u0308\u00dfer\n"
    for data in (nfd.encode(), "R\xf6hrling,gr\xf6\xdfer\n".encode("cp1252")):
        assert dict(grouping.read(data, "g").super_classes) == {"gr\xf6\xdfer": ("R\xf6hrling",)}
    with pytest.raises(InputError, match="is it '001'"):
        grouping.read("1,a\n100,b\n", "g").validate(["001", "100"])
