"""A finished run -> one self-contained HTML file: no script, no outside request, everything escaped."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmaug_core import runs, workspace
from gmaug_core.data import pictures, samples
from gmaug_core.errors import GMAugError
from gmaug_core.report import svg
from gmaug_core.report.charts import COLOURS, variants
from gmaug_core.report.findings import (
    against_controls,
    cautions,
    comparison,
    headline,
    per_class_table,
    signed,
)
from gmaug_core.runs import RunPaths
from gmaug_core.scoring.law import paper_law, paper_points

SHEET_COLUMNS = 12  # samples a class and verdict on the contact sheet
SHEET_CLASSES = 60  # classes on the contact sheet: the rarest


def contact_sheets(
    paths: RunPaths, judge: int | None, classes: Sequence[str]
) -> list[tuple[str, list[bytes], list[bytes]]]:
    """(class, accepted, rejected) of these classes: each a list of at most one PNG row, spread evenly over what was drawn."""
    table = samples.table(paths.samples, seed=judge)
    kept = samples.decided(table, workspace.reviews.load(paths.id))
    numbers, names = table["sample"].to_numpy(), table["class"].to_numpy()

    def rows(chosen: NDArray[np.int64]) -> list[bytes]:
        if not len(chosen):
            return []
        spread = chosen[np.unique(np.linspace(0, len(chosen) - 1, SHEET_COLUMNS).astype(int))]
        return [pictures.sheet([[samples.image(paths.samples, int(n)) for n in spread]], columns=len(spread))]

    drawn = [name for name in classes if (names == name).any()]
    return [
        (name, rows(numbers[(names == name) & kept]), rows(numbers[(names == name) & ~kept]))
        for name in drawn
    ]


# --- the page ---

_STYLE = """
:root { color-scheme: light dark; --line: rgba(128,128,128,.25); --soft: rgba(128,128,128,.08); }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2.5rem auto 5rem; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; }
h2 { font-size: 1.2rem; margin-top: 2.6rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
.faint { opacity: .7; }
.verdict { font-size: 1.15rem; padding: 1rem 1.2rem; background: var(--soft); border-left: 5px solid; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; overflow-wrap: break-word; min-width: 3rem; max-width: 22rem; }
tbody tr:hover { background: var(--soft); }
.wide { overflow-x: auto; }
svg { width: 100%; height: auto; max-width: 720px; fill: currentColor; font: 12px system-ui, sans-serif; }
svg.bar { width: 90px; height: 8px; vertical-align: middle; margin-left: .5rem; }
img { image-rendering: pixelated; max-width: 100%; display: block; margin: .25rem 0; }
.sheet { display: grid; grid-template-columns: minmax(5rem, 9rem) 1fr 1fr; gap: .3rem 1rem; align-items: center; }
.sheet span { overflow-wrap: anywhere; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .35rem; }
pre { white-space: pre-wrap; background: var(--soft); padding: 1rem; border-radius: 6px; font-size: .8rem; }
li { margin: .3rem 0; }
@media print { body { margin: 0 auto; } .sheet, tr { break-inside: avoid; } }
"""


def html_report(run_id: str) -> str:
    """The HTML report of a finished augmentation run. Raises InputError for an unknown run, GMAugError when it has no result yet
    or is of another kind."""
    paths = runs.find(run_id)
    result, config = runs.read_result(paths), runs.read_config(paths)
    if config["kind"] != "augmentation" or result is None:
        raise GMAugError(
            f"run '{run_id}' has no report",
            expected="a finished augmentation run",
            todo="wait until it has finished, or resume it",
        )
    verdict, sentence = headline(result)
    colour = COLOURS[{"better": "accepted", "worse": "rejected"}.get(verdict, "baseline")]
    judge = result["seeds"][0] if result["seeds"] else None
    sections = [
        f'<p class="verdict" style="border-color:{colour}">{_e(sentence)}</p><p>{_e(comparison(result))}</p>',
        _list(against_controls(result)),
        _section(
            "Every variant, with the same classifier and the same number of steps",
            svg.forest(result),
            _variants(result),
        ),
        _section("Predicted and measured", _curve(result), _prediction(result)),
        _section("Class by class", _per_class(result)),
        _section("Samples", _samples(paths, judge, result)),
        _section("Selection", _selection(result)),
        _section("Quality of the synthetic images", _quality(result)),
        _section(
            "Read this before believing it", _list(cautions(result)) or "<p>Nothing unusual was noticed.</p>"
        ),
        _section("Provenance", _provenance(paths, config, result)),
    ]
    name = _e(config.get("dataset_name", result["dataset_name"]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{name}: what augmentation was worth</title><style>{_STYLE}</style></head><body>"
        f'<h1>{name}: what augmentation was worth</h1><p class="faint">Run {_e(paths.id)} · preset {_e(result["preset"])} · generator '
        f"{_e(result['generator']['name'])} ({'closed-set' if result['generator'].get('closed_set', True) else 'open-set'}) · "
        f"seeds {_e(', '.join(map(str, result['seeds'])))}</p>{''.join(sections)}</body></html>"
    )


def _e(text: object) -> str:
    return html.escape(str(text))


def _section(title: str, *parts: str) -> str:
    return f"<h2>{_e(title)}</h2>{''.join(parts)}" if any(parts) else ""


def _list(items: Iterable[str]) -> str:
    rows = "".join(f"<li>{_e(item)}</li>" for item in items)
    return f"<ul>{rows}</ul>" if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    top = "".join(f"<th>{_e(cell)}</th>" for cell in head)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _with_interval(found: Mapping[str, Any], factor: float = 100.0) -> str:
    return f'{factor * found["mean"]:.2f} <span class="faint">({factor * found["ci_low"]:.2f} to {factor * found["ci_high"]:.2f})</span>'


def _variants(result: Mapping[str, Any]) -> str:
    gains = {"baseline": result["relative_gain_percent"], **result.get("gains", {})}
    rows = []
    for key, label, role, found in variants(result):
        gain = gains.get(key)
        gain = gain if gain and gain["value"] is not None else None
        rows.append(
            [
                f'<span class="key" style="background:{COLOURS[role]}"></span>{_e(label)}',
                _with_interval(found["accuracy"]),
                _with_interval(found["balanced_accuracy"]),
                f'{signed(gain["value"])} <span class="faint">({signed(gain["ci_low"])} to {signed(gain["ci_high"])})</span>'
                if gain
                else "",
                str(len(found["accuracy"]["values"])),
                f"{found['accuracy']['n']:,}",
            ]
        )
    return _table(
        [
            "variant",
            "accuracy, %",
            "balanced accuracy, %",
            "augmented gains over it, %",
            "seeds",
            "test images",
        ],
        rows,
    )


def _curve(result: Mapping[str, Any]) -> str:
    score = result.get("score") or {}
    law = paper_law()
    x = (score.get("ssim_supsubcls") or {}).get("value") if score.get("profile") == law.profile else None
    gain = result["relative_gain_percent"]
    return svg.curve(
        law, paper_points(), score=x, gain=gain if x is not None and gain["value"] is not None else None
    )


def _prediction(result: Mapping[str, Any]) -> str:
    score, predicted = result.get("score") or {}, result.get("predicted") or {}
    lines = []
    for key, label in (("ssim_supsubcls", "SSIM-supSubCls"), ("ssim_mergecls", "SSIM-mergeCls")):
        found = score.get(key) or {}
        if found.get("value") is not None:
            extent = (
                f"95 % interval {found['ci_low']:.4f} to {found['ci_high']:.4f}"
                if found.get("ci_low") is not None
                else "no interval"
            )
            lines.append(
                f"{label} {found['value']:.4f} ({extent}; {found.get('pairs') or 0:,} pairs, profile {score['profile']})."
            )
    lines += [str(predicted["advice"]["text"])] if predicted else []
    return _list(lines)


def _per_class(result: Mapping[str, Any]) -> str:
    rows = []
    for row in per_class_table(result).to_dict("records"):
        cells = [_e(row["class"]), f"{row['train']:,}", f"{row['test']:,}", f"{row['synthetic']:,}"]
        for key, role in (("baseline", "baseline"), ("augmented", "accepted")):
            cells.append("" if row.get(key) is None else f"{100 * row[key]:.1f} {svg.bar(row[key], role)}")
        difference = (
            None
            if row.get("baseline") is None or row.get("augmented") is None
            else 100 * (row["augmented"] - row["baseline"])
        )
        rows.append([*cells, "" if difference is None else signed(difference)])
    return _table(
        [
            "class",
            "real train",
            "test",
            "synthetic used",
            "baseline recall, %",
            "augmented recall, %",
            "points",
        ],
        rows,
    )


def _samples(paths: RunPaths, judge: int | None, result: Mapping[str, Any]) -> str:
    def pictures(rows: list[bytes]) -> str:
        sources = (base64.b64encode(row).decode() for row in rows)
        return (
            "".join(f'<img alt="samples" src="data:image/png;base64,{source}">' for source in sources)
            or '<span class="faint">none</span>'
        )

    rarest = sorted(result["per_class"], key=lambda row: row["train"])[:SHEET_CLASSES]
    sheets = contact_sheets(paths, judge, [row["class"] for row in rarest])
    if not sheets:
        return "<p>No synthetic image was drawn.</p>"
    head = "".join(
        f'<b><span class="key" style="background:{COLOURS[role]}"></span>{role}</b>'
        if role
        else "<b>class</b>"
        for role in ("", "accepted", "rejected")
    )
    cells = "".join(
        f"<span>{_e(name)}</span><div>{pictures(kept)}</div><div>{pictures(not_kept)}</div>"
        for name, kept, not_kept in sheets
    )
    note = f"Up to {SHEET_COLUMNS} a class, spread evenly over all draws; verdicts of the judge of seed {judge}, people's decisions first."
    if len(result["per_class"]) > SHEET_CLASSES:
        note += f" The {SHEET_CLASSES} rarest of {len(result['per_class'])} classes."
    return f'<p class="faint">{_e(note)}</p><div class="sheet">{head}{cells}</div>'


def _selection(result: Mapping[str, Any]) -> str:
    accepted, rejected = result["accepted"]["total"], result["rejected"]["total"]
    drawn = accepted + rejected
    lines = [
        f"{accepted:,} accepted and {rejected:,} rejected of {drawn:,} drawn"
        + (f" ({100 * accepted / drawn:.1f} % accepted)." if drawn else ".")
    ]
    lines += [
        f"Rejected because {reason}: {number:,}."
        for reason, number in result["rejected"].get("reasons", {}).items()
    ]
    rows = []
    for step in result.get("steps", []):
        after = "" if step["val_after"] is None else f"{100 * step['val_after']:.2f}"
        missing = [f"{name}: {n}" for name, n in step.get("short", {}).items()]
        short = (
            ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "") or "none"
        )
        numbers = [f"{step[key]:,}" for key in ("drawn", "accepted", "wanted")]
        ways = [str(step["seed"]), str(step["step"]), _e(step["chosen"] or "nothing kept")]
        rows.append(
            [
                *ways,
                *numbers,
                f"{100 * step['val_before']:.2f}",
                after,
                "yes" if step["went_on"] else "no",
                _e(short),
            ]
        )
    head = [
        "seed",
        "step",
        "way",
        "drawn",
        "accepted",
        "wanted",
        "validation before, %",
        "after, %",
        "went on",
        "classes left short",
    ]
    return _list(lines) + (_table(head, rows) if rows else "")


def _quality(result: Mapping[str, Any]) -> str:
    found = dict(result.get("quality") or {})
    real, synthetic, folds = (found.pop(key, None) for key in ("n_real", "n_synthetic", "auc_n"))
    rows = []
    for name, value in found.items():
        n = (
            f"{folds:,} of each"
            if name == "real_vs_synthetic_auc" and folds
            else f"{real or 0:,} real, {synthetic or 0:,} synthetic"
        )
        shown = (
            f"{value:.4g}" if isinstance(value, int | float) else _e(json.dumps(value, ensure_ascii=False))
        )
        rows.append([_e(name.replace("_", " ")), shown, n])
    return _table(["figure", "value", "n"], rows) if rows else ""


def _provenance(paths: RunPaths, config: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    status = runs.read_status(paths)
    facts = {
        "run": paths.id, "dataset": result["dataset"], "dataset version": config.get("dataset_version"),
        "grouping": f"{config['settings'].get('grouping')} (revision {config.get('grouping_revision')})",
        "seeds": ", ".join(map(str, result["seeds"])), "attempts": status.attempt,
        "samples reviewed by people": len(workspace.reviews.load(paths.id)),
        **{f"{name} version": version for name, version in config.get("versions", {}).items()},
        **{f"seconds in {stage}": f"{seconds:.1f}" for stage, seconds in (result.get("seconds") or status.stages).items()},
    }  # fmt: skip
    chosen = dict(config["settings"])
    if isinstance(chosen.get("generator"), dict):  # a checkpoint's name, not where it lies
        chosen["generator"] = {
            key: value.rpartition("/")[2] if key.startswith("pretrained") and value else value
            for key, value in chosen["generator"].items()
        }
    settings = json.dumps({"settings": chosen, "grouping": config["grouping"]}, indent=1, ensure_ascii=False)
    return (
        _table(["what", "value"], [[_e(name), _e(value)] for name, value in facts.items()])
        + f"<pre>{_e(settings)}</pre>"
    )
