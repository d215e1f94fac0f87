"""Which test holds each of the cases that people reported in public; the names are those of test_cases.CASES,
NEAR, or of test functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
CASES = "intake/test_cases.py::test_a_case"
GROUPING = "workspace/test_grouping.py::test_columns_are_found_by_their_names"
LOST = "workspace/test_grouping.py::test_names_are_composed_and_lost_zeros_named"
COMMANDS = "intake/test_case_commands.py::"

TABLE = {
    "12-bit values in 16-bit files": "intake/test_names.py::test_twelve_bits_are_the_same_image",
    "12-bit values in colour": COMMANDS + "test_twelve_bits_in_colour_are_the_same_image",
    "stacks of several pages": COMMANDS + "test_pages_that_are_left_out_are_counted",
    "HEIC": COMMANDS + "test_heic_is_read_or_named",
    "PPM": COMMANDS + "test_ppm_and_pgm",
    "48 megapixels": "intake/test_verify.py::test_the_largest_accepted_image_fits_the_limits",
    "a class called train": CASES + "[class_called_train]",
    "HAM10000": CASES + "[ham10000]",
    "a CSV of labels": CASES + "[csv_with_file_names]",
    "one-hot columns": CASES + "[csv_one_hot]",
    "metadata.csv": CASES + "[hf_metadata]",
    "metadata.jsonl": CASES + "[jsonl]",
    "labels.json of FiftyOne": CASES + "[fiftyone]",
    "COCO": CASES + "[coco_layout]",
    "seg_train": CASES + "[seg_train]",
    "train and dev": CASES + "[train_dev]",
    "the tree twice": CASES + "[tree_twice]",
    "val lacks a class": CASES + "[val_lacks_class]",
    "folders of patients": CASES + "[patient_folders]",
    "links inside": "intake/test_names.py::test_links_within_the_import_are_followed",
    "links away": COMMANDS + "test_links_that_lead_away_say_how_to_copy_them",
    "val is train": COMMANDS + "test_a_validation_part_that_is_the_training_part_is_named",
    "one image, two labels": CASES + "[conflicting_labels]",
    "two ids of one name": CASES + "[same_name_two_ids]",
    "a large list": COMMANDS + "test_a_list_may_be_larger_than_an_image",
    "an image without a label": CASES + "[one_unlabelled]",
    "backslashes in a list": CASES + "[backslash_list]",
    "images that no list names": CASES + "[unlisted_counted]",
    "names by macOS": "intake/test_names.py::test_letters_that_nobody_wrote_down",
    "names in GBK": "intake/test_names.py::test_letters_that_nobody_wrote_down",
    "backslashes in a zip": "intake/test_names.py::test_backslashes_are_folders_where_there_is_no_slash",
    "folders in latin-1": "intake/test_names.py::test_a_disk_with_old_names",
    "one entry twice": "intake/test_names.py::test_the_later_entry_of_one_name_counts",
    "a page instead of a zip": "intake/test_names.py::test_what_came_instead_of_a_zip_is_named",
    "tar.gz": COMMANDS + "test_a_tar_is_read_like_a_zip",
    "a grouping in NFD": LOST,
    "a grouping's columns the other way": GROUPING,
    "a grouping with sep=": GROUPING,
    "a grouping with an index column": GROUPING,
    "a grouping under other headers": GROUPING,
    "a grouping under headers with blanks": GROUPING,
    "a grouping whose zeros were lost": LOST,
    "a place to write that is not there": COMMANDS
    + "test_a_place_to_write_is_made_or_refused_before_anything_is_stored",
    "a home that is a file": COMMANDS + "test_a_home_that_is_a_file",
    "a classifier named twice": COMMANDS + "test_what_cannot_be_run_is_refused_before_there_is_a_run",
    "import of nothing": COMMANDS + "test_nothing_to_import",
    "a console in ASCII": COMMANDS + "test_a_console_that_knows_ascii_alone_shows_escapes",
    "the hint of kimg": COMMANDS + "test_what_cannot_be_run_is_refused_before_there_is_a_run",
    "a device that is not there": COMMANDS + "test_what_cannot_be_run_is_refused_before_there_is_a_run",
    "one pair decides": "scoring/test_alike.py::"
    "test_a_rare_class_of_one_image_stored_twice_does_not_decide_the_score",
    "a balanced set": COMMANDS + "test_what_no_run_can_do_is_refused_before_there_is_a_run",
    "a class that nothing tests": "report/test_findings.py::"
    "test_a_recall_comes_with_its_interval_and_none_is_not_0",
    "seven test images": COMMANDS + "test_seven_right_of_seven_is_no_certainty",
    "two images a class": COMMANDS + "test_what_no_run_can_do_is_refused_before_there_is_a_run",
    "an export's numbers": COMMANDS + "test_torchvision_numbers_both_splits_alike",
    "names that a reader changes": COMMANDS + "test_a_reader_changes_no_name_of_a_class",
}


@pytest.mark.parametrize("case", TABLE)
def test_each_case_has_its_test(case):
    file, _, name = TABLE[case].partition("::")
    function, _, parameter = name.partition("[")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if parameter:
        assert f'"{parameter.rstrip("]")}": (' in (TESTS / file).read_text(encoding="utf-8")
