"""``skbst audit``."""

import json
from pathlib import Path

from skbst.cli._corrections import add_corrections, read_corrections
from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst audit path/to/BSD10k --model model -o doubts.csv
  skbst review path/to/BSD10k --table doubts.csv -o page
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "audit",
        help="rank the labels of a data set by how doubtful they are",
        description="The model is trained again, on folds, so that no clip is judged by what has seen it.",
        epilog=_EPILOG,
    )
    parser.add_argument("data", metavar="DATA", help="folder that load_bsd reads, with labels")
    parser.add_argument("--model", required=True, help="folder of skbst train, or a joblib file that you trust")
    parser.add_argument("-o", "--out", required=True, metavar="FILE.csv", help="the table, most doubtful first")
    parser.add_argument("--packs", metavar="FILE.csv", help="a table of uploaders and classes, too")
    parser.add_argument("--folds", type=int, default=5, help="default: 5")
    parser.add_argument("--neighbours", type=int, default=20, help="default: 20")
    add_corrections(parser)
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    return parser


def run(arguments):
    """Audit, and write the table."""
    from skbst._files import write_atomically
    from skbst.curation import LabelAudit
    from skbst.datasets import load_bsd
    from skbst.library import open_model

    out, *more = (Path(name).expanduser() for name in (arguments.out, arguments.packs) if name is not None)
    for path in (out, *more):
        if path.exists():
            raise FileExistsError(f"{path} exists and is left; give another name.")
    clips = load_bsd(
        arguments.data,
        labelled=True,
        on_missing_audio="ignore",
        load_embeddings=False,
        corrections=read_corrections(arguments.corrections),
    )
    audit = LabelAudit(
        open_model(arguments.model), cv=arguments.folds, k=arguments.neighbours, random_state=arguments.seed
    )
    audit.fit(clips.data, clips.target, groups=clips.groups)
    table = audit.ranking_.assign(neighbours=audit.ranking_["neighbours"].map(json.dumps))
    write_atomically(out, table.to_csv(index_label="sound_id"))
    for path in more:
        write_atomically(path, audit.packs_.to_csv(index=False))
    say(f"{clips.DESCR}\n{int((table['score'] < 0).sum())} of {len(table)} labels are doubtful (score below 0).")
    say(f"Saved as {out}. Listen to them with: skbst review {arguments.data} --table {out} -o page")
    return 0
