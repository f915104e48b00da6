"""``skbst evaluate``."""

import json
from pathlib import Path

from skbst.cli._corrections import add_corrections, read_corrections
from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst evaluate path/to/BSD2k-labelled --model model -o report.json
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a model on a labelled data set",
        description="Hierarchical precision, recall and F1 by class and overall. Score on clips that the model has not "
        "seen in training.",
        epilog=_EPILOG,
    )
    parser.add_argument("data", metavar="DATA", help="folder that load_bsd reads, with labels")
    parser.add_argument("--model", required=True, help="folder of skbst train, or a joblib file that you trust")
    parser.add_argument("-o", "--out", metavar="FILE.json", help="write the figures there too, values in [0, 1]")
    add_corrections(parser)
    return parser


def run(arguments):
    """Predict and report."""
    from skbst.datasets import load_bsd
    from skbst.library import open_model
    from skbst.metrics import hierarchical_classification_report

    out = None if arguments.out is None else Path(arguments.out).expanduser()
    if out is not None and out.exists():
        raise FileExistsError(f"{out} exists and is left; give another name.")
    model = open_model(arguments.model, method="predict")
    clips = load_bsd(
        arguments.data,
        labelled=True,
        on_missing_audio="ignore",
        load_embeddings=False,
        corrections=read_corrections(arguments.corrections),
    )
    answers = model.predict(clips.data)
    say(clips.DESCR)
    say(hierarchical_classification_report(clips.target, answers, taxonomy=clips.taxonomy))
    if out is not None:
        report = hierarchical_classification_report(clips.target, answers, taxonomy=clips.taxonomy, output_dict=True)
        out.write_text(json.dumps(report, indent=1, default=float), encoding="utf-8")
    return 0
