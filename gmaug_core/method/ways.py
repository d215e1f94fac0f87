"""The ways in which accepted synthetic images enter training: how many, drawn how often, with what weight,
and whether a second stage follows on real images alone. Validation chooses.

Without torch: results and pages speak of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gmaug_core.config import AugmentationConfig
from gmaug_core.config.runs import SecondStage, Use

SECOND = {"none": "", "head": "the last layer again", "block": "the last block again"}


@dataclass(frozen=True)
class Way:
    """One way.

    use: fill (all images drawn alike) or mix (a share of each class's draws); amount: images, in multiples of
    what each class is short of; weight: of a synthetic image in the loss, a real one has 1; second: what is
    trained again on real images alone.
    """

    use: Use = "fill"
    amount: float = 1.0
    weight: float = 1.0
    second: SecondStage = "none"

    @property
    def key(self) -> str:
        """In file names: what differs from the plain way is named."""
        return (
            self.use
            + (f"-x{self.amount:g}" if self.amount != 1 else "")
            + (f"-weight{self.weight:g}" if self.weight != 1 else "")
            + (f"-{self.second}" if self.second != "none" else "")
        )

    @property
    def words(self) -> str:
        """As a person reads it."""
        said = [f"{self.amount:g} times what the classes are short of", self.use]
        if self.weight != 1:
            said.append(f"weight {self.weight:g} in the loss")
        if self.second != "none":
            said.append(f"then {SECOND[self.second]} on real images alone")
        return ", ".join(said)


def amounts(config: AugmentationConfig) -> list[Way]:
    """A way for each amount that is tried, ascending, everything else as first named."""
    first = Way(config.use[0], 1.0, config.synthetic_weights[0], config.second_stages[0])
    return [replace(first, amount=amount) for amount in sorted(set(config.amounts) - {0.0})]


def refinements(config: AugmentationConfig, way: Way) -> list[Way]:
    """What else is tried at the amount that was best: each other weight and second stage, alone."""
    return [replace(way, weight=weight) for weight in config.synthetic_weights[1:]] + [
        replace(way, second=second) for second in config.second_stages[1:]
    ]


def compared(config: AugmentationConfig, way: Way) -> list[Way]:
    """The ways that are trained with the run's own seeds, as many as every other arm may have candidates."""
    return [replace(way, use=use) for use in config.use]


def studied(config: AugmentationConfig) -> bool:
    """Whether there is anything to choose by trainings of their own."""
    return len(set(config.amounts)) > 1 or len(refinements(config, Way())) > 0


def study_trainings(config: AugmentationConfig) -> int:
    """Classifiers that this choice trains at most: real images alone, every amount, every refinement."""
    if not studied(config):
        return 0
    return config.amount_seeds * (1 + len(amounts(config)) + len(refinements(config, Way())))
