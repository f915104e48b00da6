import gzip
import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest

from skbst.text import approximate_token_count, join_fields, truncate_fields


def count_words(text):
    return len(text.split()) + 2


def test_join_leaves_no_trace_of_empty_fields():
    assert join_fields("", [], "") == ""
    assert join_fields("", ["a", "b"], "") == "a, b"
    assert join_fields("T", [], "D.") == "T. D."
    assert join_fields("T?", ["a"], "") == "T? a"


@pytest.mark.parametrize("max_tokens", range(3, 16))
def test_title_then_tags_then_description(max_tokens):
    title, terms, description = "big door", ["wood", "slam shut", "hit"], "it closes in the night"
    text = truncate_fields(title, terms, description, max_tokens=max_tokens, token_counter=count_words)
    whole = truncate_fields(title, terms, description, max_tokens=None)
    assert count_words(text) <= max_tokens
    words, kept = whole.replace(".", "").replace(",", "").split(), text.replace(".", "").replace(",", "").split()
    assert words[: len(kept)] == kept
    longer = truncate_fields(title, terms, description, max_tokens=max_tokens + 2, token_counter=count_words)
    assert len(longer) >= len(text)


def test_tags_are_kept_whole():
    text = truncate_fields("a", ["one two three", "b"], "", max_tokens=5, token_counter=count_words)
    assert text == "a"


def test_at_least_one_word_stays():
    assert truncate_fields("antidisestablishmentarianism word", [], "", max_tokens=3) == "antidisestablishmentarianism"


def test_nothing_is_cut_at_the_limit():
    text = "one two three"
    assert truncate_fields("", [], text, max_tokens=5, token_counter=count_words) == text


def test_estimate_leans_high_against_a_real_vocabulary():
    spec = importlib.util.find_spec("laion_clap")
    if spec is None:
        pytest.skip("needs laion-clap's vocabulary file")
    path = Path(spec.origin).parent / "clap_module" / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(path.read_bytes()).decode().split("\n")[1:48895]
    ranks = {tuple(merge.split()): rank for rank, merge in enumerate(merges)}
    text = "thunderstorm rolling over the mountains, heavy rain on a corrugated tin roof; distant birdsong and crickets"
    n_tokens = 2 + sum(_n_pieces(word, ranks) for word in text.replace(",", " ,").replace(";", " ;").split())
    assert n_tokens <= approximate_token_count(text) <= 2 * n_tokens


def _n_pieces(word, ranks):
    pieces = [*word[:-1], word[-1] + "</w>"]
    while len(pieces) > 1:
        best = min(pairwise(pieces), key=lambda pair: ranks.get(pair, 10**9))
        if best not in ranks:
            break
        i = next(i for i in range(len(pieces) - 1) if (pieces[i], pieces[i + 1]) == best)
        pieces[i : i + 2] = ["".join(best)]
    return len(pieces)
