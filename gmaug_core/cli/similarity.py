"""Verbs about the score and the law: similarity, predict, fit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from gmaug_core import runs
from gmaug_core.cli import places
from gmaug_core.cli.output import Bar, say
from gmaug_core.cli.runs import follow
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.config import Profile, SimilarityConfig, validate
from gmaug_core.data import dataset
from gmaug_core.data.dataset import Dataset
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import launch
from gmaug_core.scoring.result import Highest, SetMean, SimilarityResult
from gmaug_core.workspace import groupings


def register(verbs: Verbs) -> None:
    p = verbs.add("similarity", similarity, "measure SSIM-mergeCls and SSIM-supSubCls")
    p.add_argument("dataset")
    p.add_argument("--grouping", metavar="G")
    p.add_argument("--workers", type=int, default=0, metavar="N", help="threads; 0: all. Changes no number")
    p.add_argument(
        "--device", default="cpu", help="auto, cpu, cuda, cuda:N; a GPU moves a value by 1e-6 at most"
    )
    p.add_argument("--profile", default="paper")
    p.add_argument("--seed", type=int, default=0)
    places.add_to(p)
    amount = p.add_mutually_exclusive_group()
    amount.add_argument("--half-width", type=float, metavar="W", help="sample until the interval is +-W")
    amount.add_argument("--pairs", type=int, metavar="M", help="pairs a set; default 2|X|")
    amount.add_argument(
        "--check", type=int, metavar="N", help="measure N pairs again by scikit-image, no score"
    )
    p = verbs.add("predict", predict, "the law's prediction, with its interval")
    p.add_argument("dataset", nargs="?")
    p.add_argument("--grouping", metavar="G", help="default: the one that the pages propose")
    p.add_argument("--ssim", type=float, metavar="X")
    p.add_argument("--target", type=int, metavar="N", help="images a class; default: as the largest")
    p = verbs.add("fit", fit, "fit the law; default: the paper's points")
    source = p.add_mutually_exclusive_group()
    source.add_argument("--points", metavar="FILE", help="CSV with x, gain_percent and maybe se")
    source.add_argument("--with-runs", action="store_true", help="the paper's points and your finished runs")
    p.add_argument("--without-paper", action="store_true", help="with --with-runs: your runs alone")


def similarity(args: Arguments) -> object:
    data, profile = dataset.load(args.dataset), Profile.parse(args.profile)
    if args.check is not None:
        return checked(data, profile, args.check, args.seed)
    values = {
        "dataset": data.id,
        "grouping": args.grouping or groupings.names(data)[0],
        "profile": args.profile,
        "seed": args.seed,
        "pairs": args.pairs,
        "half_width": args.half_width,
        "workers": args.workers,
        "device": args.device,
    }
    run_id = launch.submit(validate(SimilarityConfig, values), data=data, where=places.asked(args))
    follow(run_id)
    score = SimilarityResult.read(runs.find(run_id).result)
    for item in score.super_classes:
        say(f"{item.name:30} {mean_words(item)}  {item.pairs:,} pairs of {item.n:,} images")
    say(f"{'SSIM-supSubCls':30} {mean_words(score.ssim_supsubcls)}")
    say(f"{'SSIM-mergeCls':30} {mean_words(score.ssim_mergecls)}")
    return score.to_dict()


def mean_words(found: SetMean | Highest) -> str:
    """'0.4310  [0.4210, 0.4400]'; a set that a stop left without a value says so."""
    if found.value is None:
        return "not measured"
    return f"{found.value:.4f}  [{found.ci_low:.4f}, {found.ci_high:.4f}]"


def checked(data: Dataset, profile: Profile, pairs: int, seed: int) -> object:
    """Random training pairs measured again by scikit-image. Raises GMAugError when the two disagree."""
    from gmaug_core.scoring import check  # numba

    with Bar() as bar:
        images = data.images(profile.images, report=bar)
        found = check.check(images, data.split("train"), profile, pairs, seed=seed, report=bar)
    said = f"{found.pairs:,} pairs: largest difference from scikit-image {found.largest_difference:.2e}"
    if not found.agree:
        raise GMAugError(
            said, expected=f"at most {found.limit:g}", todo="report this with your processor's name"
        )
    say(f"{said} (limit {found.limit:g})")
    return found.to_dict()


def predict(args: Arguments) -> object:
    from gmaug_core.report import scores  # scipy: most of a second
    from gmaug_core.scoring.advice import advise

    if (args.ssim is None) == (args.dataset is None):
        raise InputError("predict needs a score or a dataset", expected="either --ssim X or DATASET")
    if args.target is not None and args.target < 1:
        raise InputError(f"{args.target} is no number of images a class", expected="--target 1 or more")
    grouping, run = None, None
    if args.ssim is not None:
        if not -1 <= args.ssim <= 1:
            raise InputError(f"{args.ssim} is not an SSIM", expected="a number from -1 to 1")
        x, advice = args.ssim, advise(args.ssim)
    else:
        data = dataset.load(args.dataset)
        grouping = args.grouping or groupings.names(data)[0]
        score = scores.require_newest(data, grouping)
        x, run = score.ssim_supsubcls.value, score.run
        advice = scores.advice(score, data, args.target)
    say(f"SSIM-supSubCls {x:.4f}: {advice.verdict}")
    say(advice.text)
    return {
        "ssim_supsubcls": x,
        "gain_percent": advice.gain,
        "low": advice.low,
        "high": advice.high,
        "advice": {"verdict": advice.verdict, "text": advice.text},
        "grouping": grouping,
        "run": run,
    }


def fit(args: Arguments) -> object:
    from gmaug_core.report import points  # scipy: most of a second
    from gmaug_core.scoring.law import fit_law
    from gmaug_core.scoring.paper import paper_law

    if args.without_paper and not args.with_runs:
        raise InputError("--without-paper leaves no points", expected="--with-runs --without-paper")
    own = points.own_points() if args.with_runs else []
    if args.points:
        law = fit_law(*read_points(Path(args.points)))
    elif args.with_runs:
        law = points.law_with(own, with_paper=not args.without_paper)
    else:
        law = paper_law()
    for point in own:
        weight = f"standard error {point.se:.2f}" if point.se > 0 else "left out: one seed has no error"
        say(f"{point.run}: score {point.x:.4f}, gain {point.gain:+z.2f} %, {weight}")
    say(f"gain% = {law.amplitude:.3f} exp(-{law.rate:.3f} x)")
    say(f"R2 {law.r2:.4f}, mean error {law.mae:.3f}, median {law.median_ae:.3f}, n {law.n}")
    keys = ("amplitude", "rate", "base", "r2", "mae", "median_ae", "n", "amplitude_ci", "rate_ci")
    return {key: getattr(law, key) for key in keys} | {"runs": [asdict(point) for point in own]}


def read_points(path: Path) -> tuple[list[float], list[float], list[float] | None]:
    """Columns x, gain_percent and, where it is there, se (weights are 1 / se^2)."""
    import pandas as pd  # a third of a second

    try:
        table = pd.read_csv(path)
        x, gain = table["x"].astype(float).tolist(), table["gain_percent"].astype(float).tolist()
        weights = (1 / table["se"].astype(float) ** 2).tolist() if "se" in table else None
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"'{path.name}' holds no points ({error})",
            expected="a CSV with columns x, gain_percent and maybe se",
        ) from error
    return x, gain, weights
