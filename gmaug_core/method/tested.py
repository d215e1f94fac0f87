"""Whether a run tested synthetic images at all: "nothing was done" is no measurement of "nothing happened".

Without torch: reading an older result applies the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST_SHARE = 0.2  # of what the classes were short of, below which synthetic images were not tested
MOST_EMPTY = 0.5  # share of the short classes that may have got nothing
NAMED = 8  # classes listed with their numbers


def not_tested(classes: Mapping[str, tuple[float, int]], *, filled: int = 0) -> str:
    """Why synthetic images were not tested, in words; empty where they were.

    classes: kept and wanted images of each class that was short of the target; filled: images kept of classes
    that are not listed (an older result names only those that stayed short). Not tested means: nothing was
    wanted, less than a fifth of what was wanted was kept, or more than half of the short classes got nothing.
    """
    wanted = sum(number for _, number in classes.values()) + filled
    kept = sum(min(found, number) for found, number in classes.values()) + filled
    if wanted == 0:
        return "No class was short of the target, so nothing was drawn."
    empty = [name for name, (found, number) in classes.items() if number and not found]
    if kept == 0:
        why = "The filter accepted nothing"
    elif kept < LEAST_SHARE * wanted:
        why = f"The filter accepted {_count(kept)} of {wanted:,} wanted images ({kept / wanted:.0%})"
    elif len(empty) > MOST_EMPTY * sum(number > 0 for _, number in classes.values()) and not filled:
        why = (
            f"The filter accepted {_count(kept)} of {wanted:,} wanted images, but none of {len(empty)} "
            f"of the {len(classes)} classes that were short"
        )
    else:
        return ""
    return f"{why}: {listed(classes)}."


def listed(classes: Mapping[str, tuple[float, int]]) -> str:
    """'rose 0 of 120, tulip 3 of 80': those that miss most first, and how many more there are."""
    rows = sorted(classes.items(), key=lambda item: item[1][0] - item[1][1])
    shown = [f"{name} {_count(kept)} of {wanted:,}" for name, (kept, wanted) in rows[:NAMED]]
    return ", ".join(shown) + (f" and {len(rows) - NAMED} more classes" if len(rows) > NAMED else "")


def _count(images: float) -> str:
    """A mean over seeds: with one decimal where it is no whole number."""
    return f"{images:,.0f}" if float(images).is_integer() else f"{images:,.1f}"
