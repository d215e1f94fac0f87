"""Classifiers behind one contract: trained for a number of steps, evaluated, asked for logits.

    classifier = train(images, labels, classes, config, seed=0, device="cpu")
    classifiers = train_many([Job("a", work), Job("b", work)])   # independent ones at once
    classifier.predict_logits(images)                 # float32 [n, classes], in input order
    classifier.save(path);  load(path, classes, config, device)

Every variant of an experiment (baseline, augmented, controls) goes through `train` with the same config: the
same number of steps, the same distortion, the same initial weights a seed. Only which images are drawn, and
how often, differs. A new classifier is a subclass of contract.Network here, and a record in
config/classifiers that names it.
"""

from __future__ import annotations

from gmaug_core.models.classifiers.contract import Network, build, description
from gmaug_core.models.classifiers.cross_fitted import CrossFitted
from gmaug_core.models.classifiers.loss import class_balanced_weights
from gmaug_core.models.classifiers.many import Job, train_many
from gmaug_core.models.classifiers.strong import STRONG
from gmaug_core.models.classifiers.trained import Classifier, Evaluation, evaluation, load
from gmaug_core.models.classifiers.training import Again, Watch, train

__all__ = [
    "STRONG",
    "Again",
    "Classifier",
    "CrossFitted",
    "Evaluation",
    "Job",
    "Network",
    "Watch",
    "build",
    "class_balanced_weights",
    "description",
    "evaluation",
    "load",
    "train",
    "train_many",
]
