"""``skbst review``."""

import json
from pathlib import Path

from skbst._tables import read_table
from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst review path/to/BSD10k --table doubts.csv -o page --limit 200

predictions, least sure first, or 5 of each class and band of probability to learn how many are right:
  skbst label my_sounds --model model -o labels
  skbst review my_sounds --table labels -o page
  skbst review my_sounds --table labels -o page --sample 5
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "review",
        help="make a page to listen to clips and decide on their labels",
        description="The page opens from disk in any browser and asks no host for anything.",
        epilog=_EPILOG,
    )
    parser.add_argument("data", metavar="DATA", help="folder that load_bsd reads, or a folder of sounds")
    parser.add_argument("--table", required=True, metavar="FILE", help="what skbst audit or skbst label wrote")
    parser.add_argument("-o", "--out", required=True, metavar="PAGE", help="folder of the page")
    parser.add_argument("--limit", type=int, help="how many rows of the table; default: all")
    parser.add_argument("--sample", type=int, metavar="N", help="of predictions: N of each class and band")
    parser.add_argument("--jobs", type=int, metavar="N", help="threads that make excerpts; default: 1")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def run(arguments):
    """Write the page."""
    from skbst.curation import review_page, review_sample

    clips, taxonomy = _clips(Path(arguments.data).expanduser())
    table = _read(arguments.table)
    if arguments.sample is not None:
        table = review_sample(table, n=arguments.sample, random_state=0)
    options = {"limit": arguments.limit, "n_jobs": arguments.jobs, "verbose": int(not arguments.quiet)}
    page = review_page(table, clips, arguments.out, taxonomy=taxonomy, **options)
    say(f"Open {page} in a browser. What it saves is read by skbst.curation.read_review.")
    return 0


def _clips(data):
    """The clips of a labelled data set, or of a folder of sounds as skbst label takes it."""
    from skbst.datasets import clips_from_folder, load_bsd

    if data.is_dir() and not any([*data.glob("*_metadata.csv"), *data.glob("metadata/*_metadata.csv")]):
        return clips_from_folder(data), None
    clips = load_bsd(data, on_missing_audio="ignore", load_embeddings=False)
    shown = clips.data.assign(uploader=clips.groups, license=clips.metadata.get("license"), label=clips.target)
    # the ids of these sets are Freesound's
    shown["url"] = [f"https://freesound.org/s/{name}/" if str(name).isdecimal() else "" for name in shown.index]
    return shown, clips.taxonomy


def _read(path):
    import pandas as pd

    if not path.endswith(".csv"):
        return pd.read_parquet(path)
    # the id "007" keeps its zeros and a sound named "NA" its name
    read_table(path)
    table = pd.read_csv(path, converters={"sound_id": str}, index_col=False)
    if "neighbours" in table:
        table["neighbours"] = table["neighbours"].map(json.loads)
    return table
