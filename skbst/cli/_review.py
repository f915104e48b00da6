"""``skbst review``."""

import json

from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst review path/to/BSD10k --table doubts.csv -o page --limit 200
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "review",
        help="make a page to listen to clips and decide on their labels",
        description="The page opens from disk in any browser and asks no host for anything.",
        epilog=_EPILOG,
    )
    parser.add_argument("data", metavar="DATA", help="folder that load_bsd reads")
    parser.add_argument("--table", required=True, metavar="FILE", help="what skbst audit or skbst label wrote")
    parser.add_argument("-o", "--out", required=True, metavar="PAGE", help="folder of the page")
    parser.add_argument("--limit", type=int, help="how many rows of the table; default: all")
    return parser


def run(arguments):
    """Write the page."""
    from skbst.curation import review_page
    from skbst.datasets import load_bsd

    clips = load_bsd(arguments.data, on_missing_audio="ignore", load_embeddings=False)
    shown = clips.data if clips.groups is None else clips.data.assign(uploader=clips.groups)
    page = review_page(_read(arguments.table), shown, arguments.out, taxonomy=clips.taxonomy, limit=arguments.limit)
    say(f"Open {page} in a browser. What it saves is read by skbst.curation.read_review.")
    return 0


def _read(path):
    import pandas as pd

    if not path.endswith(".csv"):
        return pd.read_parquet(path)
    # the id "007" keeps its zeros and a sound named "NA" its name
    table = pd.read_csv(path, converters={"sound_id": str})
    if "neighbours" in table:
        table["neighbours"] = table["neighbours"].map(json.loads)
    return table
