"""``skbst verify``."""

from skbst.cli._say import say

__all__ = ["add", "run"]

_EPILOG = """\
example:
  skbst verify task1 --evaluation path/to/BSD2k
"""


def add(subparsers):
    """Describe the arguments."""
    parser = subparsers.add_parser(
        "verify",
        help="check a challenge submission",
        description="Check the output and meta files of a submission. Exit code 1 if there are problems.",
        epilog=_EPILOG,
    )
    parser.add_argument("path", metavar="PATH", help="an *.output.csv, or a folder of them")
    parser.add_argument("--evaluation", metavar="DATA", help="the evaluation set, whose ids must all be there")
    return parser


def run(arguments):
    """Check and list."""
    from skbst.submission import verify_submission

    problems = verify_submission(arguments.path, evaluation=arguments.evaluation, on_problem="return")
    if problems:
        say(f"{len(problems)} problem(s):\n- " + "\n- ".join(problems))
        return 1
    say("The submission is complete and well formed.")
    return 0
