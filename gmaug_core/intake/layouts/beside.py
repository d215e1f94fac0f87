"""What lies beside images and may say their classes, but is not read: named where an import is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gmaug_core.data.folders import clean_name
from gmaug_core.errors import InputError
from gmaug_core.intake.layouts.class_titles import is_titles
from gmaug_core.intake.layouts.contract import Tree
from gmaug_core.intake.layouts.label_tables import ENDINGS, table_of
from gmaug_core.intake.layouts.names import Names

NAMED = 2  # lists whose fault is told
SHARD = re.compile(r"-\d+-of-\d+$")  # train.tfrecord-00000-of-00002
UNREAD = {  # ending -> what to do with it
    ".xlsx": "a spreadsheet, which is not read: save it as CSV",
    ".xls": "a spreadsheet, which is not read: save it as CSV",
    ".ods": "a spreadsheet, which is not read: save it as CSV",
    ".mat": "a MATLAB file, which is not read: write file and label to a CSV",
    ".parquet": "a table with images inside: write them out as files first",
    ".arrow": "a table with images inside: write them out as files first",
    ".tfrecord": "a table with images inside: write them out as files first",
    "-ubyte": "an array (IDX, as MNIST): write its images out as files first",
    ".npz": "an array: write its images out as files first",
    ".npy": "an array: write its images out as files first",
    ".h5": "an array: write its images out as files first",
    ".hdf5": "an array: write its images out as files first",
    ".cls": "a label of WebDataset, which is not read: write file and label to a CSV",
    ".xml": "a list of boxes (VOC), which are no classes of images: cut the objects out first",
}


def unread(tree: Tree) -> str:
    """A sentence on the files beside the images, '' where there is none to name."""
    told = []
    for ending, words in UNREAD.items():
        found = [file for file in tree.handles if SHARD.sub("", file.lower()).endswith(ending)]
        if found:
            told.append(f"'{clean_name(found[0])}' is {words}")
    texts = {_stem(file) for file in tree.others if file.endswith(".txt")}
    stems = {_stem(file) for file in tree.images}
    if stems and len(stems & texts) >= len(stems) / 2:
        told.append(
            "a text beside each image lists boxes (YOLO), which are no classes: cut the objects out first"
        )
    else:
        told += _lists(tree)
    return "; ".join(told)


def _stem(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]


def _lists(tree: Tree) -> Sequence[str]:
    """What is wrong with tables that name no image."""
    names, told = Names(tree.images), []
    for file in tree.lists(*ENDINGS):
        if is_titles(file) or file.lower().endswith(".txt"):
            continue
        try:
            table = table_of(tree, file, names)
            told.append(
                f"'{clean_name(file)}' was looked into, and has no column that says two classes"
                f" (files are in column '{clean_name(table.file_column)}')"
            )
        except InputError as error:
            told.append(error.what)
    return told[:NAMED]
