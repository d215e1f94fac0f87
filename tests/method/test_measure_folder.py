"""Images made elsewhere, measured as a generator's are: the whole way, tiny."""

import numpy as np
import pytest
import tiny
import untouched
from PIL import Image

from gmaug_core import runs
from gmaug_core.cli import main as cli
from gmaug_core.config import augmentation_config
from gmaug_core.config.selection import Decisions
from gmaug_core.data import samples, splits
from gmaug_core.errors import InputError
from gmaug_core.intake.elsewhere import take_in
from gmaug_core.method import experiment
from gmaug_core.method.gates import pixels, to_nearest
from gmaug_core.method.lab import Lab
from gmaug_core.models import generators
from gmaug_core.report import findings
from gmaug_core.runs.backends import LOCAL

SETTINGS = {
    "seeds": 2,
    "controls": (),
    "use": ("fill",),
    "classifier": tiny.SETTINGS["classifier"],
    "selection": tiny.SETTINGS["selection"],
}


@pytest.fixture
def made(tmp_path):
    """A folder of new bars: 7 slanting, 4 down, of which one is as bright as noise."""
    rng = np.random.default_rng(5)
    for kind, n in {"slant": 7, "down": 4}.items():
        (tmp_path / "made" / kind).mkdir(parents=True)
        for k in range(n):
            Image.fromarray(tiny.draw(kind, rng)).save(tmp_path / "made" / kind / f"{k}.png")
    return tmp_path / "made"


def config(data, made, **overrides):
    given = take_in(made, data)
    return augmentation_config(
        data.id,
        image_size=16,
        colour="grey",
        generator="folder",
        symmetric=False,
        overrides=SETTINGS | {"generator": given.settings} | overrides,
    )


@pytest.mark.slow
def test_every_image_is_judged_once_a_step_and_the_result_says_where_they_come_from(
    bars, made, tmp_path, monkeypatch
):
    """Three of the 14 are of the dataset's own held-out parts, one of them stored again, under another class
    and kept by a person: none is trained on."""
    parts = splits.made(bars, 0)
    own = [parts["test"][0], parts["val"][-1], parts["test"][-1]]
    for number, index in enumerate(own):
        picture = Image.fromarray(np.asarray(bars.decoded(index).image))
        folder, kind = ("down", "jpeg") if number == 2 else (bars.class_names[bars.labels[index]], "png")
        (made / folder).mkdir(exist_ok=True)
        picture.save(made / folder / f"x{number}.{kind}", kind, **({"quality": 95} if kind == "jpeg" else {}))
    told = untouched.seal(monkeypatch)
    known = Decisions(run="a", revision=1, people=("ada",), keep=tuple(range(14)))
    trained = []
    monkeypatch.setattr(
        Lab,
        "with_synthetic",
        lambda lab, way, made, of=Lab.with_synthetic: trained.append(made) or of(lab, way, made),
    )
    result = experiment.run(
        config(bars, made, max_steps=1, decisions=known),
        bars,
        {"all": list(bars.class_names)},
        out_dir=tmp_path / "run",
    )
    assert told == ["searched", "verdict"], "test images were looked for, and not looked at"
    folder = tmp_path / "run" / "samples"
    table = samples.table(folder, seed=0)
    assert table.groupby("class").size().to_dict() == {"across": 1, "down": 5, "slant": 8}
    assert result.rejected.reasons == {samples.TEST_IMAGE: 2, samples.VALIDATION_IMAGE: 1}
    assert result.accepted.total == 11
    assert "were 2 test images and 1 validation image of this dataset" in result.warnings[0]
    held = np.concatenate([bars.images("16-grey")[parts[name]] for name in ("val", "test")])
    for each in trained:
        assert to_nearest(pixels(each.images), pixels(held)).min() > 8
    assert any(len(each.labels) for each in trained)
    assert table["draw_seed"].is_unique
    first = samples.image(folder, int(table.loc[table["class"] == "down", "sample"].iloc[0]))
    assert np.array_equal(first, np.asarray(Image.open(made / "down" / "0.png")))
    assert (result.generator.name, result.generator.origin) == ("folder", "unknown")
    assert {row.name: row.wanted for row in result.per_class} == {"across": 1, "down": 5, "slant": 8}
    assert any("made elsewhere" in note for note in findings.cautions(result))


def test_the_verb_takes_them_in_and_starts_such_a_run(bars, made, monkeypatch, capsys):
    monkeypatch.setattr(LOCAL, "start", lambda paths: None)
    assert cli.main(["measure", bars.id, "--synthetic", str(made), "--detach"]) == 0
    (paths,) = runs.list_runs("augmentation", bars.id)
    settings = runs.RunConfigFile.read(paths.config).settings
    assert settings.generator.stock == (0, 4, 7)
    assert settings.generator.resolution == 16
    (made / "slant").rename(made / "slanted")
    assert cli.main(["measure", bars.id, "--synthetic", str(made), "--detach"]) == 2
    assert "'slanted'" in capsys.readouterr().err


def test_a_run_of_them_costs_no_training_and_cannot_be_estimated(bars, made):
    with pytest.raises(InputError, match="not trained"):
        generators.estimate(config(bars, made).generator.model_dump(mode="json"), 3, "cpu")
