import numpy as np
import pytest
from PIL import Image

from gmaug_core.config import FolderConfig
from gmaug_core.data import balance, dataset, elsewhere
from gmaug_core.errors import InputError
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.models import generators
from gmaug_core.models.generators.folder import Folder


@pytest.fixture
def given(tmp_path):
    """Three images of one class and two of another, each of a grey of its own."""
    for kind, greys in {"slant": (10, 20, 30), "Down": (40, 50)}.items():
        (tmp_path / "made" / kind).mkdir(parents=True)
        for number, grey in enumerate(greys):
            Image.fromarray(np.full((20, 20), grey, np.uint8)).save(
                tmp_path / "made" / kind / f"{number}.png"
            )
    return tmp_path / "made"


def test_each_image_once_in_order_at_the_size_of_the_run_and_again_from_disk(bars, given, tmp_path):
    taken = take_in(given, bars)
    assert dict(zip(bars.class_names, taken.offered, strict=True)) == {"across": 0, "down": 2, "slant": 3}
    generator = generators.create(FolderConfig.model_validate({**taken.settings, "resolution": 16}))
    assert isinstance(generator, Folder)
    real = np.zeros((3, 16, 16), np.uint8)
    generator.train(real, np.arange(3), bars.class_names, tmp_path)
    generator.save(tmp_path / "saved")
    for each in (generator, generators.load(tmp_path / "saved", "cpu")):
        labels = np.array([1, 1, 2, 2, 2])
        (drawn,) = each.sample(labels, np.concatenate(each.stock))
        assert drawn.shape == (5, 16, 16)
        assert drawn[:, 3, 3].tolist() == [40, 50, 10, 20, 30]
        assert not each.closed_set
        with pytest.raises(InputError, match="no such image"):  # used up
            list(each.sample(np.array([1]), np.array([5])))
        with pytest.raises(InputError, match="no such image"):  # of another class
            list(each.sample(np.array([1]), each.stock[2][:1]))


def test_a_folder_of_no_class_is_named(bars, given):
    (given / "Down").rename(given / "upside down")
    with pytest.raises(InputError, match="'upside down'") as error:
        take_in(given, bars)
    assert "'down'" in str(error.value.expected)


def test_one_class_is_enough_and_the_files_are_no_dataset(bars, given):
    for path in (given / "Down").iterdir():
        path.unlink()
    (given / "Down" / "notes.png").write_text("no image")
    taken = take_in(given, bars)
    assert taken.offered == (0, 0, 3)
    assert len(taken.imported.refused) == 1
    assert [each.id for each in dataset.list_datasets()] == [bars.id]
    assert len(elsewhere.load(taken.imported.dataset_id)) == 3


def test_all_of_them_are_asked_for_unless_a_target_says_how_many():
    counts, stock = np.array([9, 5, 1]), (3, 0, 7)
    assert balance.wanted_of(counts, None, None, stock).tolist() == [3, 0, 7]
    assert balance.wanted_of(counts, 6, None, stock).tolist() == [0, 1, 5]
    assert balance.budget_of(np.array([0, 1, 5]), 5, stock).tolist() == [0, 0, 7]
    assert balance.budget_of(np.array([0, 1, 5]), 5).tolist() == [0, 5, 25]
    with pytest.raises(InputError, match="2 classes"):
        balance.check_short(np.arange(3), None, ("a", "b", "c"), None, (1, 2))
    balance.check_short(
        np.arange(3), None, ("a", "b", "c"), None, (1, 2, 0)
    )  # balanced, and yet something to do
