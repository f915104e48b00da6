"""``skbst review``."""

import json
from pathlib import Path

from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst review path/to/BSD10k --table doubts.csv -o page --limit 200

predictions, least sure first:
  skbst label my_sounds --model model -o labels
  skbst review my_sounds --table labels -o page
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
    return parser


def run(arguments):
    """Write the page."""
    from skbst.curation import review_page

    clips, taxonomy = _clips(Path(arguments.data).expanduser())
    page = review_page(_read(arguments.table), clips, arguments.out, taxonomy=taxonomy, limit=arguments.limit)
    say(f"Open {page} in a browser. What it saves is read by skbst.curation.read_review.")
    return 0


def _clips(data):
    """The clips of a labelled data set, or of a folder of sounds as skbst label takes it."""
    from skbst.datasets import clips_from_folder, load_bsd

    if data.is_dir() and not any([*data.glob("*_metadata.csv"), *data.glob("metadata/*_metadata.csv")]):
        return clips_from_folder(data), None
    clips = load_bsd(data, on_missing_audio="ignore", load_embeddings=False)
    shown = clips.data if clips.groups is None else clips.data.assign(uploader=clips.groups)
    return shown, clips.taxonomy


def _read(path):
    import pandas as pd

    if not path.endswith(".csv"):
        return pd.read_parquet(path)
    # the id "007" keeps its zeros and a sound named "NA" its name
    table = pd.read_csv(path, converters={"sound_id": str})
    if "neighbours" in table:
        table["neighbours"] = table["neighbours"].map(json.loads)
    return table
