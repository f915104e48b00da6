"""``skbst train``."""

from pathlib import Path

from skbst.cli._corrections import add_corrections, read_corrections
from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst train path/to/BSD10k-v1.2 -o model --embeddings shipped --system 1
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "train",
        help="train a system on a labelled data set",
        description="Train one of the report's systems on a folder that load_bsd reads, and save it without pickle.",
        epilog=_EPILOG,
    )
    parser.add_argument("data", metavar="DATA", help="folder with metadata/, audio/ and, for 'shipped', features/")
    parser.add_argument("-o", "--out", required=True, metavar="MODEL", help="folder of the model")
    parser.add_argument(
        "--embeddings",
        choices=["builtin", "shipped", "clap"],
        default="builtin",
        help="descriptors that need no download (default); the data set's CLAP vectors; CLAP computed here",
    )
    parser.add_argument("--size", choices=["small", "report"], default="small", help="default: small")
    parser.add_argument(
        "--system", choices=["baseline", "1", "2", "3", "4"], default="baseline", help="default: baseline"
    )
    add_corrections(parser)
    parser.add_argument("--store", metavar="FOLDER", help="where spectra and embeddings are kept between runs")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--device", default="auto", help="torch device; default: auto")
    parser.add_argument("--overwrite", action="store_true", help="replace a model that is there")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def run(arguments):
    """Train and save."""
    from skbst import systems
    from skbst.datasets import load_bsd
    from skbst.persistence import save_model

    out = Path(arguments.out).expanduser()
    if out.exists() and not arguments.overwrite:
        raise FileExistsError(f"{out} exists; pass --overwrite to replace a saved model.")
    shipped = arguments.embeddings == "shipped"
    clips = load_bsd(
        arguments.data,
        on_missing_audio="ignore" if shipped else "warn",
        corrections=read_corrections(arguments.corrections),
    )
    name = "baseline" if arguments.system == "baseline" else f"system_{arguments.system}"
    settings = {"root": arguments.data} if shipped else {}
    system = getattr(systems, name)(
        embeddings=arguments.embeddings,
        size=arguments.size,
        taxonomy=clips.taxonomy,
        random_state=arguments.seed,
        device=arguments.device,
        store=arguments.store,
        verbose=int(not arguments.quiet),
        **settings,
    )
    told = {} if clips.groups is None else {"groups": clips.groups}
    system.fit(clips.data, clips.target, **told)
    save_model(system, out, overwrite=arguments.overwrite, notes=f"Trained by skbst train on {clips.DESCR}")
    say(f"{name} ({arguments.embeddings}, {arguments.size}) trained on {clips.DESCR}")
    say(f"Saved as {out}. Label sounds with: skbst label FOLDER --model {out} -o labels")
    return 0
