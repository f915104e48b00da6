"""Time of everything that reads texts, on texts that were made to be slow, by doubling up to a megabyte.

    python benchmarks/attack/texts.py [--kilobytes 1024] [--shapes 120] [--seed 0] [--keep FILE]

Each of the shapes is a short piece repeated, every third with an end that spoils a match. The processor's time (that of
other processes does not count) is taken for a 16th, a quarter and the whole of the length, and the slope of its
logarithm over that of the length from one to the next, of which the steeper counts: 1 is linear, 2 quadratic. Times
below half a second are the least of two, so that noise is no slope. A text that takes less than 0.2 seconds is fast,
whatever its slope. A steep step counts by the doubling behind it where that is less steep, and what is steep at a
quarter all the same is not tried at the whole. The functions are those of `skbst.text`, `MetadataCleaner`, `TagRules`
and the counting of tokens. With ``--keep``, what was measured is kept in a file, a line of JSON for each shape, and a
run that was stopped goes on.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from skbst import text as steps
from skbst.features import TagRules
from skbst.text import MetadataCleaner

PIECES = (
    "a.", "a.a", ".wav", ".wav.", "_wav", "kick.snare.hat.", "10.0.0.1.", "a@", "a@a.", "a-", "a+", "a_", "aB",
    "Mc", "(", ")", "((", "()", "[", "{", "( ", "(-", "[;", "<", "<b", "<b ", "<!--", "<!-- a ", "<script>",
    "<style a>", "</", "<a/", "&", "&amp", "&#9", "&#x9;", "&a;", "nokia1", "nokia1111", "1", "11 ", "1.", "1-",
    "1,1", "1:1", "2001-", "20010101", "12:34", "1x1", "#1", "\u2116", "zoom", "zoom 1", "h4n ", "with ", "with a ",
    "recorded with the ", "at ", "at 44", "24 bit ", "/16", "sample rate of ", "my other ", "please ", "if you ",
    "free to ", "visit my ", "part of a ", "hello ", "enjoy ", ",", ", ", " ,", ";:", "/|", "- ", " -", "-", "--",
    "...", "! ", "?!", ".\"", ".)", "\n", "\n\n", "\r", "\t", " ", "\u3000", "\u0301", "a\u0301", "a\u0301\u0316",
    "\u200b", "\u200d", "\u202e", "\ufdfa", "\u1100\u1161", "\xdf", "\ufb01", "\u72ac", "\u72ac\u3002",
    "\U0001f3b9", "www.", "http://", "http : /", "ftp://a.", "a.com", "a.com/", ".com.", "a.b/", "mailto:",
    "mailto:a@", "=", "= ", "* ", "> ", "|", "#", "'", "\"", "`", "~", "\\", "%20", "\xe9", "\xc9", "A", "Aa",
    "AAAa", "a1", "1a", "abcd12", "abcd1-1", "tr-909 ", "808",
)  # fmt: skip
ENDS = ("", "!", "\x00x")
_SHORTEST = 0.2
# in seconds; taken as it is
_REPEATED_BELOW = 0.5
# a slope above it is no longer noise around 1
STEEPEST = 1.35


def table(text):
    return pd.DataFrame({"title": [text], "tags": [text], "description": [text]}, index=["1"])


def functions():
    """What is measured, by name; each takes one text."""
    one = (
        "tidy_unicode", "strip_html", "strip_links", "split_sentences", "strip_boilerplate", "strip_extension",
        "unfold_file_name", "strip_numbers", "clean_title", "clean_tag", "clean_tags", "has_words", "split_tags",
        "approximate_token_count",
    )  # fmt: skip
    rules = TagRules().fit(table("dog"))
    named = {name: getattr(steps, name) for name in one}
    named["join_fields"] = lambda text: steps.join_fields(text, text, text)
    named["find_templates"] = lambda text: steps.find_templates([text, text], ["a", "a"])
    named["TagRules"] = lambda text: rules.transform(table(text))
    named["MetadataCleaner"] = lambda text: MetadataCleaner("title+tags+description").fit_transform(table(text))
    return named


def seconds(function, text):
    """Seconds of the processor; the least of two where they are few."""
    taken = _once(function, text)
    return min(taken, _once(function, text)) if _SHORTEST <= taken < _REPEATED_BELOW else taken


def _once(function, text):
    start = time.process_time()
    function(text)
    return time.process_time() - start


def slope(function, piece, end, n_characters):
    """Seconds for the longest length tried, and the steepest slope; a text that is fast has none."""
    taken, steepest, before = 0.0, 0.0, None
    for length in (n_characters // 16, n_characters // 4, n_characters):
        taken = seconds(function, piece * (length // len(piece)) + end)
        if before is not None and taken >= _SHORTEST:
            steepest = max(steepest, float(np.log(taken / max(before, 1e-4)) / np.log(4)))
            if steepest > STEEPEST:
                # a cache that is full makes one step steep; what is not linear stays so
                double = seconds(function, piece * (2 * length // len(piece)) + end)
                steepest = min(steepest, float(np.log2(double / taken)))
        if steepest > STEEPEST:
            break
        before = taken
    return taken, steepest


def attack(n_shapes, kilobytes, seed, keep=None):
    """Measure all functions on shapes from a seed; returns (slope, seconds, function, piece, end), the worst first."""
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(PIECES))[:n_shapes]
    shapes = [(PIECES[i], ENDS[number % 3]) for number, i in enumerate(chosen)]
    kept = _read_kept(keep, kilobytes)
    measured, rows = functions(), []
    for piece, end in shapes:
        if (piece, end) not in kept:
            kept[piece, end] = [
                [*_measure(function, piece, end, kilobytes), name] for name, function in measured.items()
            ]
            if keep is not None:
                with open(keep, "a", encoding="ascii") as file:
                    file.write(json.dumps([kilobytes, piece, end, kept[piece, end]]) + "\n")
        rows += [(steepness, taken, name, piece, end) for steepness, taken, name in kept[piece, end]]
    return sorted(rows, reverse=True)


def _measure(function, piece, end, kilobytes):
    taken, steepness = slope(function, piece, end, kilobytes * 1024)
    if steepness > STEEPEST:
        # once more: the first may have met a collection of garbage
        taken, steepness = min((taken, steepness), slope(function, piece, end, kilobytes * 1024))
    return steepness, taken


def _read_kept(keep, kilobytes):
    """Rows of each shape that an earlier run measured at the same length."""
    lines = Path(keep).read_text(encoding="ascii").splitlines() if keep is not None and Path(keep).exists() else []
    read = map(json.loads, lines)
    return {(piece, end): rows for length, piece, end, rows in read if length == kilobytes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kilobytes", type=int, default=1024)
    parser.add_argument("--shapes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="file in which measured shapes are kept, so that a stopped run goes on")
    options = parser.parse_args()
    rows = attack(options.shapes, options.kilobytes, options.seed, options.keep)
    print(f"{options.shapes} shapes, {len(functions())} functions, {options.kilobytes} kB")
    print(f"{'slope':>6}{'seconds':>9}  function, piece, end")
    for steepness, taken, *what in rows[:12]:
        print(f"{steepness:6.2f}{taken:9.2f}  {', '.join(map(repr, what))}")
    slowest = max(rows, key=lambda row: row[1])
    print(f"slowest: {slowest[1]:.2f} s, {slowest[2:]}")
    return 0 if rows[0][0] <= STEEPEST else 1


if __name__ == "__main__":
    sys.exit(main())
