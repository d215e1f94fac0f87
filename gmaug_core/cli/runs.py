"""Verbs about runs of any kind: runs, status, stop, resume, logs, compare, command, rerun, pack, unpack,
mark, devices; and following one to its end.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gmaug_core import runs
from gmaug_core.cli import places
from gmaug_core.cli.output import Bar, say
from gmaug_core.cli.verbs import Arguments, Verbs
from gmaug_core.errors import GMAugError
from gmaug_core.method.result import AugmentationResult
from gmaug_core.runs import RunConfigFile, comparing, launch
from gmaug_core.workspace import marks

POLL_S = 0.2


def register(verbs: Verbs) -> None:
    verbs.add("runs", list_runs, "list the runs")
    for name, run, text in (
        ("status", status, "what a run is doing, and its result"),
        ("stop", stop, "stop a run at its next safe point"),
        ("resume", resume, "go on with a stopped, lost or failed run"),
        ("logs", logs, "the end of a run's log"),
    ):
        p = verbs.add(name, run, text)
        p.add_argument("run")
        if name == "resume":
            places.add_to(p)
            p.add_argument("--detach", action="store_true", help="return at once")
    p = verbs.add("compare", compare, "in which settings runs differ")
    p.add_argument("runs", nargs="+", metavar="RUN")
    p = verbs.add("command", command, "the command line that starts a run of the same settings")
    p.add_argument("run")
    p = verbs.add("rerun", rerun, "start a run of the same settings")
    p.add_argument("run")
    places.add_to(p)
    p.add_argument("--detach", action="store_true", help="return at once")
    p = verbs.add("pack", pack, "a whole run as one file, with every file's hash, for another workspace")
    p.add_argument("run")
    p.add_argument("file", metavar="FILE.tar")
    p = verbs.add("unpack", unpack, "take in a run that 'pack' wrote")
    p.add_argument("file", metavar="FILE.tar")
    p = verbs.add("mark", mark, "note something about a run, tag it, or hold the others against it")
    p.add_argument("run")
    p.add_argument("--note", metavar="TEXT", help="a line about it, in the place of the one it had")
    p.add_argument("--tag", action="append", metavar="TAG", help="tags, in the place of those it had")
    p.add_argument("--pin", action="store_true", help="hold the others against it, or no longer")
    places.add_to(verbs.add("devices", devices, "what a run could use here, or on a cluster"))


def list_runs(_: Arguments) -> object:
    found: list[dict[str, str | None]] = []
    for paths in runs.list_runs():
        config, (state, word) = RunConfigFile.read(paths.config), runs.state_of(paths)
        subject = config.settings.dataset
        found.append({"run": paths.id, "kind": config.kind, "dataset": subject, "state": state, "said": word})
        say(f"{paths.id:45} {subject:35} {word}")
    for paths, error in runs.damaged():
        found.append(
            {"run": paths.id, "kind": None, "dataset": None, "state": "damaged", "error": error.what}
        )
        say(f"{paths.id:45} {'-':35} damaged: {error.what}")
    if not found:
        say("No run yet.")
    return found


def status(args: Arguments) -> object:
    document = describe_run(args.run)
    say(
        f"{document['run']}: {document['said']}, stage {document['stage'] or '-'}, "
        f"{document['step']}/{document['total']}"
    )
    if document["reason"]:
        say(document["reason"])
    if document["hang"]:
        say(document["hang"])
    if damaged := document["damaged_metrics"]:
        say(f"{damaged} of the rows of its metrics are damaged and left out; 'resume' sifts them out.")
    if document["result"] and document["kind"] == "augmentation":
        show_result(document["result"])
    if document["result"] and document["kind"] == "equivalence":
        say(document["result"]["sentence"])
    return document


def stop(args: Arguments) -> object:
    launch.stop(args.run)
    return status(args)


def resume(args: Arguments) -> object:
    launch.resume(args.run, where=places.moved_to(args))
    return describe_run(args.run) if args.detach else follow(args.run)


def logs(args: Arguments) -> object:
    text = runs.read_log(runs.find(args.run))
    say(text)
    return {"run": args.run, "log": text}


def compare(args: Arguments) -> object:
    found = comparing.differences(*args.runs)
    for each in found:
        say(f"{each.name:35} " + "  ".join(f"{json.dumps(value):25}" for value in each.values).rstrip())
    if not found:
        say("They were started alike.")
    return [{"name": each.name, "values": dict(zip(args.runs, each.values, strict=True))} for each in found]


def command(args: Arguments) -> object:
    text = comparing.as_command(args.run)
    say(text)
    return {"run": args.run, "command": text}


def rerun(args: Arguments) -> object:
    run_id = launch.again(args.run, where=places.asked(args))
    say(f"Started {run_id}; follow it with: python -m gmaug_core status {run_id}")
    return describe_run(run_id) if args.detach else follow(run_id)


def pack(args: Arguments) -> object:
    from gmaug_core.runs import packing

    with Bar() as bar:
        made = packing.pack(args.run, Path(args.file), report=bar)
    size = sum(file.size for file in made.files)
    say(f"{len(made.files):,} files ({size / 1e6:,.1f} MB), each with its hash: {Path(args.file).name}")
    say(f"Its dataset '{made.dataset_name}' is not in it. It is taken in with: gmaug unpack FILE.tar")
    return {"run": made.run, "dataset": made.dataset, "files": len(made.files), "bytes": size}


def unpack(args: Arguments) -> object:
    from gmaug_core.runs import packing

    with Bar() as bar:
        found = packing.unpack(Path(args.file), report=bar)
    say(found.words)
    return asdict(found)


def mark(args: Arguments) -> object:
    paths = runs.find(args.run)
    known = marks.load().get(paths.id, marks.Mark())
    if args.note is not None or args.tag is not None:
        marks.note(paths.id, known.note if args.note is None else args.note, args.tag or known.tags)
    if args.pin:
        config = RunConfigFile.read(paths.config)
        marks.pin(paths.id, [each.id for each in runs.list_runs(config.kind, config.settings.dataset)])
    now = marks.load().get(paths.id, marks.Mark())
    say(f"{'pinned; ' if now.pinned else ''}{now.note or 'no note'}; tags: {', '.join(now.tags) or 'none'}")
    return {"run": paths.id, "note": now.note, "tags": list(now.tags), "pinned": now.pinned}


def devices(args: Arguments) -> object:
    found = places.asked(args).devices()
    say(f"torch {found.torch}, {found.cpu_threads} CPU threads, {len(found.cuda)} CUDA devices")
    for gpu in found.cuda:
        say(f"  {gpu.name}, {gpu.memory_gb} GB")
    return found.model_dump(mode="json")


def follow(run_id: str) -> dict[str, Any]:
    """Show a run's progress to its end; Ctrl-C stops it. Raises GMAugError with a failed run's error."""
    paths = runs.find(run_id)
    stopping = False

    def interrupt(*_: object) -> None:
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
        raise state.error.raised()
    if state.reason and state.state != "lost":
        raise GMAugError(
            f"run '{run_id}' paused: {state.reason}", todo=f"go on with: python -m gmaug_core resume {run_id}"
        )
    word = {"cancelled": "was stopped", "lost": "was lost: its process ended without a word"}[state.state]
    if state.state == "lost" and state.reason:
        word += f" ({state.reason})"
    raise GMAugError(f"run '{run_id}' {word}", todo=f"go on with: python -m gmaug_core resume {run_id}")


def describe_run(run_id: str) -> dict[str, Any]:
    """State, progress and, when finished, the result."""
    paths = runs.find(run_id)
    kind = RunConfigFile.read(paths.config).kind
    status, result = runs.read_status(paths), runs.read_result(paths)
    return {
        "run": run_id,
        "kind": kind,
        **status.model_dump(mode="json", exclude={"schema_number"}),
        "said": status.word,
        "hang": status.hang,
        "damaged_metrics": runs.damaged_metrics(paths),
        "result": result.to_dict() if result else None,
    }


def show_result(document: Mapping[str, Any]) -> None:
    """What a finished augmentation run found, in the words of the page and the report."""
    from gmaug_core.report import findings  # pandas: for who has a result to show, not for every verb

    result = AugmentationResult.parse(document)
    rows = findings.variants_words(result)
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    for row in (dict(zip(widths, widths, strict=True)), *rows):
        say("  ".join(f"{cell:{widths[name]}}" for name, cell in row.items()).rstrip())
    say(findings.headline(result)[1])
    say(findings.comparison(result))
    say(f"Accepted {result.accepted.total:,}, rejected {result.rejected.total:,} synthetic images")
    for note in findings.cautions(result):
        say(f"Note: {note}")
