"""Near copies: found among others, told in words, and never on two sides of a split made here."""

from __future__ import annotations

import io

import numpy as np
import pytest
from corpus import encode, make_folder
from PIL import Image

from gmaug_core.config.documents import Document
from gmaug_core.data import cautions, dataset, dividing, splits, store
from gmaug_core.intake import import_path, near, verify


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Decoding in this process, no sync of the disk: children and disks have tests of their own."""
    monkeypatch.setattr(
        verify.Verifier, "check", lambda self, given: [verify._verify(data, self._staging) for data in given]
    )
    monkeypatch.setattr(store.os, "sync", lambda: None)


def scene(seed: int, colour: bool = True) -> Image.Image:
    """A picture with something in it: blurred noise, 40 px."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    image = Image.fromarray(noise).resize((40, 40), Image.Resampling.BICUBIC)
    return image if colour else image.convert("L")


def jpeg(image: Image.Image, quality: int = 80) -> bytes:
    return encode(image, "JPEG", quality=quality)


def looks(*images: Image.Image) -> near.Looks:
    return near.stacked([near.look(image) for image in images])


def groups(*images: Image.Image) -> list[int]:
    found = near.near_groups(looks(*images))
    assert found is not None
    return found.tolist()


def again(image: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(jpeg(image, 60)))


def test_what_other_hands_made_of_a_picture_is_a_near_copy_and_another_picture_is_none():
    first, second = scene(1), scene(2)
    brighter = Image.fromarray(np.clip(np.asarray(first).astype(int) + 6, 0, 255).astype(np.uint8))
    assert groups(first, second, again(first), first.resize((31, 31)), brighter, again(second)) == [
        0,
        1,
        0,
        0,
        0,
        1,
    ]


def test_another_colour_is_another_picture():
    red, green, blue = scene(3).split()
    assert groups(scene(3), Image.merge("RGB", (blue, red, green)))[1] == 1
    grey = scene(3, colour=False)
    assert groups(grey, again(grey)) == [0, 0]


def test_two_marks_on_black_are_not_alike_because_of_the_black():
    one, other = np.zeros((28, 28), np.uint8), np.zeros((28, 28), np.uint8)
    one[8:20, 12:15] = 255
    other[8:20, 13:17] = 255
    blank = np.zeros((28, 28), np.uint8)
    assert groups(*map(Image.fromarray, (one, other, blank, blank + 1))) == [0, 1, 2, 3]


@pytest.mark.parametrize(("most", "few"), [(10**9, 0), (0, 0), (0, 1000)])
def test_close_hashes_are_those_that_comparing_every_pair_finds(monkeypatch, most, few):
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 60).astype(np.uint64)
    flips = [
        sum(1 << int(b) for b in random.choice(64, k, replace=False)) for k in range(12) for _ in range(5)
    ]
    hashes = np.concatenate([hashes, hashes ^ np.array(flips, np.uint64)])
    monkeypatch.setattr(near, "MOST_COMPARED", most)
    monkeypatch.setattr(near, "BLOCK", 50)
    monkeypatch.setattr(near, "FEW", few)
    found = near._close(hashes)
    if not most and not few:
        assert found is None
        return
    i, j = np.triu_indices(len(hashes), 1)
    close = np.bitwise_count(hashes[i] ^ hashes[j]) <= near.RADIUS
    assert found.tolist() == sorted(map(list, zip(i[close].tolist(), j[close].tolist(), strict=True)))


BURSTS = {
    f"{'ab'[k % 2]}/{k}_{quality}.jpg": jpeg(scene(k), quality) for k in range(8) for quality in (95, 85, 75)
}


def test_a_split_made_here_keeps_a_group_on_one_side_and_an_older_dataset_keeps_its_split(home, tmp_path):
    found = import_path(make_folder(tmp_path / "given", BURSTS))
    assert any("24 images look the same as another one, in 8 groups" in line for line in found.warnings)
    data = dataset.load(found.dataset_id)
    for seed in range(3):
        parts = splits.made(data, seed)
        for one in ("train", "val", "test"):
            for other in {"train", "val", "test"} - {one}:
                assert not np.intersect1d(data.near[parts[one]], data.near[parts[other]]).size
    for parts in splits.of_run(data, 0, 2):
        assert not np.intersect1d(data.near[parts["test"]], data.near[parts["train"]]).size
    path = data.folder / "manifest.json"
    old = data.manifest.model_dump(mode="json")
    del old["images"]["near"]
    type(data.manifest).model_validate(old).write(path)
    older = dataset.load(found.dataset_id)
    assert older.near is None
    assert (
        splits.made(older, 0)["test"].tolist()
        == dividing.three_way_split(data.labels, data.splits, data.class_names, seed=0, content=data.content)[
            "test"
        ].tolist()
    )


def test_a_leak_and_two_labels_of_one_picture_are_said_everywhere(home, tmp_path):
    given = {
        f"{split}/{name}/{k}.jpg": jpeg(scene(10 * n + k))
        for n, (split, name) in enumerate((s, c) for s in ("train", "test") for c in "ab")
        for k in range(2)
    }
    given["test/a/leak.jpg"] = jpeg(scene(0), 75)  # of train/a/0
    given["train/b/other.jpg"] = jpeg(scene(1), 75)  # of train/a/1
    found = import_path(make_folder(tmp_path / "given", given))
    data = dataset.load(found.dataset_id)
    leak = "1 of 5 test images look the same as an image of an earlier split"
    twice = "1 groups of images that look the same lie in more than one class"
    said = cautions.of(data)
    for words in (leak, twice):
        assert any(words in line for line in found.warnings)
        assert any(words in line for line in said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Document, "write", lambda self, path: written.append(self))
        written: list[splits.Split] = []
        splits.write(tmp_path / "split.json", data, 0, splits.made(data, 0))
    assert any("images look the same as an image of an earlier split" in line for line in written[0].notes)
