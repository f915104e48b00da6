"""Patterns on texts of any length, in linear time.

Many patterns of the lexicon look on from each place of a run ("a.a.a.a", "((((", "nokia1111") to its end, which takes
quadratic time. A piece of bounded length bounds that, so that a text of a megabyte costs as many pieces as it has.
"""

import re

__all__ = ["LONGEST_PIECE", "search", "substitute"]

# Of the 10,309 real titles of BSD10k v1.0 none is longer than 229; a longer description is cut at the end of a line or
# sentence. At 500 the slowest of the shapes in benchmarks/attack/texts.py takes seconds for a megabyte.
LONGEST_PIECE = 500

_CUTS = (re.compile(r"\n"), re.compile(r"(?<=[.!?] )(?=\S)"), re.compile(r"(?<=\w) (?=\w)"))


def substitute(pattern, replacement, text):
    """``pattern.sub``, piece by piece: no match is longer than `LONGEST_PIECE`.

    Parameters
    ----------
    pattern : re.Pattern
        Sees what stands before a piece, and the end of a piece as the end of the text.

    replacement : str or callable
        As in ``re.sub``; a text without references to groups.

    text : str
        Of any length.

    Returns
    -------
    text : str

    Examples
    --------
    >>> import re
    >>> from skbst.text._pieces import substitute
    >>> len(substitute(re.compile("a"), "bb", "a" * 10_000))
    20000
    """
    if len(text) <= LONGEST_PIECE:
        return pattern.sub(replacement, text)
    replace = replacement if callable(replacement) else lambda match: replacement
    parts, done = [], 0
    for start, end in _pieces(text):
        for match in pattern.finditer(text, start, end):
            parts += [text[done : match.start()], replace(match)]
            done = match.end()
    return "".join([*parts, text[done:]])


def search(pattern, text):
    """Whether a pattern is found in any piece of a text; arguments as in `substitute`."""
    if len(text) <= LONGEST_PIECE:
        return pattern.search(text) is not None
    return any(pattern.search(text, start, end) is not None for start, end in _pieces(text))


def _pieces(text):
    """Yield (start, end): up to the end of a line, else of a sentence, else of a word, else as long as may be."""
    start = 0
    while len(text) - start > LONGEST_PIECE:
        window = start + LONGEST_PIECE
        end = next((place for cut in _CUTS if (place := _last(cut, text, start + 1, window)) is not None), window)
        yield start, end
        start = end
    yield start, len(text)


def _last(cut, text, start, end):
    found = None
    for match in cut.finditer(text, start, end):
        found = match.start()
    return found
