"""Choose the subcommand, and turn what goes wrong into one line and an exit code."""

import argparse
import importlib
import warnings

from skbst._version import __version__
from skbst.cli._say import say

__all__ = ["COMMANDS", "main"]

#: Each is a private file of this folder with ``add(subparsers)`` and ``run(arguments)``, which returns an exit code.
COMMANDS = ("train", "label", "evaluate", "audit", "review", "verify", "doctor")

_EPILOG = """\
exit codes: 0 done; 1 an error, told in one line; 2 wrong arguments; 3 skipped (label --one); 130 interrupted

example:
  skbst train path/to/BSD10k -o model --embeddings builtin
  skbst label my_sounds --model model -o labels
"""


def main(arguments=None):
    """Run the command.

    Parameters
    ----------
    arguments : list of str, default=None
        Words of the command line after ``skbst``; None takes those of this process.

    Returns
    -------
    code : int
        0 if all went well, 1 after an error, 3 if a sound was skipped, 130 after an interrupt. Wrong arguments end the
        process with 2.

    Examples
    --------
    >>> from skbst.cli import main
    >>> main(["doctor", "--quiet"])
    0
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            return options.run(options)
        except KeyboardInterrupt:
            say("skbst: interrupted; what was written is kept, give the same command again", error=True)
            return 130
        except Exception as error:
            if options.debug:
                raise
            kind = "" if isinstance(error, (ValueError, OSError, ImportError)) else f"{type(error).__name__}: "
            say(f"skbst {options.command}: error: {kind}{error}", error=True)
            return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="skbst",
        description="Sort sounds into the Broad Sound Taxonomy.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skbst {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"skbst.cli._{name}")
        subparser = module.add(subparsers)
        subparser.formatter_class = argparse.RawDescriptionHelpFormatter
        subparser.add_argument("--debug", action="store_true", help="show the traceback of an error")
        subparser.set_defaults(run=module.run)
    return parser


def _show_warning(message, category, filename, lineno, file=None, line=None):
    say(f"warning: {message}", error=True)
