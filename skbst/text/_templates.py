"""Sentences that one uploader writes under many clips."""

import re
from collections import Counter, defaultdict

from skbst._groups import read_groups
from skbst.text._steps import join_sentences, split_sentences
from skbst.text._titles import strip_extension

__all__ = ["find_templates", "strip_templates", "template_key"]

_DIGITS = re.compile(r"\d+")
_OTHER = re.compile(r"[^\w{}]+|_+")
_SLOT = "{}"


def template_key(sentence, title=""):
    """Bring a sentence into the form under which repetitions are counted.

    Case, punctuation and the value of numbers do not count, and the title of the clip is a slot ``{}``.

    Examples
    --------
    >>> from skbst.text._templates import template_key
    >>> template_key("This is door_01, take 12 of 30!", "door_01.wav")
    'this is {} take 0 of 0'
    """
    return _key(sentence, _stem(title))


def _stem(title):
    """What stands for a title in the sentences below it; made once a text, for a title may be as long as that."""
    return strip_extension(title.casefold())


def _key(sentence, stem):
    sentence = sentence.casefold()
    if len(stem) >= 3 and stem in sentence:
        sentence = sentence.replace(stem, f" {_SLOT} ")
    return _OTHER.sub(" ", _DIGITS.sub("0", sentence)).strip()


def find_templates(texts, groups=None, *, titles=None, min_repeats=10):
    """Find the sentences that stand in many texts of one group.

    Parameters
    ----------
    texts : sequence of str
        Descriptions; HTML and links already removed.

    groups : sequence, default=None
        Who wrote each text; None counts over all texts together. A text of nobody (None, NaN, pd.NA or "") is counted
        with no other.

    titles : sequence of str, default=None
        Title of each clip, which becomes a slot of the template.

    min_repeats : int, default=10
        A sentence is a template if one group has it in at least this many texts. Sentences of fewer than
        three words never are, unless they are just the title.

    Returns
    -------
    templates : dict of str to (group, int)
        Key of each template (lower case, numbers as 0, the title as ``{}``), with the group that has it most
        often and in how many texts; most frequent first.

    Examples
    --------
    >>> from skbst.text import find_templates
    >>> texts = ["A loud bang. Made in my old shed.", "A cat. Made in my old shed.", "Made in my old shed"]
    >>> find_templates(texts, ["ann", "ann", "bob"], min_repeats=2)
    {'made in my old shed': ('ann', 2)}
    """
    counts = defaultdict(Counter)
    names = None if groups is None else read_groups(groups, len(texts))
    for i, text in enumerate(texts):
        title = titles[i] if titles is not None else ""
        group = None if names is None else names[i]
        if names is not None and group is None:
            continue
        stem = _stem(title)
        for key in {_key(sentence, stem) for sentence in split_sentences(text)}:
            if key == _SLOT or len(key.split()) >= 3:
                counts[key][group] += 1
    top = {key: counter.most_common(1)[0] for key, counter in counts.items()}
    frequent = [(key, *owner) for key, owner in top.items() if owner[1] >= min_repeats]
    frequent.sort(key=lambda item: (-item[2], item[0]))
    return {key: (group, count) for key, group, count in frequent}


def strip_templates(text, templates, *, title="", removed=None):
    """Drop the sentences whose key is among the templates.

    Parameters
    ----------
    text : str
        A description.

    templates : container of str
        Keys, as `find_templates` returns them.

    title : str, default=""
        Title of the clip.

    removed : list, default=None
        Receives the sentences.

    Returns
    -------
    text : str
        On one line if something was dropped, else as it was.

    Examples
    --------
    >>> from skbst.text import strip_templates
    >>> strip_templates("A loud bang. Made in my old shed!", {"made in my old shed"})
    'A loud bang.'
    """
    kept, dropped, stem = [], [], _stem(title)
    for sentence in split_sentences(text):
        (dropped if _key(sentence, stem) in templates else kept).append(sentence)
    if removed is not None:
        removed.extend(dropped)
    return join_sentences(kept) if dropped else text
