"""Six wordings of the verdict, each with the number that decided and what would change it. Pure: figures in,
words out.

The order is the order of price: what costs nothing but time of the classifier, then what costs a recipe, then
whether anything is left to gain, then whether it could be seen, and only then a generator.
"""

from __future__ import annotations

from dataclasses import dataclass

from gmaug_core.method.verdict.figures import Figure
from gmaug_core.method.verdict.result import Decided, Words

LONGER = 2.0  # percentage points, interval above 0: longer training is the better buy
FREE = 1.0  # percentage points over plain training, interval above 0: a recipe gives something
LITTLE = 1.0  # percentage points: a ceiling below this is too little for a generator's training


@dataclass(frozen=True)
class Figures:
    """What decides, in percentage points of the deciding measure.

    longer: what longer training adds (steps: how long), free: what the best recipe adds over plain training;
    headroom: what a perfect generator could add over it, None where the curve allows no projection, at_most
    its upper end (None: unknown); visible: the smallest gain that the run would see, `buy` what would lower
    it; minutes: of a small run.
    """

    longer: Figure | None
    planned: int
    longer_steps: int
    free: Figure
    free_label: str
    headroom: Figure | None
    at_most: float | None
    what: str  # that the headroom is for: "twice as many images"
    visible: float
    buy: str
    minutes: int
    first: bool = False  # of the fast learner alone, which has more left to learn than the run's classifier
    used: int | None = None  # steps of the trainings behind these figures; None: as planned

    @property
    def shortened(self) -> bool:
        """Whether the minutes did not suffice for trainings of the planned length."""
        return self.used is not None and self.used < self.planned


def decide(figures: Figures) -> Words:
    """The first wording that holds. A first reading never says that a full run is worth it, nor does one
    whose trainings were cut short: a classifier that has not learnt the real images has more left to gain."""
    rules = [_train_longer, _no_generator, _too_little, _not_visible]
    if not figures.first and not figures.shortened:
        rules.append(_full_run)
    said = next((found for rule in rules if (found := rule(figures))), None) or _small_run(figures)
    if figures.first:
        return _of_first(said)
    return _of_shortened(said, figures) if figures.shortened else said


def _of_shortened(said: Words, figures: Figures) -> Words:
    """The same, and what it rests on."""
    change = (
        f"Give it more minutes: these trainings had {figures.used:,} steps instead of the run's "
        f"{figures.planned:,}, so the classifier may have less left to gain than it seems. {said.change}"
    )
    return said.model_copy(update={"change": change})


def _of_first(said: Words) -> Words:
    """The same, told as what it is."""
    return said.model_copy(
        update={
            "sentence": f"By the fast learner: {_lower(said.sentence)}",
            "change": "The full reading decides: the run's own classifier is stronger and may have less left "
            f"to gain. {said.change}",
        }
    )


def _train_longer(f: Figures) -> Words | None:
    """Longer training adds LONGER points, surely above 0, and no less than a perfect generator would."""
    if f.longer is None or f.longer.low <= 0 or f.longer.value < max(LONGER, _value(f.headroom)):
        return None
    times = f.longer_steps / f.planned
    return Words(
        key="train_longer",
        sentence=f"Train longer first: {times:.3g} times as long adds {_points(f.longer.value)}, "
        "without a new image.",
        decided_by=Decided(
            name="what longer training adds",
            value=f.longer.value,
            limit=max(LONGER, _value(f.headroom)),
            unit="points",
        ),
        change=f"Ask again with --set classifier.steps={f.longer_steps}: what a generator could add can be "
        "told only from a classifier that has learnt the real images.",
    )


def _no_generator(f: Figures) -> Words | None:
    """A recipe adds FREE points, surely above 0, and what is left over it is too little or cannot be seen."""
    if f.free.value < FREE or f.free.low <= 0 or f.at_most is None or f.at_most >= max(LITTLE, f.visible):
        return None
    return Words(
        key="no_generator_needed",
        sentence=f"No generator needed: {_lower(f.free_label)} gives it, {_points(f.free.value)} over plain "
        f"training; over that, {f.what} would add {_at_most(f.at_most)}, were every image a new real one.",
        decided_by=Decided(
            name="what the best free recipe adds",
            value=f.free.value,
            limit=max(f.at_most, FREE),
            unit="points",
        ),
        change="A generator would have to beat this recipe, not plain training: it can where the rare "
        "classes are so few that weighting them no longer helps.",
    )


def _too_little(f: Figures) -> Words | None:
    """Even the upper end of the headroom is below LITTLE."""
    if f.at_most is None or f.at_most >= LITTLE:
        return None
    return Words(
        key="too_little",
        sentence=f"Too little to gain: {f.what} would add {_at_most(f.at_most)}, were every image a new "
        "real one.",
        decided_by=Decided(name="upper end of the headroom", value=f.at_most, limit=LITTLE, unit="points"),
        change="A harder question would (more or finer classes), or a target of many more images a class "
        "than the largest has now.",
    )


def _not_visible(f: Figures) -> Words | None:
    """Even the upper end of the headroom is below what the run could see."""
    if f.at_most is None or f.at_most >= f.visible:
        return None
    return Words(
        key="not_visible",
        sentence=f"Nothing could be seen: {f.what} would add {_at_most(f.at_most)}, and the smallest visible "
        f"gain is {_points(f.visible)}. Do this first: {f.buy}.",
        decided_by=Decided(name="upper end of the headroom", value=f.at_most, limit=f.visible, unit="points"),
        change=f"{f.buy[:1].upper()}{f.buy[1:]}.",
    )


def _full_run(f: Figures) -> Words | None:
    """The headroom itself is visible."""
    if f.headroom is None or f.headroom.value < f.visible or f.headroom.low < LITTLE:
        return None
    return Words(
        key="full_run",
        sentence=f"Worth a full run: {f.what} would add {_points(f.headroom.value)}, were every image a new "
        f"real one, and from {_points(f.visible)} on it can be seen.",
        decided_by=Decided(name="headroom", value=f.headroom.value, limit=f.visible, unit="points"),
        change="Synthetic images are worth less than real ones: a small run that adds nothing would speak "
        "against it.",
    )


def _small_run(f: Figures) -> Words:
    """What is left: the headroom may be visible, and may not."""
    if f.headroom is not None:
        said = (
            f"{f.what} would add {_points(f.headroom.value)} [{f.headroom.low:.1f}, {f.headroom.high:.1f}], "
            f"were every image a new real one, and the smallest visible gain is {_points(f.visible)}"
        )
        value = f.headroom.value
    else:
        said = f"the learning curve allows no projection to {f.what}, so only a run can tell"
        value = None
    return Words(
        key="small_run",
        sentence=f"Worth a small run of {f.minutes} minutes: {said}.",
        decided_by=Decided(name="headroom", value=value, limit=f.visible, unit="points"),
        change=f"To know more before: {f.buy}.",
    )


def _value(figure: Figure | None) -> float:
    return figure.value if figure is not None else 0.0


def _points(value: float) -> str:
    return f"{value:.1f} points"


def _at_most(value: float) -> str:
    return f"at most +{max(value, 0):.1f} points"


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
