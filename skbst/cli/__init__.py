"""The ``skbst`` command: arguments in, one call into a room, a summary out. Nothing is computed here."""

from skbst.cli._main import main

__all__ = ["main"]
