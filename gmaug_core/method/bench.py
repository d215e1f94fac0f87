"""What the judges of a step say of an image, and what is seen in the image itself: each reason of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gmaug_core.data import samples
from gmaug_core.data.views import Images
from gmaug_core.method.gates import REPEAT, TOLD_APART, Gates
from gmaug_core.method.judging import Judge
from gmaug_core.method.lab import Lab
from gmaug_core.method.told_apart import Labelled, ToldApart
from gmaug_core.method.twins import HeldOut, Twins, bounds
from gmaug_core.models import selection
from gmaug_core.models.classifiers import CrossFitted

Labels = NDArray[np.int64]
Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Standard:
    """What real images say of a judge. temperature: its logits are divided by, for a calibrated probability;
    limits: float [classes], what a probability must exceed, only in mode "real_share"; gates: only where the
    run has any."""

    temperature: float
    limits: NDArray[np.float64] | None
    gates: Gates | None


@dataclass(frozen=True)
class Bench:
    """The judges of a step and their rule, by seed."""

    lab: Lab
    step: int
    judges: Mapping[int, Judge]
    standards: Mapping[int, Standard]

    @classmethod
    def prepare(cls, lab: Lab, step: int, judges: Mapping[int, Judge]) -> Bench:
        """Shows the judges the real images that they were not trained on, and stores what they say of
        them: the validation part, and of a cross-fitted one the training images."""
        val, train = lab.part("val"), (lab.real.images, lab.real.labels)
        rule, standards, rows = lab.config.selection, dict[int, Standard](), list[pd.DataFrame]()
        for seed, judge in judges.items():
            shown = [(judge.predict_logits(val[0]), val[1])]
            if isinstance(judge, CrossFitted):
                known, logits = judge.unseen(train[0])
                shown.append((logits, train[1][known]))
            standards[seed] = Standard(
                selection.fitted_temperature(*shown[0]),
                limits(shown, rule.threshold, lab.classes) if rule.mode == "real_share" else None,
                Gates.of(rule.gates, judge, train, val, share=rule.gate_share, classes=lab.classes)
                if {"copy", "outlier"} & set(rule.gates)
                else None,
            )
            bench = cls(lab, step, judges, standards)
            told = [bench._gated(seed, val[0], val[1], bench._ruled(seed, *shown[0]))]
            told += [bench._ruled(seed, *each) for each in shown[1:]]
            for name, each in zip(("val", "train"), told, strict=False):
                part = {"part": name} if len(told) > 1 else {}
                rows.append(each.assign(temperature=standards[seed].temperature, **part))
        samples.write_real(lab.samples, step, pd.concat(rows, ignore_index=True))
        return cls(lab, step, judges, standards)

    def verdicts(self, images: Images, labels: Labels) -> list[pd.DataFrame]:
        """For every judge one row an image: what it said of it, and whether it is accepted."""
        return [
            self._gated(seed, images, labels, self._ruled(seed, judge.predict_logits(images), labels))
            for seed, judge in self.judges.items()
        ]

    def _ruled(self, seed: int, logits: Logits, labels: Labels) -> pd.DataFrame:
        """By the judge's rule alone."""
        rule, standard = self.lab.config.selection, self.standards[seed]
        verdict = selection.select(
            logits,
            labels,
            threshold=rule.threshold,
            mode=rule.mode,
            limits=standard.limits,
            temperature=standard.temperature,
        )
        own = np.arange(len(labels)), labels
        scaled = np.asarray(logits, np.float64) / standard.temperature
        return pd.DataFrame(
            {
                "step": self.step,
                "seed": seed,
                "label": labels,
                "class": np.array(self.lab.data.class_names, object)[labels],
                "logit": logits[own].astype(float),
                "probability": selection.probabilities(logits)[own],
                "calibrated": selection.probabilities(scaled)[own],
                "predicted": verdict.predicted,
                "accepted": verdict.accepted,
                "reason": verdict.reason,
            }
        )

    def _gated(self, seed: int, images: Images, labels: Labels, table: pd.DataFrame) -> pd.DataFrame:
        """With what the judge's gates turn away besides."""
        gates = self.standards[seed].gates
        if gates is None:
            return table
        found = gates.distances(images, labels)
        return _turned_away(table, gates.reasons(found)).assign(
            real_distance=found.real, class_distance=found.own
        )


def limits(shown: Sequence[tuple[Logits, Labels]], share: float, classes: int) -> NDArray[np.float64]:
    """Of real images, logits and labels: selection.real_limits."""
    logits, labels = (np.concatenate(each) for each in zip(*shown, strict=True))
    probability = selection.probabilities(logits)[np.arange(len(labels)), labels]
    return selection.real_limits(labels, logits.argmax(axis=1), probability, share, classes)


def _turned_away(table: pd.DataFrame, why: NDArray[np.str_], *, whatever: bool = False) -> pd.DataFrame:
    """Accepted rows with a reason against them are rejected for it; whatever: the others are, too."""
    mine = (table["accepted"].to_numpy(bool) | whatever) & (why != "")
    return table.assign(
        accepted=table["accepted"].to_numpy(bool) & ~mine,
        reason=np.where(mine, why, table["reason"].to_numpy(object)),
    )


@dataclass
class Screen:
    """What is seen in the images of a step themselves, whoever judges. first: number of the step's first
    image; seen: by judge, the twins of what it accepted."""

    first: int
    twins: Twins | None
    held: HeldOut | None
    told: ToldApart | None = None
    seen: dict[int, set[int]] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls, lab: Lab, stored: pd.DataFrame, first: int, *, offered: bool, pilot: Labelled | None = None
    ) -> Screen:
        """stored: rows of the images that an earlier process drew; offered: whether they were made elsewhere,
        so that the held-out parts may be among them; pilot: synthetic images to learn from what tells them
        from real ones, where the run has that gate."""
        rule, twins, told = lab.config.selection, None, None
        real, val = (lab.real.images, lab.real.labels), lab.part("val")
        if pilot is not None:
            told = ToldApart.of(real, val, pilot, share=rule.gate_share, classes=lab.classes)
        if "repeat" in rule.gates:
            twins = Twins(bounds(real, val, lab.asked, share=rule.gate_share))
            each = stored.drop_duplicates("sample")
            if len(each):
                number, label, twin = (each[name].to_numpy(np.int64) for name in ("sample", "label", "twin"))
                twins.known(number - first, label, twin - first)
        held = HeldOut(val[0], lab.part("test")[0], lab.real.images) if offered else None
        screen = cls(first, twins, held, told)
        screen.remember([rows for _, rows in stored.groupby("seed")])
        return screen

    def looked_through(
        self,
        images: NDArray[np.uint8],
        labels: Labels,
        rows: Sequence[pd.DataFrame],
        before: NDArray[np.uint8],
    ) -> list[pd.DataFrame]:
        """The rows of every judge, with what is turned away besides. before: images of the step until now."""
        if self.held is not None:
            why = self.held.reasons(images)
            rows = [_turned_away(each, why, whatever=True) for each in rows]
        if self.told is not None:
            margin = self.told.margins(images, labels)
            why = np.where(margin > 0, TOLD_APART, "")
            rows = [_turned_away(each, why).assign(told_apart=margin) for each in rows]
        if self.twins is not None:
            twin = self.twins.of(images, labels, before) + self.first
            rows = [self._once(each.assign(twin=twin)) for each in rows]
        return list(rows)

    def _once(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Of one judge: an image whose twin it accepted before is a repeat."""
        accepted = rows["accepted"].to_numpy(bool)
        again = rows["twin"].isin(self.seen.get(int(rows["seed"].iloc[0]), set())).to_numpy()
        first = samples.first_of_twins(rows, accepted)
        return _turned_away(rows, np.where(again | ~first, REPEAT, ""))

    def remember(self, rows: Sequence[pd.DataFrame]) -> None:
        """What every judge accepted, after what people decided."""
        if self.twins is None:
            return
        for each in rows:
            mine = each.loc[each["accepted"].astype(bool), "twin"]
            self.seen.setdefault(int(each["seed"].iloc[0]), set()).update(mine.astype(int).tolist())
