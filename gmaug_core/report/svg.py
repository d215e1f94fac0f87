"""Small pictures for the self-contained report: inline SVG without any script or outside request.

Colours are the ones of figures.COLOURS; text and lines follow the page's own colour (currentColor), so light and dark work.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gmaug_core.report.charts import COLOURS, label_above, variants
from gmaug_core.scoring.law import Law, Point, printed_equation

_ROW = 34


def _text(x: float, y: float, text: object, *, anchor: str = "start", faint: bool = False) -> str:
    opacity = 0.65 if faint else 1
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" opacity="{opacity}">{html.escape(str(text))}</text>'


def _line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    colour: str = "currentColor",
    width: float = 1,
    **extra: object,
) -> str:
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in extra.items())
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{attributes}/>'


def _path(xs: Any, ys: Any, colour: str, width: float, **extra: object) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in extra.items())
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"{attributes}/>'


def _svg(width: int, height: int, parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg>'


def _ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round numbers between low and high."""
    raw = max(high - low, 1e-9) / count
    magnitude = 10 ** np.floor(np.log10(raw))
    step = magnitude * min((1, 2, 2.5, 5, 10), key=lambda factor: abs(factor * magnitude - raw))
    return [float(tick) for tick in np.arange(np.ceil(low / step) * step, high + step / 1e6, step)]


def forest(result: Mapping[str, Any], measure: str = "accuracy") -> str:
    """Mean and interval of every classifier, in percent, each seed a small stroke."""
    rows = variants(result)
    values = [
        100 * number
        for *_, found in rows
        for number in (found[measure]["ci_low"], found[measure]["ci_high"], *found[measure]["values"])
    ]
    span = max(max(values) - min(values), 0.5)
    low, high = min(values) - 0.08 * span, max(values) + 0.08 * span
    left, right, height = 190, 700, 20 + _ROW * len(rows) + 34

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    parts = []
    for tick in _ticks(low, high):
        parts.append(_line(place(tick), 12, place(tick), height - 34, opacity=0.15))
        parts.append(_text(place(tick), height - 18, f"{tick:g}", anchor="middle", faint=True))
    parts.append(
        _text((left + right) / 2, height - 3, f"{measure.replace('_', ' ')}, %", anchor="middle", faint=True)
    )
    for k, (_, label, role, found) in enumerate(rows):
        y, colour = 12 + _ROW * (k + 0.5), COLOURS[role]
        mean, ci_low, ci_high = (100 * found[measure][name] for name in ("mean", "ci_low", "ci_high"))
        parts.append(_text(left - 12, y + 4, label, anchor="end"))
        parts += [
            _line(place(100 * v), y - 7, place(100 * v), y + 7, colour, 1.2, opacity=0.6)
            for v in found[measure]["values"]
        ]
        parts.append(_line(place(ci_low), y, place(ci_high), y, colour, 2.2))
        parts.append(f'<circle cx="{place(mean):.1f}" cy="{y:.1f}" r="5.5" fill="{colour}"/>')
    return _svg(720, height, parts, "accuracy of every variant with its interval")


def curve(law: Law, points: Sequence[Point], *, score: float | None, gain: Mapping[str, float] | None) -> str:
    """The law with its band, the paper's points and this run (a diamond with its interval: value, ci_low, ci_high)."""
    left, right, top, bottom = 52, 700, 12, 270
    most = max(0.45, (score or 0) * 1.06)
    y_low, y_high = (
        min(-20.0, gain["ci_low"] - 3 if gain else -20.0),
        max(90.0, gain["ci_high"] + 5 if gain else 90.0),
    )

    def x_of(x: Any) -> Any:
        return left + (np.asarray(x, float) - 0.05) / (most - 0.05) * (right - left)

    def y_of(y: Any) -> Any:
        return bottom - (np.clip(np.asarray(y, float), y_low, y_high) - y_low) / (y_high - y_low) * (
            bottom - top
        )

    grid = np.linspace(0.05, most, 160)
    fitted, low, high = law.predict(grid)
    band = [*zip(x_of(grid), y_of(high), strict=True), *zip(x_of(grid)[::-1], y_of(low)[::-1], strict=True)]
    parts = [
        f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in band)}" fill="{COLOURS["law"]}" opacity="0.15"/>'
    ]
    for tick in _ticks(y_low, y_high, 5):
        parts.append(
            _line(left, float(y_of(tick)), right, float(y_of(tick)), opacity=0.5 if tick == 0 else 0.13)
        )
        parts.append(_text(left - 8, float(y_of(tick)) + 4, f"{tick:g}", anchor="end", faint=True))
    parts += [
        _text(float(x_of(tick)), bottom + 18, f"{tick:g}", anchor="middle", faint=True)
        for tick in _ticks(0.05, most)
    ]
    parts.append(
        _text(
            (left + right) / 2,
            bottom + 36,
            "SSIM-supSubCls (profile paper); relative gain in %",
            anchor="middle",
            faint=True,
        )
    )
    inside = fitted <= y_high
    parts.append(_path(x_of(grid[inside]), y_of(fitted[inside]), COLOURS["law"], 2.4))
    printed = printed_equation(grid)
    parts.append(
        _path(
            x_of(grid[printed <= y_high]),
            y_of(printed[printed <= y_high]),
            COLOURS["baseline"],
            1.4,
            stroke_dasharray="5 4",
        )
    )
    for point, above in zip(points, label_above(points), strict=True):
        x, y = float(x_of(point.supsub)), float(y_of(point.gain))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS["law"]}"/>')
        parts.append(_text(x + 8, y - 5 if above else y + 15, point.name, faint=True))
    if score is not None and gain is not None:
        x, y = float(x_of(score)), float(y_of(gain["value"]))
        parts.append(
            _line(x, float(y_of(gain["ci_low"])), x, float(y_of(gain["ci_high"])), COLOURS["accepted"], 2.2)
        )
        parts.append(f'<path d="M{x:.1f} {y - 8:.1f} l8 8 l-8 8 l-8 -8z" fill="{COLOURS["accepted"]}"/>')
        parts.append(
            _text(
                x, float(y_of(gain["ci_high"])) - 12, "this run", anchor="end" if x > right - 30 else "middle"
            )
        )
    return _svg(720, 312, parts, "the law, the paper's datasets and this run")


def bar(value: float | None, role: str) -> str:
    """A small horizontal bar for a share between 0 and 1, for a table cell."""
    if value is None:
        return ""
    width = 90 * min(max(value, 0.0), 1.0)
    return (
        f'<svg class="bar" viewBox="0 0 90 8" aria-hidden="true"><rect width="90" height="8" rx="2" fill="currentColor" opacity="0.1"/>'
        f'<rect width="{width:.1f}" height="8" rx="2" fill="{COLOURS[role]}"/></svg>'
    )
