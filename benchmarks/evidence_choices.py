"""Which filter, amount and use won in the cells, what the gain is made of, and what it all cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from benchmarks.evidence_figures import interval, mean, table
from benchmarks.evidence_keeping import keeping_section
from benchmarks.evidence_seen import Contrast, Seen
from gmaug_core.method.variants import short

UNKNOWN = "not measured"
PARTS = {  # what each part of the gain is the difference of: after, before
    "re-weighting: real images copied in their place": ("real_replay", "baseline"),
    "new images: synthetic ones instead of the copies": ("augmented", "real_replay"),
    "both: GM-augCls over plain training": ("augmented", "baseline"),
    "the filter: accepted instead of all": ("augmented", "unfiltered"),
}


def choice_section(seen: Sequence[Seen]) -> str:
    """(e) Which filter, amount and use won."""
    filters = [c for each in seen if (c := each.contrast("augmented", "unfiltered"))]
    uses = Counter(use for each in seen for use in each.document["config"]["use"])
    amounts = Counter(
        "none" if each.result["choice"]["none"] else f"{each.result['choice']['amount']:g}"
        for each in seen
        if each.result.get("choice")
    )
    said = (
        f"Filter (probability of at least 0.9) against none: {_verdicts(filters)}. Amount that "
        f"validation chose, as "
        f"a share of what the classes are short of: {_counts(amounts)}. Use: {_counts(uses)}; no other was "
        "trained, so none has won."
    )
    rows = [
        [
            each.name,
            _told(each.contrast("augmented", "unfiltered")),
            _amount(each),
            _doses(each),
            f"{each.result['accepted']:,} of {each.result['accepted'] + each.result['rejected']:,}",
            f"{100 * each.result['real_accepted']['share']:.0f} %" if "real_accepted" in each.result else "",
        ]
        for each in seen
    ]
    return (
        said
        + "\n\n"
        + table(
            (
                "cell",
                "filter over no filter, points of balanced accuracy",
                "amount chosen",
                "test accuracy by amount, %",
                "accepted of drawn",
                "real images accepted",
            ),
            rows,
        )
        + "\n"
        + keeping_section()
    )


def _amount(each: Seen) -> str:
    chosen = each.result.get("choice")
    if not chosen:
        return UNKNOWN
    return "none" if chosen["none"] else f"{chosen['amount']:g}"


def _doses(each: Seen) -> str:
    """'0: 81.2, 0.25: 81.9, 1: 82.0', of the seeds that the study had."""
    found = each.result.get("doses") or []
    return ", ".join(f"{dose['amount']:g}: {100 * dose['test']['mean']:.1f}" for dose in found) or UNKNOWN


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{name} in {n}" for name, n in found.most_common()) or UNKNOWN


def _verdicts(found: Sequence[Contrast]) -> str:
    """'better in 1, worse in 0 of 4, +0.3 points [..] (n = 4) on average'."""
    if not found:
        return UNKNOWN
    better, worse = sum(c.low > 0 for c in found), sum(c.high < 0 for c in found)
    return (
        f"reliably worse in {worse}, reliably better in {better} of {len(found)}, "
        f"{mean([c.points for c in found])} points on average"
    )


def _told(found: Contrast | None) -> str:
    """A contrast over seeds alone has a star."""
    if found is None:
        return UNKNOWN
    return interval(found.points, found.low, found.high) + ("" if found.images else "*")


def parts_section(seen: Sequence[Seen]) -> str:
    """(f) What the gain over plain training is made of."""
    head = []
    for words, pair in PARTS.items():
        found = [c for each in seen if (c := each.contrast(*pair))]
        head.append([words, _verdicts(found)])
    counted = [each.result["paper_counting"] for each in seen if each.result.get("paper_counting")]
    counted = [each for each in counted if each["gain"] and each["placebo"]]
    rows = []
    for each in seen:
        counting = each.result.get("paper_counting")
        recipe = each.result.get("endpoint_recipe") or "plain"
        rows.append(
            [
                each.name,
                UNKNOWN if not counting else _percent(counting["placebo"]),
                UNKNOWN if not counting else _percent(counting["gain"]),
                *(_told(each.contrast(*pair)) for pair in list(PARTS.values())[:3]),
                f"{short(recipe)}: {_told(each.contrast(recipe, 'baseline'))}"
                if recipe != "plain"
                else "plain",
            ]
        )
    placebo, gain = ([each[key]["value"] for each in counted] for key in ("placebo", "gain"))
    return (
        "By the paper's counting (as many epochs, the best look at the test images) copies of real "
        "images in place "
        f"of the synthetic ones gain {mean(placebo)} % of accuracy: training length, re-weighting "
        f"and choosing on "
        f"the test images. The synthetic ones gain {mean(gain)} %. Step-matched, in points of "
        f"balanced accuracy:\n\n"
        + table(("part", "over the cells"), head)
        + "\n"
        + table(
            (
                "cell",
                "paper's counting: copies, %",
                "paper's counting: synthetic, %",
                "re-weighting",
                "new images",
                "both",
                "best recipe without a generator",
            ),
            rows,
        )
        + "\nA star: the interval covers seeds alone.\n"
    )


def _percent(gain: dict[str, float] | None) -> str:
    return UNKNOWN if gain is None else interval(gain["value"], gain["ci_low"], gain["ci_high"])


def cost_section(seen: Sequence[Seen]) -> str:
    """What it cost."""
    rows = [
        [
            each.name,
            *(
                f"{each.document['costs'][key]['cpu_minutes']:.1f}"
                for key in ("first", "verdict", "augmentation")
            ),
            f"{each.document['summary']['cpu_minutes']:.1f}" if "summary" in each.document else "",
            f"{max(part['peak_mb'] for part in each.document['costs'].values()):.0f}",
            each.document["costs"]["augmentation"]["code"],
        ]
        for each in seen
    ]
    return f"{sum(each.cpu_minutes for each in seen) / 60:.1f} CPU hours in all.\n\n" + table(
        (
            "cell",
            "first reading, CPU min",
            "verdict, CPU min",
            "run, CPU min",
            "summary and paper's counting, CPU min",
            "peak memory, MB",
            "commit",
        ),
        rows,
    )
