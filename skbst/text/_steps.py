"""Cleaning steps on one text: pure functions, each of which can be used alone.

Every step takes ``removed``, a list to which it appends the pieces that it took away.
"""

import html
import re
import unicodedata
from itertools import groupby

from skbst.text._lexicon import (
    BOILERPLATE_SENTENCE,
    EQUIPMENT_PHRASE,
    EXTENSION,
    HTML_ELEMENT,
    STUB_WORDS,
    TECHNICAL_PHRASE,
)
from skbst.text._pieces import search, substitute

__all__ = [
    "has_words",
    "join_sentences",
    "split_sentences",
    "strip_boilerplate",
    "strip_html",
    "strip_links",
    "tidy_unicode",
]

_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"\w+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0e\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LOOSE_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_LINE_END = re.compile(r"\r\n?|[\x85\u2028\u2029\v\f]")
_SPACES = re.compile(r"[^\S\n]+")

_OPENING = re.compile(r"(?i)<!--|<(script|style)\b[^<>]*>")
_CLOSING = {
    "": re.compile("-->"),
    "script": re.compile(r"(?i)</script\s*>"),
    "style": re.compile(r"(?i)</style\s*>"),
}
# no character has a longer number; Python refuses to read one of thousands of digits
_LONG_ENTITY = re.compile(r"&#(?:\d{9,}|[xX][0-9a-fA-F]{9,});?")
# Unicode's stream-safe form (UAX 15, D4): putting longer runs in order takes quadratic time
_MOST_MARKS = 30
_BREAK = re.compile(r"(?i)</?(?:br|p|div|li|ul|ol|h[1-6]|tr|table|blockquote|hr)\b[^<>]*>")
# the longest name is "blockquote"; looking at it once is faster than asking for 77 of them
_TAG = re.compile(rf"(?i)</?(?=[a-z][a-z\d]{{0,9}}[\s/>])(?:{HTML_ELEMENT})(?:\s[^<>]*|\s*/)?>")

# an address begins where no other that was tried before can hold it, so that a chain of words is walked along once
_EMAIL = re.compile(rf"(?i)(?:mailto:|(?<![\w.+-]))[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.(?!{EXTENSION}\b)[a-z]{{2,}}")
_URL = re.compile(
    r"(?i)(?:\b(?:https?|ftp)\s?:\s?/{1,2}\s?|\bwww\.)[^\s<>\"]*[^\s<>\"().,;:!?\]]"
    r"|\b(?<!\w[.-])[\w-]+(?:\.[\w-]+)*\."
    r"(?:(?:com|org|net|info|edu|gov)\b(?!\.\w)(?:/[^\s<>\"()]*)?|[a-z]{2,3}/[^\s<>\"()]*)"
)
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"')\]]*\s+|\n+")
_BULLET = re.compile(r"^(?:[-*•·–—~=_#>|]+\s+)+(?:[-*•·–—~=_#>|]+$)?|^[-*•·–—~=_#>|]+$")
_EMPTY_BRACKETS = {")": re.compile(r"\(\W*\)"), "]": re.compile(r"\[\W*\]"), "}": re.compile(r"\{\W*\}")}
_SPACE_BEFORE_MARK = re.compile(r"(?<!\s)\s+(?=[.,;:!?])")
_DANGLING = re.compile(r"(?:\s*[,;:/|+&]|\s[-–—])(?=\s*[,;:.!?/|+&]|\s*[-–—]\s|\s*\Z)")
_EDGES = " \t\n,;:-–—/|+&"


def has_words(text):
    """Whether a text holds at least one letter of any script.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    found : bool

    Examples
    --------
    >>> from skbst.text import has_words
    >>> has_words("snare 01"), has_words("01 - 2"), has_words("犬")
    (True, False, True)
    """
    return _LETTER.search(text) is not None


def tidy_unicode(text, removed=None):
    r"""Bring a text into one Unicode form: NFKC, one kind of line end, nothing invisible.

    Control characters, zero-width spaces, direction marks, soft hyphens and lone surrogates (which no
    tokenizer can encode) go; joiners between letters that need them (Persian, Indic scripts) stay.
    Runs of spaces become one; line ends stay.

    Parameters
    ----------
    text : str
        Any text.

    removed : list, default=None
        Receives the invisible characters.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst.text import tidy_unicode
    >>> tidy_unicode("ﬁeld\u200b  recording\x07 №２\r\n")
    'field recording No2'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = _LINE_END.sub("\n", text)
    for pattern in (_CONTROL, _INVISIBLE):
        text = _cut(pattern, text, removed, "")
    if "\u200c" in text or "\u200d" in text:
        text = _cut(_LOOSE_JOINER, text, removed, "")
    text = unicodedata.normalize("NFKC", _shorten_marks(text, removed))
    text = _SPACES.sub(" ", text)
    return re.sub(r" ?\n ?", "\n", text).strip()


def strip_html(text, removed=None):
    """Take HTML apart: tags go, breaks and paragraphs become line ends, entities become characters.

    Only names of HTML elements count as tags, so that ``"low < mid > high"`` stays.

    Parameters
    ----------
    text : str
        Any text.

    removed : list, default=None
        Receives the tags and entities.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst.text import strip_html
    >>> strip_html('Rain &amp; <b>wind</b><br/>on a <a href="x">roof</a>')
    'Rain & wind\\non a roof'
    """
    if "<" in text and ">" in text:
        text = _cut_comments(text, removed)
        text = _cut(_BREAK, text, removed, "\n")
        text = _cut(_TAG, text, removed, "")
    if "&" in text:
        text = _LONG_ENTITY.sub("", text)  # of any length, and linear: a match starts at an ampersand alone
        plain = html.unescape(text)
        if removed is not None and plain != text:
            removed.extend(re.findall(r"&#?\w+;", text))
        text = plain
    return text


def strip_links(text, removed=None):
    """Take out web addresses and e-mail addresses.

    Parameters
    ----------
    text : str
        Any text.

    removed : list, default=None
        Receives the addresses.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst.text import strip_links
    >>> strip_links("Rain (see http://example.org/x?id=1) by me@example.org")
    'Rain (see ) by'
    """
    if "@" in text:
        text = _cut(_EMAIL, text, removed, " ")
    if "." in text or "/" in text:
        text = _cut(_URL, text, removed, " ")
    return _SPACES.sub(" ", text).strip()


def split_sentences(text):
    """Split into sentences and lines, without bullets; empty ones are left out.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    sentences : list of str

    Examples
    --------
    >>> from skbst.text import split_sentences
    >>> split_sentences("Rain. It pours!\\n- on a roof")
    ['Rain.', 'It pours!', 'on a roof']
    """
    sentences = (_BULLET.sub("", piece.strip()).strip() for piece in _SENTENCE_END.split(text))
    return [sentence for sentence in sentences if _WORD.search(sentence)]


def join_sentences(sentences):
    """Join sentences and lines into one line, with a full stop where a line had no end of its own.

    Parameters
    ----------
    sentences : list of str
        None is empty.

    Returns
    -------
    text : str

    Examples
    --------
    >>> from skbst.text import join_sentences
    >>> join_sentences(["Rain", "It pours!", "on a roof"])
    'Rain. It pours! on a roof'
    """
    joined = [s if s[-1] in ".!?…。！？" else s.rstrip(_EDGES) + "." for s in sentences[:-1]]
    return " ".join([*joined, *sentences[-1:]])


def strip_boilerplate(text, removed=None):
    """Drop sentences on licences, credit and equipment, and such phrases inside other sentences.

    A phrase on equipment or on the file ("with a Zoom H4n", "24 bit / 96 kHz") is cut out of its
    sentence; the sentence is dropped only if nothing but filler is left.

    Parameters
    ----------
    text : str
        Any text; HTML and links already removed.

    removed : list, default=None
        Receives the sentences and phrases.

    Returns
    -------
    text : str
        On one line.

    Examples
    --------
    >>> from skbst.text import strip_boilerplate
    >>> strip_boilerplate("Rain recorded with a Zoom H4n.\\nFeel free to use it!\\n24 bit / 96 kHz, stereo.")
    'Rain.'
    """
    kept = []
    for sentence in split_sentences(text):
        if search(BOILERPLATE_SENTENCE, sentence.lower()):
            if removed is not None:
                removed.append(sentence)
            continue
        shorter = _cut(TECHNICAL_PHRASE, _cut(EQUIPMENT_PHRASE, sentence, removed, " "), removed, " ")
        if shorter == sentence:
            kept.append(sentence)
        elif set(_WORD.findall(shorter.lower())) - STUB_WORDS:
            kept.append(tidy_punctuation(shorter))
    return join_sentences([sentence for sentence in kept if sentence])


def tidy_punctuation(text):
    """Close the gaps that a cut leaves: empty brackets, doubled and dangling separators, spaces."""
    for closing, pattern in _EMPTY_BRACKETS.items():
        if closing in text:
            text = substitute(pattern, " ", text)
    text = _SPACE_BEFORE_MARK.sub("", _SPACES.sub(" ", text))
    text = substitute(_DANGLING, "", text)
    return _SPACES.sub(" ", text).strip(_EDGES)


def _cut(pattern, text, removed, replacement):
    if removed is None:
        return substitute(pattern, replacement, text)
    return substitute(pattern, lambda match: removed.append(match.group(0).strip()) or replacement, text)


def _cut_comments(text, removed):
    """Cut comments, scripts and styles; one that is never closed is looked for once, and stays."""
    parts, done, unclosed = [], 0, set()
    for opening in _OPENING.finditer(text):
        name = (opening.group(1) or "").lower()
        if opening.start() < done or name in unclosed:
            continue
        closing = _CLOSING[name].search(text, opening.end())
        if closing is None:
            unclosed.add(name)
            continue
        if removed is not None:
            removed.append(text[opening.start() : closing.end()].strip())
        parts += [text[done : opening.start()], " "]
        done = closing.end()
    return "".join([*parts, text[done:]])


def _shorten_marks(text, removed):
    """Keep the first marks of a letter that has more than any script puts on one."""
    if len(text) <= _MOST_MARKS or text.isascii():
        return text
    parts = []
    for is_mark, run in groupby(text, key=lambda char: unicodedata.combining(char) != 0):
        piece = "".join(run)
        if is_mark and len(piece) > _MOST_MARKS:
            if removed is not None:
                removed.append(piece[_MOST_MARKS:])
            piece = piece[:_MOST_MARKS]
        parts.append(piece)
    return "".join(parts)
