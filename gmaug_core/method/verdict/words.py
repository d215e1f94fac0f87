"""Six wordings of the verdict, each with the number that decided and what would change it. Pure: figures in,
words out.

The order is the order of price: what costs nothing but time of the classifier, then what costs a recipe, then
whether anything is left to gain, then whether it could be seen, and only then a generator.
"""

from __future__ import annotations

from dataclasses import dataclass

from gmaug_core.method.verdict.figures import Figure
from gmaug_core.method.verdict.result import Decided, Words
from gmaug_core.numbers import signed, true_minus

LONGER = 2.0  # percentage points, interval above 0: longer training is the better buy
FREE = 1.0  # percentage points over plain training, interval above 0: a recipe gives something
LITTLE = 1.0  # percentage points: a ceiling below this is too little for a generator's training


@dataclass(frozen=True)
class Figures:
    """What decides, in percentage points of the deciding measure.

    longer: what longer training adds (steps: how long), free: what the best recipe adds over plain training;
    headroom: what a perfect generator could add over it, None where the curve allows no projection, at_most
    its upper end (None: unknown); expected: what of it may be expected by what synthetic images gave where
    that was measured (expected_by says where; None: nowhere), which then decides instead; visible: the
    smallest gain that the run would see, `buy` what would lower it; minutes: of a small run.
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
    expected: Figure | None = None
    expected_by: str = ""
    used: int | None = None  # steps of the trainings behind these figures; None: as planned

    @property
    def likely(self) -> Figure | None:
        """What the run would add as far as is known."""
        return self.expected or self.headroom

    @property
    def most(self) -> float | None:
        """Its upper end; None: unknown."""
        ends = [self.at_most, self.expected.high if self.expected else None]
        return min((end for end in ends if end is not None), default=None)

    @property
    def discounted(self) -> bool:
        """Whether the upper end is not the headroom's own."""
        return self.expected is not None and self.most == self.expected.high

    @property
    def vain(self) -> bool:
        """Whether nothing is expected, though something may not be ruled out."""
        return self.expected is not None and self.expected.value <= 0

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
    """Longer training adds LONGER points, surely above 0, and no less than the run would."""
    if f.longer is None or f.longer.low <= 0 or f.longer.value < max(LONGER, _value(f.likely)):
        return None
    times = f.longer_steps / f.planned
    return Words(
        key="train_longer",
        sentence=f"Train longer first: {times:.3g} times as long adds {_points(f.longer.value)}, "
        "without a new image.",
        decided_by=Decided(
            name="what longer training adds",
            value=f.longer.value,
            limit=max(LONGER, _value(f.likely)),
            unit="points",
        ),
        change=f"Ask again with --set classifier.steps={f.longer_steps}: what a generator could add can be "
        "told only from a classifier that has learnt the real images.",
    )


def _no_generator(f: Figures) -> Words | None:
    """A recipe adds FREE points, surely above 0, and what is left over it is too little, cannot be seen,
    or is expected to be nothing."""
    if f.free.value < FREE or f.free.low <= 0 or f.most is None:
        return None
    if f.most >= max(LITTLE, f.visible) and not f.vain:
        return None
    unseen = f.most >= LITTLE and not f.vain
    why = f", which cannot be seen: the smallest visible gain is {_points(f.visible)}" if unseen else ""
    first = f" To see it: {f.buy}." if unseen else ""
    return Words(
        key="no_generator_needed",
        sentence=f"No generator needed: {_lower(f.free_label)} gives it, {_interval(f.free)} over plain "
        f"training; over that, {_would_add(f)}{why}.{_because(f, f.discounted)}",
        decided_by=Decided(
            name="what the best free recipe adds", value=f.free.value, limit=FREE, unit="points"
        ),
        change="A generator would have to beat this recipe, not plain training: it can where the rare "
        f"classes are so few that weighting them no longer helps.{first}{_unless(f)}",
    )


def _too_little(f: Figures) -> Words | None:
    """Even the upper end of what may be gained is below LITTLE, or nothing is expected."""
    if f.most is None or (f.most >= LITTLE and not f.vain):
        return None
    certain = f.most < LITTLE or f.expected is None
    name, value, limit = (
        (_upper_end(f), f.most, LITTLE) if certain else (_deciding(f), _value(f.expected), 0.0)
    )
    return Words(
        key="too_little",
        sentence=f"Too little to gain: {_would_add(f)}.{_because(f, f.discounted)}",
        decided_by=Decided(name=name, value=value, limit=limit, unit="points"),
        change="A harder question would (more or finer classes), or a target of many more images a class "
        f"than the largest has now.{_unless(f)}",
    )


def _not_visible(f: Figures) -> Words | None:
    """Even the upper end of what may be gained is below what the run could see."""
    if f.most is None or f.most >= f.visible:
        return None
    return Words(
        key="not_visible",
        sentence=f"Nothing could be seen: {_would_add(f)}, and the smallest visible gain is "
        f"{_points(f.visible)}. Do this first: {f.buy}.{_because(f, f.discounted)}",
        decided_by=Decided(name=_upper_end(f), value=f.most, limit=f.visible, unit="points"),
        change=f"{f.buy[:1].upper()}{f.buy[1:]}.{_unless(f)}",
    )


def _full_run(f: Figures) -> Words | None:
    """What may be expected is itself visible."""
    if f.likely is None or f.likely.value < f.visible or f.likely.low < LITTLE:
        return None
    if f.expected is None:
        said = f"{f.what} would add {_points(f.likely.value)}, were every image a new real one"
        change = (
            "Synthetic images are worth less than real ones: a small run that adds nothing would speak "
            "against it."
        )
    else:
        said = f"{f.what} would add {_interval(f.likely)}"
        change = "A small run that adds nothing would speak against it."
    return Words(
        key="full_run",
        sentence=f"Worth a full run: {said}, and from {_points(f.visible)} on it can be seen."
        f"{_because(f, f.expected is not None)}",
        decided_by=Decided(name=_deciding(f), value=f.likely.value, limit=f.visible, unit="points"),
        change=change,
    )


def _small_run(f: Figures) -> Words:
    """What is left: what may be expected may be visible, and may not."""
    value = f.likely.value if f.likely is not None else None
    if f.expected is not None:
        said = f"{f.what} would add {_interval(f.expected)}"
    elif f.headroom is not None:
        said = f"{f.what} would add {_interval(f.headroom)}, were every image a new real one"
    else:
        said = f"the learning curve allows no projection to {f.what}, so only a run can tell"
    if f.likely is not None:
        said += f", and the smallest visible gain is {_points(f.visible)}"
    return Words(
        key="small_run",
        sentence=f"Worth a small run of {f.minutes} minutes: {said}.{_because(f, f.expected is not None)}",
        decided_by=Decided(name=_deciding(f), value=value, limit=f.visible, unit="points"),
        change=f"To know more before: {f.buy}.",
    )


def _would_add(f: Figures) -> str:
    """The most that the run would add."""
    most = _at_most(f.most if f.most is not None else 0.0)
    if f.vain and f.expected is not None and f.discounted:
        most = f"{signed(f.expected.value, 'points', 1)}, {most.removesuffix(' points')}"
    if not f.discounted:
        return f"{f.what} would add {most}, were every image a new real one"
    return f"{f.what} would add {most}"


def _because(f: Figures, told: bool) -> str:
    """What it is expected from, a sentence of its own; empty where it is not told."""
    if not told:
        return ""
    real = f"Were every image a new real one, {_points(f.headroom.value)}; " if f.headroom else ""
    return f" {real}{f.expected_by if real else f.expected_by[:1].upper() + f.expected_by[1:]}."


def _unless(f: Figures) -> str:
    """What would lift the upper end where it is not the headroom's own."""
    if not f.discounted:
        return ""
    return (
        " An equivalence run measures what your own synthetic images are worth; generators larger than the "
        "quick one are not in the record."
    )


def _deciding(f: Figures) -> str:
    return "headroom" if f.expected is None else "what may be expected of it"


def _upper_end(f: Figures) -> str:
    return "upper end of what may be expected" if f.discounted else "upper end of the headroom"


def _value(figure: Figure | None) -> float:
    return figure.value if figure is not None else 0.0


def _points(value: float) -> str:
    return true_minus(f"{value:z.1f} points")


def _interval(figure: Figure) -> str:
    return true_minus(f"{_points(figure.value)} [{figure.low:z.1f}, {figure.high:z.1f}]")


def _at_most(value: float) -> str:
    return f"at most +{max(value, 0):.1f} points"


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
