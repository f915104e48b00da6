"""Time of every cleaning step on texts that were made to be slow, by doubling: linear steps take twice as long.

    python benchmarks/attack/texts.py [--kilobytes 256] [--worst 12]

Each of the shapes is a short piece repeated, some with an end that spoils a match. For each step and for
`MetadataCleaner` the time for the longest text is divided by that for half of it; the table shows the shapes with the
largest quotients among those that take more than 0.2 seconds, where timing is not noise. 2 is linear, 4 quadratic.
"""

import argparse
import time

import pandas as pd

from skbst import text as steps
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
FUNCTIONS = (
    "tidy_unicode", "strip_html", "strip_links", "split_sentences", "strip_boilerplate", "strip_extension",
    "unfold_file_name", "strip_numbers", "clean_title", "clean_tag", "clean_tags", "has_words",
)  # fmt: skip


def clean(text):
    table = pd.DataFrame({"title": [text], "tags": [text], "description": [text]})
    return MetadataCleaner("title+tags+description").fit_transform(table)


def seconds(function, text):
    start = time.perf_counter()
    function(text)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kilobytes", type=int, default=256)
    parser.add_argument("--worst", type=int, default=12)
    options = parser.parse_args()
    functions = {name: getattr(steps, name) for name in FUNCTIONS if hasattr(steps, name)} | {"MetadataCleaner": clean}
    rows, longest = [], options.kilobytes * 1024
    for piece in PIECES:
        for end in ENDS:
            half, whole = (piece * (n // len(piece)) + end for n in (longest // 2, longest))
            for name, function in functions.items():
                taken = seconds(function, whole)
                ratio = taken / seconds(function, half) if taken > 0.2 else 0.0
                rows.append((ratio, taken, name, piece, end))
    print(f"{len(PIECES) * len(ENDS)} shapes, {len(functions)} functions, {options.kilobytes} kB")
    print(f"{'ratio':>6}{'seconds':>9}  function, piece, end")
    for ratio, taken, *what in sorted(rows, reverse=True)[: options.worst]:
        print(f"{ratio:6.2f}{taken:9.2f}  {', '.join(map(repr, what))}")
    slowest = max(rows, key=lambda row: row[1])
    print(f"slowest: {slowest[1]:.2f} s, {slowest[2:]}")


if __name__ == "__main__":
    main()
