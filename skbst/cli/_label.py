"""``skbst label``."""

import contextlib

from skbst.cli._numbers import positive
from skbst.cli._say import say

__all__ = ["add", "run"]

_CODES = {"ok": 0, "failed": 1, "skipped": 3}
_EPILOG = """\
example:
  skbst label my_sounds --model model -o labels
  python -c "import pandas; print(pandas.read_parquet('labels'))"

one sound for a platform's queue (status in the JSON and as exit code: 0 ok, 1 failed, 3 skipped):
  skbst label --one dog.wav --metadata dog.json --model model --out-folder answers
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "label",
        help="label a folder or a manifest of sounds",
        description="Label a library of any size. Give the same command again after a kill: it goes on.",
        epilog=_EPILOG,
    )
    parser.add_argument("clips", nargs="?", metavar="FOLDER|MANIFEST", help="sounds, or a CSV or Parquet table of them")
    parser.add_argument("--model", required=True, help="folder of skbst train, or a joblib file that you trust")
    parser.add_argument("-o", "--out", metavar="OUT", help="folder of Parquet files, or a file that ends in .csv")
    parser.add_argument("--rows", type=positive, default=512, help="clips in a part; default: 512")
    parser.add_argument("--candidates", type=positive, default=3, help="likeliest classes that are written; default: 3")
    parser.add_argument("--dask", nargs="?", const="local", metavar="ADDRESS", help="scheduler; 'local' without one")
    parser.add_argument("--replace", action="store_true", help="replace the labels of another library in OUT")
    parser.add_argument(
        "--clap", action="store_true", help="compute CLAP vectors, for a model that was trained on shipped ones"
    )
    parser.add_argument("--store", metavar="FOLDER", help="where the vectors of --clap are kept")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--one", metavar="SOUND", help="label one sound into one JSON")
    parser.add_argument("--metadata", metavar="META.json", help="title, tags and description of --one")
    parser.add_argument("--out-folder", metavar="F", help="where the JSON of --one is written")
    parser.set_defaults(usage_error=parser.error)
    return parser


def run(arguments):
    """Label, and say what a person should know."""
    if arguments.one is not None:
        return _run_one(arguments)
    if arguments.clips is None or arguments.out is None:
        arguments.usage_error("give FOLDER or MANIFEST and -o OUT (or --one SOUND and --out-folder F)")
    if arguments.metadata or arguments.out_folder:
        arguments.usage_error("--metadata and --out-folder belong to --one")
    if arguments.store and not arguments.clap:
        arguments.usage_error("--store keeps the vectors of --clap; give both")
    from skbst.library import label_library, open_model, with_clap

    model = arguments.model
    if arguments.clap:
        model = with_clap(open_model(model), store=arguments.store)
    summary = label_library(
        model,
        arguments.clips,
        arguments.out,
        rows=arguments.rows,
        n_candidates=arguments.candidates,
        dask=arguments.dask,
        replace=arguments.replace,
        verbose=int(not arguments.quiet),
    )
    say(summary)
    return 0


def _run_one(arguments):
    if arguments.out_folder is None or arguments.clips is not None:
        arguments.usage_error("--one SOUND goes with --out-folder F, and without FOLDER or MANIFEST")
    from skbst.library import analyze_sound

    result = analyze_sound(arguments.model, arguments.one, arguments.out_folder, metadata=arguments.metadata)
    with contextlib.suppress(OSError):  # a full disk behind the output: the answer is in the JSON, and in the code
        say(f"{result['status']}: {result.get('error') or result['predicted']}", error=result["status"] != "ok")
    return _CODES[result["status"]]
