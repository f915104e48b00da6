"""
The report's tables, measured
=============================

Trains every row of Tables 1 to 3 of the technical report under its protocol and prints measured hierarchical F1 and
accuracy (mean and standard deviation over the test folds), the report's figures, and a paired 95 % interval of the
gain over the baseline, or over another row (``--over log_stft``)::

    python examples/reproduce_report.py --bsd10k path/to/BSD10k-v1.2 --bsd35k path/to/BSD35k-CS \\
        --embeddings shipped --size report
    python examples/reproduce_report.py --bsd10k path/to/BSD10k-v1.2 --rows baseline flat --folds 1
    python examples/reproduce_report.py --bsd10k path/to/sounds --vectors encoders.npz
    python examples/reproduce_report.py --fast                       # made clips, a few minutes

``--vectors`` takes embeddings of encoders of your own: an .npz with ``sound_id`` and arrays whose names begin with
"audio" and "text" (``--arrays`` names one of each, where there are several).

Without ``--bsd35k`` all rows are trained on BSD10k alone; without sounds (a folder of tables, or of tables and shipped
embeddings) the rows without an acoustic branch remain. Each fitted member of each fold is one file below
``--out``, under a name that changes with the data and the settings: the same command goes on where it was
stopped, and other rows, folds or protocols use what is there. Tables are written as CSV and Markdown, and drawn;
``extra/`` says of every candidate row why it was taken or not.
"""

import argparse
import sys
import time
import warnings
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn

sys.path.insert(0, str(Path(__file__).parent if "__file__" in globals() else Path.cwd()))

from _reproduction import REPEATED, ROWS, PreparedFold, Study, fit_member, read_vectors, score_row, trial_seconds

from skbst.datasets import load_bsd, make_bst_clips

TITLES = {
    1: "Table 1: acoustic features",
    2: "Table 2: classification heads",
    3: "Table 3: submitted systems",
    4: "Not in the report: neighbours without an acoustic branch",
}
PROTOCOLS = {"official": "official folds", "grouped": "folds that keep uploaders together"}
N_BSD10K = 10956


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bsd10k", type=Path, help="folder of BSD10k; without it clips are made")
    parser.add_argument("--bsd35k", type=Path, help="folder of BSD35k-CS")
    parser.add_argument("--embeddings", choices=["builtin", "shipped", "clap"], default="builtin")
    parser.add_argument("--vectors", type=Path, help=".npz of encoders' vectors, in the place of --embeddings")
    parser.add_argument("--arrays", nargs="+", metavar="NAME", help="arrays of --vectors to use")
    parser.add_argument("--modalities", choices=["auto", "both", "audio", "text"], default="auto")
    parser.add_argument("--size", choices=["small", "report"], default="small", help="size of the networks")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), metavar="ROW", help=f"among {', '.join(ROWS)}")
    parser.add_argument("--over", choices=list(ROWS), default="baseline", metavar="ROW", help="row to compare with")
    parser.add_argument("--folds", type=int, choices=range(1, 6), help="run only the first of the five folds")
    parser.add_argument("--protocol", choices=[*PROTOCOLS, "both"], default="both")
    parser.add_argument("--fast", action="store_true", help="two folds, six epochs; fewer made clips")
    parser.add_argument("--epochs", type=int, help="at most so many epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int, help="threads of the featurizers")
    parser.add_argument("--out", type=Path, default=Path("reproduction"))
    return parser.parse_args(arguments)


def load(given):
    """Both data sets, or made ones in their place."""
    if given.bsd10k is not None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*only text can be used")  # the plan says it
            sets = [
                root and load_bsd(root, load_embeddings=given.embeddings == "shipped")
                for root in (given.bsd10k, given.bsd35k)
            ]
        return sets[0], sets[1], False
    limits = {"max_duration": 2.0, "sample_rate": 16000} if given.fast else {"max_duration": 5.0}
    sizes = {"bsd10k": 230, "bsd35k": 345} if given.fast else {"bsd10k": 920, "bsd35k": 1380}
    sets = []
    for seed, (flavour, n_clips) in enumerate(sizes.items()):
        root = given.out / f"made-{flavour}-{n_clips}"
        shipped = given.embeddings == "shipped"
        make_bst_clips(
            root, n_clips=n_clips, flavour=flavour, with_embeddings=shipped, random_state=seed, verbose=1, **limits
        )
        sets.append(load_bsd(root, load_embeddings=shipped))
    return sets[0], sets[1], True


def make_study(given):
    bsd10k, bsd35k, made = load(given)
    modalities = given.modalities
    vectors = None if given.vectors is None else read_vectors(given.vectors, given.arrays)
    if modalities == "auto" and vectors is not None:
        modalities = "both" if len(vectors) == 2 else next(iter(vectors))
    if modalities == "auto":
        has_sound = (bsd10k.data["audio"] != "").any()
        modalities = "both" if has_sound or given.embeddings == "shipped" else "text"
    return Study(
        bsd10k,
        bsd35k,
        given.out,
        embeddings=given.embeddings if vectors is None else "vectors",
        vectors=vectors,
        modalities=modalities,
        size=given.size,
        max_epochs=given.epochs or (6 if given.fast else None),
        n_folds=given.folds or (2 if given.fast else 5),
        seed=given.seed,
        device=given.device,
        n_jobs=given.jobs,
        made=made,
    )


def choose_rows(study, asked, over):
    """Rows to show; the baseline is always among them, and the one that all others are compared with."""
    if study.missing(over):
        raise SystemExit(f"Nothing can be compared with {over}: {study.missing(over)}.")
    if asked is None:
        return [row for row in ROWS if ROWS[row][0] < 4 or row == over or not study.has_sound]
    return [row for row in ROWS if row in ("baseline", over) or row in asked]


def describe(study):
    """What is measured on, in one phrase that every table repeats."""
    n_clips = len(study.bsd10k.data)
    if study.made:
        return f"{n_clips} made clips: says nothing about real sounds"
    name = f"{n_clips} clips of {study.bsd10k.root.name}"
    if study.vectors is not None:
        name += f" by {' and '.join(table.columns.name for table in study.vectors.values())}"
    if n_clips != N_BSD10K:
        name += ", not the 10,956 of BSD10k-v1.2 that the report's figures are of"
    return name


class Clock:
    """Seconds that fits take, and what they say of those to come."""

    def __init__(self, study, protocols, members):
        self.study = study
        self.seconds = defaultdict(list)
        self.guesses = {}
        self.preparing = []
        for protocol in protocols:
            for fold in range(study.n_folds):
                for member in members:
                    file = study.file(protocol, fold, member)
                    if file.exists():
                        with np.load(file) as result:
                            self.seconds[member].append(float(result["seconds"]))

    def left(self, todo):
        """Minutes for jobs (protocol, fold, member) to come; by a trial where a member has not been fitted yet."""
        total = len({job[:2] for job in todo}) * np.mean(self.preparing or [0.0])
        return (total + sum(self.expected(member) for _, _, member in todo)) / 60

    def expected(self, member):
        """Seconds of one fit."""
        if self.seconds[member]:
            return np.mean(self.seconds[member])
        if member not in self.guesses:
            self.guesses[member] = trial_seconds(self.study, member)
        return self.guesses[member]


def print_plan(study, rows, protocols, members, todo, clock):
    n_all = len(protocols) * study.n_folds * len(members)
    extra = "none: every row is trained on BSD10k alone"
    if study.bsd35k is not None:
        extra = f"from {len(study.bsd35k.data)} candidates, chosen by teachers that have not seen the test fold"
    embeddings = f"{study.embeddings} embeddings"
    if study.vectors is not None:
        embeddings = f"vectors {' and '.join(table.columns.name for table in study.vectors.values())}"
    print(f"data        {describe(study)}")
    print(f"extra rows  {extra}")
    print(
        f"features    {embeddings} of {study.modalities}, networks of size {study.size!r}"
        + (f", at most {study.max_epochs} epochs" if study.max_epochs else "")
    )
    print(f"protocol    {' and '.join(PROTOCOLS[name] for name in protocols)}; {study.n_folds} of 5 folds each")
    for row in rows:
        if study.missing(row):
            print(f"left out    {ROWS[row][1]}: {study.missing(row)}")
    print(f"fits        {n_all} ({len(members)} members), {n_all - len(todo)} of them are there already")
    minutes = clock.left(todo)
    if todo:
        early = " at most, for training may stop early" if study.size == "report" else ""
        print(f"time        about {max(minutes, 1):.0f} minutes{early}; features not counted before the first fold")
    print(f"results in  {study.out}\n", flush=True)


def train(study, todo, clock):
    """Run all jobs; features of a fold are made once for its members."""
    done = 0
    for (protocol, fold), jobs in groupby(todo, key=lambda job: job[:2]):
        jobs = list(jobs)
        start = time.perf_counter()
        prepared = PreparedFold(study, protocol, fold, [member for _, _, member in jobs])
        clock.preparing.append(time.perf_counter() - start)
        extra = prepared.train_only[prepared.train].sum()
        print(f"{PROTOCOLS[protocol]}, fold {fold + 1}: {len(prepared.train)} training rows, {extra} of them extra")
        for *_, member in jobs:
            seconds = fit_member(study, prepared, fold, member)
            clock.seconds[member].append(seconds)
            done += 1
            left = clock.left(todo[done:])
            print(
                f"[{done}/{len(todo)}] {PROTOCOLS[protocol]}, fold {fold + 1}: {member} in {seconds:.0f} s; "
                f"about {left:.0f} min left",
                flush=True,
            )


def as_markdown(study, lines, protocol, number, over="baseline"):
    """One table as text."""
    title = f"{TITLES[number]} ({PROTOCOLS[protocol]}, {study.n_folds} of 5; {describe(study)})"
    other = "the baseline" if over == "baseline" else over
    head = ["", "hF", "report", "diff.", "hAcc", "report", "diff.", f"gain in hF over {other} [95 %]", "p"]
    body = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for line in lines:
        name = line["name"] if study.bsd35k is not None else line["name"].replace("+ BSD-Grand + ", "+ ")
        cells = [f"{name} ({line['note']})" if line["note"] else name]
        for metric in ("hF", "hAcc"):
            spread = f" ± {line[f'{metric}_std']:.2f}" if line.get("n_folds", 0) > 1 else ""
            cells += [f"{line[metric]:.2f}{spread}" if metric in line else "–"]
            cells += [number_or_dash(line[f"report_{metric}"], ".2f")]
            cells += [number_or_dash(line.get(f"{metric}_difference"), "+.2f")]
        gain = f"{line['gain']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}]" if "gain" in line else "–"
        body.append([*cells, gain, number_or_dash(line.get("p_value"), ".3f")])
    widths = [max(len(row[i]) for row in body) for i in range(len(head))]
    rows = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in body]
    return "\n".join([f"**{title}**", "", *(f"| {row} |" for row in rows), ""])


def number_or_dash(value, form):
    return "–" if value is None else format(value, form)


def draw(study, lines, path):
    """Measured figures with their spread, and the report's, row by row."""
    from matplotlib.figure import Figure

    shown = [line for line in lines if "hF" in line]
    protocols = list(dict.fromkeys(line["protocol"] for line in shown))
    names = list(dict.fromkeys(line["name"] for line in shown))
    figure = Figure(figsize=(2 + 4 * len(protocols), 1.5 + 0.35 * len(names)))
    axes = figure.subplots(1, len(protocols), sharey=True, squeeze=False)
    for axis, protocol in zip(axes[0], protocols):
        for line in shown:
            if line["protocol"] == protocol:
                place = names.index(line["name"])
                axis.errorbar(line["hF"], place, xerr=line["hF_std"], fmt="o", color="C0", capsize=3)
                if line["report_hF"] is not None:
                    axis.plot(line["report_hF"], place, "D", color="C1", markerfacecolor="none")
        axis.set(title=PROTOCOLS[protocol], xlabel="hierarchical F1, %", yticks=range(len(names)), yticklabels=names)
        axis.grid(axis="x", alpha=0.3)
    axes[0][0].invert_yaxis()
    axes[0][0].plot([], [], "o", color="C0", label="measured, ± std over folds")
    axes[0][0].plot([], [], "D", color="C1", markerfacecolor="none", label="report")
    figure.suptitle(describe(study), fontsize=9)
    figure.legend(loc="lower center", ncols=2, fontsize=8)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, dpi=150)


def report(study, rows, protocols, over):
    """Score, print and write the tables."""
    lines, texts = [], []
    for protocol in protocols:
        scored = {row: score_row(study, protocol, row, over) for row in rows}
        lines += scored.values()
        for number in TITLES:
            own = [row for row in rows if ROWS[row][0] == number]
            if own:
                repeated = [row for row in REPEATED.get(number, ()) if row in scored]
                shown = [scored[row] for row in [*repeated, *own]]
                texts.append(as_markdown(study, shown, protocol, number, over))
    text = "\n".join(texts)
    print(text)
    (study.out / "tables.md").write_text(text, encoding="utf-8")
    table = pd.DataFrame(lines).assign(data=describe(study), embeddings=study.embeddings, size=study.size)
    table.to_csv(study.out / "tables.csv", index=False)
    draw(study, lines, study.out / "tables.png")
    print(f"also in {study.out / 'tables.csv'}, tables.md and tables.png")


def main(arguments=None):
    given = parse(arguments)
    if given.bsd35k is not None and given.bsd10k is None:
        raise SystemExit("--bsd35k needs --bsd10k: the folds are those of BSD10k.")
    # extra rows and uploaders reach the networks inside the other estimators
    with sklearn.config_context(enable_metadata_routing=True):
        run(given)


def run(given):
    study = make_study(given)
    rows = choose_rows(study, given.rows, given.over)
    protocols = list(PROTOCOLS) if given.protocol == "both" else [given.protocol]
    members = study.members(rows)
    jobs = [(protocol, fold, member) for protocol in protocols for fold in range(study.n_folds) for member in members]
    todo = [job for job in jobs if not study.done(*job)]
    clock = Clock(study, protocols, members)
    print_plan(study, rows, protocols, members, todo, clock)
    train(study, todo, clock)
    report(study, rows, protocols, given.over)


if __name__ == "__main__":
    main()
