"""The command line: python -m gmaug_core VERB. The app can do nothing that this cannot.

With --json exactly one JSON document goes to stdout; progress and messages go to stderr.
Exit status: 0 done, 1 failed, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gmaug_core import __version__, intake, runs, workspace
from gmaug_core.config import GENERATORS, Profile, SimilarityConfig, parse_assignments, validate
from gmaug_core.config.presets import PRESETS, augmentation_config
from gmaug_core.data import dataset, samples
from gmaug_core.errors import GMAugError, InputError
from gmaug_core.runs import launch
from gmaug_core.scoring.law import fit_law, paper_law
from gmaug_core.workspace import grouping

Arguments = argparse.Namespace
POLL_S = 0.2


# --- what a verb prints: a JSON document, or lines for people ---


def demo(args: Arguments) -> Any:
    dataset_id = dataset.make_demo()
    say(f"Demo dataset: {dataset_id}")
    return describe(dataset.load(dataset_id))


def import_(args: Arguments) -> Any:
    with Bar() as bar:
        imported = intake.import_path(Path(args.path), name=args.name, report=bar)
    document = imported.to_dict()
    workspace.audit("dataset imported", imported.dataset_id, refused=len(imported.refused))
    say(f"{'Imported' if imported.created else 'Already here'}: {imported.dataset_id}")
    show_counts(dataset.load(imported.dataset_id))
    for item in imported.refused[:20]:
        say(f"  refused: {item['file']}: {item['reason']}")
    if len(imported.refused) > 20:
        say(f"  and {len(imported.refused) - 20} more refused files; --json lists them all")
    return document | describe(dataset.load(imported.dataset_id))


def datasets(args: Arguments) -> Any:
    found = dataset.list_datasets()
    for item in found:
        say(
            f"{item['id']:40} {item['n_images']:>8,} images  {item['n_classes']:>5} classes  imbalance {item['imbalance_ratio']:.1f}"
        )
    if not found:
        say("No dataset yet: import one, or run 'python -m gmaug_core demo'.")
    return found


def show(args: Arguments) -> Any:
    data = dataset.load(args.dataset)
    show_counts(data)
    return describe(data) | {"groupings": launch.groupings(data.id)}


def group(args: Arguments) -> Any:
    data = dataset.load(args.dataset)
    chosen: grouping.Grouping | None = None
    if args.file:
        source = Path(args.file)
        if not source.is_file():
            raise InputError(f"there is no file '{source.name}'", expected="a CSV or JSON grouping file")
        chosen = grouping.read(source.read_bytes(), args.name or source.stem)
    elif args.suggest is not None:
        small = np.asarray(data.images("32-rgb"), np.float32)
        features = np.stack(
            [small[(data.labels == label)].mean(axis=0).ravel() for label in range(len(data.class_names))]
        )
        chosen = grouping.suggest(data.class_names, features, args.suggest)
        chosen = grouping.Grouping(args.name or chosen.name, chosen.super_classes)
    elif args.identity:
        chosen = grouping.Grouping(
            args.name or grouping.IDENTITY, grouping.identity(data.class_names).super_classes
        )
    if chosen is None:
        name = args.name or launch.groupings(data.id)[0]
        chosen, revision = launch.grouping_of(data.id, name)
    else:
        chosen.validate(data.class_names)
        stored = workspace.load_grouping(data.id, chosen.name)
        revision = workspace.save_grouping(data.id, chosen, revision=stored[1] if stored else 0)
    for name, subs in chosen.super_classes.items():
        say(f"{name}: {', '.join(subs)}")
    if args.out:
        out = Path(args.out)
        out.write_text(
            chosen.to_csv() if out.suffix.lower() == ".csv" else chosen.to_json(), encoding="utf-8"
        )
    return {
        "dataset": data.id,
        "name": chosen.name,
        "revision": revision,
        "super_classes": chosen.super_classes,
    }


def similarity(args: Arguments) -> Any:
    values = {
        "dataset": args.dataset,
        "profile": args.profile,
        "seed": args.seed,
        "pairs": args.pairs,
        "half_width": args.half_width,
    }
    values["workers"] = args.workers
    Profile.parse(args.profile)
    values["grouping"] = args.grouping or launch.groupings(dataset.load(args.dataset).id)[0]
    document = follow(launch.submit(validate(SimilarityConfig, values)))
    result = document["result"]
    for item in result["super_classes"]:
        bounds = f"[{item['ci_low']:.4f}, {item['ci_high']:.4f}]"
        say(
            f"{item['name']:30} {item['value']:.4f}  {bounds}  {item['pairs']:,} pairs of {item['n']:,} images"
        )
    for key, title in (("ssim_supsubcls", "SSIM-supSubCls"), ("ssim_mergecls", "SSIM-mergeCls")):
        item = result[key]
        if item["value"] is not None:
            say(f"{title:30} {item['value']:.4f}  [{item['ci_low']:.4f}, {item['ci_high']:.4f}]")
    return result


def predict(args: Arguments) -> Any:
    law = paper_law()
    if (args.ssim is None) == (args.dataset is None):
        raise InputError("predict needs a score or a dataset", expected="either --ssim X or DATASET")
    merge, interval, run = None, None, None
    if args.ssim is not None:
        if not -1 <= args.ssim <= 1:
            raise InputError(f"{args.ssim} is not an SSIM", expected="a number from -1 to 1")
        x = args.ssim
    else:
        score = newest_score(dataset.load(args.dataset).id)
        x, merge, run = score["ssim_supsubcls"]["value"], score["ssim_mergecls"]["value"], score["run"]
        interval = (score["ssim_supsubcls"]["ci_low"], score["ssim_supsubcls"]["ci_high"])
    advice = law.advice(x, merge, interval=interval)
    say(
        f"SSIM-supSubCls {x:.4f}: predicted relative gain {advice.gain:.1f} % [{advice.low:.1f}, {advice.high:.1f}] - {advice.verdict}"
    )
    say(advice.text)
    return {
        "ssim_supsubcls": x,
        "gain_percent": advice.gain,
        "low": advice.low,
        "high": advice.high,
        "advice": {"verdict": advice.verdict, "text": advice.text},
        "run": run,
    }


def newest_score(dataset_id: str) -> dict[str, Any]:
    """The result of the newest finished similarity run at profile `paper`."""
    others = []
    for paths in runs.list_runs("similarity", dataset_id):
        result = runs.read_result(paths)
        if result and result["profile"] == "paper" and result["ssim_supsubcls"]["value"] is not None:
            return result
        if result:
            others.append(result["profile"])
    raise InputError(
        f"dataset '{dataset_id}' has no score at profile 'paper'"
        + (f" (only at {', '.join(others)})" if others else ""),
        expected="a finished similarity run at the profile of the curve",
        todo=f"python -m gmaug_core similarity {dataset_id}",
    )


def fit(args: Arguments) -> Any:
    if args.points:
        x, gain, weights = read_points(Path(args.points))
        law = fit_law(x, gain, weights)
    else:
        law = paper_law()
    say(f"gain% = {law.amplitude:.3f} exp(-{law.rate:.3f} x)")
    say(f"R2 {law.r2:.4f}, mean error {law.mae:.3f}, median {law.median_ae:.3f}, n {law.n}")
    keys = ("amplitude", "rate", "base", "r2", "mae", "median_ae", "n", "amplitude_ci", "rate_ci")
    return {key: getattr(law, key) for key in keys}


def read_points(path: Path) -> tuple[list[float], list[float], list[float] | None]:
    """Columns x, gain_percent and, where it is there, se (weights are 1 / se^2)."""
    import pandas as pd

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


def augment(args: Arguments) -> Any:
    launch.backend(args.backend)
    data = dataset.load(args.dataset)
    overrides = parse_assignments(args.set or [])
    if args.seeds is not None:
        overrides["seeds"] = args.seeds
    if args.classifier is not None:
        overrides["classifier"] = {"name": args.classifier} | overrides.get("classifier", {})
    overrides.setdefault("grouping", launch.groupings(data.id)[0])
    config = augmentation_config(
        data.id,
        image_size=data.image_size,
        colour=data.colour,
        preset=args.preset,
        generator=args.generator,
        symmetric=data.symmetric,
        overrides=overrides,
    )
    if args.estimate:
        found = launch.estimate(config)
        say(
            f"Generator on {found['device']}: {found['seconds_per_kimg']:.3g} s a thousand images, {found['kimg']:g} thousand of them"
        )
        say(
            f"Training about {found['training_seconds'] / 60:.3g} minutes; drawing {found['sampling_img_per_s']:.3g} images a second"
        )
        say(f"Memory {found['memory_mb']:,.0f} MB. Nothing was started.")
        return found
    run_id = launch.submit(config)
    if args.detach:
        say(f"Started {run_id}; follow it with: python -m gmaug_core status {run_id}")
        return describe_run(run_id)
    document = follow(run_id)
    show_result(document["result"])
    return document


def runs_(args: Arguments) -> Any:
    found = []
    for paths in runs.list_runs():
        config, status = runs.read_config(paths), runs.read_status(paths)
        found.append(
            {
                "run": paths.id,
                "kind": config["kind"],
                "dataset": config["settings"]["dataset"],
                "state": status.state,
            }
        )
        say(f"{paths.id:45} {config['settings']['dataset']:35} {status.state}")
    if not found:
        say("No run yet.")
    return found


def status(args: Arguments) -> Any:
    document = describe_run(args.run)
    say(
        f"{document['run']}: {document['state']}, stage {document['stage'] or '-'}, {document['step']}/{document['total']}"
    )
    if document["result"] and document["kind"] == "augmentation":
        show_result(document["result"])
    return document


def stop(args: Arguments) -> Any:
    launch.stop(args.run)
    return status(args)


def resume(args: Arguments) -> Any:
    launch.resume(args.run)
    return describe_run(args.run) if args.detach else follow(args.run)


def logs(args: Arguments) -> Any:
    text = runs.read_log(runs.find(args.run))
    say(text)
    return {"run": args.run, "log": text}


def devices(args: Arguments) -> Any:
    """Asked in a child process: importing torch here would slow every other verb."""
    import subprocess

    code = (
        "import json, torch; c = torch.cuda; print(json.dumps({'cpu_threads': torch.get_num_threads(), 'torch': torch.__version__,"
        " 'cuda': [{'name': c.get_device_name(i), 'memory_gb': round(c.get_device_properties(i).total_memory / 2**30, 1)}"
        " for i in range(c.device_count())] if c.is_available() else []}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise GMAugError("torch could not be asked for devices", todo="reinstall the requirements")
    found = json.loads(answer.stdout)
    say(f"torch {found['torch']}, {found['cpu_threads']} CPU threads, {len(found['cuda'])} CUDA devices")
    for item in found["cuda"]:
        say(f"  {item['name']}, {item['memory_gb']} GB")
    return found


def samples_(args: Arguments) -> Any:
    paths = runs.find(args.run)
    table = samples.table(paths.samples)
    if len(table):
        table = table[table["seed"] == table["seed"].min()]
    if args.accepted or args.rejected:
        table = table[table["accepted"].astype(bool) == bool(args.accepted)]
    if args.class_name is not None:
        table = table[table["class"] == args.class_name]
    reviews = workspace.load_reviews(args.run)
    rows = [row | {"review": reviews.get(row["sample"])} for row in table.to_dict("records")]
    for row in rows[:50]:
        say(
            f"{row['sample']:>7} {row['class']:20} logit {row['logit']:7.2f}  p {row['probability']:.3f}  {row['reason']}"
        )
    say(f"{len(rows):,} samples")
    return rows


def equivalence(args: Arguments) -> Any:
    raise InputError(
        "the equivalence of synthetic and real images is not measured yet",
        todo="it comes with a later version",
    )


def export(args: Arguments) -> Any:
    from gmaug_core.report import export as exporting

    document = exporting.export(args.subject, Path(args.out))
    say(f"Exported {document['images']:,} images to {Path(args.out).name}")
    return document


def report(args: Arguments) -> Any:
    from gmaug_core.files import write_bytes
    from gmaug_core.report import html as reporting

    page = reporting.html_report(args.run).encode()
    out = Path(args.out)
    write_bytes(out, page)
    say(f"Report written: {out.name}, {len(page) / 1024:.0f} KB")
    return {"run": args.run, "bytes": len(page), "file": out.name}


# --- shared by the verbs ---


def say(text: str) -> None:
    """A line for people; on stderr when stdout carries JSON."""
    print(text, file=sys.stderr if JSON else sys.stdout)


JSON = False


class Bar:
    """A progress bar on stderr for the `report` hook: a new line each stage."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.bar: tqdm | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def __call__(self, stage: str, step: int, total: int, **metrics: Any) -> None:
        if stage != self.stage or self.bar is None:
            self.close()
            self.stage = stage
            self.bar = tqdm(total=total, desc=f"{stage:12}", file=sys.stderr, leave=True, mininterval=0.2)
        self.bar.total = max(total, 1)
        self.bar.n = step
        numbers = {
            k: f"{v:.4g}"
            for k, v in metrics.items()
            if isinstance(v, (int, float)) and not isinstance(v, bool)
        }
        self.bar.set_postfix(dict(list(numbers.items())[:3]), refresh=False)
        self.bar.refresh()


def follow(run_id: str) -> dict[str, Any]:
    """Show a run's progress until it ends; Ctrl-C stops the run. Raises GMAugError with the run's own error when it failed."""
    paths = runs.find(run_id)
    stopping = False

    def interrupt(*_: Any) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            launch.stop(run_id, wait=False)
            print(f"\nstopping {run_id} at its next safe point ...", file=sys.stderr)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with Bar() as bar:
            while True:
                state = runs.read_status(paths)
                if state.stage:
                    bar(state.stage, state.step, state.total)
                if not state.active:
                    break
                time.sleep(POLL_S)
    finally:
        signal.signal(signal.SIGINT, before)
    if state.state == "finished":
        return describe_run(run_id)
    if state.state == "failed" and state.error:
        raise GMAugError(state.error["what"], expected=state.error["expected"], todo=state.error["todo"])
    word = {"cancelled": "was stopped", "lost": "was lost: its process ended without a word"}[state.state]
    raise GMAugError(f"run '{run_id}' {word}", todo=f"go on with: python -m gmaug_core resume {run_id}")


def describe(data: dataset.Dataset) -> dict[str, Any]:
    """id, name, counts and so on, as JSON."""
    splits = {name: len(data.split(name)) for name in ("train", "val", "test")}
    return {
        "dataset": data.id,
        "id": data.id,
        "name": data.name,
        "images": len(data),
        "classes": len(data.class_names),
        "class_names": list(data.class_names),
        "counts": data.counts,
        "imbalance_ratio": data.imbalance_ratio,
        "splits": splits,
        "image_size": data.image_size,
        "colour": data.colour,
    }


def describe_run(run_id: str) -> dict[str, Any]:
    """State, progress and, when finished, the result."""
    paths = runs.find(run_id)
    state = runs.read_status(paths).to_dict()
    return {
        "run": run_id,
        "kind": runs.read_config(paths)["kind"],
        **state,
        "result": runs.read_result(paths),
    }


def show_counts(data: dataset.Dataset) -> None:
    splits = ", ".join(f"{name} {len(data.split(name)):,}" for name in ("train", "val", "test"))
    say(
        f"{data.name}: {len(data):,} images, {len(data.class_names)} classes, imbalance ratio {data.imbalance_ratio:.1f} ({splits})"
    )
    for name, n in sorted(data.counts.items(), key=lambda item: -item[1])[:20]:
        say(f"  {name:30} {n:>7,}")
    if len(data.counts) > 20:
        say(f"  and {len(data.counts) - 20} more classes")


def show_result(result: dict[str, Any]) -> None:
    """The table of a finished augmentation run."""
    say(
        f"{'':52} accuracy on {result['baseline']['accuracy']['n']:,} test images, {len(result['seeds'])} seeds, 95 % interval"
    )
    for entry in (result["baseline"], result["augmented"], *result["controls"].values()):
        a, b = entry["accuracy"], entry["balanced_accuracy"]
        say(
            f"  {entry['label']:48} {a['mean']:7.2%}  [{a['ci_low']:.2%}, {a['ci_high']:.2%}]   balanced {b['mean']:.2%}"
        )
    gain = result["relative_gain_percent"]
    if gain["value"] is not None:
        say(
            f"Relative gain over the baseline: {gain['value']:+.2f} % [{gain['ci_low']:+.2f}, {gain['ci_high']:+.2f}]"
        )
    if result["predicted"]:
        p = result["predicted"]
        say(
            f"The law had predicted: {p['gain_percent']:+.2f} % [{p['low']:+.1f}, {p['high']:+.1f}] ({p['advice']['verdict']})"
        )
    say(
        f"Accepted {result['accepted']['total']:,}, rejected {result['rejected']['total']:,} synthetic images"
    )
    for text in result["warnings"]:
        say(f"Note: {text}")


# --- usage ---


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m gmaug_core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[Arguments], Any], text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="one JSON document on stdout")
        made.set_defaults(run_verb=run)
        return made

    verb("demo", demo, "make the embedded demo dataset and say its id")
    p = verb("import", import_, "import a zip, a folder of class folders, or an iNaturalist JSON")
    p.add_argument("path")
    p.add_argument("--name", help="what people see; default: the file's name")
    verb("datasets", datasets, "list the datasets")
    p = verb("show", show, "one dataset: classes, counts, splits, groupings")
    p.add_argument("dataset")
    p = verb("group", group, "show, import, suggest or export a grouping into super-classes")
    p.add_argument("dataset")
    way = p.add_mutually_exclusive_group()
    way.add_argument("--show", action="store_true", help="print a grouping (the default)")
    way.add_argument("--from", dest="file", metavar="FILE", help="import from CSV or JSON")
    way.add_argument("--suggest", type=int, metavar="K", help="propose K super-classes by looks")
    way.add_argument("--identity", action="store_true", help="one sub-class a super-class")
    p.add_argument("--name", "--g", dest="name", metavar="G", help="the grouping's name")
    p.add_argument("--out", metavar="FILE", help="write it as .csv or .json")
    p = verb("similarity", similarity, "measure SSIM-mergeCls and SSIM-supSubCls")
    p.add_argument("dataset")
    p.add_argument("--grouping", metavar="G")
    p.add_argument(
        "--workers", type=int, default=0, metavar="N", help="threads; default: all cores. Changes no number"
    )
    p.add_argument("--profile", default="paper")
    p.add_argument("--seed", type=int, default=0)
    amount = p.add_mutually_exclusive_group()
    amount.add_argument(
        "--half-width", type=float, metavar="W", help="sample until the 95 %% interval is +-W"
    )
    amount.add_argument("--pairs", type=int, metavar="M", help="pairs a set; default 2|X|")
    p = verb("predict", predict, "the law's prediction, with its interval")
    p.add_argument("dataset", nargs="?")
    p.add_argument("--ssim", type=float, metavar="X")
    p = verb("fit", fit, "fit the law; default: the paper's points")
    p.add_argument("--points", metavar="FILE", help="CSV with x, gain_percent and maybe se")
    p = verb("augment", augment, "run GM-augCls and measure what it was worth")
    p.add_argument("dataset")
    p.add_argument("--preset", default="quick", help=", ".join(PRESETS))
    p.add_argument("--generator", help=", ".join(GENERATORS))
    p.add_argument("--classifier", help="resnet18")
    p.add_argument("--seeds", type=int)
    p.add_argument(
        "--set",
        action="append",
        metavar="KEY=VALUE",
        help="any setting, for example generator.kimg=20; may be repeated",
    )
    p.add_argument("--backend", default="local", help="local")
    p.add_argument(
        "--estimate", action="store_true", help="measure what the generator would cost here; starts nothing"
    )
    p.add_argument("--detach", action="store_true", help="return at once; the run goes on")
    verb("runs", runs_, "list the runs")
    for name, run, text in (
        ("status", status, "what a run is doing, and its result"),
        ("stop", stop, "stop a run at its next safe point"),
        ("resume", resume, "go on with a stopped, lost or failed run"),
        ("logs", logs, "the end of a run's log"),
    ):
        p = verb(name, run, text)
        p.add_argument("run")
        if name == "resume":
            p.add_argument("--detach", action="store_true", help="return at once")
    verb("devices", devices, "what a run could use here")
    p = verb("samples", samples_, "the synthetic images of a run with scores and reasons")
    p.add_argument("run")
    which = p.add_mutually_exclusive_group()
    which.add_argument("--accepted", action="store_true")
    which.add_argument("--rejected", action="store_true")
    p.add_argument("--class", dest="class_name", metavar="C")
    p = verb("equivalence", equivalence, "how many synthetic images equal how many real ones (comes later)")
    p.add_argument("dataset")
    p = verb("export", export, "a balanced ImageFolder with metadata.csv")
    p.add_argument("subject", metavar="DATASET|RUN")
    p.add_argument("--out", required=True, metavar="DIR")
    p = verb("report", report, "a self-contained HTML report of a run")
    p.add_argument("run")
    p.add_argument("--out", required=True, metavar="FILE.html")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    global JSON
    args = parser().parse_args(arguments)
    JSON = args.json
    try:
        document = args.run_verb(args)
    except GMAugError as error:
        if args.json:
            print(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    if args.json:
        print(json.dumps(document, ensure_ascii=False, default=plain))
    return 0


def plain(value: Any) -> Any:
    """numpy and mappings as JSON."""
    return value.tolist() if hasattr(value, "tolist") else dict(value)


def entry() -> int:
    """The exit status of the command that was typed."""
    try:
        return main()
    except BrokenPipeError:  # the reader of a pipe went away, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
