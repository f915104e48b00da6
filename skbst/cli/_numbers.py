"""Numbers on the command line."""

import argparse

__all__ = ["positive"]


def positive(text):
    """A whole number of at least 1; another one is a wrong argument (exit code 2)."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number
