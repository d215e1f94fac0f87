"""What the names of the figures mean, with their formulas: shown when the pointer rests on the sign beside a
figure."""

from __future__ import annotations

from typing import Final

TERMS: Final[dict[str, str]] = {
    "SSIM-supSubCls": (
        r"$\max_k \mathrm{SSIM}(X_k)$: the mean structural similarity of pairs of training images inside a "
        "super-class, of the super-class in which it is highest. 0: nothing alike; 1: the same image. The "
        "paper's law is about this one."
    ),
    "SSIM-mergeCls": (
        r"$\mathrm{SSIM}(X)$: the mean structural similarity of pairs of all training images, whatever their "
        "class. 0: nothing alike; 1: the same image."
    ),
    "Predicted relative gain": (
        r"$A\,e^{-k x}$ in percent, x being SSIM-supSubCls: what the law fitted to the paper's datasets "
        "expects of accuracy, in percent of that of plain training. The interval is one for a new dataset."
    ),
    "Predicted by the law": (
        r"$A\,e^{-k x}$ in percent, x being SSIM-supSubCls: what the law fitted to the paper's datasets had "
        "expected of the paper's comparison, which is against plain training."
    ),
    "Measured relative gain": (
        r"$(a_{with} - a_{without}) / a_{without}$ in percent, a being accuracy on the test images; paired "
        "by seed and test image. The two accuracies stand beside it."
    ),
    "Without synthetic images": "What the gain is measured against: the same training without them.",
    "With synthetic images": "The same training with the accepted synthetic images added.",
    "Smallest visible gain": (
        "In points. A run with these seeds and test images would tell a true gain of this size from luck in "
        "this share of runs; a smaller one mostly stays unseen."
    ),
    "Free, no generator": (
        "In points over plain training: what the best way of training that needs no generator adds."
    ),
    "Headroom over that": (
        "In points over the best free way: what as many *real* images would add. Synthetic ones are rarely "
        "worth as much."
    ),
    "Expected of that": "In points: the headroom times the part of it that synthetic images gave elsewhere.",
    "Longer training": "In points: what the same images give when the classifier is trained longer.",
}
