"""What a person reads of a training: the titles that metrics and files carry, in words."""

from __future__ import annotations

import re

from gmaug_core.method.recipes import RECIPES
from gmaug_core.method.variants import VARIANTS, short
from gmaug_core.method.ways import SECOND

_RECIPE = "|".join(map(re.escape, RECIPES))
_WAY = r"(?P<use>fill|mix)(?:-x(?P<amount>[\d.]+))?(?:-weight(?P<weight>[\d.]+))?(?:-(?P<second>head|block))?"
_FORMS = (
    re.compile(rf"step(?P<step>\d+)-{_WAY}"),
    re.compile(rf"(?P<variant>unfiltered|replay)-{_WAY}"),
    re.compile(rf"(?P<recipe>{_RECIPE})-(?P<value>[\d.e-]+?)(?:-step(?P<step>\d+)-{_WAY})?"),
    re.compile(
        rf"verdict-(?P<images>all|half|rare-half)-(?P<recipe>{_RECIPE})-(?P<value>[\d.e-]+?)-(?P<steps>\d+)"
    ),
    re.compile(r"counting-(?P<arm>\w+)"),
    re.compile(r"probe-(?P<early>\w+)"),
)
_IMAGES = {"all": "all images", "half": "half of the images", "rare-half": "half of the rare images"}
_ARMS = {"placebo": "copies of real images"}
_EARLY = {"real": "real images alone", "drawn": "with the first samples"}


def words(title: str) -> str:
    """'step1-mix-x0.25' -> 'Synthetic, step 1: mix, 0.25 x'; a title of another form as it is."""
    if title in VARIANTS:
        return short(title)
    found = next((match for form in _FORMS if (match := form.fullmatch(title))), None)
    if found is None:
        return short(title)
    said = found.groupdict()
    if arm := said.get("arm"):
        return f"Paper's counting: {_ARMS.get(arm) or short(arm).lower()}"
    if early := said.get("early"):
        return f"Early look: {_EARLY.get(early, early)}"
    head = _head(said)
    way = _way(said)
    return f"{head}: {way}" if way else head


def _head(said: dict[str, str | None]) -> str:
    if recipe := said.get("recipe"):
        what = RECIPES[recipe]
        head = what.short + (f", {what.parameter} {said['value']}" if what.parameter else "")
        if images := said.get("images"):
            return f"{head}, {_IMAGES[images]}, {int(said['steps'] or 0):,} steps"
        return f"{head} + synthetic, step {said['step']}" if said.get("step") else head
    if variant := said.get("variant"):
        return short({"replay": "real_replay"}.get(variant, variant))
    return f"Synthetic, step {said['step']}"


def _way(said: dict[str, str | None]) -> str:
    if not said.get("use"):
        return ""
    parts = [str(said["use"])]
    if said["amount"]:
        parts.append(f"{said['amount']} x")
    if said["weight"]:
        parts.append(f"weight {said['weight']}")
    if said["second"]:
        parts.append(SECOND[said["second"]].removeprefix("the "))
    return ", ".join(parts)
