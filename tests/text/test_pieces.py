"""Cleaning of long and odd texts: pieces change nothing that fits into one, and no shape takes quadratic time.

The shapes are longer than quadratic time would bear: a step that is not linear does not come to its end here. How the time
grows is measured by benchmarks/attack/texts.py.
"""

import re

import pandas as pd
import pytest

from skbst.text import MetadataCleaner, split_sentences, strip_html, strip_links, strip_templates, tidy_unicode
from skbst.text._pieces import LONGEST_PIECE, search, substitute
from skbst.text._steps import tidy_punctuation

SHAPES = ["a.", ".wav", "((", "nokia1111", "a@", "1.", "<!--", "<script>", "a\u0301\u0316", "&#9", "with a ", ". "]


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_long_runs_come_to_an_end(shape):
    text = shape * (40_000 // len(shape))
    table = pd.DataFrame({"title": [text, "Dog"], "tags": [text, "dog"], "description": [text, "A dog barks."]})
    cleaned = MetadataCleaner(None).fit_transform(table)
    assert cleaned.loc[1].tolist() == ["Dog", "dog", "A dog barks."]


def test_pieces_put_together_are_the_text():
    words = "Rain falls on a roof, and wind. " * 100
    seen = []
    result = substitute(re.compile(r"\w+"), lambda match: seen.append(match.group()) or match.group().upper(), words)
    assert result == words.upper()
    assert seen == re.findall(r"\w+", words)  # no word was cut in two


def test_what_stands_before_a_piece_is_seen():
    text = "\n".join(["x" * (LONGEST_PIECE - 10)] * 3)
    assert substitute(re.compile("^x"), "y", text).count("y") == 1
    assert substitute(re.compile(r"(?<=\n)x"), "y", text).count("y") == 2
    assert search(re.compile(r"(?<=\n)x"), text)
    assert not search(re.compile(r"(?<=\A)z"), text)


def test_links_at_the_end_of_long_texts_go():
    text = "Rain on a roof. " * 200 + "See http://example.org/rain for more, or write to me@example.org."
    assert strip_links(text).endswith("See for more, or write to .")
    assert strip_links(text).startswith("Rain on a roof. Rain")


def test_comments_and_scripts_of_any_length_go():
    inside = "x < y; " * 1000
    text = f"Rain <!-- {inside} --> and <STYLE a='b'>{inside}</style > wind <script>{inside}</script> <!-- open"
    removed = []
    assert " ".join(strip_html(text, removed).split()) == "Rain and wind <!-- open"
    assert len(removed) == 3
    assert strip_html("a <script>never closed <!-- b --> c") == "a never closed   c"


def test_numbers_of_characters_that_do_not_exist_are_no_error():
    assert strip_html("Rain &#" + "9" * 5000 + "; &#x" + "f" * 5000 + "; &#233;") == "Rain   é"


def test_more_marks_than_a_letter_has_are_cut():
    removed = []
    assert tidy_unicode("e\u0301" + " z" + "\u0316\u0301" * 50_000, removed).startswith("é ")
    assert len(tidy_unicode("z" + "\u0316\u0301" * 50_000)) <= 31
    assert len(removed) == 1
    for kept in ("Việt Nam", "ไม้เอก", "שָׁלוֹם", "नमस्ते"):
        assert tidy_unicode(kept) == kept


def test_a_long_tag_stays_and_is_not_kept_in_memory():
    from skbst.text._tags import _clean_tag, clean_tag

    before = _clean_tag.cache_info().currsize
    assert clean_tag("nokia1111" * 100)[1] in (None, "code")
    assert clean_tag("1" * 5000) == ("", "number")
    assert _clean_tag.cache_info().currsize == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c.d.com e", "e"),
        ("-.a.com e", "-. e"),
        ("--a-b.com/x-y e", "-- e"),
        ("foo.wavmailto:me@x.org e", "foo.wav e"),
        ("mailto:me.you+x@a-b.c.org, e", ", e"),
        ("a.b-c.de/f e", "e"),
        ("a.b.c e", "a.b.c e"),
    ],
)
def test_a_chain_of_words_is_one_address(text, expected):
    assert strip_links(text) == expected


def test_names_that_are_no_elements_stay():
    text = "<Blockquote>a<br><foo><bars >b</H1 ><h7>c<b/><b>"
    assert strip_html(text).split() == ["a", "<foo><bars", ">b", "<h7>c"]
    assert strip_html("a < b <b") == "a < b <b"


def test_all_bullets_go_at_once():
    assert split_sentences("- - > * one\n== =\n-- two - three") == ["one", "two - three"]


def test_empty_brackets_of_each_kind_go():
    assert tidy_punctuation("a (.) b [ ] c {;} d (e) f [") == "a b c d (e) f ["


def test_many_sentences_beside_a_template_come_to_an_end():
    text = " ".join(f"Sound {chr(97 + i % 26)}{i} of mine." for i in range(60_000)) + " Made in my old shed."
    removed = []
    assert len(split_sentences(strip_templates(text, {"made in my old shed"}, removed=removed))) == 60_000
    assert removed == ["Made in my old shed."]
