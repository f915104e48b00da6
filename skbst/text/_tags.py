"""Splitting and filtering of tags."""

import re
from functools import lru_cache

from skbst.text._lexicon import DEVICE, DRUM_MACHINES, GENERIC_TAGS, UNIT

__all__ = ["clean_tag", "clean_tags", "split_tags"]

_SPLIT = re.compile(r"[,;|\n\t，、；]+")
_GAP = re.compile(r"[\s_]+|(?<=\w)-+(?=\w)")
_DATE = re.compile(
    r"(?:19|20)\d\d(?: ?\d\d){0,2}|\d{1,2} \d{1,2} (?:19|20)?\d\d"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* (?:19|20)\d\d"
)
_FORMAT = re.compile(
    r"\.?(?:wav|mp3|ogg|aiff?|flac|m4a|wma)|\d+(?:\.\d+)? ?k(?:hz|bps|b)?|(?:48|44|96|192)\d00 ?k?hz|44\.?1"
    r"|(?:16|24|32) ?bits?(?: float)?|(?:24|16) (?:96|48|44)|(?:96|48|44) (?:24|16)"
)
_NOTE = re.compile(r"(?i)[a-h] ?(?:#|b|♯|♭|sharp|flat)? ?-?\d")
_WITH_UNIT = re.compile(rf"(?i)(\d+)({UNIT})")
_UNIT_WORD = re.compile(rf"(?i){UNIT}")
_ERA = re.compile(r"(?i)(?:19|20)?\d0s")
_TRAILING = re.compile(r"(?<=[^\W\d_]{4})\d{2,}$")
_LETTERS = re.compile(r"[^\W\d_]")
_DIGITS = re.compile(r"\d+")
# the longest of the 10,672 different tags of BSD10k v1.0 has 62 letters
_LONGEST = 100


def split_tags(tags):
    """Split the tags of a clip into terms.

    Parameters
    ----------
    tags : str or sequence of str
        Comma-separated (or ``;``, ``|``, line ends), or already a list.

    Returns
    -------
    terms : list of str
        Stripped, not empty.

    Examples
    --------
    >>> from skbst.text import split_tags
    >>> split_tags("field-recording, rain,,wind")
    ['field-recording', 'rain', 'wind']
    """
    pieces = _SPLIT.split(tags) if isinstance(tags, str) else [str(tag) for tag in tags]
    return [piece.strip() for piece in pieces if piece.strip()]


def clean_tag(tag):
    """Clean one tag and say what was wrong with it.

    Parameters
    ----------
    tag : str
        One tag.

    Returns
    -------
    term : str
        Hyphens and underscores are spaces; ``""`` if the tag says nothing about the sound.

    reason : {None, "generic", "device", "format", "date", "number", "code"}
        Why it was dropped or shortened; None if it was not.

    Examples
    --------
    >>> from skbst.text import clean_tag
    >>> clean_tag("field-recording")
    ('field recording', None)
    >>> clean_tag("zoom-h4n"), clean_tag("UPF2013"), clean_tag("midi-velocity-95")
    (('', 'device'), ('', 'code'), ('midi velocity', 'number'))
    >>> clean_tag("120bpm"), clean_tag("1-shot"), clean_tag("tr-909"), clean_tag("Dsharp4")
    (('120 bpm', None), ('one shot', None), ('tr 909', None), ('Dsharp4', None))
    """
    return _clean_tag(tag) if len(tag) <= _LONGEST else _clean_tag.__wrapped__(tag)


@lru_cache(maxsize=65536)
def _clean_tag(tag):
    term = " ".join(_GAP.sub(" ", tag.strip("#'\"`*()[]{}<>.:!?- ")).split())
    lowered = term.lower()
    whole = _reason_to_drop(lowered)
    if whole:
        return "", whole
    if not _DIGITS.search(term):
        return term, None
    if _NOTE.fullmatch(term):
        return term, None
    words, reason = _clean_words(term.split(" "))
    if reason == "code" and len(_LETTERS.findall("".join(words))) < 4:
        return "", "code"
    return " ".join(words), reason


def clean_tags(tags, removed=None):
    """Split tags into terms, filter the ones that say nothing about the sound, drop repetitions.

    Parameters
    ----------
    tags : str or sequence of str
        As in `split_tags`.

    removed : list, default=None
        Receives the tags that were dropped or shortened.

    Returns
    -------
    terms : list of str
        In the order given.

    Examples
    --------
    >>> from skbst.text import clean_tags
    >>> clean_tags("field-recording,zoom-h2n,rain,Rain,2008,wav")
    ['field recording', 'rain']
    """
    terms = {}
    for tag in split_tags(tags):
        term, reason = clean_tag(tag)
        if reason and removed is not None:
            removed.append(tag)
        if term:
            terms.setdefault(term.casefold(), term)
    return list(terms.values())


def _reason_to_drop(term):
    if not term or term in GENERIC_TAGS:
        return "generic"
    if len(term) > _LONGEST:  # no device, format or date, and looking for one takes quadratic time
        return None if _LETTERS.search(term) else "number"
    if DEVICE.fullmatch(term):
        return "device"
    if _FORMAT.fullmatch(term):
        return "format"
    if _DATE.fullmatch(term):
        return "date"
    if not _LETTERS.search(term) and _DIGITS.search(term) and term not in DRUM_MACHINES:
        return "number"
    return None


def _clean_words(words):
    kept, reason = [], None
    for position, word in enumerate(words):
        following = words[position + 1] if position + 1 < len(words) else ""
        new, why = _clean_word(word, following)
        reason = reason or why
        if new:
            kept.append(new)
    if reason == "number" and len(_LETTERS.findall("".join(kept))) < 3:
        return words, None
    return kept, reason


def _clean_word(word, following):
    digits = "".join(_DIGITS.findall(word))
    if not digits or digits in DRUM_MACHINES or _ERA.fullmatch(word):
        return word, None
    if word.isdigit():
        if _UNIT_WORD.fullmatch(following):
            return ("one" if word == "1" else word), None
        return "", "number"
    with_unit = _WITH_UNIT.fullmatch(word)
    if with_unit:
        number, unit = with_unit.groups()
        ordinal = unit.lower() in {"st", "nd", "rd", "th", "d"}
        return word if ordinal else f"{'one' if number == '1' else number} {unit}", None
    n_letters, n_runs = len(_LETTERS.findall(word)), len(_DIGITS.findall(word))
    if len(digits) >= 3 and (n_letters <= 4 or n_runs > 1 or word[0].isdigit()):
        return "", "code"
    shorter = _TRAILING.sub("", word)
    return shorter, ("number" if shorter != word else None)
